"""Read models from a topic, on both brokers: the rows of the log, or a stop that says why."""

from __future__ import annotations

import threading
from dataclasses import replace as moved
from pathlib import Path

import pytest
from msgspec.structs import replace

from events.errors import Corrupt, Unavailable
from events.merkle import root_of
from projections.board import Board
from services.remote import opening, worker
from services.settings import Settings
from tests.projections.tables_dump import dump
from tests.projections.test_runner import Broken
from tests.support.topics import of_the_log, place, sealed, until

ROWS = sealed(20, length=240)


@pytest.fixture
def here(broker, tmp_path):
    """Return a fresh topic, and read models in a folder."""
    return place(broker, tmp_path / "remote")


@pytest.fixture
def there(kafka, tmp_path):
    """As ``here``, for what does not depend on the broker."""
    return place(kafka, tmp_path / "remote")


def live(views):
    """Return the live generation."""
    (found,) = [each for each in views.generations("board") if each.state == "live"]
    return found


def reached(views, position):
    """Wait until the live read models are at a position."""
    until(lambda: any(g.state == "live" for g in views.generations("board")))
    until(lambda: live(views).position >= position)


def test_rows_are_those_of_the_log_and_stay_so_after_a_rebuild(here, tmp_path):
    """Row for row; what comes during the rebuild and after it included."""
    here.outlet.publish(ROWS[:150])
    with here.working() as views:
        reached(views, 150)
        assert dump(views) == of_the_log(ROWS[:150], tmp_path)
        done = opening.rebuild(here.settings, file=None, root="")
        assert (done.number, done.state) == (2, "live")
        here.outlet.publish(ROWS[150:])
        reached(views, len(ROWS))
        assert live(views).number == 2
        assert dump(views) == of_the_log(ROWS, tmp_path)


def test_what_the_relay_sends_again_counts_once(here, tmp_path):
    """Before and after the worker was away: its place is with the rows, not at Kafka."""
    first = here.outlet.records(ROWS[:100])
    here.outlet.send(first + first[60:] + here.outlet.marks(100))
    with here.working() as views:
        reached(views, 100)
    more = here.outlet.records(ROWS[100:])
    here.outlet.send(first[50:] + more[:40] + first[90:] + more)
    here.outlet.send(here.outlet.marks(len(ROWS)))
    with here.working() as views:
        reached(views, len(ROWS))
        assert dump(views) == of_the_log(ROWS, tmp_path)


def test_read_models_of_two_databases_each_have_the_whole_topic(here, tmp_path):
    """Who works on the same ones shares the topic; who does not takes nothing of it."""
    elsewhere = replace(here.settings, data_dir=tmp_path / "elsewhere")
    here.outlet.publish(ROWS[:60])
    with here.working() as views, moved(here, settings=elsewhere).working() as others:
        reached(views, 60)
        reached(others, 60)
        here.outlet.publish(ROWS[60:120])
        reached(views, 120)
        reached(others, 120)
        assert dump(views) == dump(others) == of_the_log(ROWS[:120], tmp_path)


def test_each_snapshot_of_a_slow_worker_is_a_cut_of_the_log(
    there, tmp_path, monkeypatch
):
    """Readers never see a later event of one stream without an earlier one of another."""
    monkeypatch.setitem(opening._TUNING, "max_poll_records", 7)
    there.outlet.publish(ROWS[:30])
    seen = {}
    with there.working() as views:
        reached(views, 30)
        for at in range(30, len(ROWS), 30):
            there.outlet.publish(ROWS[at : at + 30])
        while live(views).position < len(ROWS):
            with views.snapshot("board") as snapshot:
                seen[snapshot.generation.position] = snapshot.select(
                    "SELECT stream, version FROM {line} ORDER BY position", {}
                )
        assert dump(views) == of_the_log(ROWS, tmp_path)
    for position, lines in seen.items():
        assert lines == [(row.stream, row.version) for row in ROWS[:position]]


def test_nothing_is_shown_before_it_holds_what_the_topic_held(there, monkeypatch):
    """New tables take over once they have caught up, however slowly they do."""
    monkeypatch.setitem(opening._TUNING, "max_poll_records", 7)
    monkeypatch.setattr(worker, "_LOOK_SECONDS", 0)
    there.outlet.publish(ROWS)
    with there.working() as views:
        until(lambda: any(g.state == "live" for g in views.generations("board")))
        assert live(views).position == len(ROWS)


