"""Visits with the checklist of seven, and the census of one office's sources.

Rules of this file: visits and entries; the problems found on them are issues.
"""

from __future__ import annotations

from typing import Any, Final

from services.demo.campaign.dice import Dice, digest
from services.demo.campaign.findings import Issue, Register, settle
from services.demo.campaign.moments import DAY, HOUR, MINUTE, at, day, later
from services.demo.campaign.places import Cell, Subject, World, lead
from services.demo.campaign.record import MARK, By, Emitted, Log

_LIST: Final = "dust-100/2017-11"
_ITEMS: Final = (
    "fence",
    "heaps_covered",
    "wet_earthwork",
    "road_hardened",
    "vehicles_washed",
    "closed_transport",
    "video_monitoring",
)
_INSPECTORS: Final = (By("epb", "epb.verifier-2"), By("urban", "urban.verifier-1"))
_FAILING: Final = 130
_OTHER_FINDINGS: Final = 142
_CENSUS_OFFICE: Final = "gouzhao"
_NEWLY_FOUND: Final = 10


def inspect(log: Log, world: World, register: Register) -> None:
    """Visit every site once, and some twice, with the list of seven."""
    dice = Dice(log.seed, "visits")
    sites = world.of("S")
    for number, site in enumerate([*sites, *dice.shuffled(sites)[:15]]):
        when = at(later(day("11-06"), number * 48 // 60), 9) + dice.below(300) * MINUTE
        _visit(log, register, site, f"X-2017-{number + 1:03d}{log.tag}", when)
    pool = world.of("R", "IND", "ENT", "MP", "SY")
    for number in range(_OTHER_FINDINGS):
        issue = register.new(dice.pick(pool))
        inspector = _INSPECTORS[number % 2]
        when = at(later(day("11-03"), number * 55 // _OTHER_FINDINGS), 14)
        repeat = register.repeated(issue, when)
        found = issue.find("inspection", by=inspector, at=when, repeat_of=repeat)
        settle(issue, found, lead(issue.subject.unit))


def _visit(log: Log, register: Register, site: Subject, key: str, when: int) -> None:
    dice = Dice(log.seed, "visit", key)
    stream, by = f"inspection/{key}", dice.pick(_INSPECTORS)
    target = f"subject/{site.key}"

    def emit(what: str, data: dict[str, Any], at: int) -> Emitted:
        return log.emit(f"inspection.{what}", stream, data, by=by, at=at)

    start = {
        "kind": "inspection",
        "unit": by.unit,
        "targets": [target],
        "checklist": _LIST,
        "geo": site.place,
    }
    first = emit("started", start, when)
    failed = []
    for number, item in enumerate(_ITEMS):
        fails = dice.hits(_FAILING)
        checked = {
            "checklist": _LIST,
            "item": item,
            "result": "fail" if fails else "pass",
            "evidence": [{"sha256": digest(log.seed, key, item)}],
        }
        made = emit("item_checked", checked, when + (number + 1) * 6 * MINUTE)
        log.tally.mark(made, "item", f"{key}/{item}", result=checked["result"])
        if fails:
            failed.append((item, made))
    for item, made in failed:
        _finding(log, register, site, (stream, item), by, first, made)
    end = when + 60 * MINUTE
    emit("ended", {"summary": f"七项中{7 - len(failed)}项合格{MARK}"}, end)
    signed = {
        "subject": site.key,
        "signed": "signed",
        "evidence": [{"sha256": digest(log.seed, key, "signature")}],
    }
    emit("signed_by_subject", signed, end + 10 * MINUTE)


def _finding(  # noqa: PLR0913, PLR0917 - what a finding on a visit is made of
    log: Log,
    register: Register,
    site: Subject,
    place: tuple[str, str],
    by: By,
    first: Emitted,
    made: Emitted,
) -> None:
    stream, item = place
    issue: Issue = register.new(site)
    found = issue.find("inspection", by=by, at=made.occurred, inspection=first)
    data = {"issue": issue.key, "target": f"subject/{site.key}", "checklist_item": item}
    when = log.last(stream).occurred + MINUTE
    log.emit("inspection.finding_added", stream, data, by=by, at=when, after=(found,))
    settle(issue, found, lead(site.unit))


def count_sources(log: Log, world: World) -> None:
    """Add the census: what was expected in each cell, what is there, what is new."""
    dice = Dice(log.seed, "census")
    cells = [cell for cell in world.cells if cell.unit == _CENSUS_OFFICE]
    news = [number % len(cells) for number in range(_NEWLY_FOUND)]
    for place, cell in enumerate(cells):
        subjects = [row for row in world.subjects if row.cell is cell]
        _Cell(log, cell, place, dice).count(subjects, news.count(place))


class _Cell:
    """One cell of the census: a stream for all cells would be one long queue."""

    def __init__(self, log: Log, cell: Cell, place: int, dice: Dice) -> None:
        self._log = log
        self._cell = cell
        self._dice = dice
        self._stream = f"census/sources-2017-{place + 1}{log.tag}"
        self._time = at(day("11-13"), 9) + place * 7 * MINUTE
        self._counts = {"listed": 0, "visited": 0, "not_found": 0, "newly_found": 0}

    def count(self, subjects: list[Subject], new: int) -> None:
        """List, visit each, note what is missing or new, finish."""
        entries = [
            {
                "entry": f"E-{row.key}",
                "name": row.name,
                "kind": row.kind,
                "subject": row.key,
            }
            for row in subjects
        ]
        gone = {f"E-G{n}": f"示例已搬离作坊{n}{MARK}" for n in range(2)}
        entries += [
            {"entry": entry, "name": name, "kind": "other"}
            for entry, name in gone.items()
        ]
        data = {
            "cell": self._cell.key,
            "unit": self._cell.unit,
            "entries": entries,
            "title": f"污染源全面普查{MARK}",
        }
        self._emit("listed", data, listed=len(entries))
        for subject in subjects:
            self._pass()
            visit = {"entry": f"E-{subject.key}", "subject": subject.key}
            self._emit("visited", self._here(visit), visited=1)
        for entry in gone:
            self._pass()
            missing = {"entry": entry, "reason": f"现场无此户{MARK}"}
            self._emit("not_found", self._here(missing), not_found=1)
        for number in range(new):
            self._pass()
            seen = {"entry": f"E-N{number}", "newly_found": True}
            seen["note"] = f"无牌作坊{MARK}"
            self._emit("visited", self._here(seen), newly_found=1)
        self._pass()
        self._emit("finished", self._here(dict(self._counts)), finished=1)

    def _here(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"cell": self._cell.key, **data}

    def _pass(self) -> None:
        """Let an hour or so pass; nobody counts at night."""
        self._time += self._dice.between(40, 120) * MINUTE
        if self._time % DAY > 9 * HOUR:
            self._time += 15 * HOUR

    def _emit(self, what: str, data: dict[str, Any], **counts: int) -> None:
        by = lead(self._cell.unit)
        made = self._log.emit(
            f"census.{what}", self._stream, data, by=by, at=self._time
        )
        for name, count in counts.items():
            self._counts[name] = self._counts.get(name, 0) + count
            fields = {name: self._counts[name]}
            self._log.tally.mark(made, "census", self._cell.key, **fields)
