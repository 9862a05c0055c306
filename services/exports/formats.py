"""The formats by name: who writes them, and what they are called outside.

Rules of this file: one row a format, nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from events import errors
from events.store import Selection
from services.exports.flat import csv_lines, ndjson
from services.exports.job import Write
from services.exports.ocel_json import ocel_json
from services.exports.ocel_sqlite import ocel_sqlite
from services.exports.parquet import parquet
from services.exports.poam import poam
from services.exports.xes import xes


@dataclass(frozen=True, slots=True)
class Format:
    """How a format is written, its media type, and how its files end.

    ``of_events``: its items are events, which every filter may narrow. Otherwise they
    are things, and only a cut and streams can be asked for.
    """

    write: Write
    media: str
    suffix: str
    of_events: bool = True


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "ndjson": Format(ndjson, "application/x-ndjson", ".ndjson"),
        "csv": Format(csv_lines, "text/csv; charset=utf-8", ".csv"),
        "parquet": Format(parquet, "application/vnd.apache.parquet", ".parquet"),
        "xes": Format(xes, "application/xml", ".xes"),
        "ocel-json": Format(ocel_json, "application/json", ".ocel.json"),
        "ocel-sqlite": Format(ocel_sqlite, "application/vnd.sqlite3", ".ocel.sqlite"),
        "oscal-poam": Format(poam, "application/json", ".poam.json", of_events=False),
    }
)


def find(name: str) -> Format:
    """Return a format; ``NotFound('export_format_unknown')``."""
    found = FORMATS.get(name)
    if found is None:
        known = ", ".join(FORMATS)
        raise errors.NotFound("export_format_unknown", format=name, known=known)
    return found


def fit(format_: Format, chosen: Selection) -> None:
    """Return if a format can be narrowed so.

    ``Malformed('export_filter_unfit')``: it shows things, the filter is for events.
    """
    if not format_.of_events and chosen != Selection(streams=chosen.streams):
        raise errors.Malformed("export_filter_unfit")
