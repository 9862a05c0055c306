"""An import from file to report: read, put in order, plan, send.

The steps are elsewhere; here they are joined. Clock, waiting, transport and terminal
come from the caller, so that all of it runs in a test without a network.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from events.errors import HenjiError, Malformed
from services.importing import client, staging
from services.importing.csv_rows import csv_rows
from services.importing.mapping import LogMapping, wanted_columns
from services.importing.plan import CaseRow, Setup, plan_case, read_time, setup
from services.importing.plan import unit_event as plan_unit
from services.importing.report import Report
from services.importing.rows import UNREADABLE, Oddities, Row, open_bytes
from services.importing.xes_rows import xes_rows

_STEP = 500

#: Why the log may refuse a unit that it has: same id with other content (the unit was
#: first seen at another time in another file), or created by somebody else.
_UNIT_IS_THERE = frozenset({"event_id_conflict", "stream_already_started"})
#: Why the log refuses to register a case that another source has registered.
_CASE_IS_THERE = "commitment_exists"

#: Told (what is being done, how much is done, of how much: None when nobody knows).
Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Edge:
    """What reaches the import from outside: the API, waiting, a clock, who watches."""

    post: client.Post
    wait: client.Wait
    clock: Callable[[], float]
    progress: Progress


def run_import(file: Path, mapping: LogMapping, edge: Edge) -> Report:
    """Import a log file through the HTTP API and give the account of it.

    A second run of the same file adds nothing; so an import that was cut off is simply
    run again. What the source or the log does not let in is in the report. Raises
    ``Malformed`` for a file that cannot be read at all or lacks a mapped column: then
    nothing was sent.
    """
    began = edge.clock()
    report = Report(file=file.name, source=mapping.source)
    with staging.staging() as stage:
        plan_file(file, mapping, stage=stage, report=report, progress=edge.progress)
        try:
            _send_all(stage, edge, report)
        except HenjiError as error:
            report.stopped = {"code": error.code, "detail": error.detail}
    report.seconds = round(edge.clock() - began, 3)
    return report


def plan_file(
    file: Path,
    mapping: LogMapping,
    *,
    stage: sqlite3.Connection,
    report: Report,
    progress: Progress,
) -> None:
    """Put all events of a file on the stage, by time; count what cannot be mapped."""
    to = setup(mapping)
    oddities = Oddities()
    wanted = wanted_columns(mapping)
    with closing(open_rows(file, mapping, oddities)) as rows:
        kept = _case_rows(
            to,
            _checked(rows, wanted, oddities),
            wanted=wanted,
            report=report,
            progress=progress,
        )
        staging.put_rows(stage, kept)
    report.oddities = dict(oddities.counts)
    _plan_cases(to, stage, report=report, progress=progress)
    report.events = staging.count_events(stage)


def open_rows(
    file: Path, mapping: LogMapping, oddities: Oddities
) -> Generator[Row, None, None]:
    """Read a file in the format that the mapping names, or its first bytes show."""
    form = mapping.format.type
    if form == "auto":
        form = "xes" if _looks_like_xml(file) else "csv"
    if form == "xes":
        return xes_rows(file, oddities)
    return csv_rows(file, mapping.format, oddities)


def _looks_like_xml(file: Path) -> bool:
    try:
        with open_bytes(file) as raw:
            start = raw.read(64)
    except UNREADABLE as error:
        raise Malformed("import_file_unreadable", str(error)) from error
    return start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


def _checked(
    rows: Iterator[Row], wanted: Mapping[str, str], oddities: Oddities
) -> Iterator[Row]:
    """Pass the rows on if the file's header, where it has one, names what is mapped."""
    for number, row in enumerate(rows):
        if number == 0:
            _check_header(wanted, oddities.header)
        yield row


def _check_header(wanted: Mapping[str, str], header: tuple[str, ...] | None) -> None:
    lacking = [] if header is None else [name for name in wanted if name not in header]
    if lacking:
        first = lacking[0]
        detail = "; ".join(f"{wanted[name]} = {name!r}" for name in lacking)
        raise Malformed("import_column_missing", detail, key=wanted[first])


