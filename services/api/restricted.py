"""What few may read: kinds of stream, and reports made of them, by the reader's roles.

Rules of this file: one table, and what follows from it for every door. Who may not read
an entry is still told that it is there, so that nothing can be hidden: a stub in its
place in lists and streams, a refusal where it is asked for by name. A refusal is noted
in the security log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from starlette.requests import Request

from events import errors
from events.store import Row, Selection
from services.api.desk import Desk
from services.auth import Principal

#: Kind of stream (and name of the report of it) -> the roles that may read it.
RESTRICTED: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "access": frozenset({"admin", "auditor"}),
        "accountability": frozenset({"discipline", "headquarters", "auditor"}),
    }
)
#: How lists and streams document it.
STUBS: Final = (
    "Entries of accountability cases and of keys are for some roles only. Other keys "
    "see that they are there: position, leaf hash, `entry: null` and, as `restricted`, "
    "the kind of stream. Asking for them by type or stream is refused; a search by "
    "source or by when things happened leaves them out. Every entry has its proof."
)
#: The header that names what an export has left out.
WITHHELD: Final = "Henji-Withheld"


def admit(desk: Desk, request: Request, kind: str) -> None:
    """Return if the caller may read, and read this; ``Denied('restricted_kind')``."""
    caller = desk.caller(request, "events:read")
    needed = RESTRICTED.get(kind)
    if needed is not None and not needed & caller.roles:
        refusal = errors.Denied("restricted_kind", kind=kind, needed=sorted(needed))
        desk.note(request, "access_refused", refusal, key=caller.key)
        raise refusal


@dataclass(frozen=True, slots=True)
class Sight:
    """What one caller sees of the log: all of it but for these kinds of stream."""

    withheld: tuple[str, ...]

    def hides(self, stream: str) -> str | None:
        """Return the kind of a stream that the caller may not read; None: they may."""
        kind = stream.partition("/")[0]
        return kind if kind in self.withheld else None

    def searched(self, chosen: Selection) -> Selection:
        """Return what a search may find, as stubs or whole.

        A stub shows a position and a kind. Found by its source, or by when it happened,
        it would show these as well: so such a search leaves out what is withheld.
        """
        bounds = (chosen.occurred_from, chosen.occurred_before)
        told = not chosen.sources and bounds == (None, None)
        return chosen if told else self.readable(chosen)

    def readable(self, chosen: Selection) -> Selection:
        """Return a selection without anything that is withheld."""
        return replace(chosen, without=self.withheld)


def sight_of(caller: Principal) -> Sight:
    """Return what a caller sees, by the roles of their key."""
    return Sight(
        tuple(kind for kind, roles in RESTRICTED.items() if not roles & caller.roles)
    )


def admit_named(desk: Desk, request: Request, chosen: Selection) -> None:
    """Admit the caller to each kind that a filter by type or stream names."""
    for kind in dict.fromkeys(_named(chosen)):
        admit(desk, request, kind)


def _named(chosen: Selection) -> Iterator[str]:
    for kind in RESTRICTED:
        if _any_within(chosen.types, f"henji.{kind}."):
            yield kind
        if _any_within(chosen.streams, f"{kind}/"):
            yield kind


def _any_within(names: Iterable[str], prefix: str) -> bool:
    return any(name.startswith(prefix) for name in names)


def admit_to(desk: Desk, request: Request, row: Row) -> None:
    """Return if the caller may read an entry; ``Denied('restricted_kind')``."""
    admit(desk, request, row.stream.partition("/")[0])


def stub(row: Row, kind: str) -> bytes:
    """Return what is shown in place of an entry, as JSON: where it is, and its hash.

    The hash is that of the leaf, so that proofs hold for those who see no more.
    """
    return b'{"position":%d,"leaf_hash":"%s","entry":null,"restricted":"%s"}' % (
        row.position,
        row.leaf.hex().encode(),
        kind.encode(),
    )
