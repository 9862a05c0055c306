"""What each format says of a small log: grammar, escaping, the two dates, relations."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
import sys
from datetime import datetime
from uuid import UUID
from xml.etree import ElementTree as ET

import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis.strategies import text

from events import canonical, errors
from events.merkle import leaf_hash, root_of
from events.store import Selection
from services.exports import formats, ocel_json, ocel_sqlite, poam, xes
from services.exports.flat import harmless
from services.exports.job import Job, bounded, pin
from tests.exports.conftest import FORMULA
from tests.support import scenario

ALL = sorted(formats.FORMATS)
#: XES: the element of an attribute -> what its value must look like.
XES_VALUES = {
    "string": r"(?s).*",
    "date": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)",
    "int": r"-?\d+",
    "float": r"-?\d+(\.\d+)?(e[+-]?\d+)?",
    "boolean": r"true|false",
}
NAME = r"[A-Za-z_][A-Za-z0-9_.:-]*"


@pytest.mark.parametrize("name", ALL)
def test_the_same_cut_gives_the_same_bytes(small, exported, name):
    """Twice, and again after the log has grown, if a position pins the cut."""
    first, job = exported(small, name)
    assert exported(small, name)[0] == first
    past, _ = exported(small, name, as_of=str(job.cut.position - 3))
    assert past != first
    assert exported(small, name, as_of=str(job.cut.position - 3))[0] == past


@pytest.mark.parametrize("name", ALL)
def test_an_export_that_is_left_leaves_nothing(small, tmp_path, monkeypatch, name):
    """Closed after its first piece, it has removed its temporary files."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    cut = pin(small, None)
    job = Job(small, scenario.ORIGIN, cut, bounded(small, Selection(), cut))
    content = formats.find(name).write(job)
    assert next(content)
    content.close()
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_position_that_is_ahead_pins_nothing(small, exported):
    """What is not sealed yet cannot be exported."""
    ahead = str(small.head().size + 1)
    with pytest.raises(errors.Malformed) as caught:
        exported(small, "csv", as_of=ahead)
    assert caught.value.code == "position_ahead"


def test_the_cut_has_the_root_of_its_position(small, exported):
    """The root is that of the tree of so many leaves, committed or not."""
    for position in (0, 7, small.head().size):
        _, job = exported(small, "csv", as_of=str(position))
        leaves = small.leaves(start=0, end=position)
        assert (job.cut.position, job.cut.root) == (position, root_of(leaves))


def test_an_instant_means_what_had_been_sealed(small, exported):
    """As of an instant, the cut is the last position sealed by then."""
    first = small.row(1).ingested
    _, job = exported(small, "csv", as_of="2017-11-14T07:00:00Z")
    assert job.cut.position == small.position_at(first)
    assert 0 < job.cut.position < small.head().size


def test_a_filter_of_instants_ends_before_the_cut(small, exported):
    """The cut is the head; shown is only what was sealed before the instant asked for."""
    early = scenario.START + scenario.DAY
    content, job = exported(small, "ndjson", ingested_before=early)
    assert job.cut.position == small.head().size
    assert len(content.splitlines()) == small.position_at(early) < job.cut.position


def test_filters_narrow_events(small, exported):
    """Types with prefixes, streams: as in lists."""
    content, _ = exported(small, "ndjson", types=("henji.issue.*",))
    entries = [json.loads(line) for line in content.splitlines()]
    assert [entry["stream"] for entry in entries] == [
        "issue/W-1",
        "issue/W-1",
        "issue/W-2",
        "issue/W-3",
        "issue/W-2",
    ]
    log = ET.fromstring(exported(small, "xes", streams=("commitment/GX-2",))[0])
    assert len(log.findall("trace")) == 1
    log = ET.fromstring(exported(small, "xes", types=("henji.issue.*",))[0])
    assert log.findall("trace") == []