def test_a_gap_stops_its_partition_and_no_other(here):
    """What is missing is named; the cut stands before it, and later records wait."""
    records = here.outlet.records(ROWS)
    gap = next(at for at, (number, _) in enumerate(records) if number == 1 and at > 99)
    here.outlet.send(here.outlet.marks(0) + records[:gap] + here.outlet.marks(gap))
    with here.working() as views:
        reached(views, gap)
        here.outlet.send(records[gap + 1 :] + here.outlet.marks(len(ROWS)))
        until(lambda: live(views).poison is not None)
        others = (0, 2)
        until(lambda: all(live(views).parts[n].reached == len(ROWS) for n in others))
        found = live(views)
        assert found.poison.type == "records_missing"
        assert found.parts[1].poison == found.poison
        assert found.position == found.parts[1].reached == gap
        assert len(dump(views)["line"]) == gap


def test_an_export_fills_what_the_topic_has_lost(here, tmp_path):
    """With the log's file the topic is needed only from there on."""
    here.outlet.records(ROWS[:120])  # Never sent: retention took them.
    here.outlet.publish(ROWS[120:200])
    with pytest.raises(Unavailable) as stopped:
        opening.rebuild(here.settings, file=None, root="")
    assert stopped.value.code == "records_missing"
    with here.views() as views:
        assert views.generations("board") == []
    file = tmp_path / "log.ndjson"
    file.write_bytes(b"".join(row.entry + b"\n" for row in ROWS[:140]))
    with pytest.raises(Corrupt) as refused:
        opening.rebuild(here.settings, file=file, root="00" * 32)
    assert refused.value.code == "export_root_mismatch"
    root = root_of([row.leaf for row in ROWS[:140]]).hex()
    opening.rebuild(here.settings, file=file, root=root)
    with here.working() as views:
        reached(views, 200)
        here.outlet.publish(ROWS[200:])
        reached(views, len(ROWS))
        assert dump(views) == of_the_log(ROWS, tmp_path)


def test_an_export_is_enough_where_the_topic_is_empty(there, tmp_path):
    """All partitions are then where the export ends."""
    file = tmp_path / "log.ndjson"
    file.write_bytes(b"".join(row.entry + b"\n" for row in ROWS))
    root = root_of([row.leaf for row in ROWS]).hex()
    done = opening.rebuild(there.settings, file=file, root=root)
    assert (done.state, done.position) == ("live", len(ROWS))
    with there.views() as views:
        assert dump(views) == of_the_log(ROWS, tmp_path)


def test_an_entry_that_cannot_be_folded_stops_its_partition(
    there, tmp_path, monkeypatch
):
    """It is told with its position; a repaired worker goes on as if nothing had been."""
    monkeypatch.setattr(opening, "Board", lambda: Broken(120))
    there.outlet.publish(ROWS)
    with there.working() as views:
        until(lambda: any(g.poison for g in views.generations("board")))
        (found,) = views.generations("board")
        assert (found.poison.position, found.poison.type) == (120, ROWS[119].type)
        assert found.position < 120
    monkeypatch.setattr(opening, "Board", Board)
    with there.working() as views:
        reached(views, len(ROWS))
        assert live(views).poison is None
        assert dump(views) == of_the_log(ROWS, tmp_path)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"origin": ""}, "origin_not_set"),
        ({"kafka_topic": "none-such"}, "topic_missing"),
        ({"kafka": ""}, "kafka_not_configured"),
    ],
)
def test_what_a_worker_needs_is_asked_for_at_once(there, changed, code):
    """Without a log to expect, a topic or brokers it does not begin."""
    settings = replace(there.settings, **changed)
    with pytest.raises(Unavailable) as refused:
        opening.work(settings, threading.Event())
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("postgresql://a@db/views", "postgresql://b:secret@db/views", True),
        ("postgresql://a@db/views", "host=db dbname=views", True),
        ("postgresql://a@db/views", "postgresql://a@db/more", False),
        ("postgresql://a@db/views", "postgresql://a@standby/views", False),
    ],
)
def test_one_group_has_all_who_reach_the_same_database(one, other, shared):
    """Whoever they are there; and nobody else, for they would take part of the topic."""
    groups = {
        opening.group_of(Settings(data_dir=Path(number), views_url=url))
        for number, url in (("1", one), ("2", other))
    }
    assert len(groups) == (1 if shared else 2)


def test_read_models_in_files_of_two_machines_are_two_groups(monkeypatch):
    """Their folders have the same name in every container."""
    here = opening.group_of(Settings())
    monkeypatch.setattr("platform.node", lambda: "another")
    assert opening.group_of(Settings()) != here


def test_what_has_to_be_tried_again_is_told_by_its_code():
    """Else a worker without its database would look like one without work."""
    stop, told = threading.Event(), []

    class Away:
        """Partitions whose database does not answer."""

        def join(self):
            """Hold them all the same."""

        def step(self, *, seconds):
            """Fail, for the last time."""
            stop.set()
            raise Unavailable("views_unavailable")

    worker.Worker(Away(), None, seconds=lambda: 0, failed=told.append).run(stop)
    assert told == ["views_unavailable"]
