"""`henji demo`: the real log's figures stay its own, with the campaign beside it."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from projections.reports.registry import REPORTS
from services.demo.command import Options, demonstrate

# Its fixture runs two whole demonstrations.
pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    """A first and a second run on the same ledger: figures, and the reports' bytes."""
    folder = tmp_path_factory.mktemp("demo")
    options = Options(folder=folder, port=0, stay=False, language="zh")
    ticks = iter(range(10**6))

    def run():
        figures = demonstrate(
            options,
            Console(file=io.StringIO()),
            wait=lambda _: None,
            seconds=lambda: next(ticks),
        )
        reports = Path(figures["reports_folder"]).iterdir()
        return figures, {path.name: path.read_bytes() for path in reports}

    return run(), run()


@pytest.fixture(scope="module")
def runs(twice):
    """The figures of both runs."""
    return [figures for figures, _ in twice]


@pytest.fixture(scope="module")
def contents(twice):
    """The reports of both runs, by name; without the page of links."""
    return [
        {name: content for name, content in files.items() if name != "index.html"}
        for _, files in twice
    ]


def test_the_figures_of_the_real_log_are_its_own(runs):
    """Commitments, finished and late count the real log, campaign or not."""
    for figures in runs:
        assert figures["commitments"] == 1434
        assert figures["finished"] == 1329
        assert figures["late"] == 377
        assert figures["verified"]
        assert figures["tamper_found_at"] == figures["entries"] // 2


def test_the_campaign_is_loaded_and_checked(runs, log):
    """As many entries as were made, and every number as the key has it."""
    for figures in runs:
        assert figures["campaign_entries"] == len(log)
        assert figures["campaign_refused"] == 0
        assert figures["answer_key_checks"] > 2_500
        assert figures["answer_key_mismatches"] == 0


def test_a_second_run_adds_nothing(runs):
    """Size and root before the campaign are the same again; all was there."""
    first, second = runs
    assert (second["entries"], second["root"]) == (first["entries"], first["root"])
    assert second["imported"] == 0
    assert second["already_there"] == first["imported"]


@pytest.fixture(scope="module")
def folder(runs):
    """The folder that the second run wrote the reports to."""
    return Path(runs[1]["reports_folder"])


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_is_written_in_every_format(folder, name):
    """Each report of the table is there in all formats it offers, none of them empty."""
    files = [
        path for path in folder.iterdir() if re.split("[-.]", path.name)[0] == name
    ]
    assert all(path.stat().st_size > 500 for path in files)
    formats = {path.name.partition(".")[2].removesuffix(".zip") for path in files}
    assert formats - {"en.html"} == set(REPORTS[name].formats)


def test_the_page_of_links_names_every_file_once(runs, folder):
    """Whoever opens the page finds every file, and nothing that is not there."""
    page = (folder / "index.html").read_text("utf-8")
    linked = re.findall('href="([^"]+)"', page)
    assert sorted(linked) == sorted(
        {path.name for path in folder.iterdir()} - {"index.html"}
    )
    assert runs[1]["reports"] == len(linked)
    for definition in REPORTS.values():
        assert definition.title["zh"] in page
        assert definition.title["en"] in page
    assert "模拟数据" in page


def test_a_second_run_writes_the_same_reports(runs, contents):
    """The same log gives the same bytes, file by file."""
    first, second = contents
    assert first == second
    assert runs[0]["reports"] == runs[1]["reports"] == len(first)
