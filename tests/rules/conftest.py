"""An empty diary, and the rules that come with the code."""

from __future__ import annotations

import pytest

from projections.rules.in_force import as_shipped
from tests.rules.diary import Diary


@pytest.fixture
def diary():
    """Return a diary without an entry."""
    return Diary()


@pytest.fixture
def rules():
    """Return the rules that come with the code."""
    return as_shipped()
