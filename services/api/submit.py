"""POST /v1/events: the door through which other systems submit.

Rules of this file: from bytes to requests and from results to answers. It decides
nothing; an answer leaves only after the durable commit of what it acknowledges.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from time import perf_counter
from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from events import errors, messages
from events.cloudevents import Parsed, Submission, parse_request
from events.submissions import Accepted, Request, Result, prepare
from services import problems
from services.acknowledgement import acknowledge
from services.api import documents
from services.api.addresses import location
from services.api.desk import Desk, in_thread, read_body
from services.api.wishes import Wishes, check_digest, wishes_of

_ENCODER = msgspec.json.Encoder()
_JSON = "application/json"
_ONE = frozenset({"binary", "structured"})
_REFUSED = "submission_refused"
#: Codes that speak of the whole request: what fell with others; the key itself.
_HELD_BACK = "batch_rejected"
_KEY_ENDED = "key_unusable"

PATH = "/v1/events"


def router(desk: Desk) -> APIRouter:
    """Return the route for submissions: what documents ``endpoint``."""
    routes = APIRouter(redirect_slashes=False)
    routes.post(PATH, **documents.submit())(endpoint(desk))
    return routes


def endpoint(desk: Desk) -> Callable[[HttpRequest], Awaitable[Response]]:
    """Return what answers a submission."""
    settings = desk.ledger.settings

    async def submit_events(request: HttpRequest) -> Response:
        started = perf_counter()
        principal = desk.caller(request, "events:write")
        scope = request.scope
        wishes = wishes_of(scope["headers"], scope["query_string"])
        body = await read_body(request, limit=settings.max_body)
        try:
            if wishes.digest is not None:
                check_digest(wishes.digest, body)
            parsed = parse_request(scope["headers"], body, limit=settings.max_events)
        except errors.Malformed as refusal:
            desk.metrics.refused.inc()
            desk.note(request, _REFUSED, refusal, key=principal.key)
            raise
        left = desk.quota.spend(events=len(parsed.items), size=len(body))
        results = await desk.append(
            Request(
                [
                    prepare(item) if isinstance(item, Submission) else item
                    for item in parsed.items
                ],
                principal.key,
                desk.channel.deliver,
                atomic=wishes.atomic,
                dry_run=wishes.dry_run,
                expected=wishes.expected,
            )
        )
        desk.metrics.append_seconds.observe(perf_counter() - started)
        _account(desk, request, parsed.items, results, principal.key)
        answer = await _answer(desk, request, parsed, results, wishes)
        answer.headers.update(left)
        return answer

    return submit_events


async def _answer(
    desk: Desk,
    request: HttpRequest,
    parsed: Parsed,
    results: Sequence[Result],
    wishes: Wishes,
) -> Response:
    if parsed.mode in _ONE:
        (item,), (result,) = parsed.items, results
        if isinstance(result, errors.HenjiError):
            raise result
        (receipt,) = await _receipts(desk, results, wishes)
        return _single(item, result, receipt, wishes)
    language = problems.language_of(request.headers.get("accept-language"))
    if wishes.atomic:
        found = _findings(parsed.items, results, language)
        if found:
            whole = errors.Refused(_HELD_BACK, rejected=len(found))
            return desk.problem(request, whole, items=found)
    receipts = await _receipts(desk, results, wishes)
    return _many(parsed, results, receipts, wishes, language)


def _account(
    desk: Desk,
    request: HttpRequest,
    items: Sequence[Submission | errors.Malformed],
    results: Sequence[Result],
    key: str,
) -> None:
    """Count outcomes; refusals go to the security log, not to the ledger.

    Raises what is no finding of any one event: nothing could be decided.
    """
    for index, result in enumerate(results):
        if isinstance(result, Accepted):
            (desk.metrics.duplicates if result.repeat else desk.metrics.accepted).inc()
            continue
        if isinstance(result, errors.Unavailable):
            raise result
        desk.metrics.refused.inc()
        if result.code == _HELD_BACK:
            continue
        about = _about(items[index])
        desk.note(request, _REFUSED, result, key=key, index=index, **about)
        if result.code == _KEY_ENDED:
            raise result


def _about(item: Submission | errors.Malformed) -> dict[str, str]:
    if not isinstance(item, Submission):
        return {}
    return {"id": item.id, "source": item.source, "type": item.type}


async def _receipts(desk: Desk, results: Sequence[Result], wishes: Wishes) -> list[str]:
    """Return each result's receipt ("" for none): the original one for a repeat."""
    if wishes.minimal or wishes.dry_run:
        return [""] * len(results)
    receipts = []
    for result in results:
        if not isinstance(result, Accepted):
            receipts.append("")
        elif result.batch is not None:
            receipts.append(result.batch.receipt(result.position))
        else:
            receipts.append(
                await in_thread(desk.ledger.prover.receipt, result.position)
            )
    return receipts


