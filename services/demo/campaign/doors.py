"""Two doors to the reports of a service: over HTTP, and from within its process.

Rules of this file: fetching. From within, all reports of a moment are made of one
reading of the log, so that holding them to the key costs little more than one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import quote

import httpx2
import msgspec

from events.entries import instant
from projections.cut_world import cut_of
from projections.reports.formats.rendering import View
from projections.reports.formats.table import FORMATS
from projections.reports.remembered import remembered
from services import reporting
from services.demo.campaign.expected.table import Asked
from services.demo.campaign.record import SOURCE
from services.running import Service

Fields = dict[str, Any]
_WAIT_SECONDS: Final = 60.0


class Door(Protocol):
    """Where reports come from."""

    def position_of(self, event_id: str) -> int:
        """Return where an event of the campaign is in the log."""

    def reports(
        self, query: Mapping[str, Any], of: Iterable[Asked]
    ) -> Iterator[tuple[Asked, Fields]]:
        """Yield some reports of a moment as JSON; the moment as HTTP asks for it."""


@dataclass(frozen=True, slots=True)
class OverHttp:
    """As any client gets them, one request a report."""

    client: httpx2.Client

    def position_of(self, event_id: str) -> int:
        """Return where an event of the campaign is in the log."""
        path = f"/v1/events/{quote(event_id, safe='')}"
        answer = self.client.get(path, params={"source": SOURCE})
        answer.raise_for_status()
        return int(answer.headers["Henji-Position"])

    def reports(
        self, query: Mapping[str, Any], of: Iterable[Asked]
    ) -> Iterator[tuple[Asked, Fields]]:
        """Yield some reports of a moment."""
        for asked in of:
            path = f"/v1/reports/{asked.name}.json"
            answer = self.client.get(path, params={**query, **asked.query})
            answer.raise_for_status()
            yield asked, answer.json()


@dataclass(frozen=True, slots=True)
class Within:
    """From within the process of a service, all of one reading."""

    service: Service

    def position_of(self, event_id: str) -> int:
        """Return where an event of the campaign is in the log."""
        found = self.service.ledger.store.find_id(event_id)
        return next(row.position for row in found if row.source == SOURCE)

    def reports(
        self, query: Mapping[str, Any], of: Iterable[Asked]
    ) -> Iterator[tuple[Asked, Fields]]:
        """Yield some reports of a moment."""
        store = self.service.ledger.store
        as_at = query.get("as_at")
        cut = cut_of(
            store,
            position=query.get("as_of"),
            as_at=None if as_at is None else instant(as_at),
            now=instant(query["at"]),
        )
        self.service.reach(cut.position, seconds=_WAIT_SECONDS)
        with reporting.world_of(store, self.service.views, cut) as world:
            seen = remembered(world)
            for one in of:
                asked = reporting.Asked(one.name, subject=one.subject or None)
                report = reporting.made(seen, asked)
                content = FORMATS["json"].render(report, View("zh"))
                yield one, msgspec.json.decode(content)
