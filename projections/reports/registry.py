"""Every report by name: the rows of each maker's own table, together.

Rules of this file: the table. A maker's module has ``DEFINITIONS``; it is added here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from events import errors
from projections.reports import (
    accountability,
    alert_measures,
    burden,
    census,
    countdown,
    daily,
    ledger,
    lookback,
    overview,
    patrol,
    ranking,
    relay,
    replay,
    seals,
    subject_file,
    weekly,
)
from projections.reports.model import Definition

_MAKERS: tuple[tuple[Definition, ...], ...] = (
    overview.DEFINITIONS,
    daily.DEFINITIONS,
    weekly.DEFINITIONS,
    ledger.DEFINITIONS,
    subject_file.DEFINITIONS,
    countdown.DEFINITIONS,
    ranking.DEFINITIONS,
    lookback.DEFINITIONS,
    alert_measures.DEFINITIONS,
    accountability.DEFINITIONS,
    seals.DEFINITIONS,
    census.DEFINITIONS,
    patrol.DEFINITIONS,
    relay.DEFINITIONS,
    burden.DEFINITIONS,
    replay.DEFINITIONS,
)
REPORTS: Mapping[str, Definition] = MappingProxyType(
    {one.name: one for rows in _MAKERS for one in rows}
)


def named(name: str) -> Definition:
    """Return the definition of a report; ``NotFound('report_unknown')``."""
    if name not in REPORTS:
        raise errors.NotFound("report_unknown", report=name)
    return REPORTS[name]
