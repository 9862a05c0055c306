"""What the scheduler must know of the log, folded as the log grows.

Rules of this file: folding only. What was done is read from the log and from nowhere
else, so that any worker, new or restarted, knows what all others did. What has ended is
let go: memory grows with what is open, not with the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final, NamedTuple

from events import catalogue
from events.domain.calendars import CALENDAR
from events.domain.commitment_fold import evolve
from events.domain.commitment_payloads import type_name
from events.domain.commitment_state import TERMINAL, Commitment
from events.domain.fields import us
from events.domain.model import Event
from events.domain.obligations import Defined, Scheduled, routine_stream
from events.domain.reports import report_stream
from events.store import Reader, Row
from projections.reports.registry import REPORTS
from projections.rules.courses import OWED
from projections.rules.in_force import RULESET, Rulebook
from projections.rules.urging import CLUE as RED
from projections.rules.urging import rank

SOURCE = "urn:henji:scheduler"

#: Reports of the whole zone that are frozen for each week: the zone's one issue is done
#: for whoever owes it.
WEEKLY: Final = ("weekly_bulletin",)
MISSED: Final = "henji.obligation.missed.v1"
_PAGE = 1_000
_URGED = type_name("urged")
_REOPENED = type_name("reopened")


@dataclass(slots=True)
class Running:
    """What recurs: its definition, since when (µs), and its last day as it stands.

    ``through`` is the last period that a scheduler appended.
    """

    definition: Defined
    since: int
    last_day: date | None
    through: str = ""


class Owed(NamedTuple):
    """An obligation that can still be met: instants in µs.

    ``reports`` are the streams of the reports that meet it, any of them. One that was
    ``missed`` is kept for these alone.
    """

    due: int
    since: int
    reports: tuple[str, ...] = ()
    missed: bool = False


@dataclass(frozen=True, slots=True)
class Promise:
    """An open commitment: its state, its stream's version, and its urging so far.

    A cycle begins with each new due and each reopening; the first is 0. ``since`` (µs)
    is from when on its owner had to act in it; ``sent`` is the highest level urged in
    it, by anybody (0: none); ``red`` is the (version, µs) of its red sheet.
    """

    state: Commitment
    version: int
    since: int
    cycle: int
    sent: int = 0
    red: tuple[int, int] | None = None


@dataclass(slots=True)
class States:
    """What is open in the log up to ``position``, and which rules were published.

    ``settled`` are the obligations that others scheduled; ``frozen`` the reports, each
    with the instant (µs) it was frozen at, and ``clues`` the accountability cases.
    """

    position: int = 0
    opened: int | None = None
    routines: dict[str, Running] = field(default_factory=dict)
    owed: dict[str, Owed] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    promises: dict[str, Promise] = field(default_factory=dict)
    frozen: dict[str, int] = field(default_factory=dict)
    clues: set[str] = field(default_factory=set)
    rulebook: Rulebook = field(default_factory=Rulebook)


def follow(states: States, reader: Reader) -> int:
    """Fold what was appended since the last time; return how many entries that was."""
    start = states.position
    while rows := reader.rows(after=states.position, limit=_PAGE):
        fold(states, rows, lambda stream, until: _history(reader, stream, until))
    return states.position - start


History = Callable[[str, int], Iterable[Event]]


def fold(states: States, rows: Iterable[Row], history: History) -> None:
    """Fold rows in order. ``history`` gives a stream's events up to a version."""
    for row in rows:
        kind = catalogue.lookup(row.type)
        change = None if kind is None else _CHANGES.get(kind.kind)
        if change is not None:
            change(states, _event(row), history)
        states.position = row.position


def advance(promise: Promise | None, event: Event) -> Promise | None:
    """Return a commitment after one more event; None: it has not been registered."""
    state = evolve(promise.state if promise else None, event)
    if state is None:
        return None
    if promise is None:
        cycle = -1 if state.current_due is None else 0
        return Promise(state, event.version, event.occurred, cycle)
    before = promise.state
    promise = replace(promise, state=state, version=event.version)
    if state.current_due is not None and (
        state.current_due != before.current_due or event.type == _REOPENED
    ):
        cycle = promise.cycle + 1
        return Promise(state, event.version, event.occurred, cycle)
    if state.status in OWED and before.status not in OWED:
        return replace(promise, since=event.occurred)
    return _urged(promise, event) if event.type == _URGED else promise


