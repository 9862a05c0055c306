"""A report as JSON: all of it, in both languages, every value with its events.

Rules of this file: nothing is rounded or worded. Instants are RFC 3339 in UTC; what a
reader needs to ask for the events of a value is its address.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import msgspec

from events.entries import rfc3339
from projections.reports.addresses import Addressed, cells_of, row_cells
from projections.reports.formats.rendering import View
from projections.reports.formats.values import local_day
from projections.reports.model import (
    Block,
    Chart,
    Figures,
    Paragraph,
    Report,
    Table,
    Value,
)


def render(report: Report, _view: View) -> bytes:
    """Return the report as one JSON object, its members in a fixed order."""
    body = {
        "name": report.name,
        "period": report.period,
        "title": report.title,
        "number": report.number,
        "issuer": report.issuer,
        "addressees": report.addressees,
        "layout": report.layout,
        "cut": asdict(report.cut) | {"instant": rfc3339(report.cut.instant)},
        "sections": [
            {"title": one.title, "blocks": [_block(block) for block in one.blocks]}
            for one in report.sections
        ],
        "corrections": [_block(table) for table in report.corrections],
    }
    return msgspec.json.format(_encode(body), indent=1) + b"\n"


def table_json(table: Table) -> bytes:
    """Return one table alone, as it stands in the report."""
    return _encode(_block(table))


def _encode(body: Any) -> bytes:
    """Return JSON; a read-only view of a mapping is written as the mapping."""
    return msgspec.json.encode(body, enc_hook=dict)


def raw(found: Addressed) -> Value:
    """Return a value as programs want it: instants in UTC, dates as dates."""
    value = found.cell.value
    if isinstance(value, int | float):
        if found.kind == "instant":
            return rfc3339(int(value))
        if found.kind == "date":
            return local_day(value).isoformat()
    return value


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Table():
            return _table(block)
        case Figures():
            named = zip(block.items, cells_of(block), strict=True)
            items = [
                {"key": key, "title": title} | _cell(found)
                for (key, title, _), found in named
            ]
            return {"figures": block.key, "title": block.title, "items": items}
        case Paragraph():
            return {"paragraph": block.text}
        case Chart():
            return _chart(block)


def _table(table: Table) -> dict[str, Any]:
    columns = [
        {"key": column.key, "title": column.title, "kind": column.kind}
        for column in table.columns
    ]
    rows = [
        {
            column.key: _cell(found)
            for column, found in zip(
                table.columns, row_cells(table, number), strict=True
            )
        }
        for number in range(1, len(table.rows) + 1)
    ]
    return {
        "table": table.key,
        "title": table.title,
        "columns": columns,
        "rows": rows,
        "note": table.note,
    }


def _chart(chart: Chart) -> dict[str, Any]:
    found = iter(cells_of(chart))
    series = [
        {
            "name": one.name,
            "points": [
                {"label": label} | _cell(next(found)) for label, _ in one.points
            ],
        }
        for one in chart.series
    ]
    body = {"chart": chart.key, "title": chart.title, "kind": chart.kind}
    return body | {"series": series}


def _cell(found: Addressed) -> dict[str, Any]:
    body: dict[str, Any] = {"value": raw(found), "cell": found.address}
    if found.cell.events:
        body["positions"] = sorted(set(found.cell.events))
    if found.cell.rule:
        body["rule"] = found.cell.rule
    return body
