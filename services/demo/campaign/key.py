"""The answer key: what reports must say at five instants, by either clock.

Rules of this file: counting dicts. Nothing of the read models or of the rules is used:
what a number means is said in ``DEFINITIONS`` and counted here from what the generator
noted while it made each event.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from services.demo.campaign.moments import at, day, written
from services.demo.campaign.record import SOURCE, Log
from services.demo.campaign.tally import Clock, Table

Fields = dict[str, Any]
Rows = Mapping[str, Fields]

#: Name → instant: no event happens or is recorded at exactly one of these.
INSTANTS: Final[Mapping[str, int]] = {
    "first_week": at(day("11-17"), 18, 1),
    "slogan": at(day("11-24"), 18, 1),
    "orange_alert": at(day("12-05"), 12, 1),
    "year_end": at(day("01-01"), 9, 1),
    "end_of_log": at(day("03-31"), 23, 59),
}
CLOCKS: Final[tuple[Clock, ...]] = ("as_of", "as_at")
DEFINITIONS: Final[Mapping[str, str]] = {
    "as_of": "events recorded by the instant; as_at: events that happened by it",
    "overdue": "open (no close, cancellation, merger or failure) after the due",
    "on_time": "stands closed by the original due, of those due and not given up",
    "late": "recorded more than 3 days after it happened; very_late: more than 30",
    "open issues": "neither closed nor revoked; fixed ones stay open until closed",
    "seal_until": "last day of the seal: 2018-03-15 and 15 days a counting violation",
    "applied_in_time": "applied within two hours of being required",
    "missed": "recorded as missed, also where it was made up for later",
}
_UNFINISHED: Final = frozenset({"cancelled", "superseded", "failed"})


def key_of(log: Log) -> Fields:
    """Return the key of one copy of the campaign."""
    return {
        "source": SOURCE,
        "entries": len(log),
        "definitions": dict(DEFINITIONS),
        "instants": {
            name: {"instant": written(instant)}
            | {
                clock: answers(log.tally.table(clock, instant), instant)
                for clock in CLOCKS
            }
            for name, instant in INSTANTS.items()
        },
        "last_recorded": _last_recorded(log),
        "shares": shares(log),
    }


def answers(table: Table, instant: int) -> Fields:
    """Return all counts at an instant."""
    return {name: count(table[name], instant) for name, count in _COUNTS.items()}


def shares(log: Log) -> Fields:
    """Return how many commitments and events had what the real logs have shares of."""
    table = log.tally.table("as_at", INSTANTS["end_of_log"])
    rows, events = table["commitment"].values(), table["event"].values()
    return {
        "commitments": len(rows),
        "overdue": sum(row["was_overdue"] for row in rows),
        "extended": sum(row["extensions"] > 0 for row in rows),
        "returned": sum(row["returns"] > 0 for row in rows),
        "reopened": sum(row["reopened"] > 0 for row in rows),
        "cancelled_or_superseded": sum(
            row["status"] in {"cancelled", "superseded"} for row in rows
        ),
        "suspended": sum(bool(row.get("suspended")) for row in rows),
        "events": len(events),
        "recorded_late": sum(row["late"] for row in events),
        "recorded_very_late": sum(row["very_late"] for row in events),
    }


def add_up(one: Fields, other: Fields) -> Fields:
    """Return the sum of two keys: counts are added, tables joined, texts kept."""
    joined = dict(one)
    for name, value in other.items():
        before = joined.get(name)
        if isinstance(value, dict) and before is not None:
            joined[name] = add_up(before, value)
        elif isinstance(value, int) and before is not None:
            joined[name] = before + value
        elif isinstance(value, list) and before is not None:
            joined[name] = [*before, *value]
        else:
            joined[name] = value
    return joined


def _last_recorded(log: Log) -> Fields:
    """Return the id of the last event recorded by each instant (of the last copy)."""
    last: Fields = {}
    for sent in log.sent():
        recorded = sent.event["recordedtime"]
        for name, instant in INSTANTS.items():
            if recorded <= written(instant):
                last[name] = sent.event["id"]
    return last


def _by(rows: Rows, field: str, keep: Callable[[Fields], bool] = bool) -> Fields:
    found = Counter(str(row.get(field)) for row in rows.values() if keep(row))
    return dict(sorted(found.items()))


def _nested(rows: Rows, outer: str, inner: str) -> Fields:
    names = sorted({str(row.get(outer)) for row in rows.values()})
    return {
        name: _by({k: r for k, r in rows.items() if str(r.get(outer)) == name}, inner)
        for name in names
    }


def _total(rows: Rows, field: str) -> int:
    return sum(int(row.get(field) or 0) for row in rows.values())


def _commitments(table: Rows, instant: int) -> Fields:
    rows = {name: row for name, row in table.items() if "status" in row}
    is_open = [
        row
        for row in rows.values()
        if row["status"] != "closed" and row["status"] not in _UNFINISHED
    ]
    return {
        "registered": len(rows),
        "by_status": _by(rows, "status"),
        "by_unit": _nested(rows, "unit", "status"),
        "overdue_by_original_due": _past(is_open, "original_due", instant),
        "overdue_by_current_due": _past(is_open, "current_due", instant),
        "on_time_by_original_due": _on_time(rows, "original_due", instant),
        "on_time_by_current_due": _on_time(rows, "current_due", instant),
        "extensions": _total(rows, "extensions"),
        "returns": _total(rows, "returns"),
        "reopened": _total(rows, "reopened"),
        "lookbacks": _by(rows, "lookback", lambda row: "lookback" in row),
    }


def _past(rows: list[Fields], due: str, instant: int) -> int:
    return sum(row[due] < instant for row in rows)


def _on_time(rows: Rows, due: str, instant: int) -> Fields:
    of = [
        row
        for row in rows.values()
        if row[due] <= instant and row["status"] not in _UNFINISHED
    ]
    kept = sum(row["ended"] is not None and row["ended"] <= row[due] for row in of)
    return {"numerator": kept, "denominator": len(of)}


def _events(rows: Rows, _instant: int) -> Fields:
    return {
        "total": len(rows),
        "by_kind": _by(rows, "kind"),
        "late": _total(rows, "late"),
        "very_late": _total(rows, "very_late"),
        "late_by_kind": _by(rows, "kind", lambda row: bool(row["late"])),
    }


def _issues(rows: Rows, _instant: int) -> Fields:
    def unsettled(row: Fields) -> bool:
        return row["status"] not in {"closed", "revoked"}

    return {
        "found": len(rows),
        "by_status": _by(rows, "status"),
        "by_channel": _by(rows, "channel"),
        "open_by_category": _by(rows, "category", unsettled),
        "open_by_unit": _by(rows, "unit", unsettled),
    }


def _points(rows: Rows, _instant: int) -> Fields:
    return {
        "points": len(rows),
        "by_result": _by(rows, "result"),
        "by_unit": _by(rows, "unit"),
        "cells_covered": len({row["cell"] for row in rows.values()}),
        "by_cell": _by(rows, "cell"),
    }


def _measures(rows: Rows, _instant: int) -> Fields:
    def of(alert: str) -> Rows:
        return {name: row for name, row in rows.items() if row["alert"] == alert}

    return {alert: _under_alert(of(alert)) for alert in _by(rows, "alert")}


def _under_alert(rows: Rows) -> Fields:
    return {
        "required": len(rows),
        "by_status": _by(rows, "status"),
        "applied": sum("in_time" in row for row in rows.values()),
        "applied_in_time": _total(rows, "in_time"),
        "exempted": sum(row["status"] == "exempted" for row in rows.values()),
        "breached": _total(rows, "breached"),
        "checks": _by(rows, "checked", lambda row: "checked" in row),
    }


def _seal(rows: Rows, _instant: int) -> Fields:
    return {
        "sites": len(rows),
        "exempted": _total(rows, "exempted"),
        "until": {name: row["until"] for name, row in sorted(rows.items())},
    }


def _cases(rows: Rows, _instant: int) -> Fields:
    return {
        "cases": len(rows),
        "by_status": _by(rows, "status"),
        "by_form": _by(rows, "form", lambda row: row.get("form") is not None),
        "by_unit": _by(rows, "unit"),
        "appealed": _total(rows, "appealed"),
        "appeals": _by(rows, "appeal", lambda row: "appeal" in row),
    }


def _obligations(rows: Rows, _instant: int) -> Fields:
    return {
        "scheduled": len(rows),
        "by_kind": _nested(rows, "kind", "status"),
        "by_unit": _nested(rows, "unit", "status"),
        "missed": _total(rows, "missed"),
    }


def _sums(*names: str) -> Callable[[Rows, int], Fields]:
    return lambda rows, _: {name: _total(rows, name) for name in names}


def _reuse(rows: Rows, _instant: int) -> Fields:
    return {
        "found": len(rows),
        "pairs": {name: row["first"] for name, row in sorted(rows.items())},
    }


_COUNTS: Final = cast(
    "Mapping[str, Callable[[Rows, int], Fields]]",
    {
        "commitment": _commitments,
        "event": _events,
        "issue": _issues,
        "point": _points,
        "patrol": _sums("ended"),
        "measure": _measures,
        "alert": lambda rows, _: {
            name: dict(row) for name, row in sorted(rows.items())
        },
        "seal": _seal,
        "violation": lambda rows, _: _by(rows, "status"),
        "case": _cases,
        "obligation": _obligations,
        "lookback": _sums("planned"),
        "reuse": _reuse,
        "census": _sums("listed", "visited", "not_found", "newly_found", "finished"),
        "directive": _sums("relayed", "read"),
        "subject": lambda rows, _: _nested(rows, "kind", "status"),
        "item": lambda rows, _: _by(rows, "result"),
        "metric": lambda rows, _: _by(rows, "series", lambda row: "value" in row),
    },
)
