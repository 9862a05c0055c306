"""Uses of evidence: which event refers to which content, in the order of the log.

Rules of this file: references only. An event refers to content by a member ``evidence``
or ``track`` anywhere in its payload: a list of SHA-256 digests, or of objects that have
one. That two claims rest on the same content is judged elsewhere, from these rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from projections.facts import Fact
from projections.tables import FOREVER, Changes, Fetch, Table, Values
from projections.views import Snapshot

USES = Table(
    name="evidence_use",
    columns=(
        ("sha256", "text"),
        ("position", "int"),
        ("stream", "text"),
        ("version", "int"),
        ("type", "text"),
        ("occurred", "int"),
        ("recorded", "int"),
        ("ingested", "int"),
        ("unit", "text"),
        ("id", "text"),
        ("source", "text"),
        ("claim", "text"),
    ),
    key=("sha256", "position"),
    indexes=(("position",),),
    grows=True,
)
TABLES = (USES,)

#: Stream kind -> which of its events claim that the content shows something of *this*
#: stream alone. Verifiers and decisions may rightly look at the same content again.
CLAIMS: Final[Mapping[str, frozenset[str]]] = {
    "commitment": frozenset({"progress_reported", "completion_claimed"}),
    "issue": frozenset({"found", "fixed_on_spot", "closed"}),
    "inspection": frozenset({"item_checked"}),
    "patrol": frozenset({"point_checked"}),
}
_MEMBERS: Final = frozenset({"evidence", "track"})
_MARKS: Final = (b'"evidence":[', b'"track":[')
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_NAME: Final = re.compile(r"henji\.([a-z]+)\.([a-z_]+)\.v[0-9]+")
_decode = msgspec.json.Decoder().decode


class Use(NamedTuple):
    """One event that refers to a content. Instants are µs.

    ``claim`` is the kind of stream among which the content should be used once; "" for
    an event that may use what others use.
    """

    sha256: str
    position: int
    stream: str
    version: int
    type: str
    occurred: int
    recorded: int
    ingested: int
    unit: str | None
    id: str
    source: str
    claim: str


class Page(NamedTuple):
    """Some uses, and the position of the log that they are of."""

    uses: list[Use]
    position: int


def fold(facts: Sequence[Fact], _fetch: Fetch) -> Changes:
    """Return one row for each content that an event refers to."""
    return {USES.name: [row for fact in facts for row in _rows(fact)]}


def uses(
    snapshot: Snapshot,
    sha256: str,
    *,
    after: int = 0,
    as_of: int | None = None,
    limit: int,
) -> Page:
    """Return uses of one content at positions beyond ``after``, oldest first."""
    return _page(
        snapshot,
        "sha256 = :sha256 AND position > :after AND position <= :as_of",
        {"sha256": sha256, "after": after, "limit": limit},
        as_of,
    )


def claims(snapshot: Snapshot, *, after: int, limit: int) -> Page:
    """Return uses that are claims, of any content, at positions beyond ``after``."""
    return _page(
        snapshot,
        "position > :after AND position <= :as_of AND claim <> ''",
        {"after": after, "limit": limit},
        None,
    )


def earlier_claims(snapshot: Snapshot, use: Use) -> list[Use]:
    """Return the claim that used it first, and this stream's own first claim with it.

    The second is absent where ``use`` is the stream's first. Both are of ``use``'s
    kind and lie before it.
    """
    columns = ", ".join(USES.names)
    rows = snapshot.select(
        f"SELECT {columns} FROM {{evidence_use}} "  # noqa: S608 - our column names
        "WHERE sha256 = :sha256 AND claim = :claim AND position = "
        "(SELECT min(position) FROM {evidence_use} WHERE sha256 = :sha256 "
        "AND claim = :claim AND position < :position) "
        f"UNION SELECT {columns} FROM {{evidence_use}} "
        "WHERE sha256 = :sha256 AND claim = :claim AND position = "
        "(SELECT min(position) FROM {evidence_use} WHERE sha256 = :sha256 "
        "AND claim = :claim AND stream = :stream AND position < :position) "
        "ORDER BY position",
        {
            "sha256": use.sha256,
            "claim": use.claim,
            "stream": use.stream,
            "position": use.position,
        },
    )
    return [Use._make(row) for row in rows]


def digests_in(data: Any) -> Iterator[str]:
    """Yield every digest that a payload refers to as evidence, in its order."""
    if isinstance(data, list):
        for member in data:
            yield from digests_in(member)
    elif isinstance(data, dict):
        for name, value in data.items():
            if name in _MEMBERS and isinstance(value, list):
                yield from filter(None, map(_digest, value))
            else:
                yield from digests_in(value)


def _page(
    snapshot: Snapshot, terms: str, parameters: dict[str, Any], as_of: int | None
) -> Page:
    reached = snapshot.generation.position
    rows = snapshot.select(
        f"SELECT {', '.join(USES.names)} FROM {{evidence_use}} "  # noqa: S608 - ours
        f"WHERE {terms} ORDER BY position, sha256 LIMIT :limit",
        parameters | {"as_of": FOREVER if as_of is None else as_of},
    )
    position = reached if as_of is None else min(as_of, reached)
    return Page([Use._make(row) for row in rows], position)


def _rows(fact: Fact) -> Iterator[Values]:
    raw = bytes(fact.data)
    if not any(mark in raw for mark in _MARKS):  # Most events: not even decoded.
        return
    claim = _claim(fact.type)
    for sha256 in dict.fromkeys(digests_in(_decode(raw))):
        yield (
            sha256,
            fact.position,
            fact.stream,
            fact.version,
            fact.type,
            fact.occurred,
            fact.recorded,
            fact.ingested,
            fact.unit,
            fact.id,
            fact.source,
            claim,
        )


def _claim(name: str) -> str:
    found = _NAME.fullmatch(name)
    if found is None:
        return ""
    kind, what = found.groups()
    return kind if what in CLAIMS.get(kind, frozenset()) else ""


def _digest(reference: Any) -> str | None:
    text = reference.get("sha256") if isinstance(reference, dict) else reference
    return text if isinstance(text, str) and _DIGEST.fullmatch(text) else None
