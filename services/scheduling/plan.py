"""What time makes due: from the states of the log and a range of time, pure.

Rules of this file: no clock, no store, no lock. Planning a range in pieces gives what
planning it whole gives. An event's id is made of what it is and of which period, so
that whoever plans it again plans the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Any, Final, NamedTuple

from events import calendar, entries
from events.calendar import HOUR_US
from events.domain.commitment_payloads import type_name
from events.domain.obligations import Defined, obligation_stream
from events.domain.periods import week_of
from events.domain.policy_versions import Versions
from events.domain.reports import report_stream
from projections.rules.courses import OWED
from projections.rules.in_force import Rules
from projections.rules.urging import CLUE as RED
from projections.rules.urging import Sheet, rank, sheets
from services.scheduling.periods import periods
from services.scheduling.states import MISSED, SOURCE, Owed, Promise, States

SCHEDULED: Final = "henji.obligation.scheduled.v1"
MET: Final = "henji.obligation.met.v1"
URGED: Final = type_name("urged")
CLUE: Final = "henji.accountability.clue_registered.v1"
FROZEN: Final = "henji.report.frozen.v1"
#: At one instant what is owed begins first. A report that falls due as it is frozen is
#: done in time, so it is frozen before anything is missed.
_ORDER: Final = {SCHEDULED: 0, FROZEN: 1, MISSED: 2, MET: 3, URGED: 4, CLUE: 5}
#: Before every instant that can be written.
BEGINNING: Final = -(2**62)
_WEEK_US: Final = 7 * calendar.DAY_US
#: When the report of a week is frozen: on the Monday after it, at 09:00.
_FREEZE_HOUR: Final = 9
_LONGEST_KEY: Final = 64


class Due(NamedTuple):
    """One event that is due: at which instant (µs), and which.

    ``version`` is that of its stream beforehand, where the plan rests on it; ``needs``
    the id of another that it follows or cites. A frozen report's event lacks its cut
    and files: nobody has made them yet.
    """

    instant: int
    event: dict[str, Any]
    version: int | None = None
    needs: str | None = None

    @property
    def order(self) -> tuple[int, int, str]:
        """Return by what it comes before others: one order for whoever plans."""
        return self.instant, _ORDER[self.event["type"]], self.event["id"]


def due_between(
    states: States,
    since: int,
    until: int,
    rules: Rules,
    *,
    weekly: Sequence[str] = (),
) -> list[Due]:
    """Return what becomes due after ``since`` and by ``until`` (µs), in order.

    ``states`` stays what it is. ``rules`` are those in force in the whole range;
    ``weekly`` the names of the reports that are frozen for each week.
    """
    found = (
        *_obligations(states, until, rules),
        *_outcomes(states),
        *_urges(states, until, rules),
        *_clues(states),
        *_freezes(states, until, weekly),
    )
    mine = (due for due in found if since < due.instant <= until)
    return sorted(mine, key=lambda due: due.order)


def due_until(states: States, until: int, *, weekly: Sequence[str] = ()) -> list[Due]:
    """Return all that is due by an instant and not in the log, each by its own rules.

    A ruleset or calendar that came into force reaches no instant before.
    """
    book = states.rulebook
    edges = sorted(
        {edge - 1 for edge in _edges(book.ruleset, book.calendar) if edge <= until}
    )
    found: dict[str, Due] = {}
    for since, end in pairwise([BEGINNING, *edges, until]):
        rules = book.at(end)
        for due in due_between(states, since, end, rules, weekly=weekly):
            found.setdefault(due.event["id"], due)
    return list(found.values())


def _edges(*policies: Versions | None) -> Iterator[int]:
    for policy in policies:
        for edition in policy.versions.values() if policy else ():
            if edition.activated_at is not None:
                yield edition.valid_from
                if edition.valid_to is not None:
                    yield edition.valid_to


def _event(
    name: str, stream: str, data: dict[str, Any], *, instant: int, part: str = ""
) -> dict[str, Any]:
    what = name.removeprefix("henji.").removesuffix(".v1")
    return {
        "specversion": "1.0",
        "id": "/".join(filter(None, (what, stream.partition("/")[2], part))),
        "source": SOURCE,
        "type": name,
        "subject": stream,
        "time": entries.rfc3339(instant),
        "data": data,
    }


def _obligations(states: States, until: int, rules: Rules) -> Iterator[Due]:
    """Yield what begins, and what nobody can have done meanwhile: it is not begun yet.

    What was owed before its routine was put on record is owed from then on.
    """
    for routine in states.routines.values():
        definition = routine.definition
        coming = periods(
            definition,
            rules.table,
            after=routine.through,
            last_day=routine.last_day,
            until=until,
        )
        for name, start, due in coming:
            stream = obligation_stream(
                definition.kind, definition.unit, name, subject=definition.subject
            )
            if stream in states.settled:
                continue
            begins = max(start, routine.since)
            data = _scheduled(definition, name, due)
            yield Due(begins, _event(SCHEDULED, stream, data, instant=begins))
            yield _missed(stream, max(due, begins))


def _scheduled(definition: Defined, period: str, due: int) -> dict[str, Any]:
    data = {
        "kind": definition.kind,
        "unit": definition.unit,
        "period": period,
        "due": entries.rfc3339(due),
        "title": definition.title,
        "subject": definition.subject,
        "campaign": definition.campaign,
    }
    return {name: value for name, value in data.items() if value is not None}


def _outcomes(states: States) -> Iterator[Due]:
    """Yield what comes of what is owed: a frozen report meets it, else it is missed.

    What a report met too late was missed before that, and both are on record.
    """
    for stream, owed in states.owed.items():
        shown = _shown(states, owed)
        in_time = shown is not None and shown[0] <= owed.due
        if not in_time and not owed.missed:
            yield _missed(stream, max(owed.due, owed.since))
        if shown is not None:
            yield _met(stream, owed, *shown)


def _shown(states: States, owed: Owed) -> tuple[int, str] | None:
    """Return the first frozen report that meets it: since when (µs), and its stream."""
    frozen = states.frozen
    found = [(frozen[name], name) for name in owed.reports if name in frozen]
    return min(found, default=None)


def _missed(stream: str, instant: int) -> Due:
    return Due(instant, _event(MISSED, stream, {}, instant=instant))


def _met(stream: str, owed: Owed, frozen: int, report: str) -> Due:
    instant = max(frozen, owed.since)
    data = {
        "met_at": entries.rfc3339(frozen),
        "facts": [{"stream": report, "version": 1}],
    }
    return Due(instant, _event(MET, stream, data, instant=instant))


def _urges(states: States, until: int, rules: Rules) -> Iterator[Due]:
    # A cheap bound first: of many promises few are near their due.
    horizon = until + (2 * rules.ruleset.urge_reminder_days + 30) * calendar.DAY_US
    for stream, promise in states.promises.items():
        due = promise.state.current_due
        if due is not None and due <= horizon and promise.state.status in OWED:
            yield from _cycle(stream, promise, due, rules)


def _cycle(stream: str, promise: Promise, due: int, rules: Rules) -> Iterator[Due]:
    """Yield what is left of the urging of a cycle: each rests on the one before it."""
    # A level may be sent again after an extension, but never a lower one.
    least = max(promise.sent + 1, promise.state.urge_level)
    if least > rank(RED):
        return
    version, before = promise.version, None
    for sheet in _sheets(promise, due, rules):
        if rank(sheet.level) < least:
            continue
        data = {"level": sheet.level, "text": rules.cite(f"urging.{sheet.level}")}
        part = f"{promise.cycle}/{sheet.level}"
        event = _event(URGED, stream, data, instant=sheet.since, part=part)
        yield Due(sheet.since, event, version, before)
        version, before = version + 1, event["id"]
        if sheet.level == RED:
            clue = _clue(stream, promise, version=version, instant=sheet.since)
            yield Due(sheet.since, clue, needs=before)


def _sheets(promise: Promise, due: int, rules: Rules) -> list[Sheet]:
    """Return the sheets of a cycle from the instant on that its owner had to act.

    Of those before it only the highest, at that instant: who is given something late
    is not sent all the papers of the past. A reminder too late to remind is left out.
    """
    every = sheets(due, rules, urgent=promise.state.urgent)
    passed = [sheet for sheet in every[1:] if sheet.since <= promise.since]
    coming = [sheet for sheet in every if sheet.since > promise.since]
    return [Sheet(sheet.level, promise.since) for sheet in passed[-1:]] + coming


def _clues(states: States) -> Iterator[Due]:
    """Yield the clue of each red sheet that has none, whoever sent it."""
    for stream, promise in states.promises.items():
        if promise.red is not None:
            version, instant = promise.red
            clue = _clue(stream, promise, version=version, instant=instant)
            if clue["subject"] not in states.clues:
                yield Due(instant, clue)


def _clue(
    stream: str, promise: Promise, *, version: int, instant: int
) -> dict[str, Any]:
    """Return what a red sheet leads to: to be judged by people, nobody is accused."""
    title = promise.state.title
    data = {
        "origin": "urging",
        "title": f"红单未落实：{title}"[:200],
        "summary": f"{stream}: {title}"[:500],
        "unit": promise.state.lead_unit,
        "facts": [{"stream": stream, "version": version}],
    }
    clue = _clue_stream(stream.partition("/")[2], promise.cycle)
    return _event(CLUE, clue, data, instant=instant)


def _clue_stream(key: str, cycle: int) -> str:
    """Return the one case of a cycle; a long key gives way to its digest."""
    name = f"urging-{key}-{cycle}"
    if len(name) > _LONGEST_KEY:
        name = f"urging-{sha256(name.encode()).hexdigest()[:40]}"
    return f"accountability/{name}"


def _freezes(states: States, until: int, weekly: Sequence[str]) -> Iterator[Due]:
    """Yield a report for each week since the ledger was opened, that week included."""
    if states.opened is None or not weekly:
        return
    opening = calendar.local_date(states.opened)
    monday = calendar.start_of_day(opening) - opening.weekday() * calendar.DAY_US
    freezing = monday + _WEEK_US + _FREEZE_HOUR * HOUR_US
    while freezing <= until:
        period = week_of(freezing - _WEEK_US)
        for name in weekly:
            stream = report_stream(name, period)
            if stream not in states.frozen:
                data = {"name": name, "period": period}
                yield Due(freezing, _event(FROZEN, stream, data, instant=freezing))
        freezing += _WEEK_US
