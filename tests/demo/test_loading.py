"""The campaign through a real service: taken whole, once, and answered as the key says."""

from __future__ import annotations

import copy

import msgspec
import typer
from typer.testing import CliRunner

from services.demo.campaign import command
from services.demo.campaign.checking import check
from services.demo.campaign.record import DISCIPLINE, GRID, OFFICE, SOURCE
from services.demo.campaign.script import FIRST_EVENT


def test_nothing_is_refused(loaded, log):
    """Every event is valid under the rules, for the key that submits it."""
    told = [(row.id, row.code, row.detail) for row in loaded.sending.refusals]
    assert told == []
    assert loaded.sending.accepted == len(log)


def test_a_second_load_adds_nothing(loaded, log):
    """The same campaign is counted once."""
    again = command.load(
        loaded.url, loaded.keys, wait=lambda _: None, progress=lambda _: None
    )
    assert (again.accepted, again.already_there) == (0, len(log))
    assert again.refusals == []


def test_the_interface_answers_as_the_key_says(loaded, key):
    """Each number that the interface offers equals the generator's own count."""
    done = check(loaded.client, key)
    assert done.checks > 2_500
    assert done.mismatches == []


def test_a_wrong_key_is_noticed(loaded, key):
    """Each number that differs is found and told with both values."""
    wrong = copy.deepcopy(key)
    moment = wrong["instants"]["orange_alert"]
    moment["as_of"]["commitment"]["returns"] += 1
    moment["as_at"]["point"]["cells_covered"] += 1
    moment["as_at"]["case"]["by_status"]["open"] += 1
    found = check(loaded.client, wrong).mismatches
    assert {row["what"] for row in found} == {
        "orange_alert.as_of.commitment.returns",
        "orange_alert.as_at.point.cells_covered",
        "orange_alert.as_at.case.by_status.open",
    }
    assert all(row["expected"] == row["found"] + 1 for row in found)


def test_the_first_event_is_at_its_place(loaded, events):
    """The demonstration finds the campaign by the event that is recorded first."""
    path = f"/v1/events/{FIRST_EVENT.replace('/', '%2F')}"
    answer = loaded.client.get(path, params={"source": SOURCE})
    assert answer.json()["id"] == events[0]["id"]


def test_the_command_prints_the_figures(loaded, log, tmp_path):
    """`henji campaign --json` prints one object, and can write the key to a file."""
    app = typer.Typer()
    command.register(app)
    answers = tmp_path / "key.json"
    options = ["--url", loaded.url, "--json", "--answers", str(answers)]
    options += ["--key", loaded.keys[OFFICE], "--grid-key", loaded.keys[GRID]]
    options += ["--discipline-key", loaded.keys[DISCIPLINE]]
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 0, result.output
    figures = msgspec.json.decode(result.stdout.splitlines()[-1])
    assert figures["campaign_entries"] == len(log)
    assert figures["answer_key_mismatches"] == figures["campaign_refused"] == 0
    assert msgspec.json.decode(answers.read_bytes())["entries"] == len(log)
