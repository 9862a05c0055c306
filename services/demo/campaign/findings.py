"""Issues: found, put right or handed over, disputed, settled; each with its way.

Rules of this file: one issue at a time, and what is so of it after each event. Where
issues come from is ``rounds`` (patrols), ``visits`` and the script.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from services.demo.campaign.dice import Dice, digest
from services.demo.campaign.life import Life
from services.demo.campaign.moments import DAY, HOUR, LAST, MINUTE, at, day, later
from services.demo.campaign.places import CHIEF, DEPUTY, Subject, World, lead, verifier
from services.demo.campaign.record import MARK, By, Emitted, Log

#: Prefix of a subject's key → the categories of what is found there.
_CATEGORIES: Final = {
    "S": ("earth_uncovered", "fence_missing", "dry_earthwork", "spoil_truck"),
    "ENT": ("scattered_firm", "banned_again", "loose_coal"),
    "R": ("fume_purifier",),
    "SY": ("scrap_yard", "open_burning"),
    "MP": ("road_dust", "staggered_breach"),
    "IND": ("staggered_breach", "monitoring_off", "work_safety"),
    "RD": ("road_dust", "spoil_truck"),
}
#: Channels beside patrols and visits, and how many come by each.
_CHANNELS: Final = (("hotline", 120), ("sensor", 60), ("upper_level", 70))
#: Of a thousand that are not promises of their own.
_FIXED, _HANDED, _DISPUTED = 560, 250, 40


class Issue:
    """One issue while it is lived."""

    def __init__(self, log: Log, number: int, subject: Subject, dice: Dice) -> None:
        self.log = log
        self.key = f"W-2017-{number:04d}{log.tag}"
        self.subject = subject
        self.category = dice.pick(_CATEGORIES[subject.prefix])
        self.dice = dice

    def _emit(  # noqa: PLR0913 - one an attribute of the event
        self,
        what: str,
        data: dict[str, Any],
        *,
        by: By,
        at: int,
        status: str | None = None,
        recorded: int = 0,
        after: Iterable[Emitted] = (),
    ) -> Emitted:
        made = self.log.emit(
            f"issue.{what}",
            f"issue/{self.key}",
            data,
            by=by,
            at=at,
            recorded=recorded,
            after=after,
        )
        changed: dict[str, Any] = {} if status is None else {"status": status}
        if what == "found":
            changed |= {"category": self.category, "channel": data["found_by"]}
            changed |= {"unit": self.subject.unit}
        self.log.tally.mark(made, "issue", self.key, **changed)
        return made

    def find(
        self,
        channel: str,
        *,
        by: By,
        at: int,
        recorded: int = 0,
        inspection: Emitted | None = None,
        repeat_of: str | None = None,
    ) -> Emitted:
        """发现."""
        data: dict[str, Any] = {
            "title": f"{self.subject.name}问题",
            "category": self.category,
            "severity": "serious" if self.dice.hits(250) else "minor",
            "found_by": channel,
            "place": {"geo": self.subject.place},
            "subject": self.subject.key,
            "cell": self.subject.cell.key,
            "unit": self.subject.unit,
            "evidence": self._picture("found"),
        }
        if inspection is not None:
            data["inspection"] = inspection.stream.partition("/")[2]
        if repeat_of is not None:
            data["repeat_of"] = repeat_of
        return self._emit(
            "found", data, by=by, at=at, status="found", recorded=recorded
        )

    def fix(self, *, by: By, at: int, recorded: int = 0) -> Emitted:
        """立即解决."""
        data = {"text": f"当场整改{MARK}", "evidence": self._picture("fixed")}
        return self._emit(
            "fixed_on_spot", data, by=by, at=at, status="fixed", recorded=recorded
        )

    def report(
        self, *, by: By, at: int, recorded: int = 0, fixed: bool = False
    ) -> Emitted:
        """上报: of what is fixed already it changes nothing else."""
        status = None if fixed else "reported"
        data = {"to_unit": "hq"}
        return self._emit(
            "reported", data, by=by, at=at, status=status, recorded=recorded
        )

    def hand_over(self, at: int, promise: Life | None = None) -> Emitted:
        """交办, perhaps as a commitment that is registered by then."""
        data: dict[str, Any] = {
            "to_unit": self.subject.unit,
            "requirement": f"限期整改并反馈{MARK}",
        }
        after: list[Emitted] = []
        if promise is not None:
            data["commitment"] = promise.spec.key
            after.append(promise.events["registered"])
        return self._emit(
            "handed_over", data, by=CHIEF, at=at, status="handed_over", after=after
        )

    def dispute(self, at: int) -> Emitted:
        """异议, by who answers for it."""
        data = {"reason": f"地块不属本网格{MARK}"}
        by = lead(self.subject.unit)
        return self._emit("disputed", data, by=by, at=at, status="disputed")

    def judge(self, at: int, *, stands: bool, before: str) -> Emitted:
        """认定 or 撤销; what stands is where it was ``before`` the dispute."""
        what, status = ("confirmed", before) if stands else ("revoked", "revoked")
        data = {"reason": f"经复核{MARK}"}
        return self._emit(what, data, by=DEPUTY, at=at, status=status)

    def close(self, at: int, after: Iterable[Emitted] = ()) -> Emitted:
        """办结, with a picture of it."""
        data = {"text": f"复查合格{MARK}", "evidence": self._picture("closed")}
        return self._emit(
            "closed", data, by=DEPUTY, at=at, status="closed", after=after
        )

    def _picture(self, use: str) -> list[dict[str, str]]:
        name = digest(self.log.seed, self.key, use)
        return [{"sha256": name, "media_type": "image/jpeg", "note": "模拟数据"}]


class Register:
    """The numbers of the issues, and which came back."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.count = 0
        self._known: dict[str, Issue] = {}

    def new(self, subject: Subject) -> Issue:
        """Return the next issue at a subject."""
        self.count += 1
        dice = Dice(self.log.seed, "issue", self.count)
        issue = Issue(self.log, self.count, subject, dice)
        self._known.setdefault(subject.key, issue)
        return issue

    def repeated(self, issue: Issue, at: int) -> str | None:
        """Return the earlier issue that this one repeats, now and then."""
        first = self._known[issue.subject.key]
        if first is issue or first.category != issue.category or issue.dice.below(3):
            return None
        found = self.log.last(f"issue/{first.key}")
        revoked = self.log.tally.latest("issue", first.key)["status"] == "revoked"
        return None if revoked or found.recorded >= at else first.key