def test_cells_for_spreadsheets_are_no_formulas(small, exported):
    """Escaped with a byte order mark; raw has neither; the payload is canonical JSON."""
    shown, job = exported(small, "csv")
    raw, _ = exported(small, "csv", raw=True)
    assert shown.startswith(b"\xef\xbb\xbfposition,")
    assert raw.startswith(b"position,")
    assert raw.endswith(b"\r\n")
    assert b",'=1+1," in shown
    assert b",=1+1," in raw
    rows = list(csv.DictReader(io.StringIO(raw.decode(), newline="")))
    for row in rows:
        entry = canonical.parse(small.row(int(row["position"])).entry)
        assert json.loads(row["data"]) == entry.get("data")
        assert row["unit"] == entry.get("actorunit", entry.get("authunit", ""))
    assert len(rows) == job.cut.position


@pytest.mark.parametrize(
    "cell", [FORMULA, "+1", "-1", "@x", "\tx", "\rx", "＝1", "\x00=1"]
)
def test_a_cell_that_would_be_a_formula_gets_an_apostrophe(cell):
    """Whatever a spreadsheet would evaluate is text."""
    assert harmless(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["", "x=1", "2017-11-14", "'=1", 5, None])
def test_other_cells_stay(cell):
    """What is harmless is not touched."""
    assert harmless(cell) == cell


def test_xes_keeps_its_grammar(small, exported):
    """Order of elements, keys that are names and stand once, values of their type."""
    log = ET.fromstring(exported(small, "xes")[0])
    assert log.tag == "log"
    assert re.fullmatch(r"\d+\.\d+", log.get("xes.version"))
    order = ["extension", "global", "classifier", *XES_VALUES, "trace"]
    ranks = [order.index(child.tag) for child in log]
    kinds = [min(max(rank, 2), 8) if rank > 2 else rank for rank in ranks]
    firsts = [3 if 3 <= kind < 8 else kind for kind in kinds]
    assert firsts == sorted(firsts)
    prefixes = {one.get("prefix") for one in log.findall("extension")}
    assert prefixes == {"concept", "lifecycle", "org", "time"}
    declared = {
        one.get("scope"): {child.get("key") for child in one}
        for one in log.findall("global")
    }
    for classifier in log.findall("classifier"):
        assert re.fullmatch(NAME, classifier.get("name"))
        assert set(classifier.get("keys").split()) <= declared["event"]
    traces = log.findall("trace")
    events = list(log.iter("event"))
    for scope, components in (("trace", traces), ("event", events)):
        for component in components:
            assert declared[scope] <= _keys(component)
    for trace in traces:
        tags = [child.tag == "event" for child in trace]
        assert tags == sorted(tags)


def _keys(component):
    keys = []
    for child in component:
        if child.tag == "event":
            continue
        assert re.fullmatch(NAME, child.get("key"))
        assert re.fullmatch(XES_VALUES[child.tag], child.get("value"))
        keys.append(child.get("key"))
    assert len(keys) == len(set(keys))
    return set(keys)


def test_xes_names_who_acted_and_when(small, exported):
    """Resource, role and group; the time is when it happened, not when it was sealed."""
    log = ET.fromstring(exported(small, "xes")[0])
    event = log.find("trace").findall("event")[2]
    told = {child.get("key"): child.get("value") for child in event}
    assert told["concept:name"] == "Receipt signed"
    assert told["lifecycle:transition"] == "complete"
    assert (told["org:role"], told["org:group"]) == ("head", "gouzhao")
    assert datetime.fromisoformat(told["time:timestamp"]) < datetime.fromisoformat(
        told["henji:ingested"]
    )


def test_ocel_keeps_its_grammar(small, exported):
    """Types declared before they count, ids once, every relation leads to an object."""
    log = json.loads(exported(small, "ocel-json")[0])
    assert log.keys() == {"events", "objects", "eventTypes", "objectTypes"}
    objects = {one["id"]: one for one in log["objects"]}
    assert len(objects) == len(log["objects"])
    assert len({one["id"] for one in log["events"]}) == len(log["events"])
    for things, types in (("events", "eventTypes"), ("objects", "objectTypes")):
        declared = {
            one["name"]: {a["name"]: a["type"] for a in one["attributes"]}
            for one in log[types]
        }
        for one in log[things]:
            for attribute in one["attributes"]:
                kind = declared[one["type"]][attribute["name"]]
                assert kind in {"string", "time", "integer", "float", "boolean"}
                assert isinstance(attribute["value"], str)
                if kind == "time":
                    datetime.fromisoformat(attribute["value"])
            for relation in one["relationships"]:
                assert relation["objectId"] in objects
                assert relation["qualifier"]


