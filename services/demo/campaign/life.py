"""One commitment lived: its events in order, and what is so after each of them.

Rules of this file: steps only; which steps a promise takes, and when, is ``course``.
Each step notes the status it leads to, as the loop of the founding material has it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from services.demo.campaign.dice import digest
from services.demo.campaign.directives import PLAN, campaign_key
from services.demo.campaign.moments import DAY, day_of, end_of, later
from services.demo.campaign.places import (
    CHIEF,
    CLERK,
    DEPUTY,
    LOOKBACK,
    LOOKBACK_TEAM,
    lead,
    verifier,
)
from services.demo.campaign.promises import Spec
from services.demo.campaign.record import MARK, By, Emitted, Log

_DIRECTOR = "hq.director"
_ENDED = frozenset({"closed", "cancelled", "superseded", "failed"})


class Life:
    """One promise while it is lived; ``unit``, ``due`` and ``status`` are the latest.

    ``was_overdue``: it was open past the due in force at some moment.
    """

    def __init__(self, log: Log, spec: Spec) -> None:
        self.log = log
        self.spec = spec
        self.unit = spec.unit
        self.due = end_of(spec.due)
        self.status = ""
        self.was_overdue = False
        self.percent = 0
        self.claims = 0
        self.counts = {"extensions": 0, "returns": 0, "reopened": 0}
        self.events: dict[str, Emitted] = {}
        self.history: list[tuple[str, Emitted]] = []

    @property
    def stream(self) -> str:
        """Its stream."""
        return f"commitment/{self.spec.key}"

    @property
    def is_open(self) -> bool:
        """Tell whether it is still owed."""
        return self.status not in _ENDED

    def step(  # noqa: PLR0913 - what an event and a note of it need
        self,
        what: str,
        data: dict[str, Any],
        *,
        by: By,
        at: int,
        status: str | None = None,
        recorded: int = 0,
        after: Iterable[Emitted] = (),
        **fields: Any,
    ) -> Emitted:
        """Add an event; note the status it leads to and what else it changes."""
        self.was_overdue |= self.is_open and at > self.due
        made = self.log.emit(
            f"commitment.{what}",
            self.stream,
            data,
            by=by,
            at=at,
            recorded=recorded,
            after=after,
        )
        self.status = status or self.status
        self.events[what] = made
        self.history.append((what, made))
        changed = {"status": self.status, **fields}
        self.log.tally.mark(made, "commitment", self.spec.key, **changed)
        return made

    def register(self, at: int, after: Iterable[Emitted] = ()) -> None:
        """立项, by the clerk."""
        spec = self.spec
        optional = {
            "directive": spec.directive,
            "parent": spec.parent,
            "weight": spec.weight,
        }
        data = {
            "title": spec.title,
            "kind": spec.kind,
            "basis": [{"ref": spec.directive or PLAN}],
            "standard": f"现场核查合格并有佐证{MARK}",
            "lead_unit": spec.unit,
            "lead_post": lead(spec.unit).post,
            "due": spec.due.isoformat(),
            "campaign": campaign_key(self.log),
            "theme": spec.theme,
            **{name: value for name, value in optional.items() if value is not None},
        }
        due = end_of(spec.due)
        self.step(
            "registered",
            data,
            by=CLERK,
            at=at,
            status="draft",
            after=after,
            unit=spec.unit,
            theme=spec.theme,
            original_due=due,
            current_due=due,
            ended=None,
            parent=spec.parent,
            **self.counts,
        )

    def issue(self, at: int) -> None:
        """交办, approved by another than the drafter."""
        self.step("issued", {}, by=CHIEF, at=at, status="issued")

    def reject(self, at: int, to: str) -> None:
        """退单, and 改派 to another unit two hours later."""
        reason = f"不属本辖区{MARK}"
        refused = {"reason": reason, "suggested_unit": to}
        self.step(
            "receipt_rejected",
            refused,
            by=lead(self.unit),
            at=at,
            status="rejected_receipt",
        )
        self.unit = to
        moved = {"lead_unit": to, "lead_post": lead(to).post, "reason": reason}
        when = at + DAY // 12
        self.step("reassigned", moved, by=CHIEF, at=when, status="issued", unit=to)

    def sign(self, at: int) -> None:
        """签收."""
        self.step("signed_for", {}, by=lead(self.unit), at=at, status="signed")

    def plan(self, at: int) -> None:
        """报方案."""
        data = {
            "summary": f"分三组推进，逐日上报{MARK}",
            "milestones": [{"due": self.spec.due.isoformat(), "percent": 100}],
        }
        by = lead(self.unit)
        self.step("plan_filed", data, by=by, at=at, status="in_progress")

    def split(self, parts: Iterable[Spec], at: int) -> Emitted:
        """分解 into parts."""
        children = [
            {
                "key": part.key,
                "title": part.title,
                "lead_unit": part.unit,
                "due": part.due.isoformat(),
                "weight": part.weight,
            }
            for part in parts
        ]
        return self.step(
            "decomposed", {"children": children}, by=lead(self.unit), at=at
        )

    def progress(self, percent: int, at: int, *, recorded: int = 0) -> None:
        """Report progress, with a picture; a quantity where one is promised."""
        self.percent = max(percent, self.percent)
        data: dict[str, Any] = {
            "text": f"已完成约{self.percent}%{MARK}",
            "percent": self.percent,
            "evidence": self._pictures("progress", at),
        }
        if self.spec.total is not None:
            data["done"] = self.spec.total * self.percent // 100
            data["total"] = self.spec.total
        status = self.status if self.status == "returned" else "in_progress"
        self.step(
            "progress_reported",
            data,
            by=lead(self.unit),
            at=at,
            recorded=recorded,
            status=status,
        )

    def ask(self, new_due: date, at: int) -> None:
        """申请延期."""
        data = {
            "new_due": new_due.isoformat(),
            "reason": f"预警停工影响进度{MARK}",
            "progress": f"已完成约{self.percent}%{MARK}",
        }
        self.step("extension_requested", data, by=lead(self.unit), at=at)

    def grant(self, new_due: date, at: int) -> None:
        """批准延期: the due in force moves, the original one never."""
        self.counts["extensions"] += 1
        due = end_of(new_due)
        data = {"new_due": new_due.isoformat()}
        self.step(
            "extension_granted",
            data,
            by=CHIEF,
            at=at,
            current_due=due,
            extensions=self.counts["extensions"],
        )
        self.due = due

    def deny(self, at: int) -> None:
        """不批准延期."""
        data = {"reason": f"理由不充分{MARK}"}
        self.step("extension_denied", data, by=CHIEF, at=at)

    def urge(self, level: str, at: int) -> None:
        """催办."""
        data = {"level": level, "text": f"请抓紧办理{MARK}"}
        self.step("urged", data, by=DEPUTY, at=at, urged=level)

    def suspend(self, at: int, until: int) -> None:
        """中止, and 恢复 to the state before; the clock runs on."""
        before = self.status
        data = {"reason_class": "alert", "reason": f"预警期间停工{MARK}"}
        self.step(
            "suspended", data, by=CHIEF, at=at, status="suspended", suspended=True
        )
        self.step("resumed", {}, by=CHIEF, at=until, status=before)

    def correct(self, at: int) -> None:
        """更正 what an earlier event said."""
        data = {
            "corrects": self.events["registered"].id,
            "reason": f"标题有误{MARK}",
            "changes": {"title": self.spec.title.replace(MARK, f"（更正）{MARK}")},
        }
        self.step("corrected", data, by=CHIEF, at=at)

    def claim(
        self,
        at: int,
        *,
        reused: str = "",
        answers: bool = False,
        after: Iterable[Emitted] = (),
    ) -> Emitted:
        """报完成; ``reused`` is the digest of a picture that another claim has used."""
        self.claims += 1
        data: dict[str, Any] = {
            "text": f"已全部完成{MARK}",
            "evidence": self._pictures("claim", self.claims),
        }
        if reused:
            data["evidence"][0]["sha256"] = reused
        if answers:
            data["answers"] = [{"finding": 1, "answer": f"已整改到位{MARK}"}]
        return self.step(
            "completion_claimed",
            data,
            by=lead(self.unit),
            at=at,
            status="claimed",
            after=after,
        )

    def claim_digest(self) -> str:
        """Return the digest of the picture of the last claim."""
        return digest(self.log.seed, self.spec.key, "claim", self.claims)

    def verify(self, at: int) -> None:
        """核查通过, on site, by another unit."""
        data = {"result": "pass", "method": "on_site", "geo": self._place()}
        self.step(
            "verification_recorded",
            data,
            by=verifier(self.unit),
            at=at,
            status="verified",
        )

    def fail(self, at: int, days: int) -> None:
        """核查不通过 and 退回整改, due in so many days."""
        self.counts["returns"] += 1
        new_due = later(day_of(at), days)
        data = {
            "result": "fail",
            "method": "on_site",
            "geo": self._place(),
            "findings": [f"局部未到位{MARK}"],
            "new_due": new_due.isoformat(),
        }
        self.step(
            "verification_recorded",
            data,
            by=verifier(self.unit),
            at=at,
            status="returned",
            current_due=end_of(new_due),
            returns=self.counts["returns"],
        )
        self.due = end_of(new_due)

    def publicise(self, at: int, until: int) -> None:
        """公示, from the day it is opened until the day before it is closed."""
        data = {
            "from": day_of(at).isoformat(),
            "until": later(day_of(until), -1).isoformat(),
            "where": f"公示栏{MARK}",
        }
        self.step("publicity_opened", data, by=DEPUTY, at=at)
        done = {"objections": 0, "answered": 0}
        self.step("publicity_closed", done, by=DEPUTY, at=until)

    def close(self, at: int) -> Emitted:
        """销号, by two persons who did not verify."""
        data = {"approver_post": _DIRECTOR}
        by = CHIEF if self.unit == "hq" else DEPUTY
        return self.step("closed", data, by=by, at=at, status="closed", ended=at)

    def look_back(self, at: int, *, relapsed: bool) -> Emitted:
        """回头看."""
        result = "relapsed" if relapsed else "passed"
        data = {
            "result": result,
            "team": LOOKBACK_TEAM,
            "text": f"现场复核{MARK}",
            "evidence": self._pictures("lookback", self.counts["reopened"]),
        }
        return self.step("lookback_recorded", data, by=LOOKBACK, at=at, lookback=result)

    def reopen(self, at: int, days: int) -> None:
        """反弹重新办理."""
        self.counts["reopened"] += 1
        new_due = later(day_of(at), days)
        data = {
            "new_due": new_due.isoformat(),
            "reason": f"回头看发现反弹{MARK}",
            "lookback_event": self.events["lookback_recorded"].id,
        }
        self.due = end_of(new_due)
        self.percent = 0
        self.step(
            "reopened",
            data,
            by=LOOKBACK,
            at=at,
            status="reopened",
            current_due=self.due,
            ended=None,
            reopened=self.counts["reopened"],
        )

    def give_up(
        self, what: str, data: dict[str, Any], at: int, after: Iterable[Emitted] = ()
    ) -> None:
        """撤销, 并入 or 未完成结案, for a reason."""
        said = {"reason": f"见批示{MARK}", **data}
        self.step(what, said, by=DEPUTY, at=at, status=what, ended=at, after=after)

    def _pictures(self, use: str, number: int) -> list[dict[str, str]]:
        name = digest(self.log.seed, self.spec.key, use, number)
        return [{"sha256": name, "media_type": "image/jpeg", "note": "模拟数据"}]

    def _place(self) -> dict[str, float]:
        subject = self.spec.subject
        return {"lat": 34.8, "lon": 113.55} if subject is None else subject.place