def settle(issue: Issue, found: Emitted, fixer: By, *, recorded: int = 0) -> None:
    """Live an issue on from its finding: by its own dice, to an end or not yet."""
    dice, lot = issue.dice, issue.dice.below(1000)
    when = found.occurred + dice.between(10, 50) * MINUTE
    if lot < _FIXED:
        issue.fix(by=fixer, at=when, recorded=recorded)
        issue.report(by=fixer, at=when + 5 * MINUTE, recorded=recorded, fixed=True)
        if dice.hits(930):
            issue.close(when + dice.between(10, 60) * HOUR)
        return
    last = issue.report(by=fixer, at=when, recorded=recorded)
    if lot >= _FIXED + _HANDED + _DISPUTED:
        return
    when = max(last.occurred + dice.between(3, 20) * HOUR, last.recorded)
    if lot < _FIXED + _HANDED:
        issue.hand_over(when)
        if dice.hits(850):
            issue.close(when + dice.between(2, 9) * DAY)
        return
    issue.dispute(when)
    if dice.hits(750):
        when += dice.between(1, 4) * DAY
        issue.judge(when, stands=dice.hits(600), before="reported")


def promise_issues(register: Register, promises: Iterable[Life]) -> None:
    """Add the issue behind each rectification; it is settled when the promise is."""
    for promise in promises:
        subject = promise.spec.subject
        if subject is None:
            continue
        issue = register.new(subject)
        registered = promise.events["registered"]
        inspector = verifier(subject.unit)
        begin = registered.occurred - 18 * HOUR
        issue.find("inspection", by=inspector, at=begin)
        issue.report(by=inspector, at=begin + 30 * MINUTE)
        issue.hand_over(registered.occurred + 10 * MINUTE, promise)
        closes = [made for what, made in promise.history if what == "closed"]
        if closes:
            issue.close(closes[0].occurred + 30 * MINUTE, after=closes[:1])


def other_channels(log: Log, world: World, register: Register) -> None:
    """Add what callers, sensors and the upper level found."""
    dice = Dice(log.seed, "channels")
    days = (LAST - day("11-02")).days
    for channel, count in _CHANNELS:
        for _ in range(count):
            issue = register.new(dice.pick(world.subjects))
            when = (
                at(later(day("11-02"), dice.below(days)), 8) + dice.below(600) * MINUTE
            )
            by = By("hq", "hq.clerk")
            repeat = register.repeated(issue, when)
            found = issue.find(channel, by=by, at=when, repeat_of=repeat)
            settle(issue, found, lead(issue.subject.unit))
