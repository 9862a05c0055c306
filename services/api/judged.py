"""Lists that rules give of the board: who is idle or slow, which sheet is due.

Rules of this file: the board leaves out what cannot be meant, the rule judges the rest
by replaying it. Each line explains itself: rule, numbers, positions of the events. A
list may go on with the daily duties (``duties``) once the commitments are through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

from events.domain.commitment_state import ACTIVE
from events.entries import rfc3339
from projections import board, happened, queries
from projections.cut_world import ViewWorld, cut_of
from projections.rules import conduct, courses, days, urging
from projections.rules.derived import Derived
from projections.rules.names import names
from projections.status import Status
from projections.views import Snapshot
from services.api import duties
from services.api.desk import Desk
from services.api.moments import Moment

Judge = Callable[[courses.Course, Moment], Iterator[Derived[Any]]]
Candidate = Callable[[Status, Moment], bool]


@dataclass(frozen=True, slots=True)
class Listed:
    """One list: where it is, which rows are worth a replay, and the rule.

    ``duties``: it goes on with daily duties.
    """

    path: str
    operation: str
    summary: str
    candidate: Candidate
    judge: Judge
    duties: bool = False


class Line(NamedTuple):
    """What a line is about, as JSON, and what the rule says of it."""

    about: Mapping[str, Any]
    found: Derived[Any]


class Answer(NamedTuple):
    """One page: lines, the stream after which the next begins, the position it is of.

    ``next`` is None at the end.
    """

    lines: list[Line]
    next: str | None
    position: int


_COMMITMENT: Final = "commitment/"
_ROUTINE: Final = "routine/"
_RUNNING = tuple(sorted(ACTIVE))


def judged(
    desk: Desk,
    asked_for: Listed,
    units: tuple[str, ...],
    moment: Moment,
    *,
    after: str,
    limit: int,
) -> Answer:
    """Return what the rule says of the next candidates after a stream (empty: all).

    A page has ``limit`` commitments at most, and as many duties once they are through.
    """
    with desk.views.snapshot(board.NAME) as snapshot:
        world = _world(desk, snapshot, moment)
        if after.startswith(_ROUTINE):
            return _duties(world, units, moment, after=after, limit=limit)
        narrow = queries.Filter(units=units, statuses=_RUNNING)
        page = _candidates(
            desk,
            snapshot,
            narrow,
            moment,
            place=(0, after.removeprefix(_COMMITMENT)) if after else None,
            limit=limit,
            keep=lambda row: asked_for.candidate(row, moment),
        )
        lines = list(_lines(world, page.rows, asked_for.judge, moment))
        if page.next is not None:
            return Answer(lines, _COMMITMENT + page.next[1], page.position)
        if not asked_for.duties:
            return Answer(lines, None, page.position)
        rest = _duties(world, units, moment, after=_ROUTINE, limit=limit)
        return Answer(lines + rest.lines, rest.next, page.position)


def _duties(
    world: ViewWorld, units: tuple[str, ...], moment: Moment, *, after: str, limit: int
) -> Answer:
    key = after.removeprefix(_ROUTINE)
    silent, place = duties.silent(world, units, moment.rules, after=key, limit=limit)
    following = None if place is None else _ROUTINE + place[1]
    return Answer([_duty_line(one) for one in silent], following, world.cut.position)


def _lines(
    world: ViewWorld, rows: Iterable[Status], judge: Judge, moment: Moment
) -> Iterator[Line]:
    for row in rows:
        course = courses.course_of(world, row.key)
        if course is None:
            continue
        state = row.state
        about = {
            "commitment": row.key,
            "title": state.title,
            "lead_unit": state.lead_unit,
            "status": state.status,
        }
        yield from (Line(about, found) for found in judge(course, moment))


def _duty_line(silent: duties.Silent) -> Line:
    about = {
        "duty": silent.stream,
        "title": silent.duty.title,
        "lead_unit": silent.duty.unit,
        "status": "running",
    }
    return Line(about, silent.found)


def _candidates(  # noqa: PLR0913 - each is one part of the question
    desk: Desk,
    snapshot: Snapshot,
    narrow: queries.Filter,
    moment: Moment,
    *,
    place: queries.Place | None,
    limit: int,
    keep: Callable[[Status], bool],
) -> queries.Page:
    if moment.as_at is None:
        return queries.commitments(
            snapshot, narrow, limit=limit, after=place, as_of=moment.position, keep=keep
        )
    return happened.commitments(
        snapshot,
        desk.ledger.store,
        narrow,
        moment=moment.within(snapshot.generation.position),
        limit=limit,
        after=place,
        keep=keep,
    )


def _world(desk: Desk, snapshot: Snapshot, moment: Moment) -> ViewWorld:
    store = desk.ledger.store
    position, as_at = moment.within(snapshot.generation.position)
    cut = cut_of(store, position=position, as_at=as_at, now=moment.at)
    return ViewWorld(snapshot, store, cut)


def _may_be_idle(row: Status, moment: Moment) -> bool:
    """Say whether it is worth replaying: the board knows enough to leave most out."""
    state, ruleset = row.state, moment.rules.ruleset
    due = state.current_due
    if (due is not None and moment.at > due) or state.extensions:
        return True
    if state.returns >= ruleset.slow_returns:
        return True
    last = max(state.registered_at, row.activity_at or 0, state.issued_at or 0)
    silent = days.after(moment.rules.table, last, ruleset.inaction_days)
    return state.status in courses.OWED and moment.at >= silent


def _conduct(course: courses.Course, moment: Moment) -> Iterator[Derived[Any]]:
    for judge in (conduct.inaction, conduct.slow_action):
        found = judge(course, moment.at, moment.rules)
        if found is not None and found.value:
            yield found


def _may_be_urged(row: Status, moment: Moment) -> bool:
    state = row.state
    if state.status not in courses.OWED or state.current_due is None:
        return False
    first = urging.sheets(state.current_due, moment.rules, urgent=state.urgent)[0]
    return moment.at >= first.since


def _urging(course: courses.Course, moment: Moment) -> Iterator[Derived[Any]]:
    found = urging.urge(course, moment.at, moment.rules)
    if found is not None:
        yield found


LISTS = (
    Listed(
        path="/v1/inaction",
        operation="listInaction",
        summary="Inaction 不作为, daily duties too, and slow action 慢作为, explained",
        candidate=_may_be_idle,
        judge=_conduct,
        duties=True,
    ),
    Listed(
        path="/v1/urging",
        operation="listUrging",
        summary="Sheets 催办单 that are due, each line explained",
        candidate=_may_be_urged,
        judge=_urging,
    ),
)


def line(given: Line, language: str) -> dict[str, Any]:
    """Return one line with its explanation, the rule's name in a language."""
    found = given.found
    name = names()[found.rule.partition("@")[0]]
    value = found.value
    shown = value if isinstance(value, bool) else _times(asdict(value))
    return {
        **given.about,
        "rule": found.rule,
        "name": name.zh if language == "zh" else name.en,
        "value": shown,
        "reason": _times(found.reason),
        "events": list(found.events),
    }


#: Members of an explanation that are instants.
_INSTANTS = frozenset({"due", "last_at", "since"})


def _times(reason: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: rfc3339(value) if name in _INSTANTS and value is not None else value
        for name, value in reason.items()
    }
