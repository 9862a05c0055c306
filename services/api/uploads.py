"""Taking evidence in: check, receive, keep, append, answer; in this order.

Rules of this file: HTTP on the way in. The order of the steps, and what a crash after
each leaves, stands in ``services.evidence.custody``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from fastapi import Query
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from events import entries, errors
from events.store import Row
from events.submissions import Accepted, Request
from services.api import documents
from services.api.desk import Desk, in_thread
from services.evidence import custody
from services.evidence.custody import Description, Record
from services.evidence.intake import Content, Intake, receiving
from services.evidence.store import CHUNK, EvidenceStore

_ANSWER: dict[str, Any] = {
    "type": "object",
    "required": ["sha256", "sm3", "size", "media_type", "position", "receipt"],
}
_EXAMPLE = {
    "sha256": "e3" * 32,
    "sm3": "66" * 32,
    "size": 204_800,
    "media_type": "image/jpeg",
    "position": 42,
    "stream": "evidence/" + "e3" * 32,
    "streamversion": 1,
    "ingestedtime": "2026-11-23T08:00:00.123456Z",
    "leaf_hash": "00" * 32,
    "duplicate": False,
    "receipt": "c2sp.org/tlog-proof@v1\nindex 41\n…",
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    201: documents.answer("Kept, and in the log.", _ANSWER, _EXAMPLE),
    200: documents.answer(
        "It was kept before; the original receipt.",
        _ANSWER,
        {**_EXAMPLE, "duplicate": True},
    ),
    409: documents.problem("It was erased by law", 409, "evidence_erased"),
    413: documents.problem("It is too large", 413, "body_too_large"),
    415: documents.problem("No such media type", 415, "unsupported_media_type"),
    422: documents.problem("A rule refuses it", 422, "schema_violation"),
    503: documents.problem("Not now", 503, "evidence_store_unavailable"),
}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
    },
    "parameters": [
        {
            "name": "Content-Digest",
            "in": "header",
            "description": "RFC 9530, sha-256 or sha-512; checked.",
            "schema": {"type": "string"},
            "example": "sha-256=:…:",
        }
    ],
}


@dataclass(frozen=True, slots=True)
class Door:
    """Where evidence comes in: the desk, and the store of the bytes."""

    desk: Desk
    store: EvidenceStore


@dataclass(frozen=True, slots=True)
class Said:
    """What the query says of the content; the rest of it is checked by its schema."""

    name: str | None
    captured_at: str | None
    place: tuple[float, float] | None
    personal: bool


def said(
    name: Annotated[
        str | None, Query(max_length=200, description="Name of the file.")
    ] = None,
    captured_at: Annotated[
        str | None, Query(description="When it was taken, RFC 3339.")
    ] = None,
    latitude: Annotated[
        float | None, Query(ge=-90, le=90, description="Where, WGS 84.")
    ] = None,
    longitude: Annotated[
        float | None, Query(ge=-180, le=180, description="With latitude.")
    ] = None,
    *,
    personal: Annotated[bool, Query(description="It shows persons.")] = False,
) -> Said:
    """Return what the query says; half a place is ``Malformed``."""
    place = None
    if latitude is not None and longitude is not None:
        place = (latitude, longitude)
    elif latitude is not None or longitude is not None:
        missing = "latitude" if latitude is None else "longitude"
        raise errors.Malformed("invalid_parameter", parameter=missing)
    return Said(name, captured_at, place, personal)


async def take(
    door: Door, request: HttpRequest, words: Said, *, named: str | None
) -> Response:
    """Take one piece in; refusals go to the security log, not to the ledger."""
    principal = door.desk.caller(request, "evidence:write")
    settings = door.desk.ledger.settings
    try:
        media_type = _media_type(request, settings.evidence_media_types)
        about = Description(
            media_type,
            name=words.name,
            captured_at=words.captured_at,
            place=words.place,
            personal=words.personal,
        )
        _check_length(request, settings.max_evidence)
        with receiving(
            door.store.staging,
            limit=settings.max_evidence,
            declared=request.headers.get("content-digest"),
        ) as intake:
            await _receive(request, intake)
            content = await in_thread(intake.finish, named=named)
            return await _keep(door, content, about, principal.key)
    except (errors.Malformed, errors.Refused, errors.Conflict) as refusal:
        door.desk.note(request, "evidence_refused", refusal, key=principal.key)
        raise


async def _receive(request: HttpRequest, intake: Intake) -> None:
    """Hand the body on in pieces worth a thread's while."""
    held = bytearray()
    try:
        async for part in request.stream():
            held += part
            if len(held) >= CHUNK:
                await in_thread(intake.write, bytes(held))
                held.clear()
    except ClientDisconnect as gone:
        raise errors.Malformed("evidence_incomplete") from gone
    if held:
        await in_thread(intake.write, bytes(held))


