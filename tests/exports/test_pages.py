"""Streams longer than a page: nothing is left out, nothing comes twice."""

from __future__ import annotations

import io
import json
from xml.etree import ElementTree as ET

import pyarrow.parquet
import pytest

from events.sqlite import SqliteStore
from services.exports import job
from tests.exports.conftest import fill

COUNT = 1_300
STREAMS = 2


@pytest.fixture(scope="module")
def paged(tmp_path_factory):
    """Two commitments of 650 entries each: several pages, the last one not full."""
    store = SqliteStore.open(tmp_path_factory.mktemp("paged") / "ledger.db")
    fill(store, count=COUNT, streams=STREAMS)
    yield store
    store.close()


def test_every_event_of_a_long_trace_is_there(paged, exported):
    """In the order of the stream, each once."""
    log = ET.fromstring(exported(paged, "xes")[0])
    for number, trace in enumerate(log.findall("trace")):
        positions = [
            int(child.get("value"))
            for event in trace.findall("event")
            for child in event
            if child.get("key") == "henji:position"
        ]
        assert positions == list(range(number + 1, COUNT + 1, STREAMS))


def test_a_long_stream_is_folded_to_its_end(paged, exported):
    """Each change is there, up to the state at the cut."""
    for until in (COUNT, 515):
        log = json.loads(exported(paged, "ocel-json", as_of=str(until))[0])
        thing = next(one for one in log["objects"] if one["id"] == "commitment/C-0")
        told = [
            int(one["value"]) for one in thing["attributes"] if one["name"] == "percent"
        ]
        versions = (until + 1) // STREAMS
        assert told == list(range(versions // 10 + 1))


def test_parquet_of_several_groups_is_one_table(paged, exported):
    """Each group is where the footer says it is."""
    file = pyarrow.parquet.ParquetFile(io.BytesIO(exported(paged, "parquet")[0]))
    assert file.num_row_groups == 2
    entries = file.read(["entry"]).column("entry").to_pylist()
    assert entries == paged.entries(start=0, end=COUNT)


def test_pieces_are_of_one_size(paged, exported):
    """However small the parts, what is sent is neither tiny nor empty."""
    content, _ = exported(paged, "ndjson")
    sizes = [
        len(piece)
        for piece in job.pieces(line + b"\n" for line in content.splitlines())
    ]
    assert len(sizes) > 5
    assert all(64 * 1024 <= size < 130 * 1024 for size in sizes[:-1])
    assert sizes[-1] > 0
    assert list(job.pieces(iter([b"", b""]))) == []
