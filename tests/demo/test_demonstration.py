"""`henji demo`: the real log's figures stay its own, with the campaign beside it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from services.demo.command import Options, demonstrate


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The figures of a first and of a second run on the same ledger."""
    folder = tmp_path_factory.mktemp("demo")
    options = Options(folder=folder, port=0, stay=False, language="zh")
    ticks = iter(range(10**6))

    def run():
        return demonstrate(
            options,
            Console(file=io.StringIO()),
            wait=lambda _: None,
            seconds=lambda: next(ticks),
        )

    return run(), run()


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