def test_ocel_relates_what_belongs_together(small, exported):
    """An issue to its unit, evidence and the issue it repeats; who acted to what."""
    log = json.loads(exported(small, "ocel-json")[0])
    objects = {one["id"]: one for one in log["objects"]}
    related = {
        (one["objectId"], one["qualifier"])
        for one in objects["issue/W-3"]["relationships"]
    }
    assert related == {
        ("issue/W-1", "repeat_of"),
        ("unit/gouzhao", "unit"),
        ("evidence/" + "5e" * 32, "evidence"),
    }
    signed = next(one for one in log["events"] if "signed_for" in one["type"])
    assert {(one["objectId"], one["qualifier"]) for one in signed["relationships"]} == {
        ("commitment/GX-1", "of"),
        ("unit/gouzhao", "by unit"),
        ("post/head", "by post"),
    }


def test_ocel_keeps_both_dues_through_an_extension(small, exported):
    """The original due stands once; the current one has changed when it was granted."""
    log = json.loads(exported(small, "ocel-json")[0])
    thing = next(one for one in log["objects"] if one["id"] == "commitment/GX-2")
    dues = {
        name: [one["value"] for one in thing["attributes"] if one["name"] == name]
        for name in ("original_due", "current_due")
    }
    assert [due[:10] for due in dues["original_due"]] == ["2017-12-15"]
    assert [due[:10] for due in dues["current_due"]] == ["2017-12-15", "2017-12-22"]


def test_ocel_tables_hold_what_their_map_says(small, exported, tmp_path):
    """Each type has its table; changes name one field; foreign keys hold."""
    path = tmp_path / "log.sqlite"
    path.write_bytes(exported(small, "ocel-sqlite")[0])
    file = sqlite3.connect(path)
    assert file.execute("PRAGMA foreign_key_check").fetchall() == []
    assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    for of in ("event", "object"):
        for name, mapped in file.execute(f"SELECT * FROM {of}_map_type").fetchall():
            ids = {
                one
                for (one,) in file.execute(
                    f"SELECT ocel_id FROM {of} WHERE ocel_type = ?", (name,)
                )
            }
            told = file.execute(f'SELECT ocel_id FROM "{of}_{mapped}"').fetchall()
            assert {one for (one,) in told} == ids
    changes = file.execute(
        "SELECT ocel_changed_field, current_due FROM object_commitment "
        "WHERE ocel_id = 'commitment/GX-2' AND current_due IS NOT NULL ORDER BY rowid"
    ).fetchall()
    assert [(field, due[:10]) for field, due in changes] == [
        (None, "2017-12-15"),
        ("current_due", "2017-12-22"),
    ]
    file.close()


def test_parquet_holds_the_exact_entries(small, exported):
    """Typed columns; the bytes hash to the leaf; the metadata names the cut."""
    content, job = exported(small, "parquet")
    table = pyarrow.parquet.read_table(io.BytesIO(content))
    assert table.num_rows == job.cut.position
    rows = table.to_pylist()
    for row in rows:
        assert leaf_hash(row["entry"]) == row["leaf"] == small.row(row["position"]).leaf
    assert str(table.schema.field("occurred").type) == "timestamp[us, tz=UTC]"
    assert table.schema.metadata[b"henji.root"].decode() == job.cut.root.hex()


