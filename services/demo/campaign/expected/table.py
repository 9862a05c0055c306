"""Every report with what tells what it must show.

Rules of this file: the table, and the asking.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from services.demo.campaign.expected import (
    alerts,
    briefs,
    bulletins,
    countdowns,
    coverage,
    files,
    ledgers,
    records,
    supervision,
)
from services.demo.campaign.expected.answer import Answer, Teller
from services.demo.campaign.expected.known import known
from services.demo.campaign.record import Log
from services.demo.campaign.tally import Clock


class Asked(NamedTuple):
    """A report, and the subject that it is about where it is about one."""

    name: str
    subject: str = ""

    @property
    def query(self) -> dict[str, str]:
        """What is asked for beside the moment."""
        return {"subject": self.subject} if self.subject else {}


REPORTS: Final[Mapping[Asked, Teller]] = MappingProxyType(
    {
        Asked("overview"): ledgers.overview,
        Asked("daily_brief"): briefs.daily_brief,
        Asked("weekly_bulletin"): bulletins.weekly_bulletin,
        Asked("ledger"): ledgers.ledger,
        **{
            Asked("subject_file", subject): files.subject_file(subject)
            for subject in files.SUBJECTS
        },
        Asked("countdown"): countdowns.countdown,
        Asked("unit_ranking"): bulletins.unit_ranking,
        Asked("lookback"): records.lookback,
        Asked("alert_measures"): alerts.alert_measures,
        Asked("accountability"): supervision.accountability,
        Asked("seals"): supervision.seals,
        Asked("census"): coverage.census,
        Asked("patrol"): coverage.patrol,
        Asked("relay"): coverage.relay,
        Asked("burden"): records.burden,
        Asked("replay"): ledgers.replay,
    }
)


def answers(
    log: Log, clock: Clock, instant: int, *, of: Iterable[Asked] = tuple(REPORTS)
) -> Mapping[Asked, Answer]:
    """Return what each report must show at an instant by a clock."""
    found = known(log, clock, instant)
    return {asked: REPORTS[asked](found) for asked in of}
