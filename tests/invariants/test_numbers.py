"""Every invariant of the domain has its property here, named by its number."""

from __future__ import annotations

import re
from pathlib import Path

#: I1 to I14, as the domain numbers them.
INVARIANTS = range(1, 15)
_NAMED = re.compile(r"^def test_i(\d\d)_", re.MULTILINE)


def test_each_invariant_has_one_property():
    """One test a number, in one of the files of this folder."""
    sources = sorted(Path(__file__).parent.glob("test_*.py"))
    found = [
        int(number) for path in sources for number in _NAMED.findall(path.read_text())
    ]
    assert sorted(found) == list(INVARIANTS)
