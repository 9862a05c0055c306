"""The benchmarks run and leave their result. No time is asserted here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from benchmarks.__main__ import main
from benchmarks.load import _LENGTH, Outcome, percentiles
from benchmarks.measure import alternate, compared
from benchmarks.submissions import fill, template

ROOT = Path(__file__).parents[2]


def test_a_short_run_writes_its_rows(tmp_path):
    """A quick run of one row writes JSON with every promised member."""
    path = tmp_path / "latest.json"
    command = ["--quick", "--only", "verify", "--store", "sqlite", "--entries", "60"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *command, "--results", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr
    result = msgspec.json.decode(path.read_bytes())
    (row,) = result["rows"]
    assert set(row) >= {"name", "store", "henji", "baseline", "ratio", "goal", "met"}
    assert (row["name"], row["store"], row["goal"]) == ("verify", "sqlite", 0.3)
    assert row["henji"] > 0 < row["baseline"]
    assert row["met"] == (row["ratio"] >= row["goal"])
    assert result["machine"]["cpus"] >= 1
    assert "commit" in result


def test_contenders_take_turns_and_turn_around():
    """Each runs once a round, and whoever came last comes first in the next one."""
    order = []
    contenders = {
        name: lambda name=name: order.append(name) or 1.0 for name in ("a", "b", "c")
    }
    alternate(contenders, rounds=3)
    assert "".join(order) == "abccbaabc"


@pytest.mark.parametrize(
    ("better", "met"), [("more", False), ("less", True)], ids=["more", "less"]
)
def test_a_ratio_is_the_median_of_the_ratios_of_each_turn(better, met):
    """A turn in which the machine was slow for both does not change the ratio."""
    rates = {"henji": [50.0, 5.0, 80.0], "echo": [100.0, 10.0, 100.0]}
    row = compared(
        rates, name="n", store="sqlite", baseline="echo", goal=0.7, better=better
    )
    assert row.ratio == 0.5
    assert row.spread == (0.5, 0.8)
    assert row.met is met


def test_every_event_of_the_load_has_the_same_length():
    """Numbers of any size leave the bytes as long: about 400, as the row says."""
    lengths = {len(fill(template(), number)) for number in (0, 999, 1_000, 10**9)}
    assert len(lengths) == 1
    assert 350 <= lengths.pop() <= 450


def test_the_generator_reads_the_length_of_an_answer_whatever_its_case():
    """Servers write header names as they like."""
    head = b"HTTP/1.1 201 Created\r\nContent-Length: 17\r\n"
    assert _LENGTH.search(head)[1] == b"17"
    outcome = Outcome(
        requests=2,
        events=10,
        seconds=2.0,
        statuses={},
        received=0,
        **percentiles([]),
    )
    assert outcome.rate == 5


@pytest.mark.parametrize("sizes", ["100", "0,5", "10,5", "a,b", "1,2,3"])
def test_sizes_are_two_numbers_the_shorter_first(sizes, capsys):
    """Anything else is told, before anything runs."""
    with pytest.raises(SystemExit):
        main(["--only", "query", "--sizes", sizes])
    assert "--sizes" in capsys.readouterr().err
