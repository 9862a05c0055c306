"""What became different between two moments: commitments, and the events that did it.

Rules of this file: parse → query → present. Both moments are of the first clock, what
was sealed by then: so an answer never changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from events import errors
from events.entries import rfc3339
from projections import board, differences, queries
from projections.differences import Difference, Span
from projections.status import Status
from projections.views import Snapshot
from services.api import cursors, documents
from services.api.desk import Desk, in_thread
from services.api.moments import book, sealed_by
from services.api.waiting import reach

_DAY = 86_400_000_000
_PAGE: dict[str, Any] = {
    "type": "object",
    "required": ["from", "to", "data", "has_more", "totals", "before", "after"],
    "properties": {
        "from": {"type": "integer", "description": "Position, exclusive."},
        "to": {"type": "integer", "description": "Position, inclusive."},
        "data": {"type": "array", "items": {"type": "object"}},
        "next_cursor": {"type": ["string", "null"]},
        "has_more": {"type": "boolean"},
        "totals": {"type": "object"},
        "before": {"type": "object", "description": "Commitments by status, at from."},
        "after": {"type": "object", "description": "Commitments by status, at to."},
    },
}
_EXAMPLE: dict[str, Any] = {
    "from": 40,
    "to": 42,
    "data": [
        {
            "key": "GX-2017-0012",
            "changes": ["status"],
            "before": {"status": "issued", "current_due": None},
            "after": {"status": "signed", "current_due": None},
            "events": [42],
            "late_records": [],
        }
    ],
    "next_cursor": None,
    "has_more": False,
    "totals": {"added": 0, "status": 1, "due": 0, "finished": 0, "ended": 0},
    "before": {"issued": 12},
    "after": {"issued": 11, "signed": 1},
}


def router(desk: Desk) -> APIRouter:
    """Return the route of differences."""
    routes = APIRouter(redirect_slashes=False, tags=["board"])

    @routes.get(
        "/v1/diff",
        operation_id="getDifferences",
        summary="What became different between two moments, with the events between",
        responses={
            200: documents.answer("A page, by key.", _PAGE, _EXAMPLE),
            503: documents.problem("Read models are behind", 503, "projection_behind"),
        },
    )
    async def get_differences(
        request: HttpRequest,
        start: Annotated[
            str, Query(alias="from", description="Position or RFC 3339 instant.")
        ],
        to: Annotated[str, Query(description="Position or RFC 3339 instant.")],
        limit: Annotated[int, Query(ge=1, le=1000)] = 50,
        cursor: Annotated[str | None, Query()] = None,
    ) -> Response:
        desk.caller(request, "events:read")
        span = await in_thread(_span, desk, start, to)
        await reach(desk, span.end)
        question = cursors.fingerprint("diff", repr(span))
        after = (0, cursors.read_text(cursor, question)) if cursor else None
        body, place = await in_thread(_answer, desk, span, limit, after)
        following = cursors.write(place[1], question) if place else None
        more = {"next_cursor": following, "has_more": following is not None}
        return Response(
            msgspec.json.encode(body | more),
            media_type="application/json",
            headers=cursors.link(request, following),
        )

    return routes


def _span(desk: Desk, start: str, to: str) -> Span:
    """Return what lies between two moments; ``Malformed('moments_reversed')``."""
    (first, _), (last, then) = sealed_by(desk, start), sealed_by(desk, to)
    if first > last:
        raise errors.Malformed("moments_reversed", first=first, last=last)
    days = book(desk).known_at(then).at(then).ruleset.late_record_days
    return Span(first, last, days * _DAY)


def _answer(
    desk: Desk, span: Span, limit: int, after: queries.Place | None
) -> tuple[dict[str, Any], queries.Place | None]:
    with desk.views.snapshot(board.NAME) as snapshot:
        page = differences.differences(snapshot, span, limit=limit, after=after)
        body = {
            "from": span.start,
            "to": span.end,
            "data": [present(row) for row in page.rows],
            "totals": differences.totals(snapshot, span)._asdict(),
            "before": _by_status(snapshot, span.start),
            "after": _by_status(snapshot, span.end),
        }
    return body, page.next


def present(row: Difference) -> dict[str, Any]:
    """Return one commitment before and after, and what led from one to the other."""
    return {
        "key": row.after.key,
        "title": row.after.state.title,
        "lead_unit": row.after.state.lead_unit,
        "changes": list(row.changes),
        "before": None if row.before is None else _side(row.before),
        "after": _side(row.after),
        "events": list(row.events),
        "late_records": list(row.late),
    }


def _side(row: Status) -> dict[str, Any]:
    due = row.current_due
    return {
        "status": row.state.status,
        "current_due": None if due is None else rfc3339(due),
        "lead_unit": row.state.lead_unit,
        "percent": row.percent,
        "position": row.position,
    }


def _by_status(snapshot: Snapshot, position: int) -> Mapping[str, int]:
    found: Counter[str] = Counter()
    for (_, status), count in queries.counts(snapshot, as_of=position).items():
        found[status] += count
    return dict(sorted(found.items()))
