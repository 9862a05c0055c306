"""Fixtures of the import: the shipped mapping, the sample, planning and importing."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest

from services.importing import staging
from services.importing.client import http_post
from services.importing.mapping import read_mapping
from services.importing.report import Report
from services.importing.run import Edge, plan_file, run_import


def quiet(*_told):
    """Watch nothing."""


@pytest.fixture(scope="session")
def mapping_file():
    """The mapping that ships for the receipt log."""
    return Path(str(files("services.importing") / "mappings/receipt.toml"))


@pytest.fixture(scope="session")
def mapping(mapping_file):
    """The mapping of the receipt log, read."""
    return read_mapping(mapping_file)


@pytest.fixture(scope="session")
def sample():
    """Fifteen cases of the receipt log, unchanged."""
    return Path(__file__).with_name("receipt_sample.csv")


@pytest.fixture(scope="session")
def shipped():
    """The whole receipt log, as it ships."""
    return Path(str(files("services") / "demo_data/receipt.csv.gz"))


@pytest.fixture
def plan():
    """Plan a file: (events in the order of submission, report)."""

    def planned(file, mapping):
        report = Report(file=file.name, source=mapping.source)
        with staging.staging() as stage:
            plan_file(file, mapping, stage=stage, report=report, progress=quiet)
            return [json.loads(body) for _, _, body in staging.events(stage)], report

    return planned


@pytest.fixture
def import_into():
    """Import a file into a fake log over a mocked transport; waits go to a list."""

    def imported(log, file, mapping, waits=None):
        with http_post(
            "http://log.test/", "hj_test_key", transport=log.transport
        ) as post:
            wait = (waits if waits is not None else []).append
            edge = Edge(post=post, wait=wait, clock=lambda: 0.0, progress=quiet)
            return run_import(file, mapping, edge)

    return imported
