"""Accountability: some thirty cases on facts in the log, three appeals, one revoked.

Rules of this file: the way of a case. A case is against the post that answered on the
day of the fact; who opens does not decide, and another judges the appeal.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from services.demo.campaign.moments import HOUR, at, day_of, later, written
from services.demo.campaign.places import holder, lead
from services.demo.campaign.record import DISCIPLINE, MARK, By, Emitted, Log

_OPENER: Final = By("hq", "hq.discipline-1", lane=DISCIPLINE)
_DECIDER: Final = By("hq", "hq.discipline-2", lane=DISCIPLINE)
_JUDGE: Final = By("hq", "hq.discipline-3", lane=DISCIPLINE)
#: The mix of a real year, for the cases that are decided.
_FORMS: Final = (
    *("interview",) * 9,
    *("criticism",) * 4,
    *("interview",) * 4,
    *("written_review",) * 3,
    "admonition",
    "suspension",
    "warning",
    *("interview",) * 4,
)
_APPEAL_DAYS: Final = 30
_UPHELD, _CHANGED, _REVOKED = "upheld", "changed", "revoked"


class Trigger(NamedTuple):
    """What a case is about: an event, the unit that answers for it, where from.

    ``appeal``: how the appeal will end, if there is one.
    """

    fact: Emitted
    unit: str
    origin: str
    title: str
    appeal: str = ""


def prosecute(log: Log, triggers: list[Trigger]) -> dict[str, Emitted]:
    """Add one case a trigger; return the decisions on appeals that revoked, by case.

    The last three go no further than a clue, twice, and an opening without action.
    """
    revoked = {}
    decided = len(triggers) - 3
    for number, trigger in enumerate(triggers):
        case = _Case(log, number, trigger)
        if number >= decided:
            case.drop(opened=number == decided)
            continue
        outcome = case.pursue(_FORMS[number % len(_FORMS)])
        if outcome is not None:
            revoked[case.key] = outcome
    return revoked


class _Case:
    """One case while it is lived."""

    def __init__(self, log: Log, number: int, trigger: Trigger) -> None:
        self._log = log
        self._trigger = trigger
        self.key = f"GX-2017-ZZ-{number + 1:03d}{log.tag}"
        self._stream = f"accountability/{self.key}"
        self._day = later(day_of(trigger.fact.recorded), 1)

    def drop(self, *, opened: bool) -> None:
        """Register a clue that leads to no decision."""
        self._clue()
        if opened:
            self._open()
        done = {"summary": f"经核实不予追责{MARK}"}
        self._emit("closed", done, _OPENER, self._at(9, 15), status="closed")

    def pursue(self, form: str) -> Emitted | None:
        """Take the case from the clue to its end; return an appeal that revoked it."""
        self._clue()
        self._open()
        heard = self._at(3, 10)
        said = {"heard_at": written(heard), "summary": f"已听取陈述申辩{MARK}"}
        self._emit("statement_heard", said, _OPENER, heard + HOUR)
        self._decide(form)
        served = self._at(8, 15)
        data = {"served_at": written(served), "method": "in_person"}
        self._emit("served", data, _DECIDER, served + HOUR, status="served")
        done = {"executed_at": written(self._at(10, 9)), "result": f"已执行{MARK}"}
        self._emit("executed", done, _DECIDER, self._at(10, 11))
        where = {"where": f"督查通报{MARK}", "by_name": False}
        self._emit("published", where, _DECIDER, self._at(11, 9), published=True)
        outcome = None
        if self._trigger.appeal:
            outcome = self._appeal()
        end = {"summary": f"程序终结{MARK}"}
        self._emit("closed", end, _OPENER, self._at(42, 10), status="closed")
        return outcome if self._trigger.appeal == _REVOKED else None

    def _clue(self) -> None:
        trigger = self._trigger
        data = {
            "origin": trigger.origin,
            "title": trigger.title + MARK,
            "summary": f"见所附事件{MARK}",
            "unit": trigger.unit,
            "facts": [trigger.fact.fact],
        }
        self._emit(
            "clue_registered",
            data,
            _OPENER,
            self._at(0, 9),
            status="clue",
            unit=trigger.unit,
            form=None,
        )

    def _open(self) -> None:
        trigger = self._trigger
        post = lead(trigger.unit).post or ""
        data = {
            "title": trigger.title + MARK,
            "unit": trigger.unit,
            "post": post,
            "person_ref": holder(post, trigger.fact.occurred),
            "fact_at": written(trigger.fact.occurred),
            "facts": [trigger.fact.fact],
            "basis": f"问责办法（示例）{MARK}",
        }
        self._emit("opened", data, _OPENER, self._at(1, 9), status="open")

    def _decide(self, form: str) -> None:
        data: dict[str, Any] = {
            "form": form,
            "findings": f"履职不到位{MARK}",
            "basis": ["问责办法（示例）"],
            "approving_body": f"区党工委{MARK}",
            "effective_from": written(self._at(7, 17)),
            "appeal_days": _APPEAL_DAYS,
            "appeal_body": f"区纪检监察机构{MARK}",
        }
        when = self._at(7, 16)
        self._emit("decided", data, _DECIDER, when, status="decided", form=form)

    def _appeal(self) -> Emitted:
        outcome = self._trigger.appeal
        received = self._at(18, 9)
        asked = {"received_at": written(received), "grounds": f"责任不清{MARK}"}
        by = lead(self._trigger.unit)
        self._emit(
            "appealed", asked, by, received + HOUR, status="appealed", appealed=True
        )
        data: dict[str, Any] = {
            "outcome": outcome,
            "body": f"区纪检监察机构{MARK}",
            "reasons": f"经复核{MARK}",
        }
        fields: dict[str, Any] = {"appeal": outcome, "status": "final"}
        if outcome == _CHANGED:
            data["form"] = fields["form"] = "written_review"
        if outcome == _REVOKED:
            fields |= {"form": None, "status": "revoked"}
        decided = self._at(30, 10)
        made = self._emit("appeal_decided", data, _JUDGE, decided, **fields)
        if outcome == _CHANGED:
            again = {"executed_at": written(self._at(33, 9)), "result": f"已改{MARK}"}
            self._emit("executed", again, _DECIDER, self._at(33, 11))
        return made

    def _at(self, days: int, hour: int) -> int:
        return at(later(self._day, days), hour)

    def _emit(
        self, what: str, data: dict[str, Any], by: By, when: int, **fields: Any
    ) -> Emitted:
        made = self._log.emit(
            f"accountability.{what}",
            self._stream,
            data,
            by=by,
            at=when,
            after=(self._trigger.fact,),
        )
        self._log.tally.mark(made, "case", self.key, **fields)
        return made


def triggers(
    *,
    violations: list[Emitted],
    red_sheets: list[Emitted],
    relapses: list[Emitted],
    breaches: list[Emitted],
    unit_of: dict[str, str],
) -> list[Trigger]:
    """Return what is prosecuted, in an order that mixes the origins.

    ``unit_of``: the unit that answers, by the id of the event. The first violation that
    is appealed is the last but one found; two others appeal in vain, or half.
    """
    found = [
        *_of(violations, "inspection", "违反封土令"),
        *_of(red_sheets, "urging", "红单未落实"),
        *_of(relapses, "lookback", "回头看反弹"),
        *_of(breaches, "alert", "预警措施未落实"),
    ]
    with_units = [
        (fact, unit_of[fact.id], origin, title) for fact, origin, title in found
    ]
    appeals = {5: _REVOKED, 9: _UPHELD, 12: _CHANGED}
    return [
        Trigger(*row, appeal=appeals.get(number, ""))
        for number, row in enumerate(with_units)
    ]


def _of(
    facts: list[Emitted], origin: str, title: str
) -> list[tuple[Emitted, str, str]]:
    return [(fact, origin, title) for fact in facts]
