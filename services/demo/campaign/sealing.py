"""The sealing order: the sites it binds, its violations, and files under it.

Rules of this file: seven violations on five sites, two of them at one site twice; one
is revoked on appeal. Until when a site is sealed is counted here: fifteen days each.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any, Final, NamedTuple

from services.demo.campaign.dice import Dice
from services.demo.campaign.moments import DAY, HOUR, MINUTE, at, day, later
from services.demo.campaign.places import (
    CHIEF,
    DIRECTOR,
    OFFICES,
    Subject,
    World,
    lead,
    verifier,
)
from services.demo.campaign.record import MARK, Emitted, Log

_START: Final = day("11-15")
_END: Final = date(2018, 3, 15)
_DAYS_EACH: Final = 15
#: (which site, day it was found): the sixth is revoked on appeal.
_VIOLATIONS: Final = (
    (3, "11-18"),
    (11, "11-22"),
    (3, "12-01"),
    (19, "12-04"),
    (27, "12-09"),
    (11, "12-15"),
    (35, "12-28"),
)
REVOKED: Final = 5
_EXEMPTED: Final = (7, 15, 23, 31)


class Confirmed(NamedTuple):
    """A violation that was confirmed, and the office that answers for it."""

    name: str
    unit: str
    event: Emitted


class Sealing:
    """The order of one copy of the campaign."""

    def __init__(self, log: Log, world: World) -> None:
        self._log = log
        self._sites = world.of("S")
        self._stream = f"order/seal-2017{log.tag}"
        self._counting: Counter[str] = Counter()

    def bind(self) -> None:
        """Issue the order, bind every site, exempt some."""
        when = at(_START, 8, 30)
        data = {
            "kind": "seal",
            "title": f"封土行动{MARK}",
            "start": _START.isoformat(),
            "base_end": _END.isoformat(),
            "scope": f"建成区内停止土石方、拆除等作业{MARK}",
            "units": list(OFFICES),
            "directive": f"D-1115-seal{self._log.tag}",
        }
        told = self._log.first(f"directive/D-1115-seal{self._log.tag}")
        by = lead("construction")
        issued = self._log.emit(
            "order.issued", self._stream, data, by=by, at=when, after=(told,)
        )
        when = max(when, issued.recorded)
        for number, site in enumerate(self._sites):
            self._bind(site, when + (number + 1) * 5 * MINUTE)
        for number in _EXEMPTED:
            site = self._sites[number]
            basis = {
                "site": site.key,
                "basis": f"民生工程{MARK}",
                "allows": f"主体施工，七个百分之百{MARK}",
                "up_to": "orange",
            }
            when = at(day("11-17"), 10) + number * MINUTE
            made = self._log.emit(
                "order.exempted", self._stream, basis, by=CHIEF, at=when
            )
            self._log.tally.mark(made, "seal", site.key, exempted=True)

    def _bind(self, site: Subject, when: int) -> None:
        bound = {"site": site.key, "unit": site.unit}
        by = lead("construction")
        made = self._log.emit("order.site_bound", self._stream, bound, by=by, at=when)
        self._log.tally.mark(made, "seal", site.key, until=_END.isoformat())
        applied = {
            "order": self._stream.partition("/")[2],
            "start": _START.isoformat(),
            "end": _END.isoformat(),
        }
        self._log.emit(
            "subject.seal_applied",
            f"subject/{site.key}",
            applied,
            by=lead(site.unit),
            at=when + HOUR,
            after=(made,),
        )

    def violate(self) -> list[Confirmed]:
        """Record and confirm the violations, in order."""
        steps = []
        for number, (place, found) in enumerate(_VIOLATIONS):
            name = f"FT-2017-{number + 1:03d}{self._log.tag}"
            when = at(day(found), 21, 40)
            steps.append((when, name, place, False))
            steps.append((when + DAY - 11 * HOUR, name, place, True))
        confirmed = []
        for when, name, place, confirms in sorted(steps):
            site = self._sites[place]
            if confirms:
                made = self._confirm(name, site, when)
                confirmed.append(Confirmed(name, site.unit, made))
            else:
                self._find(name, site, when)
        return confirmed

    def _find(self, name: str, site: Subject, when: int) -> None:
        data = {
            "violation": name,
            "site": site.key,
            "text": f"夜间擅自土方作业{MARK}",
            "unit": site.unit,
        }
        by = verifier(site.unit)
        made = self._log.emit(
            "order.violation_recorded", self._stream, data, by=by, at=when
        )
        self._log.tally.mark(made, "violation", name, status="recorded")

    def _confirm(self, name: str, site: Subject, when: int) -> Emitted:
        data = {"violation": name, "reason": f"经复核属实{MARK}"}
        made = self._log.emit(
            "order.violation_confirmed", self._stream, data, by=CHIEF, at=when
        )
        self._count(made, name, site, "confirmed", 1)
        return made

    def revoke(self, violation: Confirmed, case: str, decided: Emitted) -> None:
        """Withdraw a violation because of an appeal that was decided."""
        data = {
            "violation": violation.name,
            "reason": f"申诉成立{MARK}",
            "appeal": case,
        }
        when = decided.occurred + DAY
        made = self._log.emit(
            "order.violation_revoked",
            self._stream,
            data,
            by=DIRECTOR,
            at=when,
            after=(decided,),
        )
        site = self._sites[_VIOLATIONS[REVOKED][0]]
        self._count(made, violation.name, site, "revoked", -1)

    def _count(
        self, made: Emitted, name: str, site: Subject, status: str, change: int
    ) -> None:
        self._counting[site.key] += change
        until = later(_END, _DAYS_EACH * self._counting[site.key]).isoformat()
        self._log.tally.mark(made, "violation", name, status=status)
        self._log.tally.mark(made, "seal", site.key, until=until)


def file_plans(log: Log, world: World) -> None:
    """Classify the scattered firms; approve plans and schedules of the others."""
    dice = Dice(log.seed, "files")
    handlings = ("ban",) * 7 + ("relocate",) * 2 + ("upgrade",) * 3
    for number, firm in enumerate(world.of("ENT")):
        handling = handlings[number % len(handlings)]
        data: dict[str, Any] = {
            "categories": [dice.pick(("scattered", "disorderly", "polluting"))],
            "handling": handling,
            "basis": f"2017年普查认定{MARK}",
        }
        if handling == "relocate":
            data["deadline"] = "2017-12-20"
        when = at(day("11-01"), 9) + number * 4 * MINUTE
        _file(log, firm, "classified", data, when)
    for number, plant in enumerate(world.of("MP", "IND")):
        plan = {
            "version": 1,
            "title": f"一企一策{MARK}",
            "measures": [
                {"code": "M1", "text": f"停止一号线{MARK}", "alert": "orange"},
                {"code": "M2", "text": f"物料全覆盖{MARK}"},
            ],
        }
        when = at(day("11-06"), 9) + number * 9 * MINUTE
        _file(log, plant, "plan_approved", plan, when)
        schedule = {
            "start": _START.isoformat(),
            "end": _END.isoformat(),
            "limit_percent": 10 * dice.below(6),
            "basis": f"采暖季错峰生产{MARK}",
        }
        _file(log, plant, "schedule_set", schedule, when + 4 * DAY)


def _file(
    log: Log, subject: Subject, what: str, data: dict[str, Any], when: int
) -> None:
    by = lead(subject.unit)
    stream = f"subject/{subject.key}"
    log.emit(f"subject.{what}", stream, data, by=by, at=when)
