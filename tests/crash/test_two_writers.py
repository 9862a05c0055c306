"""Two processes, each with its own sequencer, write one ledger and contest everything."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from events.domain.commitment_state import TERMINAL
from tests.crash.writer import ROUNDS, phases
from tests.support import scenario
from tests.support.desk import Desk, PostgresHome, SqliteHome, replayed, verified

ROOT = Path(__file__).parents[2]
OPENING = 1 + len(scenario.groundwork())


@pytest.fixture(params=["sqlite", "postgres"])
def target(request, tmp_path) -> tuple[str, str, Desk]:
    """Return (kind, path or conninfo, a desk here) of an opened ledger."""
    if request.param == "sqlite":
        home = SqliteHome(tmp_path / "ledger.db")
        where = str(home.path)
    else:
        home = PostgresHome(request.getfixturevalue("new_postgres_database")())
        where = home.writer
    desk = Desk(home.open()).begin()
    yield request.param, where, desk
    desk.store.close()


def run(kind: str, where: str) -> dict[str, dict[str, dict]]:
    """Let both writers go, phase by phase at once; return each one's answers by event id."""
    command = [sys.executable, "-m", "tests.crash.writer", kind, where]
    writers = {
        name: subprocess.Popen(
            [*command, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for name in ("a", "b")
    }
    try:
        return conversation(writers)
    finally:
        for writer in writers.values():
            writer.kill()
            writer.communicate()


def conversation(writers: dict[str, subprocess.Popen[str]]) -> dict[str, dict]:
    """Send both into each phase together; collect what they were told."""
    answers: dict[str, dict[str, dict]] = {name: {} for name in writers}
    for _ in phases("a"):
        for name, writer in writers.items():
            answers[name] |= until_ready(writer)
        for writer in writers.values():
            writer.stdin.write("go\n")
            writer.stdin.flush()
    for name, writer in writers.items():
        answers[name] |= until_ready(writer)
        assert writer.wait(timeout=60) == 0
    return answers


def until_ready(writer: subprocess.Popen[str]) -> dict[str, dict]:
    """Return the answers that a writer prints before it waits again."""
    lines = iter(writer.stdout.readline, "ready\n")
    return {line["id"]: line for line in map(json.loads, lines)}


def check_answers(store, answers) -> None:
    """What a writer was told is in the log, at that place and only there."""
    for told in answers.values():
        for line in told.values():
            if line["code"] == "ok":
                assert store.row(line["position"]).id == line["id"]
    rows = list(store.iter_entries())
    assert [row.position for row in rows] == list(range(1, len(rows) + 1))
    stamps = [row.ingested for row in rows]
    assert stamps == sorted(stamps)
    acked = {
        line["position"]
        for told in answers.values()
        for line in told.values()
        if line["code"] == "ok"
    }
    assert acked == set(range(OPENING + 1, len(rows) + 1))


def check_contested_ids(answers) -> None:
    """The same event from both is once in the log; of two contents one is refused."""
    for number in range(len(list(phases("a")))):
        same = [answers[name][f"call-{number}"] for name in "ab"]
        assert [line["code"] for line in same] == ["ok", "ok"]
        assert same[0]["position"] == same[1]["position"]
        assert sorted(line["repeat"] for line in same) == [False, True]
        other = [answers[name][f"call-{100 + number}"]["code"] for name in "ab"]
        assert sorted(other) == ["event_id_conflict", "ok"]


def check_transitions(answers) -> None:
    """A transition that both submitted was won by exactly one of them."""
    once = ("registered", "issued", "signed_for", "verification_recorded", "closed")
    for number in range(ROUNDS):
        for what in once:
            codes = [
                answers[name][f"C{number}-{what}-0-{name}"]["code"] for name in "ab"
            ]
            assert codes.count("ok") == 1, (number, what, codes)
    wins = [
        sum(line["code"] == "ok" and not line["repeat"] for line in told.values())
        for told in answers.values()
    ]
    assert min(wins) > 5, wins


def check_families(store, answers) -> None:
    """No parent was ever claimed while one of its parts was open."""
    claims = 0
    desk = replayed(store)
    for number in range(ROUNDS):
        key = f"P{number}"
        for name in "ab":
            early = answers[name][f"{key}-early-{name}"]["code"]
            assert early == "children_open", early
        codes = {
            (what, name): answers[name][f"{key}-{what}-{name}"]["code"]
            for what in ("completion_claimed", "more")
            for name in "ab"
        }
        claimed = [code for (what, _), code in codes.items() if what[0] == "c"]
        changed = [code for (what, _), code in codes.items() if what[0] == "m"]
        # Either the parts were changed first, or the claim came first: never both.
        assert (claimed.count("ok") == 1) != ("ok" in changed), codes
        claims += claimed.count("ok")
        look = desk.sequencer._cache.look
        with desk.store.append() as log:
            parent = look(log, f"commitment/{key}").state
            parts = [look(log, f"commitment/{part}").state for part in parent.children]
        if parent.status == "claimed":
            assert all(part.status in TERMINAL for part in parts)
    assert 0 <= claims <= ROUNDS


@pytest.mark.timeout(90)
def test_two_writers(target):
    """Gapless, nothing lost, one winner each, cross-stream rules kept, all verified."""
    kind, where, desk = target
    answers = run(kind, where)
    verified(desk.store)
    check_answers(desk.store, answers)
    check_contested_ids(answers)
    check_transitions(answers)
    check_families(desk.store, answers)
