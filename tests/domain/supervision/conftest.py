"""A world with units, two cells of which one is p:1's, two sites and a firm."""

from __future__ import annotations

import pytest

from tests.support.supervision import ADMIN, World


@pytest.fixture
def world():
    """Return a world with units, two cells of which p:1 has one, a site and a firm."""
    made = World()
    for unit in ("zone", "gouzhao", "bureau"):
        made.send("unit.created", f"unit/{unit}", {"name": "示例"}, by=ADMIN)
    grid = {"name": "示例", "unit": "gouzhao"}
    made.send("grid.drawn", "grid/z", grid | {"level": 1}, by=ADMIN)
    made.send("grid.drawn", "grid/o", grid | {"level": 2, "parent": "z"}, by=ADMIN)
    for cell in ("c1", "c2"):
        drawn = grid | {"level": 3, "parent": "o"}
        made.send("grid.drawn", f"grid/{cell}", drawn, by=ADMIN)
    term = {"person_ref": "p:1", "valid_from": "2017-11-01T00:00:00+08:00"}
    made.send("grid.assigned", "grid/c1", term, by=ADMIN)
    site = {"kind": "site", "name": "示例工地", "grid": "c1"}
    made.send("subject.registered", "subject/S-1", site, by=ADMIN)
    made.send("subject.registered", "subject/S-2", site | {"grid": "c2"}, by=ADMIN)
    firm = {"kind": "enterprise", "name": "示例厂"}
    made.send("subject.registered", "subject/E-1", firm, by=ADMIN)
    return made
