"""Every figure of every report, as the interface serves it, held against the key.

Rules of this file: it asks as any client would, once a report and moment. What a figure
must be is ``expected``, how a report is read is ``reading``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx2

from services.demo.campaign.expected.answer import Answer
from services.demo.campaign.expected.table import REPORTS, Asked, answers
from services.demo.campaign.key import INSTANTS
from services.demo.campaign.moments import written
from services.demo.campaign.reading import Compared, compared
from services.demo.campaign.record import SOURCE, Log
from services.demo.campaign.tally import Clock

Fields = dict[str, Any]


class Moment(NamedTuple):
    """An instant by a clock, and what each report must show then.

    ``query``: how the interface is asked for it; ``as_of`` is the place of the last
    event that was recorded by then.
    """

    name: str
    query: Mapping[str, Any]
    answers: Mapping[Asked, Answer]


def moments(
    client: httpx2.Client,
    log: Log,
    names: Iterable[str],
    *,
    clock: Clock = "as_of",
    of: Sequence[Asked] = tuple(REPORTS),
) -> Iterator[Moment]:
    """Yield some instants of the key by a clock, for a service that has the log."""
    for name in names:
        instant = INSTANTS[name]
        query: Fields = {"at": written(instant), clock: written(instant)}
        if clock == "as_of":
            last = [t.made.id for t in log.told() if t.made.recorded <= instant][-1]
            query["as_of"] = position_of(client, last)
        yield Moment(name, query, answers(log, clock, instant, of=of))


def position_of(client: httpx2.Client, event_id: str) -> int:
    """Return where an event of the campaign is in the log."""
    path = f"/v1/events/{quote(event_id, safe='')}"
    answer = client.get(path, params={"source": SOURCE})
    answer.raise_for_status()
    return int(answer.headers["Henji-Position"])


def fetched(
    client: httpx2.Client, asked: Asked, query: Mapping[str, Any], format_: str = "json"
) -> httpx2.Response:
    """Return a report as it is served at a moment."""
    path = f"/v1/reports/{asked.name}.{format_}"
    answer = client.get(path, params={**query, **asked.query})
    answer.raise_for_status()
    return answer


def check_reports(
    client: httpx2.Client,
    moment: Moment,
    ids: Mapping[int, str] | None = None,
    *,
    beside: bool = False,
) -> Iterator[Compared]:
    """Yield every figure of every report at a moment beside what the key says of it.

    ``ids`` and ``beside``: see ``reading.compared``.
    """
    for asked, answer in moment.answers.items():
        report = fetched(client, asked, moment.query).json()
        yield from compared(report, answer, ids, beside=beside)
