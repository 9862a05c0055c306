"""Which keys sign a log, and up to which size each counts: as the log itself says.

Rules of this file: reading entries that name keys. Who may name them is decided in the
domain; signing and checking signatures is in ``notes`` and ``checkpoint``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from events import canonical
from events.errors import Malformed

OPENED = "henji.ledger.opened.v1"
ROTATED = "henji.ledger.keys_rotated.v1"


class Named(NamedTuple):
    """What one entry says of the keys; only the one that opens has an origin."""

    stream: str
    type: str
    origin: str | None
    vkeys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Period:
    """Keys in charge. ``first`` is the position of the entry that named them.

    ``last`` is the position of the entry that named their successors, None for those
    in charge now. They count for trees of up to ``last`` entries, that entry included:
    so the old keys vouch for the new ones. Later keys may sign earlier trees again.
    """

    vkeys: tuple[str, ...]
    first: int
    last: int | None


def read(entry: bytes) -> Named | None:
    """Return what an entry that opens a ledger or rotates its keys says, else None."""
    try:
        event = canonical.parse(entry)
        data = event["data"]
        return _named(event, data) if event["type"] in {OPENED, ROTATED} else None
    except (Malformed, LookupError, TypeError):
        return None


def _named(event: dict[str, Any], data: dict[str, Any]) -> Named | None:
    if not isinstance(data["vkeys"], list):
        return None
    origin = data.get("origin")
    return Named(
        stream=str(event.get("subject")),
        type=str(event["type"]),
        origin=None if origin is None else str(origin),
        vkeys=tuple(map(str, data["vkeys"])),
    )


def may_name(entry: bytes) -> bool:
    """Tell, without parsing, whether an entry could be one that rotates keys."""
    return ROTATED.encode() in entry


def periods(named: Sequence[tuple[int, tuple[str, ...]]]) -> tuple[Period, ...]:
    """Return the periods of (position, keys named there), given by position."""
    ends = [position for position, _ in named[1:]]
    return tuple(
        Period(vkeys, first, last)
        for (first, vkeys), last in zip(named, [*ends, None], strict=False)
    )


def periods_of(entries: Iterable[tuple[int, bytes]]) -> tuple[Period, ...]:
    """Return the periods of the entries (position, bytes) of a ledger's own stream."""
    found = [(position, read(entry)) for position, entry in entries]
    return periods([(position, one.vkeys) for position, one in found if one])


def counts(vkeys: Collection[str], size: int, known: Iterable[Period]) -> bool:
    """Tell whether one of these keys counts for a tree of ``size`` entries."""
    return any(
        (period.last is None or size <= period.last)
        and not set(vkeys).isdisjoint(period.vkeys)
        for period in known
    )
