"""POST /v1/events: the door through which other systems submit.

Rules of this file: from bytes to requests and from results to answers. It decides
nothing; an answer leaves only after the durable commit of what it acknowledges.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any
from urllib.parse import quote

import msgspec
from fastapi import APIRouter
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from events import errors, messages
from events.cloudevents import Parsed, Submission, parse_request
from events.entries import rfc3339
from events.submissions import Accepted, Request, Result, prepare
from services import problems
from services.api import documents
from services.api.desk import Desk, in_thread, read_body

_IF_MATCH = re.compile(r'"?v?(0|[1-9]\d{0,17})"?')
_ENCODER = msgspec.json.Encoder()
_JSON = "application/json"


class Acknowledgement(msgspec.Struct, omit_defaults=True):
    """The answer to one accepted submission. ``receipt`` is a C2SP tlog-proof."""

    id: str
    source: str
    position: int
    stream: str
    streamversion: int
    ingestedtime: str
    leaf_hash: str
    duplicate: bool | msgspec.UnsetType = msgspec.UNSET
    receipt: str = ""
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the client asked of this submission beside its content."""

    atomic: bool
    dry_run: bool
    minimal: bool
    expected: int | None
    language: messages.Language


def router(desk: Desk) -> APIRouter:
    """Return the route for submissions."""
    routes = APIRouter(redirect_slashes=False)

    @routes.post("/v1/events", **documents.submit())
    async def submit_events(request: HttpRequest) -> Response:
        started = perf_counter()
        principal = desk.caller(request, "events:write")
        wishes = _wishes(request)
        body = await read_body(request, limit=desk.ledger.settings.max_body)
        try:
            parsed = parse_request(
                request.headers.raw, body, limit=desk.ledger.settings.max_events
            )
        except errors.Malformed as refusal:
            desk.metrics.refused.inc()
            desk.note(request, "submission_refused", refusal, key=principal.key)
            raise
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
        _account(desk, request, results, principal.key)
        receipts = await _receipts(desk, results, wishes)
        if parsed.mode in {"binary", "structured"}:
            return _single(parsed.items[0], results[0], receipts[0], wishes)
        return _many(parsed, results, receipts, wishes)

    return routes


def _wishes(request: HttpRequest) -> Wishes:
    query, headers = request.query_params, request.headers
    prefer = headers.get("prefer", "")
    on_error = query.get("on_error", "")
    if on_error not in {"", "abort", "continue"}:
        raise errors.Malformed("invalid_parameter", parameter="on_error")
    return Wishes(
        atomic=on_error != "continue" and "handling=lenient" not in prefer,
        dry_run=_flag(query.get("dry_run", "")),
        minimal="return=minimal" in prefer,
        expected=_expected(headers.get("if-match")),
        language=problems.language_of(headers.get("accept-language")),
    )


def _flag(text: str) -> bool:
    if text not in {"", "true", "false"}:
        raise errors.Malformed("invalid_parameter", parameter="dry_run")
    return text == "true"


def _expected(if_match: str | None) -> int | None:
    if if_match is None:
        return None
    match = _IF_MATCH.fullmatch(if_match.strip())
    if match is None:
        raise errors.Malformed("invalid_parameter", parameter="If-Match")
    return int(match[1])


def _account(
    desk: Desk, request: HttpRequest, results: Sequence[Result], key: str
) -> None:
    """Count outcomes; refusals go to the security log, not to the ledger."""
    for result in results:
        if isinstance(result, Accepted):
            (desk.metrics.duplicates if result.repeat else desk.metrics.accepted).inc()
        else:
            desk.metrics.refused.inc()
            desk.note(request, "submission_refused", result, key=key)


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


def _single(item: Any, result: Result, receipt: str, wishes: Wishes) -> Response:
    if not isinstance(result, Accepted):
        raise result
    return Response(
        _ENCODER.encode(_acknowledge(item, result, receipt, dry_run=wishes.dry_run)),
        status_code=200 if result.repeat or wishes.dry_run else 201,
        media_type=_JSON,
        headers={
            "Location": f"/v1/events/{quote(item.id, safe='')}"
            f"?source={quote(item.source, safe='')}",
            "ETag": f'"v{result.version}"',
        },
    )


def _acknowledge(
    item: Submission, result: Accepted, receipt: str, *, dry_run: bool
) -> Acknowledgement:
    return Acknowledgement(
        item.id,
        item.source,
        result.position,
        result.stream,
        result.version,
        rfc3339(result.ingested),
        result.leaf.hex(),
        result.repeat,
        receipt,
        dry_run,
    )


def _many(
    parsed: Parsed,
    results: Sequence[Result],
    receipts: Sequence[str],
    wishes: Wishes,
) -> Response:
    items = [
        _item(index, item, result, receipt, wishes)
        for index, (item, result, receipt) in enumerate(
            zip(parsed.items, results, receipts, strict=True)
        )
    ]
    tally = _tally(results)
    if tally["rejected"] and wishes.atomic:
        return _rejected(items, tally, results, wishes)
    body = {**tally, "items": items, "checkpoint": _checkpoint(results)}
    return Response(
        _ENCODER.encode(body), status_code=_status(tally, wishes), media_type=_JSON
    )


def _checkpoint(results: Iterable[Result]) -> str:
    """Return the note that covers the whole answer ("": nothing was appended)."""
    notes = {
        result.batch.note
        for result in results
        if isinstance(result, Accepted) and result.batch is not None
    }
    return notes.pop() if notes else ""


def _item(
    index: int, item: Any, result: Result, receipt: str, wishes: Wishes
) -> dict[str, Any] | msgspec.Raw:
    if isinstance(result, Accepted):
        status = 200 if result.repeat or wishes.dry_run else 201
        answer = _acknowledge(item, result, receipt, dry_run=wishes.dry_run)
        return msgspec.Raw(
            b'{"index":%d,"status":%d,' % (index, status) + _ENCODER.encode(answer)[1:]
        )
    return {
        "index": index,
        **({"id": item.id} if isinstance(item, Submission) else {}),
        "status": problems.status_of(result),
        "problem": problems.document(result, wishes.language),
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
    if len(kinds) > 1:
        return 201 if wishes.atomic else 207
    if wishes.dry_run and kinds == ["accepted"]:
        return 200
    return (
        {"accepted": 201, "duplicates": 200, "rejected": 422}[kinds[0]]
        if kinds
        else 200
    )


def _rejected(
    items: Sequence[Any],
    tally: dict[str, int],
    results: Sequence[Result],
    wishes: Wishes,
) -> Response:
    """Answer a refused atomic batch: a problem that lists every bad index."""
    whole = errors.Refused("batch_rejected", rejected=tally["rejected"])
    first = next(result for result in results if not isinstance(result, Accepted))
    unavailable = isinstance(first, errors.Unavailable)
    error = first if unavailable else whole
    body = problems.document(error, wishes.language)
    # What only fell with the batch is not a finding of its own.
    body["items"] = [
        item
        for item, result in zip(items, results, strict=True)
        if not isinstance(result, Accepted) and result.code != "batch_rejected"
    ]
    return Response(
        problems.encode(body),
        status_code=problems.status_of(error),
        media_type=problems.MEDIA_TYPE,
        headers=problems.headers_of(error),
    )
