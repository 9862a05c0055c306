"""Readers: dialects of CSV, XES, and that one log in two formats is one history."""

from __future__ import annotations

import csv
import gzip
import tracemalloc
from itertools import groupby
from xml.sax.saxutils import quoteattr

import pytest

from events.errors import Malformed
from services.importing.csv_rows import csv_rows
from services.importing.mapping import Dialect
from services.importing.rows import Oddities
from services.importing.run import open_rows
from services.importing.xes_rows import xes_rows

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<log xmlns="http://www.xes-standard.org/">'
)


def as_xes(sample):
    """Write the sample as an XES document, case attributes on the trace."""
    with sample.open(newline="") as text:
        rows = list(csv.DictReader(text))
    parts = [
        HEAD,
        '<global scope="event"><string key="concept:name" value=""/></global>',
    ]
    for _, group in groupby(rows, key=lambda row: row["case:concept:name"]):
        trace = list(group)
        parts.append("<trace>")
        parts += attributes(
            {k[5:]: v for k, v in trace[0].items() if k.startswith("case:")}
        )
        for row in trace:
            parts.append("<event>")
            parts += attributes(
                {k: v for k, v in row.items() if not k.startswith("case:")}
            )
            parts.append("</event>")
        parts.append("</trace>")
    return "\n".join([*parts, "</log>"]).encode()


def attributes(cells):
    """Give XES attributes; dates in the form that XES wants."""
    for key, value in cells.items():
        is_date = key.endswith("date") or key in {"deadline", "time:timestamp"}
        if value:
            text = value.replace(" ", "T") if is_date else value
            tag = "date" if is_date else "string"
            yield f"<{tag} key={quoteattr(key)} value={quoteattr(text)}/>"


def test_one_log_in_two_formats_is_one_history(plan, sample, mapping, tmp_path):
    """The sample as XES, packed or not, gives the very events of the CSV file."""
    expected, _ = plan(sample, mapping)
    document = as_xes(sample)
    for name, content in (("a.xes", document), ("b", gzip.compress(document, mtime=0))):
        file = tmp_path / name
        file.write_bytes(content)
        events, report = plan(file, mapping)
        assert events == expected
        assert report.rows == 92


def rows_of(tmp_path, content, dialect=None):
    """Read bytes as CSV."""
    file = tmp_path / "rows.csv"
    file.write_bytes(content)
    oddities = Oddities()
    return list(csv_rows(file, dialect or Dialect(), oddities)), oddities


def test_a_dialect_is_followed(tmp_path):
    """Delimiter, quote and encoding come from the mapping; lines are those of the file."""
    dialect = Dialect(delimiter=";", quote="'", encoding="gb18030")
    content = "案件;事项\n1;'一\n二'\n2;三\n".encode("gb18030")
    rows, _ = rows_of(tmp_path, content, dialect)
    assert [(row.place, dict(row.cells)) for row in rows] == [
        (3, {"案件": "1", "事项": "一\n二"}),
        (4, {"案件": "2", "事项": "三"}),
    ]


def test_a_byte_order_mark_and_uneven_rows_are_normal(tmp_path):
    """A mark before the header is no part of it; short and long rows are counted."""
    rows, oddities = rows_of(tmp_path, b"\xef\xbb\xbfa,b\n1\n\n1,2,3\n")
    assert [dict(row.cells) for row in rows] == [{"a": "1"}, {"a": "1", "b": "2"}]
    assert oddities.counts == {"rows_of_other_length": 2}


@pytest.mark.parametrize(
    "content",
    [b"", b"a,a\n1,2\n", b"a,b\n\xff,1\n", b'a,b\n"1,2\n', b"\x1f\x8b\x08broken",
     gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9], gzip.compress(b"a,b\n" * 99, mtime=0)[:12] + b"\xff" * 20],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused(tmp_path, content):
    """No header, a repeated one, another encoding, open quotes, broken gzip."""
    file = tmp_path / "bad.csv"
    file.write_bytes(content)
    with pytest.raises(Malformed) as caught:
        list(csv_rows(file, Dialect(), Oddities()))
    assert caught.value.code == "import_file_unreadable"


def test_a_mapped_column_that_is_not_there_is_named(tmp_path, plan, mapping):
    """A CSV file without a mapped column is refused before anything is sent."""
    file = tmp_path / "other.csv"
    file.write_text("case:concept:name,concept:name\nA,B\n")
    with pytest.raises(Malformed) as caught:
        plan(file, mapping)
    assert caught.value.code == "import_column_missing"
    assert "columns.time = 'time:timestamp'" in caught.value.detail


def test_nested_and_repeated_attributes_are_flattened_and_counted(tmp_path):
    """Lists, containers, nested and repeated attributes each get a column."""
    file = tmp_path / "nested.xes"
    file.write_text(
        HEAD
        + """<event><string key="stray" value="1"/></event>
        <trace><string key="concept:name" value="A"><int key="level" value="2"/></string>
        <event><list key="parts"><values><string key="p" value="x"/>
        <string key="p" value="y"/></values></list>
        <float key="cost" value="1.5"/><boolean key="ok" value="true"/></event></trace>
        </log>"""
    )
    oddities = Oddities()
    stray, row = xes_rows(file, oddities)
    assert (stray.place, dict(stray.cells)) == (1, {"stray": "1"})
    assert row.cells == {
        "case:concept:name": "A",
        "case:concept:name/level": "2",
        "parts/p": "x",
        "parts/p#2": "y",
        "cost": "1.5",
        "ok": "true",
    }
    assert oddities.counts == {
        "nested_attributes_flattened": 2,
        "repeated_attributes": 1,
    }


def test_memory_does_not_grow_with_an_xes_file(tmp_path):
    """Ten times the traces need the same memory: what was read is let go."""

    def peak(traces):
        file = tmp_path / f"{traces}.xes"
        event = '<event><string key="concept:name" value="A"/></event>' * 5
        file.write_text(HEAD + f"<trace>{event}</trace>" * traces + "</log>")
        tracemalloc.start()
        try:
            assert sum(1 for _ in xes_rows(file, Oddities())) == 5 * traces
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)
    assert peak(3000) < 2 * peak(300)


@pytest.mark.parametrize(
    "content",
    [
        "<log><trace>",
        "<html></html>",
        '<!DOCTYPE log [<!ENTITY a "b">]><log><trace><string value="&a;"/></trace></log>',
    ],
)
def test_what_is_no_xes_or_attacks_is_refused(tmp_path, content, mapping):
    """Broken XML, another document, entities: refused, not expanded."""
    file = tmp_path / "bad.xes"
    file.write_text(content)
    with pytest.raises(Malformed) as caught:
        list(open_rows(file, mapping, Oddities()))
    assert caught.value.code == "import_file_unreadable"
