"""``henji report`` on a ledger: the same file whether read models are there or not."""

from __future__ import annotations

import json
import secrets
from queue import SimpleQueue

import pytest
import typer
from typer.testing import CliRunner

from events.cloudevents import accept
from events.submissions import Accepted, Request, prepare
from services import reports_command
from services.running import running
from services.settings import Settings
from services.wiring import open_ledger
from tests.support import scenario


@pytest.fixture
def ledger(tmp_path):
    """A folder with a ledger of units and a commitment, which no read model has seen."""
    settings = Settings(data_dir=tmp_path / "ledger", origin=scenario.ORIGIN)
    with open_ledger(settings) as opened:
        for unit in scenario.UNITS:
            opened.submit_as_operator(scenario.unit_created(unit))
        key = scenario.key_created(scenario.ADAPTER, scopes=scenario.ALL_SCOPES)
        opened.submit_as_operator(key)
        first = next(scenario.delegated(scenario.loop("GX-1")))
        answers: SimpleQueue = SimpleQueue()
        request = Request([prepare(accept(first))], scenario.ADAPTER, answers.put)
        opened.sequencer.submit(request)
        ((_, (result,)),) = answers.get()
        assert isinstance(result, Accepted)
    return settings


@pytest.fixture
def report(ledger):
    """Return what runs the command and gives (what it printed, the file's bytes)."""
    app = typer.Typer()
    reports_command.register(app)
    app.command("other")(lambda: None)

    def run(*arguments: str, suffix: str = ".html"):
        output = ledger.data_dir.parent / f"{secrets.token_hex(4)}{suffix}"
        given = ["report", "overview", "-o", str(output), *arguments]
        found = CliRunner().invoke(app, [*given, "--data-dir", str(ledger.data_dir)])
        if found.exception is not None:
            raise found.exception
        return json.loads(found.output), output.read_bytes()

    return run


def test_the_log_alone_gives_the_same_as_read_models(ledger, report):
    """A report is the same bytes from the log and from the read models."""
    told, alone = report()
    with running(ledger) as service:
        service.reach(told["position"], seconds=20)
    again, viewed = report()
    assert again["position"] == told["position"] == 3 + len(scenario.UNITS)
    assert alone == viewed
    assert told["sha256"] == again["sha256"]


def test_the_format_is_that_of_the_file_or_as_told(report):
    """The suffix names the format; an option goes before it."""
    assert report(suffix=".pdf")[1].startswith(b"%PDF-")
    assert report("--format", "json", suffix=".txt")[1].startswith(b"{")


def test_an_earlier_cut_is_written_as_of_then(report):
    """A position, or an instant of it, gives the report of then."""
    told, first = report("--as-of", "2", "--format", "json")
    assert told["position"] == 2
    assert json.loads(first)["cut"]["position"] == 2
    assert report("--as-of", "2016-01-01T00:00:00Z")[0]["position"] == 0


def test_links_lead_to_the_service_that_is_named(report):
    """Figures of a file link only to a service that was named."""
    assert b"explain?" not in report()[1]
    page = report("--url", "https://log.example")[1]
    assert b'href="https://log.example/v1/reports/overview/explain?' in page
