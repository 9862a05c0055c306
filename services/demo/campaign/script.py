"""The whole campaign from its seed: everything that happens, in the order of making.

Rules of this file: the order and the joints; each part is a module of its own. A copy
is made whole before the next one, so that a hundred need the memory of one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from services.demo.campaign import (
    alarms,
    cases,
    directives,
    duties,
    findings,
    lookbacks,
    places,
    promises,
    rounds,
    visits,
)
from services.demo.campaign.course import Reuse, live, live_group
from services.demo.campaign.fates import Fate, deal
from services.demo.campaign.key import add_up, key_of
from services.demo.campaign.life import Life
from services.demo.campaign.moments import HOUR
from services.demo.campaign.places import World, lead
from services.demo.campaign.promises import Group, Numbers
from services.demo.campaign.record import MARK, Emitted, Log, Sent
from services.demo.campaign.sealing import REVOKED, Sealing, file_plans

SEED: Final = "henji-2017"
#: The id of the event that is recorded first, in every campaign.
FIRST_EVENT: Final = "unit/hq/1"
#: A firm in the deck of handlings that is banned: seven of twelve.
_BANNED, _OF = 7, 12


def build(seed: str = SEED, copy: int = 0) -> Log:
    """Return one copy of the campaign; copy 0 founds the units that all share."""
    log = Log(seed, copy)
    if copy == 0:
        places.found_units(log)
    world = places.found_world(log)
    directives.open_campaign(log)
    directives.deploy(log)
    file_plans(log, world)
    sealing = Sealing(log, world)
    sealing.bind()
    lives = _keep_promises(log, world)
    _settle_firms(log, lives)
    register = findings.Register(log)
    findings.promise_issues(register, _rectified(lives))
    rounds.patrol(log, world, register)
    findings.other_channels(log, world, register)
    visits.inspect(log, world, register)
    visits.count_sources(log, world)
    _hold_to_account(log, sealing, lives, alarms.alarm(log, world))
    duties.recur(log)
    duties.measure_air(log)
    directives.close_campaign(log)
    return log


def sent(seed: str = SEED, factor: int = 1) -> Iterator[Sent]:
    """Yield every event of so many copies, copy by copy, each by time of recording."""
    for copy in range(factor):
        yield from build(seed, copy).sent()


def answer_key(seed: str = SEED, factor: int = 1) -> dict[str, Any]:
    """Return what every report must say, as JSON: see ``key``."""
    total: dict[str, Any] = {}
    for copy in range(factor):
        total = add_up(total, key_of(build(seed, copy)))
    return {"seed": seed, "factor": factor, **total}


def _keep_promises(log: Log, world: World) -> list[Life]:
    numbers = Numbers(log.tag)
    groups = [
        *promises.named(log, world, numbers),
        *map(Group, promises.firms(log, world, numbers)),
        *map(Group, promises.sites(log, world, numbers)),
        *map(Group, promises.rectifications(log, world, numbers)),
        *map(Group, promises.answers(log, numbers)),
    ]
    fates = deal(log.seed, groups)
    lives = _live_all(log, groups, fates)
    lookbacks.look_back(log, lives)
    for life in lives:
        log.tally.mark(
            next(iter(life.history))[1],
            "commitment",
            life.spec.key,
            was_overdue=life.was_overdue,
        )
    return lives


def _live_all(log: Log, groups: list[Group], fates: dict[str, Fate]) -> list[Life]:
    """Live them all; what refers to another one is lived after the others."""
    reuse, lives = Reuse([]), []
    later = []
    for group in groups:
        fate = fates[group.whole.key]
        if group.parts:
            lives += live_group(log, group, fates, reuse=reuse)
        elif fate.end == "superseded" or fate.reuses:
            later.append((group.whole, fate))
        else:
            told = _told(log, group)
            lives.append(live(log, group.whole, fate, reuse=reuse, after=told))
    heirs = [life for life in lives if life.status == "closed" and life.spec.term >= 10]
    for number, (spec, fate) in enumerate(later):
        heir = heirs[number * 7].events["registered"]
        lives.append(live(log, spec, fate, reuse=reuse, successor=heir))
    return lives


def _told(log: Log, group: Group) -> tuple[Emitted, ...]:
    """Return the directive that a promise cites, to be recorded before it."""
    directive = group.whole.directive
    return () if directive is None else (log.first(f"directive/{directive}"),)


def _rectified(lives: list[Life]) -> list[Life]:
    kind = promises.RECTIFY
    return [life for life in lives if life.spec.kind == kind and life.spec.subject]


def _settle_firms(log: Log, lives: list[Life]) -> None:
    """Close the files of banned firms as their promises are closed, and open again."""
    for life in lives:
        firm = life.spec.subject
        if firm is None or firm.prefix != "ENT" or life.spec.kind != promises.TASK:
            continue
        number = int(firm.key.split("-")[1]) - 1
        if number % _OF < _BANNED:
            _settle_firm(log, life, firm.key, firm.unit)


def _settle_firm(log: Log, life: Life, firm: str, unit: str) -> None:
    states = {"closed": "closed", "reopened": "operating"}
    for what, event in life.history:
        if what in states:
            data = {"status": states[what], "reason": f"整治取缔{MARK}"}
            made = log.emit(
                "subject.status_changed",
                f"subject/{firm}",
                data,
                by=lead(unit),
                at=event.occurred + HOUR,
                after=(event,),
            )
            log.tally.mark(made, "subject", firm, status=states[what])


def _hold_to_account(
    log: Log, sealing: Sealing, lives: list[Life], breaches: list[Emitted]
) -> None:
    unit_of: dict[str, str] = {}
    confirmed = sealing.violate()
    unit_of.update({row.event.id: row.unit for row in confirmed})
    red = _facts(lives, "urged", unit_of)[:8]
    relapses = _facts(lives, "reopened", unit_of)[:8]
    found = sorted(breaches, key=lambda event: event.recorded)[:7]
    for event in found:
        unit_of[event.id] = str(log.tally.latest("measure", _name(event))["unit"])
    triggers = cases.triggers(
        violations=[row.event for row in confirmed],
        red_sheets=red,
        relapses=relapses,
        breaches=found,
        unit_of=unit_of,
    )
    for case, decided in cases.prosecute(log, triggers).items():
        sealing.revoke(confirmed[REVOKED], case, decided)


def _name(event: Emitted) -> str:
    return event.stream.partition("/")[2]


def _facts(lives: list[Life], what: str, unit_of: dict[str, str]) -> list[Emitted]:
    """Return the last such event of each promise that has three of them, or one."""
    found = []
    for life in lives:
        events = [event for name, event in life.history if name == what]
        enough = 3 if what == "urged" else 1
        if len(events) >= enough and life.unit != "hq":
            unit_of[events[-1].id] = life.unit
            found.append(events[-1])
    return sorted(found, key=lambda event: event.recorded)
