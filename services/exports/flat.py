"""One line an entry: NDJSON of the sealed bytes, CSV of flat columns.

Rules of this file: an NDJSON line is the entry byte for byte, so that its leaf hash can
be computed from it; CSV is for people with spreadsheets unless it is asked for raw.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from types import MappingProxyType

from events.entries import rfc3339
from services.exports.job import Job, Pieces, pieces, rows
from services.exports.members import Told, headed, recorded

_BOM = "\ufeff"
#: A spreadsheet takes a cell that begins so for a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")

#: Column -> what stands in it. ``data`` is the payload as canonical JSON.
_COLUMNS: Mapping[str, Callable[[Told], str | int | None]] = MappingProxyType(
    {
        "position": lambda entry: entry.row.position,
        "stream": lambda entry: entry.row.stream,
        "version": lambda entry: entry.row.version,
        "type": lambda entry: entry.row.type,
        "id": lambda entry: entry.row.id,
        "source": lambda entry: entry.row.source,
        "occurred": lambda entry: rfc3339(entry.row.occurred),
        "recorded": lambda entry: rfc3339(recorded(entry)),
        "ingested": lambda entry: rfc3339(entry.row.ingested),
        "unit": lambda entry: entry.unit,
        "post": lambda entry: entry.post,
        "person": lambda entry: entry.envelope.actorperson,
        "key": lambda entry: entry.envelope.authid,
        "policy": lambda entry: entry.envelope.policyversion,
        "due_at": lambda entry: entry.envelope.dueat,
        "leaf": lambda entry: entry.row.leaf.hex(),
        "data": lambda entry: bytes(entry.envelope.data).decode(),
    }
)


def ndjson(job: Job) -> Pieces:
    """Yield each entry's exact bytes and a line feed."""
    return pieces(row.entry + b"\n" for row in rows(job))


def csv_lines(job: Job) -> Pieces:
    """Yield RFC 4180 lines with a header; UTF-8.

    For spreadsheets: a byte order mark, and an apostrophe before what would be a
    formula. ``job.raw``: neither.
    """
    return pieces(line.encode() for line in _lines(job))


def _lines(job: Job) -> Iterator[str]:
    line = StringIO(newline="")
    writer = csv.writer(line)
    writer.writerow(_COLUMNS)
    yield ("" if job.raw else _BOM) + _taken(line)
    shown = _plain if job.raw else harmless
    for row in rows(job):
        entry = headed(row)
        writer.writerow([shown(read(entry)) for read in _COLUMNS.values()])
        yield _taken(line)


def _taken(line: StringIO) -> str:
    text = line.getvalue()
    line.seek(0)
    line.truncate()
    return text


def _plain(cell: str | int | None) -> str | int | None:
    return cell


def harmless(cell: str | int | None) -> str | int | None:
    """Return a cell that no spreadsheet takes for a formula."""
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return "'" + cell
    return cell
