"""What the generator has made by an instant: events by kind and stream, and promises.

Rules of this file: choosing and grouping. What is so after each step of a promise is
what the generator noted when it made the step.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Final, NamedTuple

from services.demo.campaign.moments import at, day_of, later
from services.demo.campaign.record import Log, Told
from services.demo.campaign.tally import Clock, Table

ENDED: Final = frozenset({"closed", "cancelled", "superseded", "failed"})
#: By these the lead unit shows that it is at work.
_ACTS: Final = frozenset(
    {
        "signed_for",
        "plan_filed",
        "decomposed",
        "progress_reported",
        "completion_claimed",
        "reopened",
    }
)
Note = Mapping[str, Any]


class Span(NamedTuple):
    """The instants [start, end) of a period."""

    start: int
    end: int

    def has(self, instant: int) -> bool:
        """Tell whether an instant lies in it."""
        return self.start <= instant < self.end


class Event(NamedTuple):
    """An event of the generator, flat."""

    id: str
    what: str
    stream: str
    unit: str
    occurred: int
    recorded: int
    data: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The key of its stream, without the kind."""
        return self.stream.partition("/")[2]

    @property
    def kind(self) -> str:
        """The kind of its stream."""
        return self.stream.partition("/")[0]


class Step(NamedTuple):
    """One event of a promise and what is so after it; ``what`` without its kind."""

    what: str
    event: Event
    note: Note


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise with the steps that are known, in the order in which they happened.

    ``merged`` are the promises that were merged into it: when, and their original due,
    which it has from then on if that is earlier. ``own`` are the steps without that.
    """

    key: str
    steps: tuple[Step, ...]
    own: tuple[Step, ...]
    merged: tuple[tuple[int, int], ...] = ()

    @property
    def note(self) -> Note:
        """What is so after the last step."""
        return self.steps[-1].note

    def of(self, what: str) -> list[Step]:
        """Return its steps of a kind."""
        return [step for step in self.steps if step.what == what]

    def last(self, what: str) -> int | None:
        """Return when the last step of a kind happened; None: never."""
        found = self.of(what)
        return found[-1].event.occurred if found else None

    def by(self, instant: int) -> Promise | None:
        """Return it as it stood at an instant; None: it had not begun."""
        own = tuple(s for s in self.own if s.event.occurred <= instant)
        kept = tuple(_due_of_all(own, self.merged, instant))
        return Promise(self.key, kept, own, self.merged) if kept else None


@dataclass(frozen=True)
class Known:
    """Everything made by an instant by a clock, in the order of the log."""

    now: int
    events: tuple[Event, ...]
    table: Table
    changes: Mapping[str, Note]

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Key → name of every subject on file."""
        return {e.key: e.data["name"] for e in self.of("subject.registered")}

    @property
    def today(self) -> date:
        """The local day of the instant."""
        return day_of(self.now)

    @cached_property
    def _by_what(self) -> Mapping[str, list[Event]]:
        found: dict[str, list[Event]] = defaultdict(list)
        for event in self.events:
            found[event.what].append(event)
        return found

    @cached_property
    def streams(self) -> Mapping[str, list[Event]]:
        """Events by stream, in its order."""
        found: dict[str, list[Event]] = defaultdict(list)
        for event in self.events:
            found[event.stream].append(event)
        return found

    @cached_property
    def promises(self) -> tuple[Promise, ...]:
        """Every promise, by key."""
        own = {
            stream.partition("/")[2]: tuple(_steps(events, self.changes))
            for stream, events in sorted(self.streams.items())
            if stream.startswith("commitment/")
        }
        merged: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for steps in own.values():
            if steps[-1].what == "superseded":
                event, due = steps[-1].event, steps[-1].note["original_due"]
                merged[event.data["by"]].append((event.occurred, due))
        found = (
            Promise(key, steps, steps, tuple(merged[key])) for key, steps in own.items()
        )
        return tuple(row for one in found if (row := one.by(self.now)) is not None)

    def of(self, *whats: str) -> list[Event]:
        """Return the events of some types, each as ``issue.found``."""
        return [event for what in whats for event in self._by_what.get(what, ())]

    def streams_of(self, kind: str) -> dict[str, list[Event]]:
        """Return key → events of every stream of a kind, by key."""
        return {
            events[0].key: events
            for stream, events in sorted(self.streams.items())
            if stream.startswith(f"{kind}/")
        }

    def by(self, instant: int) -> list[Promise]:
        """Return the promises that had begun by an instant, as they stood then."""
        found = (promise.by(instant) for promise in self.promises)
        return [promise for promise in found if promise is not None]

    def until_now(self, span: Span) -> Span:
        """Return a period as far as it has come."""
        return Span(span.start, min(span.end, self.now + 1))


def known(log: Log, clock: Clock, instant: int) -> Known:
    """Return what was known at an instant, or what was so: see ``tally``."""
    events = (_event(told) for told in log.told())
    kept = tuple(
        event
        for event in events
        if (event.recorded if clock == "as_of" else event.occurred) <= instant
    )
    table = log.tally.table(clock, instant)
    return Known(instant, kept, table, log.tally.changes("commitment"))


def days(first: date, count: int = 1) -> Span:
    """Return the instants of so many local days."""
    return Span(at(first), at(later(first, count)))


def week(when: date) -> Span:
    """Return the instants of the week, from Monday on, that a day lies in."""
    return days(later(when, -when.weekday()), 7)


def month(when: date) -> Span:
    """Return the instants of the month that a day lies in."""
    first = when.replace(day=1)
    following = later(first, 31).replace(day=1)
    return Span(at(first), at(following))


def _event(told: Told) -> Event:
    made = told.made
    return Event(
        made.id,
        told.what,
        made.stream,
        told.by.unit,
        made.occurred,
        made.recorded,
        told.data,
    )


def _steps(events: list[Event], changes: Mapping[str, Note]) -> Iterator[Step]:
    note: dict[str, Any] = {"percent": None, "active": None, "begun": None}
    for event in events:
        what = event.what.partition(".")[2]
        note = {**note, **changes[event.id], **_more(what, event)}
        yield Step(what, event, note)


def _due_of_all(
    steps: tuple[Step, ...], merged: tuple[tuple[int, int], ...], now: int
) -> Iterator[Step]:
    """Yield steps with the earliest original due of what was merged into the promise.

    No promise of the demo is merged into one that is merged itself, or has ended.
    """
    for step in steps:
        until = now if step is steps[-1] else step.event.occurred
        dues = [due for since, due in merged if since <= until]
        earliest = min([step.note["original_due"], *dues])
        yield step._replace(note={**step.note, "original_due": earliest})


def _more(what: str, event: Event) -> Note:
    """Return what a step shows beside what the generator noted of it."""
    more: dict[str, Any] = {}
    if what in _ACTS:
        more["active"] = event.occurred
    if what in {"registered", "issued", "reassigned"}:
        more["begun"] = event.occurred
    if what == "progress_reported":
        more["percent"] = event.data["percent"]
    if what == "reopened":
        more["percent"] = None
    if what == "verification_recorded":
        more["verifier"] = event.unit
    return more
