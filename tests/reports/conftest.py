"""The formats as a table, and a view in each language."""

from __future__ import annotations

import pytest

from projections.reports.formats.rendering import View
from projections.reports.formats.table import FORMATS
from tests.support.reports import sample

EXPLAIN = "sample/explain?as_of=12345&cell="


@pytest.fixture(params=["zh", "en"])
def view(request) -> View:
    """How a report is asked for, once in each language."""
    return View(request.param, EXPLAIN)


@pytest.fixture
def written(view):
    """Return what gives the bytes of the sample, or of a changed one, in a format."""

    def write(name: str, **changed: object) -> bytes:
        return FORMATS[name].render(sample(**changed), view)

    return write