def _urged(promise: Promise, event: Event) -> Promise:
    level = rank(event.data.level)
    red = promise.red
    if red is None and event.data.level == RED:
        red = (event.version, event.occurred)
    return replace(promise, sent=max(promise.sent, level), red=red)


def _event(row: Row) -> Event:
    return catalogue.read(row.entry, (row.occurred, row.ingested))


def _history(reader: Reader, stream: str, until: int) -> Iterable[Event]:
    version = 0
    while version < until:
        rows = reader.stream(stream, after=version, limit=_PAGE)
        if not rows:
            return
        for row in rows:
            if row.version <= until:
                yield _event(row)
        version = rows[-1].version


def _ledger(states: States, event: Event, _history: History) -> None:
    if event.version == 1:
        states.opened = event.ingested


def _routine(states: States, event: Event, _history: History) -> None:
    if isinstance(event.data, Defined):
        last = event.data.last_day
        states.routines[event.stream] = Running(event.data, event.occurred, last)
    else:
        states.routines[event.stream].last_day = event.data.last_day


def _obligation(states: States, event: Event, _history: History) -> None:
    if event.version > 1:
        owed = states.owed.pop(event.stream, None)
        if owed is not None and event.type == MISSED and owed.reports:
            states.owed[event.stream] = owed._replace(missed=True)
        return
    data = event.data
    states.owed[event.stream] = Owed(us(data.due), event.occurred, _reports_of(data))
    routine = states.routines.get(routine_stream(data.kind, data.unit, data.subject))
    if event.source != SOURCE or routine is None:
        states.settled.add(event.stream)
    else:
        routine.through = max(routine.through, data.period)


def _reports_of(owed: Scheduled) -> tuple[str, ...]:
    """Return the reports that show it was done: the unit's own, or the whole zone's."""
    if owed.kind not in REPORTS or owed.subject is not None:
        return ()
    own = report_stream(owed.kind, owed.period, unit=owed.unit)
    zone = report_stream(owed.kind, owed.period)
    return (own, zone) if owed.kind in WEEKLY else (own,)


def _commitment(states: States, event: Event, history: History) -> None:
    promise = states.promises.get(event.stream)
    if promise is None and event.version > 1:
        # It had ended, and its state was let go: read it again, to the event's end.
        for earlier in history(event.stream, event.version):
            promise = advance(promise, earlier)
    else:
        promise = advance(promise, event)
    if promise is None or promise.state.status in TERMINAL:
        states.promises.pop(event.stream, None)
    else:
        states.promises[event.stream] = promise


def _report(states: States, event: Event, _history: History) -> None:
    states.frozen.setdefault(event.stream, event.occurred)


def _accountability(states: States, event: Event, _history: History) -> None:
    if event.version == 1:
        states.clues.add(event.stream)


def _policy(member: str, stream: str) -> Callable[[States, Event, History], None]:
    """Return the fold of the versions of one ruleset or calendar."""

    def change(states: States, event: Event, _history: History) -> None:
        kind = catalogue.lookup(event.type)
        if event.stream == stream and kind is not None:
            found = kind.evolve(getattr(states.rulebook, member), event)
            changed: dict[str, Any] = {member: found}
            states.rulebook = replace(states.rulebook, **changed)

    return change


_CHANGES: Mapping[str, Callable[[States, Event, History], None]] = {
    "ledger": _ledger,
    "routine": _routine,
    "obligation": _obligation,
    "commitment": _commitment,
    "report": _report,
    "accountability": _accountability,
    "ruleset": _policy("ruleset", f"ruleset/{RULESET}"),
    "calendar": _policy("calendar", f"calendar/{CALENDAR}"),
}
