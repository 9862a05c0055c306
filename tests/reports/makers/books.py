"""Small logs for the tests of reports, read as anyone reads a log: by folding it.

Nothing is asserted here but what holds of every report: ``sound``. Every failure is
made up (模拟数据).
"""

from __future__ import annotations

import msgspec

from events import entries
from events.store import Root, Row
from projections.cut_world import LogWorld
from projections.reports.addresses import cells
from projections.reports.model import Question
from projections.world import Cut
from tests.rules.diary import Diary, us

ROOT = bytes(range(32))


class Book(Diary):
    """A diary that can be read as a log."""

    def unit(self, key, category="office"):
        """Note a unit that exists since before everything."""
        data = {"name": f"{key}（模拟数据）", "name_en": key, "category": category}
        return self.note("unit.created", f"unit/{key}", "2017-01-01", data)

    def log_world(self, now, *, position=None, as_at=None):
        """Return the world of a cut by folding the log, judged at a local time."""
        rows = [_row(number, event) for number, event in enumerate(self.log, 1)]
        cut = Cut(
            position=len(rows) if position is None else position,
            root=ROOT,
            now=us(now),
            as_at=None if as_at is None else us(as_at),
        )
        return LogWorld(_Rows(rows), cut)

    def stream(self, position):
        """Return the stream of an event."""
        return self.log[position - 1].stream


def asked(period, **more):
    """Return a question."""
    return Question(period, **more)


def found(report, key):
    """Return the table of a key as dicts of values, one a row, by column."""
    return [
        {
            column.key: cell.value
            for column, cell in zip(table.columns, row, strict=True)
        }
        for table in tables(report)
        if table.key == key
        for row in table.rows
    ]


def tables(report):
    """Return every table of a report and of its corrections."""
    blocks = [block for section in report.sections for block in section.blocks]
    return [
        block
        for block in (*blocks, *report.corrections)
        if hasattr(block, "columns") and hasattr(block, "rows")
    ]


def by(rows, column, value):
    """Return the one row that has a value in a column."""
    (row,) = [row for row in rows if row[column] == value]
    return row


def zh(value):
    """Return a text in Chinese."""
    return value if isinstance(value, str) else value["zh"]


def counts(report, *keys):
    """Return (address, cell) of the counts in some tables: G11 holds for them."""
    return [
        (entry.address, entry.cell)
        for entry in cells(report)
        if entry.address.split("/")[0] in keys
        and entry.kind == "int"
        and isinstance(entry.cell.value, int)
    ]


def sound(report, book):
    """Assert what holds of every report: its events are in the cut, in order."""
    for entry in cells(report):
        events = entry.cell.events
        assert list(events) == sorted(set(events)), entry.address
        assert all(0 < at <= report.cut.position for at in events), entry.address
    assert report.cut.position <= len(book.log)


def _row(number, event):
    data = msgspec.json.decode(msgspec.json.encode(event.data))
    made = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "subject": event.stream,
        "time": entries.rfc3339(event.occurred),
        "data": data,
    }
    stamps = {} if event.policy is None else {"policyversion": event.policy}
    if event.due_at is not None:
        stamps["dueat"] = entries.rfc3339(event.due_at)
    entry = entries.compose(
        made,
        stream=event.stream,
        version=event.version,
        ingested_text=entries.rfc3339(event.ingested),
        authid=event.actor.key,
        authunit=event.actor.unit,
        authpost=event.actor.post,
        stamps=stamps,
    )
    return Row(
        number,
        event.stream,
        event.version,
        event.type,
        event.source,
        event.id,
        event.occurred,
        event.ingested,
        b"\0" * 32,
        entry,
    )


class _Rows:
    """What ``LogWorld`` reads of a store."""

    def __init__(self, rows):
        self._all = rows

    def head(self):
        return Root(len(self._all), ROOT, self._all[-1].ingested)

    def rows(self, *, after, limit):
        return self._all[after : after + limit]

    def row(self, position):
        return self._all[position - 1] if 0 < position <= len(self._all) else None
