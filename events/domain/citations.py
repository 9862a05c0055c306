"""Facts: events that another event cites, by stream and version, proven to exist.

Rules of this file: the citation and its check. An event is cited by its place in its
stream, because that is what the append lock can prove: a stream whose version is 7
holds the versions 1 to 7, sealed before the citing event. Ids are for readers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from events.domain.model import Context, Payload
from events.domain.transitions import refuse

StreamId = Annotated[
    str,
    Meta(
        max_length=512,
        pattern=r"^[a-z]{1,32}/[^\r\n]+(?!\n)$",
        description="A stream, as in the subject of its events.",
        examples=["commitment/GX-2017-0012"],
    ),
]


class Fact(Payload, frozen=True):
    """One sealed event, by its place: the stream, and its version in it."""

    stream: StreamId
    version: Annotated[int, Meta(ge=1, le=1_000_000_000)]
    note: Annotated[str, Meta(min_length=1, max_length=500)] | None = None

    @property
    def place(self) -> tuple[str, int]:
        """Return (stream, version)."""
        return self.stream, self.version


def check_facts(
    facts: Iterable[Fact],
    context: Context,
    *,
    where: str = "/data/facts",
    cited: frozenset[tuple[str, int]] = frozenset(),
) -> None:
    """Return if each fact is in the log already, and named once.

    ``cited`` are places that were cited before. ``Refused``: fact_unknown,
    fact_repeated, pointing at the fact.
    """
    seen = set(cited)
    for index, fact in enumerate(facts):
        check_fact(fact, context, where=f"{where}/{index}")
        if fact.place in seen:
            raise refuse("fact_repeated", f"{where}/{index}", stream=fact.stream)
        seen.add(fact.place)


def check_fact(fact: Fact, context: Context, *, where: str) -> None:
    """Return if a fact is in the log already; ``Refused('fact_unknown')``."""
    if fact.version > context.version_of(fact.stream):
        raise refuse("fact_unknown", where, stream=fact.stream, version=fact.version)
