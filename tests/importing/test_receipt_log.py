"""The whole shipped log: what is planned agrees with an independent count of the file."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from datetime import datetime

from rich.console import Console

from services.importing.progress import progress_bar
from services.importing.report import print_report
from tests.importing.fake_log import FakeLog


def independent_count(file):
    """Count cases, ended cases and late ones straight from the file."""
    with gzip.open(file, "rt", newline="") as text:
        rows = list(csv.DictReader(text))
    cases = {row["case:concept:name"]: row for row in rows}
    ended = [row for row in cases.values() if row["case:enddate"]]
    late = {
        row["case:concept:name"]
        for row in ended
        if datetime.fromisoformat(row["case:enddate"])
        > datetime.fromisoformat(row["case:deadline"])
    }
    return len(rows), len(cases), len(ended), late


def test_the_plan_agrees_with_an_independent_count(plan, shipped, mapping):
    """1,434 registered, 1,329 closed, 377 of them after their due; each by name."""
    rows, cases, ended, late = independent_count(shipped)
    events, report = plan(shipped, mapping)
    types = Counter(event["type"] for event in events)
    assert types["henji.commitment.progress_reported.v1"] == rows == 8577
    assert types["henji.commitment.registered.v1"] == cases == 1434
    assert types["henji.commitment.closed.v1"] == ended == 1329
    dues = {
        event["subject"]: datetime.fromisoformat(event["data"]["due"])
        for event in events
        if event["type"] == "henji.commitment.registered.v1"
    }
    closed_late = {
        event["subject"].removeprefix("commitment/")
        for event in events
        if event["type"] == "henji.commitment.closed.v1"
        and datetime.fromisoformat(event["time"]) > dues[event["subject"]]
    }
    assert closed_late == late
    assert len(late) == 377
    assert not report.findings
    assert not report.unknown_activities


def test_the_report_is_readable(shipped, mapping, import_into, tmp_path):
    """A person sees the totals, what was unknown and what changed, with its lines."""
    bad = tmp_path / "bad.csv"
    text = gzip.decompress(shipped.read_bytes()).decode()
    bad.write_text(text.replace("T13 Adjust", "T13 [b]A\x1b[2Jdapt[/b]"))
    report = import_into(FakeLog(), bad, mapping)
    console = Console(
        width=120, record=True, quiet=False, file=(tmp_path / "o").open("w")
    )
    with console.file:
        with progress_bar(console) as told:
            told("reading", 500, None)
            told("sending", 5, 10)
        print_report(report, console)
    shown = console.export_text()
    assert "11,350" in shown
    assert (
        "unknown activity: T13 [b]A\ufffd[2Jdapt[/b] document X request unlicensed"
        in shown
    )