def test_parquet_without_its_extra_says_so(small, exported, monkeypatch):
    """Where pyarrow is not installed, the format is refused by name."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(errors.Unavailable) as caught:
        exported(small, "parquet")
    assert caught.value.code == "export_extra_missing"


def test_a_plan_keeps_both_dates_apart(small, exported):
    """Original and current due are milestones; identifiers are by name, and lead on."""
    document = json.loads(exported(small, "oscal-poam")[0])
    plan = document["plan-of-action-and-milestones"]
    assert plan["metadata"]["oscal-version"].startswith("1.")
    risks = {risk["uuid"]: risk for risk in plan["risks"]}
    parties = {party["uuid"] for party in plan["metadata"]["parties"]}
    items = {item["title"]: item for item in plan["poam-items"]}
    assert len(items) == len(risks) == 2
    item = items[FORMULA]
    risk = risks[item["related-risks"][0]["risk-uuid"]]
    tasks = risk["remediations"][0]["tasks"]
    assert [task["title"] for task in tasks] == ["Original due", "Current due"]
    dates = [task["timing"]["on-date"]["date"][:10] for task in tasks]
    assert dates == ["2017-12-15", "2017-12-22"]
    assert risk["deadline"][:10] == "2017-12-22"
    assert item["origins"][0]["actors"][0]["actor-uuid"] in parties
    assert {UUID(one).version for one in [plan["uuid"], *risks, *parties]} == {5}
    assert {risk["status"] for risk in risks.values()} == {"closed", "remediating"}


def test_a_plan_tells_of_a_request_for_more_time(small, exported):
    """While nobody has answered it, the risk is a deviation that was requested."""
    asked = Selection(types=("henji.commitment.extension_requested.v1",))
    (row,) = small.select(asked, limit=2)
    content, _ = exported(small, "oscal-poam", as_of=str(row.position))
    plan = json.loads(content)["plan-of-action-and-milestones"]
    assert "deviation-requested" in {risk["status"] for risk in plan["risks"]}


def test_a_plan_has_no_line_breaks():
    """OSCAL strings are one line without outer space."""
    assert poam._line(" a\n b\u3000") == "a b"


@pytest.mark.parametrize("write", [ocel_json._text, lambda v: xes._quoted(v)[1:-1]])
def test_scalars_are_written_as_xml_and_json_do(write):
    """Truth in lower case, numbers as they are."""
    assert [write(value) for value in (True, False, 7, 1.5)] == [
        "true",
        "false",
        "7",
        "1.5",
    ]


def test_characters_without_a_place_in_xml_are_replaced():
    """What XML cannot write is shown as replaced; what it must escape is escaped."""
    quoted = xes._quoted('x\x07<&\n"\uffff')
    told = ET.fromstring(f"<a b={quoted}/>")
    assert told.get("b") == 'x\ufffd<&\n"\ufffd'


@given(text())
def test_any_text_survives_xml_but_for_what_it_cannot_write(given_text):
    """Read back, each character is itself or the replacement character."""
    told = ET.fromstring(f"<a b={xes._quoted(given_text)}/>").get("b")
    assert len(told) == len(given_text)
    for was, now in zip(given_text, told, strict=True):
        assert now == was or (now == "\ufffd" and not was.isprintable())


def test_types_of_like_names_get_tables_of_their_own():
    """However alike two names are without their punctuation."""
    file = ocel_sqlite._File(sqlite3.connect(":memory:"))
    file.connection.executescript(ocel_sqlite._SCHEMA)
    names = ["org.example.call.v1", "org.example-call.v1", "org.Example.call.v1"]
    assert len({file.table("event", name).casefold() for name in names}) == 3
    assert file.table("event", names[1]) == file.table("event", names[1])
    file.connection.close()


def test_a_plan_of_nothing_is_refused(small, exported):
    """OSCAL wants at least one item; a cut before the first commitment has none."""
    with pytest.raises(errors.NotFound) as caught:
        exported(small, "oscal-poam", as_of="1")
    assert caught.value.code == "export_nothing"


def test_progress_reaches_the_end(small, exported):
    """Who listens hears of each step up to its whole length."""
    heard = {}
    exported(small, "ocel-json", hear=lambda step, *told: heard.__setitem__(step, told))
    assert heard.keys() == {"entries", "objects"}
    assert all(done == total > 0 for done, total in heard.values())
