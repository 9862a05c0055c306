"""The numbers that rules use, as versioned data: changing one makes a new version.

Rules of this file: reading a ruleset and naming it; what a number means stands in the
rule that uses it. No rule is evaluated here.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec


class Ruleset(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One version of the thresholds; days are working days.

    Only ``late_record_days`` counts calendar days.
    """

    name: str
    version: int
    red_returns: int
    yellow_days_left: int
    yellow_days_left_short: int
    short_term_days: int
    yellow_points_behind: int
    report_interval_days: int
    late_record_days: int
    inaction_days: int

    @property
    def label(self) -> str:
        """Return the name by which results cite this version: ``demo-2017/1``."""
        return f"{self.name}/{self.version}"


@cache
def load(name: str = "demo-2017-1") -> Ruleset:
    """Return a ruleset that ships with the package; read once."""
    raw = files("projections").joinpath("rules", f"{name}.json").read_bytes()
    return msgspec.json.decode(raw, type=Ruleset)
