"""Rules over HTTP: which there are, which thresholds are in force, whom they name.

Rules of this file: the routes and their documentation, and rulesets as JSON. Which rows
a list has, and how each line explains itself, is in ``judged``.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from events import errors
from events.domain import rulesets
from events.domain.policy_versions import Edition, content_sha256
from events.entries import rfc3339
from events.store import Selection
from projections.rules.names import names
from services.api import cursors, documents, judged
from services.api.desk import Desk, in_thread
from services.api.moments import Moment, asked, book
from services.api.waiting import reach
from services.problems import language_of

_PUBLISHED = "henji.ruleset.published.v1"
_MOST_RULESETS = 1000
_PAGE: dict[str, Any] = {
    "type": "object",
    "required": ["data", "has_more", "position"],
    "properties": {
        "data": {"type": "array", "items": {"type": "object"}},
        "next_cursor": {"type": ["string", "null"]},
        "has_more": {"type": "boolean"},
        "position": {"type": "integer", "description": "What the answer is of."},
    },
}
_RULE = {
    "id": "inaction",
    "en": "Inaction: no event of the lead unit for too long",
    "zh": "不作为：责任单位长期无办理记录",
    "reads": ["henji.commitment.*"],
    "thresholds": ["inaction_days"],
}
_IN_FORCE: dict[str, Any] = {
    "name": "demo-2017",
    "at": "2017-11-24T10:00:00.000000Z",
    "in_force": "demo-2017/1",
    "content": {"name": "demo-2017", "version": 1, "inaction_days": 5},
}
_FOUND = {
    "data": [
        {
            "commitment": "GX-2017-0012",
            "title": "Fit purifiers (fictional)",
            "lead_unit": "gouzhao",
            "status": "signed",
            "rule": "inaction@demo-2017/1",
            "name": "Inaction: no event of the lead unit for too long",
            "value": True,
            "reason": {
                "last_at": "2017-11-15T02:00:00.000000Z",
                "since": "2017-11-22T16:00:00.000000Z",
                "limit": 5,
            },
            "events": [42],
        }
    ],
    "next_cursor": None,
    "has_more": False,
    "position": 42,
}
_Name = Annotated[str, Path(pattern="^[a-z0-9][a-z0-9._-]{0,62}$")]
_At = Annotated[str | None, Query(description="In force at this RFC 3339 instant.")]
_Units = Annotated[list[str], Query(description="Lead unit; repeat = OR.")]
_Limit = Annotated[int, Query(ge=1, le=200)]
_Text = Annotated[str | None, Query()]
_Wait = Annotated[int | None, Query(ge=0, le=2**62)]


def router(desk: Desk) -> APIRouter:
    """Return the routes of rules, rulesets and the lists that rules give."""
    routes = APIRouter(redirect_slashes=False, tags=["rules"])
    some = {"type": "object"}

    @routes.get(
        "/v1/rules",
        operation_id="listRules",
        summary="Every rule: its names, what it reads, its thresholds",
        responses={200: documents.answer("They.", some, {"data": [_RULE]})},
    )
    async def list_rules(request: HttpRequest) -> Response:
        desk.caller(request, "events:read")
        return _json(
            {"data": [{"id": id_, **_built(row)} for id_, row in names().items()]}
        )

    @routes.get(
        "/v1/rulesets",
        operation_id="listRulesets",
        summary="Every ruleset, and its version in force at an instant",
        responses={200: documents.answer("They.", some, {"data": [_IN_FORCE]})},
    )
    async def list_rulesets(request: HttpRequest, at: _At = None) -> Response:
        desk.caller(request, "events:read")
        moment = await asked(desk, None, at)
        return _json(await in_thread(_rulesets, desk, moment))

    @routes.get(
        "/v1/rulesets/{name}",
        operation_id="getRuleset",
        summary="One ruleset: all its versions, and the one in force at an instant",
        responses={200: documents.answer("It.", some, {**_IN_FORCE, "versions": []})},
    )
    async def get_ruleset(
        request: HttpRequest, name: _Name, at: _At = None
    ) -> Response:
        desk.caller(request, "events:read")
        moment = await asked(desk, None, at)
        return _json(await in_thread(_ruleset, desk, name, moment))

    for row in judged.LISTS:
        _add_list(routes, desk, row)
    return routes


def _add_list(routes: APIRouter, desk: Desk, row: judged.Listed) -> None:
    @routes.get(
        row.path,
        operation_id=row.operation,
        summary=row.summary,
        responses={200: documents.answer("A page.", _PAGE, _FOUND)},
    )
    async def list_judged(  # noqa: PLR0913, PLR0917 - one a filter
        request: HttpRequest,
        unit: _Units = [],  # noqa: B006 - FastAPI copies it
        limit: _Limit = 50,
        cursor: _Text = None,
        as_of: _Text = None,
        as_at: _Text = None,
        at: _Text = None,
        min_position: _Wait = None,
    ) -> Response:
        desk.caller(request, "events:read")
        await reach(desk, min_position)
        moment = await asked(desk, as_of, at, as_at)
        question = cursors.fingerprint(
            row.path, repr(unit), as_of or "", as_at or "", at or ""
        )
        after = cursors.read_text(cursor, question) if cursor else ""
        page = await in_thread(
            judged.judged, desk, row, tuple(unit), moment, after=after, limit=limit
        )
        following = None
        if page.next is not None:
            following = cursors.write(page.next, question)
        language = language_of(request.headers.get("accept-language"))
        answer = {
            "data": [judged.line(line, language) for line in page.lines],
            "next_cursor": following,
            "has_more": following is not None,
            "position": page.position,
            "at": rfc3339(moment.at),
        }
        return _json(answer, cursors.link(request, following))


def _rulesets(desk: Desk, moment: Moment) -> dict[str, Any]:
    rows = desk.ledger.store.select(
        Selection(types=(_PUBLISHED,)), limit=_MOST_RULESETS
    )
    known = {row.stream.partition("/")[2] for row in rows} | set(rulesets.built_in())
    return {"data": [_in_force(desk, name, moment) for name in sorted(known)]}


def _ruleset(desk: Desk, name: str, moment: Moment) -> dict[str, Any]:
    state = book(desk, name).ruleset
    shipped = rulesets.built_in().get(name)
    if state is None and shipped is None:
        raise errors.NotFound("ruleset_not_found", ruleset=name)
    versions = [] if shipped is None else [_shipped(shipped)]
    editions = {} if state is None else state.versions
    versions += [_edition(editions[number]) for number in sorted(editions)]
    return _in_force(desk, name, moment) | {"versions": versions}


def _in_force(desk: Desk, name: str, moment: Moment) -> dict[str, Any]:
    found = rulesets.in_force(name, moment.at, book(desk, name).ruleset)
    return {
        "name": name,
        "at": rfc3339(moment.at),
        "in_force": None if found is None else found.label,
        "content": None if found is None else _built(found),
    }


def _shipped(ruleset: rulesets.Ruleset) -> dict[str, Any]:
    return {
        "version": ruleset.version,
        "origin": "built_in",
        "content_sha256": content_sha256(ruleset),
        "content": _built(ruleset),
    }


def _edition(row: Edition) -> dict[str, Any]:
    return {
        "version": row.version,
        "origin": "published",
        "content_sha256": row.sha256,
        "content": _built(row.content),
        "valid_from": rfc3339(row.valid_from),
        "valid_to": None if row.valid_to is None else rfc3339(row.valid_to),
        "activated_at": None if row.activated_at is None else rfc3339(row.activated_at),
    }


def _built(struct: Any) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(struct)
    return built


def _json(body: object, headers: dict[str, str] | None = None) -> Response:
    return Response(
        msgspec.json.encode(body), media_type="application/json", headers=headers
    )
