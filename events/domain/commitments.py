"""The commitment (承诺/任务), put together: its event types for the catalogue.

Rules of this file: it joins what the files beside it state (payloads, table, guards,
fold) with the texts of commitment_catalogue.toml, and states nothing itself.
"""

from __future__ import annotations

from importlib.resources import files
from tomllib import loads
from typing import Any

from events.domain.commitment_fold import evolve
from events.domain.commitment_payloads import PAYLOADS, type_name
from events.domain.commitment_rules import decide
from events.domain.commitment_state import (
    ACTIVE,
    STATUSES,
    TERMINAL,
    TRANSITIONS,
    Commitment,
    person_of,
)
from events.domain.model import EventType

__all__ = [
    "ACTIVE",
    "EVENT_TYPES",
    "STATUSES",
    "TERMINAL",
    "TRANSITIONS",
    "Commitment",
    "decide",
    "earliest_original_due",
    "evolve",
    "person_of",
]


def earliest_original_due(own: int | None, inherited: int | None) -> int | None:
    """Return the original due that counts for a commitment that took another one over.

    ``superseded`` is one event on the stream of what ends, so its successor's state
    does not hold this: a view applies it when it sees the event, to the row of
    ``data.by``, with the ``earliest_original_due`` of the row that ends. Rows are
    visited in log order, so a chain carries the earliest due to its end.
    """
    return min((due for due in (own, inherited) if due is not None), default=None)


def _event_type(event: str, row: dict[str, Any]) -> EventType:
    return EventType(
        name=type_name(event),
        kind="commitment",
        en=row["en"],
        zh=row["zh"],
        version=1,
        data=PAYLOADS[type_name(event)],
        roles=frozenset(row["roles"]),
        decide=decide,
        evolve=evolve,
        examples=tuple(row["examples"]),
        description=row["description"],
    )


_TEXTS = loads(
    files("events.domain")
    .joinpath("commitment_catalogue.toml")
    .read_text(encoding="utf-8")
)

#: The rows of the catalogue, in the order of the loop.
EVENT_TYPES: tuple[EventType, ...] = tuple(
    _event_type(event, row) for event, row in _TEXTS.items()
)
