"""Every figure of every report of a moment, as a service gives it, against the key.

Rules of this file: which moments, and putting the two side by side. What a figure must
be is ``expected``, how a report is read is ``reading``, where it is from is ``doors``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from services.demo.campaign.doors import Door
from services.demo.campaign.expected.answer import Answer
from services.demo.campaign.expected.table import REPORTS, Asked, answers
from services.demo.campaign.key import INSTANTS
from services.demo.campaign.moments import written
from services.demo.campaign.reading import Compared, compared
from services.demo.campaign.record import Log
from services.demo.campaign.tally import Clock


class Moment(NamedTuple):
    """An instant by a clock, and what each report must show then.

    ``query``: how it is asked for; ``as_of`` is the place of the last event that was
    recorded by then.
    """

    query: Mapping[str, Any]
    answers: Mapping[Asked, Answer]


def moment(
    door: Door,
    log: Log,
    name: str,
    *,
    clock: Clock = "as_of",
    of: Sequence[Asked] = tuple(REPORTS),
) -> Moment:
    """Return an instant of the key by a clock, for a service that has the log."""
    instant = INSTANTS[name]
    query: dict[str, Any] = {"at": written(instant), clock: written(instant)}
    if clock == "as_of":
        last = [told.made.id for told in log.told() if told.made.recorded <= instant]
        query["as_of"] = door.position_of(last[-1])
    return Moment(query, answers(log, clock, instant, of=of))


def check_reports(
    door: Door,
    one: Moment,
    ids: Mapping[int, str] | None = None,
    *,
    beside: bool = False,
) -> Iterator[Compared]:
    """Yield every figure of every report at a moment beside what the key says of it.

    ``ids`` and ``beside``: see ``reading.compared``.
    """
    for asked, report in door.reports(one.query, one.answers):
        yield from compared(report, one.answers[asked], ids, beside=beside)