async def _keep(door: Door, content: Content, about: Description, key: str) -> Response:
    """Keep the bytes, then say so in the log."""
    desk, store, ledger = door.desk, door.store, door.desk.ledger
    record = await in_thread(custody.record_of, ledger, content.sha256)
    if record.status == "erased":
        raise errors.Conflict("evidence_erased", sha256=content.sha256)
    if record.status == "stored":
        # Kept anew all the same: what the store had may have been damaged or lost.
        await in_thread(store.keep, content.path, content.sha256)
        return await _answer_again(desk, content, record)
    grant = await in_thread(custody.uploader, ledger, key)
    item = custody.prepared(content, about, grant)
    await in_thread(store.keep, content.path, content.sha256)
    request = Request([item], key, desk.channel.deliver, grant=grant)
    (result,) = await desk.append(request)
    # A repeat within one batch has the batch's receipt too; it was not the first.
    if isinstance(result, Accepted) and result.batch is not None and not result.repeat:
        receipt = result.batch.receipt(result.position)
        return _answer(content, about.media_type, result, receipt, repeat=False)
    # Another upload of the same was faster, or the event was refused.
    record = await in_thread(custody.record_of, ledger, content.sha256)
    if record.status != "stored":
        raise _refusal(result, content)
    return await _answer_again(desk, content, record)


def _refusal(result: object, content: Content) -> errors.HenjiError:
    if isinstance(result, errors.HenjiError):
        return result
    return errors.Conflict("evidence_erased", sha256=content.sha256)


async def _answer_again(desk: Desk, content: Content, record: Record) -> Response:
    """Answer with the event that stored it, and the receipt of then."""
    row = record.stored
    if row is None:
        raise errors.Corrupt("evidence_event_missing", sha256=content.sha256)
    receipt = await in_thread(desk.ledger.prover.receipt, row.position)
    return _answer(content, record.media_type, row, receipt, repeat=True)


def _answer(
    content: Content,
    media_type: str,
    sealed: Accepted | Row,
    receipt: str,
    *,
    repeat: bool,
) -> Response:
    body = {
        "sha256": content.sha256,
        "sm3": content.sm3,
        "size": content.size,
        "media_type": media_type,
        "position": sealed.position,
        "stream": sealed.stream,
        "streamversion": sealed.version,
        "ingestedtime": entries.rfc3339(sealed.ingested),
        "leaf_hash": sealed.leaf.hex(),
        "duplicate": repeat,
        "receipt": receipt,
    }
    return Response(
        msgspec.json.encode(body),
        status_code=200 if repeat else 201,
        media_type="application/json",
        headers={"Location": f"/v1/evidence/{content.sha256}"},
    )


def _media_type(request: HttpRequest, allowed: str) -> str:
    """Return the media type without parameters, in lower case.

    ``Malformed``: unsupported_media_type, unsupported_content_encoding.
    """
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in allowed.split():
        accept = ", ".join(allowed.split())
        raise errors.Malformed("unsupported_media_type", given[:100], accept=accept)
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.strip().lower() != "identity":
        raise errors.Malformed("unsupported_content_encoding", accept="identity")
    return given


def _check_length(request: HttpRequest, limit: int) -> None:
    """Refuse before anything is received what is said to be too large."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > limit:
        raise errors.Malformed("body_too_large", limit=limit)
