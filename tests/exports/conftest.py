"""Logs to export: a real one imported in process, a small one with issues, a long one.

``exported`` gives the bytes of a format over any of them; no behaviour is asserted here
but that the groundwork was accepted.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

import pytest

from events import entries, merkle
from events.sqlite import SqliteStore
from events.store import Node, Root, Row, Selection
from events.submissions import Accepted
from services.exports import formats
from services.exports.job import Job, bounded, moment, pin
from services.importing import staging
from services.importing.command import named_mapping, shipped_log
from services.importing.report import Report
from services.importing.run import plan_file
from tests.support import scenario
from tests.support.desk import Desk

LONG = 50_000
PHOTO = {"sha256": "5e" * 32, "media_type": "image/jpeg", "note": "模拟数据"}
FORMULA = '=HYPERLINK("http://example.test";"x")'


@pytest.fixture
def exported():
    """Return what gives (the bytes of a format, its job) of a store at a moment."""

    def export(store, name, *, as_of=None, raw=False, hear=None, **narrow) -> Any:
        cut = pin(store, moment(store, as_of))
        job = Job(
            reader=store,
            origin=scenario.ORIGIN,
            cut=cut,
            selection=bounded(store, Selection(**narrow), cut),
            raw=raw,
            hear=hear or (lambda *_told: None),
        )
        return b"".join(formats.find(name).write(job)), job

    return export


@pytest.fixture(scope="session")
def receipt(tmp_path_factory):
    """The shipped log of 1,434 cases, decided event by event into a SQLite file."""
    store = SqliteStore.open(tmp_path_factory.mktemp("receipt") / "ledger.db")
    desk = Desk(store).begin()
    file, mapping = shipped_log(), named_mapping("receipt")
    report = Report(file=file.name, source=mapping.source)
    desk.clock.now = scenario.START + 10 * scenario.DAY
    with staging.staging() as stage:
        plan_file(
            file, mapping, stage=stage, report=report, progress=lambda *_told: None
        )
        events = (json.loads(body) for _, _, body in staging.events(stage))
        while batch := list(islice(events, 1_000)):
            results = desk.submit(batch)
            assert all(isinstance(result, Accepted) for result in results)
    yield store
    store.close()


def issue(what: str, key: str, data: Any, *, day: int = 0) -> dict[str, Any]:
    """Return an event of an issue."""
    return scenario.event(
        f"henji.issue.{what}.v1",
        f"issue/{key}",
        data,
        event_id=f"{key}-{what}",
        time=scenario.START + day * scenario.DAY,
    )


def found(title: str, **more: Any) -> dict[str, Any]:
    """Return the payload of a finding."""
    return {
        "title": title,
        "category": "earth_uncovered",
        "severity": "serious",
        "found_by": "patrol",
        "place": {"geo": {"lat": 34.81, "lon": 113.55}, "address": "示例路1号 & 2"},
        "unit": "gouzhao",
        "evidence": [PHOTO],
        **more,
    }


def small_events() -> list[dict[str, Any]]:
    """A whole loop, three issues, an extension, a stranger's event; all fictional."""
    loop = scenario.delegated(scenario.loop("GX-1"))
    other = list(scenario.delegated(scenario.loop("GX-2", title=FORMULA)[:4]))
    asking = scenario.commitment(
        "extension_requested",
        "GX-2",
        {"new_due": "2017-12-22", "reason": "Frost.", "progress": "Half."},
        time=scenario.START + 2 * scenario.DAY,
    )
    granting = scenario.commitment(
        "extension_granted",
        "GX-2",
        {"approver_post": "director"},
        time=scenario.START + 3 * scenario.DAY,
    )
    over = {"to_unit": "gouzhao", "requirement": "Cover it.", "due": "2017-11-27"}
    return [
        *loop,
        *other,
        scenario.acting("lead", asking),
        scenario.acting("office", granting),
        issue("found", "W-1", found("裸露土方（模拟数据）")),
        issue("handed_over", "W-1", over, day=1),
        issue("found", "W-2", found("Smoke", category="open_burning"), day=2),
        issue(
            "found",
            "W-3",
            found("Later", repeat_of="W-1", evidence=[PHOTO, PHOTO]),
            day=20,
        ),
        scenario.event(scenario.EXTERNAL, None, {"about": "Dust"}, event_id="=1+1"),
    ]


REVOKED = issue("revoked", "W-2", {"reason": "Recorded twice (fictional)."}, day=30)


@pytest.fixture
def small(tmp_path):
    """The small log, decided event by event into a SQLite file."""
    store = SqliteStore.open(tmp_path / "ledger.db")
    desk = Desk(store).begin()
    desk.clock.now = scenario.START + 30 * scenario.DAY
    for event in small_events():
        result = desk.one(event)
        assert isinstance(result, Accepted), (event["type"], result)
    # Not by whoever found it: a key of its own, which tells of the present only.
    result = desk.one(REVOKED, key=scenario.PEOPLE["office"].key)
    assert isinstance(result, Accepted), result
    yield store
    store.close()


@pytest.fixture(scope="session")
def long_log(tmp_path_factory):
    """50,000 entries of 1,000 commitments, put straight into a SQLite file."""
    store = SqliteStore.open(tmp_path_factory.mktemp("long") / "ledger.db")
    fill(store, count=LONG, streams=1_000)
    yield store
    store.close()


def fill(store: SqliteStore, *, count: int, streams: int) -> None:
    """Put so many entries of so many commitments in turn into an empty store."""
    rows = [_row(position, streams) for position in range(1, count + 1)]
    tree, appended = merkle.Tree.empty().extend([row.leaf for row in rows])
    nodes = [Node(*node) for node in appended.tile_nodes]
    with store.append() as batch:
        batch.insert(
            rows=rows, nodes=nodes, root=Root(count, tree.root, rows[-1].ingested)
        )


def _row(position: int, streams: int) -> Row:
    number, version = (position - 1) % streams, (position - 1) // streams + 1
    stream, ingested = f"commitment/C-{number}", scenario.START + position * 1_000
    what = "registered" if version == 1 else "progress_reported"
    data = (
        scenario.registered()
        if version == 1
        else {"text": "步" * 80, "percent": version // 10}
    )
    event = scenario.commitment(what, f"C-{number}", data, number=version)
    entry = entries.compose(
        event,
        stream=stream,
        version=version,
        ingested_text=entries.rfc3339(ingested),
        authid="k1",
        authunit="gouzhao",
        stamps={"policyversion": "supervision@1"} if version == 1 else {},
    )
    return Row(
        position,
        stream,
        version,
        event["type"],
        event["source"],
        event["id"],
        scenario.START,
        ingested,
        merkle.leaf_hash(entry),
        entry,
    )
