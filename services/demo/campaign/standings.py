"""States of streams as the HTTP interface gives them, counted as the answer key counts.

Rules of this file: JSON in, counts out; one function a kind of stream. Nothing here
knows the key's numbers: they are compared in ``checking``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

Fields = dict[str, Any]
Rows = Sequence[Fields]

_SETTLED: Final = frozenset({"closed", "revoked"})
_DAYS_EACH: Final = timedelta(days=15)


def _of(rows: Iterable[Fields], field: str) -> Fields:
    return dict(Counter(str(row[field]) for row in rows))


def _nested(rows: Rows, outer: str, inner: str) -> Fields:
    groups: dict[str, list[Fields]] = defaultdict(list)
    for row in rows:
        groups[str(row[outer])].append(row)
    return {name: _of(among, inner) for name, among in groups.items()}


def _said(rows: Rows, field: str) -> list[Fields]:
    return [row for row in rows if row[field] is not None]


def issues(rows: Rows) -> Fields:
    """Count issues."""
    unsettled = [row for row in rows if row["status"] not in _SETTLED]
    return {
        "issue": {
            "found": len(rows),
            "by_status": _of(rows, "status"),
            "by_channel": _of(rows, "found_by"),
            "open_by_category": _of(unsettled, "category"),
            "open_by_unit": _of(unsettled, "unit"),
        }
    }


def measures(rows: Rows) -> Fields:
    """Count the measures of each alert."""
    alerts: dict[str, list[Fields]] = defaultdict(list)
    for row in rows:
        alerts[row["alert"]].append(row)
    return {"measure": {alert: _measures(among) for alert, among in alerts.items()}}


def _measures(rows: Rows) -> Fields:
    applied = _said(rows, "applied_at")
    checks = {True: "kept", False: "not_kept"}
    return {
        "required": len(rows),
        "by_status": _of(rows, "status"),
        "applied": len(applied),
        "applied_in_time": sum(row["applied_at"] <= row["due"] for row in applied),
        "exempted": sum(row["status"] == "exempted" for row in rows),
        "breached": sum(row["breaches"] > 0 for row in rows),
        "checks": dict(Counter(checks[row["kept"]] for row in _said(rows, "kept"))),
    }


def alerts(rows: Rows) -> Fields:
    """Tell the last colour of each alert, and whether it is lifted."""
    return {
        "alert": {
            row["key"]: {
                "colour": row["levels"][-1]["colour"],
                "lifted": row["status"] == "lifted",
            }
            for row in rows
        }
    }


def orders(rows: Rows) -> Fields:
    """Count violations, and until when each site is sealed."""
    until: Fields = {}
    violations: Counter[str] = Counter()
    exempted = 0
    for row in rows:
        exempted += len(row["exempted"])
        found = list(row["violations"].values())
        violations.update(one["status"] for one in found)
        counting = Counter(one["site"] for one in found if one["status"] == "confirmed")
        base = date.fromisoformat(row["base_end"])
        for site in row["sites"]:
            until[site] = (base + _DAYS_EACH * counting[site]).isoformat()
    seal = {"sites": len(until), "exempted": exempted, "until": until}
    return {"seal": seal, "violation": dict(violations)}


def cases(rows: Rows) -> Fields:
    """Count accountability cases."""
    return {
        "case": {
            "cases": len(rows),
            "by_status": _of(rows, "status"),
            "by_form": _of(_said(rows, "form"), "form"),
            "by_unit": _of(rows, "unit"),
            "appealed": len(_said(rows, "appealed_at")),
            "appeals": _of(_said(rows, "appeal_outcome"), "appeal_outcome"),
        }
    }


def obligations(rows: Rows) -> Fields:
    """Count obligations, and which were missed at some time."""
    return {
        "obligation": {
            "scheduled": len(rows),
            "by_kind": _nested(rows, "kind", "status"),
            "by_unit": _nested(rows, "unit", "status"),
            "missed": len(_said(rows, "missed_at")),
        }
    }


def inspections(rows: Rows) -> Fields:
    """Count patrols and their points, samples, and items of checklists."""
    patrols = [row for row in rows if row["kind"] == "patrol"]
    points = [
        {"cell": cell, "unit": row["unit"]}
        for row in patrols
        for cell, _ in row["points"]
    ]
    items = [one["value"] for row in rows for one in _pairs(row["results"])]
    return {
        "patrol": {"ended": sum(row["status"] == "ended" for row in patrols)},
        "point": {
            "points": len(points),
            "by_unit": _of(points, "unit"),
            "cells_covered": len({row["cell"] for row in points}),
            "by_cell": _of(points, "cell"),
        },
        "lookback": {
            "planned": sum(
                len(row["targets"]) for row in rows if row["kind"] == "lookback"
            )
        },
        "item": dict(Counter(items)),
    }


def _pairs(mapping: Any) -> list[Fields]:
    """Return a mapping by pairs as a list; an empty one may come as an object."""
    return list(mapping) if isinstance(mapping, list) else []


def censuses(rows: Rows) -> Fields:
    """Count entries over all cells."""
    cells = [cell for row in rows for cell in row["cells"].values()]
    parts = {
        "listed": "listed",
        "visited": "visited",
        "not_found": "missing",
        "newly_found": "new",
    }
    counts = {
        name: sum(len(cell[part]) for cell in cells) for name, part in parts.items()
    }
    finished = sum(cell["finished"] for cell in cells)
    return {"census": {**counts, "finished": finished}}


def directives(rows: Rows) -> Fields:
    """Count to whom directives were relayed, and who has read them."""
    relayed = sum(len(row["relayed_to"]) for row in rows)
    read = sum(len(row["read_by"]) for row in rows)
    return {"directive": {"relayed": relayed, "read": read}}


def subjects(rows: Rows) -> Fields:
    """Count subjects by kind and status."""
    return {"subject": _nested(rows, "kind", "status")}


def metrics(rows: Rows) -> Fields:
    """Count readings by series."""
    recorded = [
        {"series": row["key"].partition("/")[0]}
        for row in rows
        if row["status"] == "recorded"
    ]
    return {"metric": _of(recorded, "series")}


#: Kind of stream → what of it is counted.
COUNTS: Final[Mapping[str, Callable[[Rows], Fields]]] = {
    "issue": issues,
    "measure": measures,
    "alert": alerts,
    "order": orders,
    "accountability": cases,
    "obligation": obligations,
    "inspection": inspections,
    "census": censuses,
    "directive": directives,
    "subject": subjects,
    "metric": metrics,
}
#: What the key counts and no state tells: results of points are in their events.
NOT_IN_STATES: Final = frozenset({"by_result"})
