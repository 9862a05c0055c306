"""What the HTTP interface says of the campaign, held against the answer key.

Rules of this file: it asks as any client would, counts what comes, and compares; where
the interface does not offer a question yet, that part of the key is not asked. It holds
for a ledger with one copy of the campaign.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

import httpx2

from services.demo.campaign import standings
from services.demo.campaign.doors import Door
from services.demo.campaign.expected.files import SUBJECTS
from services.demo.campaign.expected.table import REPORTS, Asked
from services.demo.campaign.places import UNITS
from services.demo.campaign.reading import MISSING, Compared
from services.demo.campaign.record import SOURCE, Log
from services.demo.campaign.report_checks import check_reports, moment

CAMPAIGN: Final = "sixty-days-2017"
#: Instant → the reports of which every figure is compared then: making one takes time.
_REPORTED: Final[Mapping[str, Sequence[Asked]]] = {
    "slogan": tuple(map(Asked, ("overview", "countdown", "alert_measures", "seals"))),
    "end_of_log": tuple(one for one in REPORTS if one.subject in {"", SUBJECTS[0]}),
}
_PAGE: Final = 1000
_BOARD: Final = "/v1/commitments"
_STATES: Final = "/v1/states/{kind}"
_OVERDUE, _KEPT, _GIVEN_UP = "overdue", "finished_on_time", "ended_unfinished"

Fields = dict[str, Any]


@dataclass(slots=True)
class Checked:
    """How many numbers were compared, and those that differ."""

    checks: int = 0
    mismatches: list[Fields] = field(default_factory=list)

    def compare(self, where: str, expected: Any, found: Any) -> None:
        """Compare two answers number by number; a count of 0 may be left out."""
        if isinstance(expected, Mapping) and isinstance(found, Mapping):
            for name in sorted({*expected, *found}):
                self.compare(f"{where}.{name}", expected.get(name), found.get(name))
            return
        self.checks += 1
        if (expected or 0) != (found or 0):
            differing = {"what": where, "expected": expected, "found": found}
            self.mismatches.append(differing)

    def note(self, one: Compared) -> None:
        """Take a figure of a report that was compared."""
        self.checks += 1
        if not one.agrees:
            told = [None if x is MISSING else x for x in (one.expected, one.found)]
            differing = {"what": one.where, "expected": told[0], "found": told[1]}
            self.mismatches.append(differing)


def check(client: httpx2.Client, key: Fields) -> Checked:
    """Compare what the interface offers with the key; the client may read events."""
    done = Checked()
    paths = _get(client, "/openapi.json", {})["paths"]
    for name, answers in key["instants"].items():
        instant = answers["instant"]
        position = _position(client, key["last_recorded"][name])
        _check_counts(client, done, f"{name}.as_of", answers["as_of"], position)
        for clock, then in (("as_of", position), ("as_at", instant)):
            where, asked = f"{name}.{clock}", {clock: then}
            if clock in _offered(paths, _BOARD):
                judged = {**asked, "at": instant}
                _check_board(client, done, where, answers[clock], judged)
            if clock in _offered(paths, _STATES):
                _check_states(client, done, where, answers[clock], asked)
    last = key["instants"]["end_of_log"]["as_of"]
    _check_histories(client, done, last["event"])
    return done


def check_figures(door: Door, done: Checked, log: Log, *, beside: bool) -> None:
    """Compare every figure of each report at the end, and of four at a past instant.

    ``beside``: the ledger has promises of other logs too. All reports at all five
    instants, by either clock, are for the tests.
    """
    for name, reports in _REPORTED.items():
        then = moment(door, log, name, of=reports)
        for one in check_reports(door, then, beside=beside):
            done.note(one._replace(where=f"{name}.{one.where}"))


def is_beside_another(client: httpx2.Client) -> bool:
    """Tell whether the ledger has promises of other logs too."""
    counts = _get(client, f"{_BOARD}/counts", {})["data"]
    return any(row["unit"] not in UNITS for row in counts)


def _offered(paths: Fields, path: str) -> frozenset[str]:
    """Return what can be asked for at a path; nothing where there is none."""
    parameters = paths.get(path, {}).get("get", {}).get("parameters", [])
    return frozenset(row.get("name", "") for row in parameters)


def _position(client: httpx2.Client, event_id: str) -> int:
    path = f"/v1/events/{quote(event_id, safe='')}"
    answer = client.get(path, params={"source": SOURCE})
    answer.raise_for_status()
    return int(answer.headers["Henji-Position"])


def _check_board(
    client: httpx2.Client, done: Checked, where: str, answers: Fields, asked: Fields
) -> None:
    rows = list(_rows(client, _BOARD, {"campaign": CAMPAIGN, **asked}))
    expected = _without(answers["commitment"], {"lookbacks"})
    found = board(rows, str(asked["at"]))
    done.compare(f"{where}.commitment", expected, found)


def board(rows: list[Fields], instant: str) -> Fields:
    """Return the rows of the board, judged at an instant, as the key counts them."""
    due = {
        name: [row for row in rows if _instant(row[f"{name}_due"]) <= _instant(instant)]
        for name in ("original", "current")
    }
    units = sorted({row["lead_unit"] for row in rows})
    return {
        "registered": len(rows),
        "by_status": Counter(row["status"] for row in rows),
        "by_unit": {
            unit: Counter(row["status"] for row in rows if row["lead_unit"] == unit)
            for unit in units
        },
        **{
            f"overdue_by_{name}_due": sum(
                row["schedule"][f"by_{name}_due"] == _OVERDUE for row in rows
            )
            for name in due
        },
        **{
            f"on_time_by_{name}_due": _on_time(among, f"by_{name}_due")
            for name, among in due.items()
        },
        "extensions": sum(row["extensions"] for row in rows),
        "returns": sum(row["returns"] for row in rows),
        "reopened": sum(row["reopened"] for row in rows),
    }


def _check_states(
    client: httpx2.Client, done: Checked, where: str, answers: Fields, asked: Fields
) -> None:
    """Compare what the states of every other kind of stream add up to."""
    for kind, count in standings.COUNTS.items():
        path = _STATES.format(kind=kind)
        rows = [
            {**row["state"], "key": row["key"]} for row in _rows(client, path, asked)
        ]
        for group, found in count(rows).items():
            expected = _without(answers[group], standings.NOT_IN_STATES)
            done.compare(f"{where}.{group}", expected, found)


def _without(answers: Fields, names: Collection[str]) -> Fields:
    return {name: value for name, value in answers.items() if name not in names}


def _on_time(rows: list[Fields], by: str) -> Fields:
    judged = [row["schedule"][by] for row in rows]
    return {
        "numerator": judged.count(_KEPT),
        "denominator": len(judged) - judged.count(_GIVEN_UP),
    }


def _instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _rows(client: httpx2.Client, path: str, asked: Fields) -> Iterator[Fields]:
    query = {"limit": _PAGE, **asked}
    while True:
        page = _get(client, path, query)
        yield from page["data"]
        if not page["has_more"]:
            return
        query["cursor"] = page["next_cursor"]


def _check_counts(
    client: httpx2.Client, done: Checked, where: str, answers: Fields, position: int
) -> None:
    """Compare the counts a unit: only the campaign has commitments of these units."""
    found: dict[str, Fields] = {}
    for row in _get(client, f"{_BOARD}/counts", {"as_of": position})["data"]:
        if row["unit"] in UNITS:
            found.setdefault(row["unit"], {})[row["status"]] = row["count"]
    expected = answers["commitment"]["by_unit"]
    done.compare(f"{where}.counts", expected, found)


def _check_histories(client: httpx2.Client, done: Checked, events: Fields) -> None:
    """Compare how many events all commitments have, and how many came late."""
    lines: Counter[str] = Counter()
    for row in _rows(client, _BOARD, {"campaign": CAMPAIGN}):
        history = _get(client, f"{_BOARD}/{row['key']}/history", {"limit": _PAGE})
        lines["total"] += len(history["data"])
        lines["late"] += sum(line["late_record"] for line in history["data"])
    expected = {
        "total": events["by_kind"]["commitment"],
        "late": events["late_by_kind"]["commitment"],
    }
    done.compare("end_of_log.histories", expected, lines)


def _get(client: httpx2.Client, path: str, query: Fields) -> Any:
    answer = client.get(path, params=query)
    answer.raise_for_status()
    return answer.json()
