"""What is so after each event, noted by whoever made the event; nothing is derived.

Rules of this file: dicts. A mark says which fields of which thing changed, with both
times of the event that changed them; ``table`` puts the marks up to an instant
together, by either clock.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Literal, NamedTuple, Protocol

Clock = Literal["as_of", "as_at"]
Table = dict[str, dict[str, dict[str, Any]]]


class Times(Protocol):
    """Which event it is, when it happened and when it was recorded (µs)."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def occurred(self) -> int:
        """When it happened."""

    @property
    def recorded(self) -> int:
        """When it was written down."""


class Mark(NamedTuple):
    """Fields of one thing that changed with one event."""

    event: str
    occurred: int
    recorded: int
    group: str
    name: str
    fields: dict[str, Any]


class Tally:
    """All marks of one copy of the campaign, in the order in which they were made."""

    def __init__(self) -> None:
        self._marks: list[Mark] = []
        self._latest: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)

    def mark(self, event: Times, group: str, name: str, **fields: Any) -> None:
        """Note that with this event a thing of a group has these fields."""
        self._marks.append(
            Mark(event.id, event.occurred, event.recorded, group, name, fields)
        )
        if group != "event":
            self._latest[group, name].update(fields)

    def changes(self, group: str) -> dict[str, dict[str, Any]]:
        """Return event → fields that changed with it, for the things of a group."""
        found: dict[str, dict[str, Any]] = defaultdict(dict)
        for mark in self._marks:
            if mark.group == group:
                found[mark.event].update(mark.fields)
        return found

    def latest(self, group: str, name: str) -> dict[str, Any]:
        """Return the fields of one thing after the last mark of it."""
        return dict(self._latest[group, name])

    def table(self, clock: Clock, instant: int) -> Table:
        """Return group → name → fields at an instant: what was known, or what was."""
        found: Table = defaultdict(lambda: defaultdict(dict))
        for mark in self._marks:
            when = mark.recorded if clock == "as_of" else mark.occurred
            if when <= instant:
                found[mark.group][mark.name].update(mark.fields)
        return found
