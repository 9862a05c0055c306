"""The real log at five instants: the service against ten lines over the file."""

from __future__ import annotations

import csv
import gzip
import io
import secrets
from datetime import datetime

import httpx2
import pytest
from rich.console import Console

from services.importing.command import import_log, named_mapping, shipped_log
from services.keyring import KeySpec, create_key
from services.running import running
from services.serving import served
from services.settings import Settings

#: In winter and in summer time, early, in the middle, and after the last case ended.
INSTANTS = (
    "2010-12-01T12:00:00+01:00",
    "2011-03-01T12:00:00+01:00",
    "2011-06-01T12:00:00+02:00",
    "2011-10-01T12:00:00+02:00",
    "2012-02-01T12:00:00+01:00",
)
LATE = {"overdue", "finished_late"}


def of_the_file(text):
    """Count what was open, finished and late at an instant, from the file alone."""
    now, read = datetime.fromisoformat(text), datetime.fromisoformat
    with gzip.open(shipped_log(), "rt", newline="") as file:
        cases = {row["case:concept:name"]: row for row in csv.DictReader(file)}
    begun = [row for row in cases.values() if read(row["case:startdate"]) <= now]
    ends = [(row["case:enddate"], read(row["case:deadline"])) for row in begun]
    ended = [(read(end), due) for end, due in ends if end and read(end) <= now]
    waiting = [due for end, due in ends if not end or read(end) > now]
    late = sum(end > due for end, due in ended) + sum(now > due for due in waiting)
    return {"open": len(waiting), "finished": len(ended), "late": late}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A client of a service that the log was imported into, through its own door."""
    folder = tmp_path_factory.mktemp("receipt")
    settings = Settings(data_dir=folder, origin="log.example/receipt")
    spec = KeySpec(
        name="import",
        roles=("adapter", "admin"),
        scopes=("events:write", "events:read", "backfill", "delegate"),
    )
    with running(settings) as service, served(service, host="127.0.0.1") as url:
        _, key = create_key(service.ledger, spec, random_bytes=secrets.token_bytes)
        report = import_log(
            shipped_log(),
            named_mapping("receipt"),
            url=url,
            key=key,
            console=Console(file=io.StringIO()),
            wait=lambda _: None,
            clock=lambda: 0.0,
        )
        assert not report.rejected
        service.reach(service.ledger.store.head().size, seconds=60)
        headers = {"Authorization": f"Bearer {key}"}
        with httpx2.Client(base_url=url, headers=headers, timeout=60) as found:
            yield found


def get(client, path, **query):
    """Return an answer as JSON."""
    answer = client.get(path, params=query)
    answer.raise_for_status()
    return answer.json()


def board(client, instant):
    """Return every row of the board as of an instant, by when things happened."""
    rows, query = [], {"as_at": instant, "limit": 1000}
    while True:
        page = get(client, "/v1/commitments", **query)
        rows += page["data"]
        if not page["has_more"]:
            return rows
        query["cursor"] = page["next_cursor"]


def figures(client, name, instant):
    """Return the headline figures of a report as of an instant."""
    report = get(client, f"/v1/reports/{name}.json", as_at=instant)
    (block,) = report["sections"][0]["blocks"][:1]
    return {item["key"]: item["value"] for item in block["items"]}


@pytest.mark.parametrize("instant", INSTANTS)
def test_the_board_was_as_the_file_says(client, instant):
    """Open, finished and late, row by row of the board."""
    rows = board(client, instant)
    closed = [row for row in rows if row["status"] == "closed"]
    late = [row for row in rows if row["schedule"]["by_original_due"] in LATE]
    assert of_the_file(instant) == {
        "open": len(rows) - len(closed),
        "finished": len(closed),
        "late": len(late),
    }


@pytest.mark.parametrize("instant", INSTANTS)
def test_the_reports_say_what_the_file_says(client, instant):
    """The overview counts the same; the ledger's overdue are the open ones of the late."""
    told, expected = figures(client, "overview", instant), of_the_file(instant)
    assert (told["open"], told["ended"]) == (expected["open"], expected["finished"])
    finished_late = sum(
        row["schedule"]["by_original_due"] == "finished_late"
        for row in board(client, instant)
    )
    overdue = figures(client, "ledger", instant)["overdue"]
    assert overdue + finished_late == expected["late"]


def test_the_instants_differ():
    """Instants at which nothing changed would test one moment five times."""
    told = [tuple(of_the_file(instant).values()) for instant in INSTANTS]
    assert len(set(told)) == len(INSTANTS)
    assert told[-1][1] == 1329
