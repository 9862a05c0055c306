"""The board over HTTP: commitments, their history, how many of them.

Rules of this file: parse → query → present. Lights and schedule status are judged for
the instant that is asked about, with the rule that decided; nothing derived is stored.
Every answer says of which position it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from events import entries, errors
from events.domain.commitment_state import STATUSES
from projections import board, happened, queries
from projections.rules import deadlines, lights
from projections.status import Status
from services.api import cursors, documents
from services.api.desk import Desk, in_thread
from services.api.filters import us
from services.api.histories import Lines, told
from services.api.moments import Moment, asked
from services.api.presenting import commitment as present
from services.api.waiting import reach
from services.problems import language_of

_LIST: dict[str, Any] = {
    "type": "object",
    "required": ["data", "has_more", "position"],
    "properties": {
        "data": {"type": "array", "items": {"type": "object"}},
        "next_cursor": {"type": ["string", "null"]},
        "has_more": {"type": "boolean"},
        "position": {"type": "integer", "description": "What the answer is of."},
    },
}
_EMPTY: dict[str, Any] = {
    "data": [],
    "next_cursor": None,
    "has_more": False,
    "position": 42,
}
_Many = Annotated[list[str], Query()]
_DUE = re.compile(r"-?[0-9]{1,18}")
#: Filters whose values are known: a misspelt one would quietly find nothing.
_VALUES: Mapping[str, frozenset[str]] = {
    "status": frozenset(STATUSES),
    "light": frozenset(lights.Colour),
    "schedule": frozenset(deadlines.Schedule),
}


def router(desk: Desk) -> APIRouter:
    """Return the routes of the board."""
    routes = APIRouter(redirect_slashes=False, tags=["board"])

    @routes.get(
        "/v1/commitments",
        operation_id="listCommitments",
        summary="The status board, now or as of any past moment",
        responses={200: documents.answer("A page.", _LIST, _EMPTY)},
    )
    async def list_commitments(  # noqa: PLR0913, PLR0917 - one a filter
        request: HttpRequest,
        unit: _Many = [],  # noqa: B006 - FastAPI copies it
        status: _Many = [],  # noqa: B006
        evidence: _Many = [],  # noqa: B006
        kind: _Many = [],  # noqa: B006
        theme: _Many = [],  # noqa: B006
        campaign: _Many = [],  # noqa: B006
        light: _Many = [],  # noqa: B006
        schedule: _Many = [],  # noqa: B006
        parent: Annotated[str | None, Query()] = None,
        due_from: Annotated[str | None, Query(description="RFC 3339")] = None,
        due_before: Annotated[str | None, Query(description="RFC 3339")] = None,
        q: Annotated[str | None, Query(description="In number or title.")] = None,
        order: Annotated[str, Query(pattern="^(key|due)$")] = "key",
        limit: Annotated[int, Query(ge=1, le=1000)] = 50,
        cursor: Annotated[str | None, Query()] = None,
        as_of: Annotated[str | None, Query(description="Position or instant")] = None,
        as_at: Annotated[str | None, Query()] = None,
        at: Annotated[str | None, Query(description="Judge at this instant")] = None,
        min_position: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    ) -> Response:
        desk.caller(request, "events:read")
        _require_by_key(order, as_at)
        _require_known(status=status, light=light, schedule=schedule)
        await reach(desk, min_position)
        moment = await asked(desk, as_of, at, as_at)
        narrow = queries.Filter(
            units=tuple(unit),
            statuses=tuple(status),
            evidence=tuple(evidence),
            kinds=tuple(kind),
            themes=tuple(theme),
            campaigns=tuple(campaign),
            parent=parent,
            due_from=us("due_from", due_from) if due_from else None,
            due_before=us("due_before", due_before) if due_before else None,
            text=q,
        )
        question = cursors.fingerprint(
            "board",
            order,
            repr(narrow),
            repr(light),
            repr(schedule),
            as_of or "",
            as_at or "",
            at or "",
        )
        place = _place(cursor, question)
        page = await in_thread(
            _page,
            desk,
            narrow,
            limit,
            order,
            place,
            moment,
            _keeper(light, schedule, moment),
        )
        following = None
        if page.next is not None:
            following = cursors.write(f"{page.next[0]}:{page.next[1]}", question)
        language = language_of(request.headers.get("accept-language"))
        return _json(
            {
                "data": [present(row, moment, language) for row in page.rows],
                "next_cursor": following,
                "has_more": following is not None,
                "position": page.position,
                "at": entries.rfc3339(moment.at),
            },
            cursors.link(request, following),
        )

    @routes.get(
        "/v1/commitments/counts",
        operation_id="countCommitments",
        summary="How many commitments each unit has in each status",
        responses={200: documents.answer("Counts.", {"type": "object"}, {"data": []})},
    )
    async def count_commitments(
        request: HttpRequest,
        as_of: Annotated[str | None, Query()] = None,
        as_at: Annotated[str | None, Query()] = None,
    ) -> Response:
        desk.caller(request, "events:read")
        moment = await asked(desk, as_of, None, as_at)
        return _json(await in_thread(_counts, desk, moment))

    @routes.get(
        "/v1/commitments/{key}",
        operation_id="getCommitment",
        summary="One commitment, now or as of any past moment",
        responses={200: documents.answer("It.", {"type": "object"}, {})},
    )
    async def get_commitment(
        request: HttpRequest,
        key: str,
        as_of: Annotated[str | None, Query()] = None,
        as_at: Annotated[str | None, Query()] = None,
        at: Annotated[str | None, Query()] = None,
        min_position: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    ) -> Response:
        desk.caller(request, "events:read")
        await reach(desk, min_position)
        moment = await asked(desk, as_of, at, as_at)
        row, version = await in_thread(_one, desk, key, moment)
        language = language_of(request.headers.get("accept-language"))
        return _json(
            present(row, moment, language) | {"streamversion": version},
            {"ETag": f'"v{version}"', "Henji-Position": str(row.position)},
        )

    @routes.get(
        "/v1/commitments/{key}/history",
        operation_id="getCommitmentHistory",
        summary="Every event of a commitment, and every status it has had",
        responses={200: documents.answer("Its history.", {"type": "object"}, {})},
    )
    async def get_history(
        request: HttpRequest,
        key: str,
        after: Annotated[int, Query(ge=0, le=2**62)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
        as_of: Annotated[str | None, Query()] = None,
        as_at: Annotated[str | None, Query()] = None,
    ) -> Response:
        desk.caller(request, "events:read")
        moment = await asked(desk, as_of, None, as_at)
        wanted = Lines(
            stream=f"commitment/{key}", moment=moment, after=after, limit=limit
        )
        language = language_of(request.headers.get("accept-language"))
        return _json(await in_thread(_history, desk, wanted, language))

    return routes


def _require_known(**filters: list[str]) -> None:
    for name, values in filters.items():
        if not _VALUES[name].issuperset(values):
            raise errors.Malformed("invalid_parameter", parameter=name)


def _require_by_key(order: str, as_at: str | None) -> None:
    """Refuse an order that would need every commitment folded before the first."""
    if as_at is not None and order != "key":
        raise errors.Malformed("as_at_by_key_only", order=order)


def _place(cursor: str | None, question: str) -> queries.Place | None:
    if cursor is None:
        return None
    due, _, key = cursors.read_text(cursor, question).partition(":")
    if not _DUE.fullmatch(due):
        raise errors.Malformed("invalid_cursor")
    return int(due), key


def _keeper(
    colours: list[str], schedules: list[str], moment: Moment
) -> Callable[[Status], bool] | None:
    """Return the test of what depends on the instant; None where nothing is asked."""
    if not colours and not schedules:
        return None

    def keep(row: Status) -> bool:
        if colours and lights.light(row, moment.at, moment.rules).colour not in colours:
            return False
        standing = deadlines.standing(row, moment.at, moment.rules)
        return not schedules or standing.by_original in schedules

    return keep


def _page(  # noqa: PLR0913, PLR0917 - handed through to a thread
    desk: Desk,
    narrow: queries.Filter,
    limit: int,
    order: Any,
    place: queries.Place | None,
    moment: Moment,
    keep: Callable[[Status], bool] | None,
) -> queries.Page:
    with desk.views.snapshot(board.NAME) as snapshot:
        if moment.as_at is not None:
            return happened.commitments(
                snapshot,
                desk.ledger.store,
                narrow,
                moment=moment.within(snapshot.generation.position),
                limit=limit,
                after=place,
                keep=keep,
            )
        return queries.commitments(
            snapshot,
            narrow,
            limit=limit,
            order=order,
            after=place,
            as_of=moment.position,
            keep=keep,
        )


def _one(desk: Desk, key: str, moment: Moment) -> tuple[Status, int]:
    with desk.views.snapshot(board.NAME) as snapshot:
        if moment.as_at is None:
            row = queries.commitment(snapshot, key, as_of=moment.position)
        else:
            then = moment.within(snapshot.generation.position)
            row = happened.commitment(snapshot, desk.ledger.store, key, moment=then)
        if row is None:
            raise errors.NotFound("commitment_not_found", key=key)
        after = row.position - 1
        lines = queries.lines(snapshot, f"commitment/{key}", after=after, limit=1)
    return row, lines[0].version


def _history(desk: Desk, wanted: Lines, language: Any) -> dict[str, Any]:
    key = wanted.stream.partition("/")[2]
    with desk.views.snapshot(board.NAME) as snapshot:
        shown = told(desk, snapshot, wanted, language)
        versions = queries.history(snapshot, key)
    if not shown["data"] and not wanted.after:
        raise errors.NotFound("commitment_not_found", key=key)
    return shown | {
        "statuses": [
            {
                "from": version.valid_from,
                "to": version.valid_to,
                "status": version.status.state.status,
            }
            for version in versions
            if version.valid_from <= shown["position"]
        ]
    }


def _counts(desk: Desk, moment: Moment) -> dict[str, Any]:
    with desk.views.snapshot(board.NAME) as snapshot:
        then = moment.within(snapshot.generation.position)
        if moment.as_at is None:
            counts = queries.counts(snapshot, as_of=moment.position)
            total = queries.registered(snapshot, as_of=moment.position)
        else:
            counts = happened.counts(snapshot, desk.ledger.store, then)
            total = sum(counts.values())
    data = [
        {"unit": unit, "status": status, "count": count}
        for (unit, status), count in counts.items()
    ]
    return {"data": data, "registered": total, "position": then.position}


def _json(body: object, headers: dict[str, str] | None = None) -> Response:
    return Response(
        msgspec.json.encode(body), media_type="application/json", headers=headers
    )