def _single(item: Any, result: Accepted, receipt: str, wishes: Wishes) -> Response:
    headers = {"ETag": f'"v{result.version}"', **wishes.headers}
    if result.position:
        headers["Location"] = location(item.source, item.id, result.position)
    return Response(
        _ENCODER.encode(acknowledge(item, result, receipt, dry_run=wishes.dry_run)),
        status_code=200 if result.repeat or wishes.dry_run else 201,
        media_type=_JSON,
        headers=headers,
    )


def _many(
    parsed: Parsed,
    results: Sequence[Result],
    receipts: Sequence[str],
    wishes: Wishes,
    language: messages.Language,
) -> Response:
    items = [
        _item(index, item, result, receipt, wishes=wishes, language=language)
        for index, (item, result, receipt) in enumerate(
            zip(parsed.items, results, receipts, strict=True)
        )
    ]
    tally = _tally(results)
    body = {**tally, "items": items, "checkpoint": _checkpoint(results)}
    return Response(
        _ENCODER.encode(body),
        status_code=_status(tally, wishes),
        media_type=_JSON,
        headers=wishes.headers,
    )


def _findings(
    items: Sequence[Submission | errors.Malformed],
    results: Sequence[Result],
    language: messages.Language,
) -> list[Any]:
    """Return the items that broke a rule: not those that only fell with them."""
    return [
        _refusal(index, item, result, language)
        for index, (item, result) in enumerate(zip(items, results, strict=True))
        if not isinstance(result, Accepted) and result.code != _HELD_BACK
    ]


def _checkpoint(results: Iterable[Result]) -> str:
    """Return the note that covers the whole answer ("": nothing was appended)."""
    notes = {
        result.batch.note
        for result in results
        if isinstance(result, Accepted) and result.batch is not None
    }
    return notes.pop() if notes else ""


def _item(
    index: int,
    item: Any,
    result: Result,
    receipt: str,
    *,
    wishes: Wishes,
    language: messages.Language,
) -> dict[str, Any] | msgspec.Raw:
    if not isinstance(result, Accepted):
        return _refusal(index, item, result, language)
    status = 200 if result.repeat or wishes.dry_run else 201
    answer = acknowledge(item, result, receipt, dry_run=wishes.dry_run)
    return msgspec.Raw(
        b'{"index":%d,"status":%d,' % (index, status) + _ENCODER.encode(answer)[1:]
    )


def _refusal(
    index: int,
    item: Submission | errors.Malformed,
    refusal: errors.HenjiError,
    language: messages.Language,
) -> dict[str, Any]:
    name = (
        {"id": item.id, "source": item.source} if isinstance(item, Submission) else {}
    )
    return {
        "index": index,
        **name,
        "status": problems.status_of(refusal),
        "problem": problems.document(refusal, language),
    }


def _tally(results: Sequence[Result]) -> dict[str, int]:
    tally = {"accepted": 0, "duplicates": 0, "rejected": 0}
    for result in results:
        if not isinstance(result, Accepted):
            tally["rejected"] += 1
        else:
            tally["duplicates" if result.repeat else "accepted"] += 1
    return tally


def _status(tally: dict[str, int], wishes: Wishes) -> int:
    kinds = [name for name, count in tally.items() if count]
    if wishes.dry_run and not tally["rejected"]:
        return 200
    if len(kinds) > 1:
        return 201 if wishes.atomic else 207
    return (
        {"accepted": 201, "duplicates": 200, "rejected": 422}[kinds[0]]
        if kinds
        else 200
    )