def _case_rows(
    to: Setup,
    rows: Iterator[Row],
    *,
    wanted: Mapping[str, str],
    report: Report,
    progress: Progress,
) -> Iterator[tuple[str, CaseRow]]:
    """Keep of each row the mapped cells that say something, and its case and time."""
    columns, missing = to.mapping.columns, frozenset(to.mapping.missing)
    unseen = dict(wanted)
    for row in rows:
        report.rows += 1
        if report.rows % _STEP == 0:
            progress("reading", report.rows, None)
        cells = _telling(row.cells, wanted, missing)
        for name in unseen.keys() & row.cells.keys():
            del unseen[name]
        case = cells.get(columns.case)
        if case is None:
            report.find("case_missing", row.place, "")
            continue
        yield case, CaseRow(row.place, read_time(to, cells, columns.time), cells)
    progress("reading", report.rows, report.rows)
    for name, key in unseen.items():
        report.find("column_never_seen", 0, f"{key} = {name!r}")


def _telling(
    cells: Mapping[str, str], wanted: Mapping[str, str], missing: frozenset[str]
) -> dict[str, str]:
    found = {name: cells[name].strip() for name in wanted if name in cells}
    return {name: text for name, text in found.items() if text and text not in missing}


def _plan_cases(
    to: Setup, stage: sqlite3.Connection, *, report: Report, progress: Progress
) -> None:
    units: dict[str, int] = {}
    for case, rows in staging.cases(stage):
        report.cases += 1
        if report.cases % _STEP == 0:
            progress("planning", report.cases, None)
        plan = plan_case(to, case, rows)
        staging.put_events(stage, plan.events)
        for value, first in plan.units.items():
            units[value] = min(first, units.get(value, first))
        for finding in plan.findings:
            report.find(finding.code, finding.place, finding.detail)
        report.count_names("unknown_activities", plan.unknown)
        report.count_names("ignored_activities", plan.ignored)
    progress("planning", report.cases, report.cases)
    if to.mapping.units.create:
        planned = (plan_unit(to, value, units[value]) for value in sorted(units))
        staging.put_events(stage, planned)


def _leave_out_foreign(stage: sqlite3.Connection, edge: Edge, report: Report) -> None:
    """Drop the cases whose commitment somebody else has registered.

    Their rows would be taken as progress of that other commitment, for ever.
    """
    foreign: list[str] = []
    for batch in client.batches(
        _staged(staging.events(stage, staging.REGISTRATION, staging.REGISTRATION))
    ):
        for refusal in client.preview(batch, edge.post, edge.wait):
            if refusal.code == _CASE_IS_THERE:
                report.find("case_of_another_source", refusal.staged.place, refusal.id)
                foreign.append(refusal.id.split("/")[1])
    if foreign:
        staging.drop_cases(stage, foreign)
        report.events = staging.count_events(stage)


def _staged(rows: Iterator[tuple[int, int, bytes]]) -> Iterator[client.Staged]:
    for place, rank, body in rows:
        yield client.Staged(place, rank == staging.UNIT, body)


def _send_all(stage: sqlite3.Connection, edge: Edge, report: Report) -> None:
    # Units go first: what names them would be refused otherwise, also in a dry run.
    edge.progress("sending", 0, report.events)
    _send(staging.events(stage, staging.UNIT, staging.UNIT), edge, report)
    _leave_out_foreign(stage, edge, report)
    _send(staging.events(stage, staging.REGISTRATION), edge, report)


def _send(rows: Iterator[tuple[int, int, bytes]], edge: Edge, report: Report) -> None:
    for batch in client.batches(_staged(rows)):
        outcome = client.send(batch, edge.post, edge.wait)
        report.accepted += outcome.accepted
        report.duplicates += outcome.duplicates
        report.checkpoint = outcome.checkpoint or report.checkpoint
        for refusal in outcome.refusals:
            _count(refusal, report)
        edge.progress("sending", _judged(report), report.events)


def _judged(report: Report) -> int:
    refused = report.rejected + report.units_known + report.conflicts.count
    return report.accepted + report.duplicates + refused


def _count(refusal: client.Refusal, report: Report) -> None:
    place = refusal.staged.place
    if refusal.staged.creates_unit and refusal.code in _UNIT_IS_THERE:
        # Another file or another import named this unit first: it stays as it is.
        report.units_known += 1
    elif refusal.is_conflict:
        report.conflicts.add(place, refusal.id)
    else:
        report.rejected += 1
        report.refuse(refusal.code, place, f"{refusal.id} {refusal.detail}".strip())
