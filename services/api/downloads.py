"""Giving evidence out: whole or a range, only for saving, never as a page of ours.

Rules of this file: HTTP on the way out. Of a whole download the last piece leaves only
if all of it has the digest that it is named by, so that a damaged file breaks off
instead of passing for the evidence.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator
from mimetypes import guess_extension
from typing import Any

from starlette.requests import Request as HttpRequest
from starlette.responses import Response, StreamingResponse

from events import errors
from services.api import documents
from services.api.desk import Desk, in_thread
from services.evidence.custody import Record
from services.evidence.store import EvidenceStore

#: RFC 9110 section 14.1.2; several ranges at once are answered with the whole.
_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))")
_BINARY: dict[str, Any] = {"type": "string", "format": "binary"}
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: documents.answer("All of it.", _BINARY, "…", media="image/jpeg"),
    206: documents.answer("The range.", _BINARY, "…", media="image/jpeg"),
    304: {"description": "What you have is it.", "content": {}},
    404: documents.problem("It was never stored", 404, "evidence_unknown"),
    410: documents.problem("It was erased by law", 410, "evidence_erased"),
    416: documents.problem("No such range", 416, "evidence_range_unsatisfiable"),
    503: documents.problem("Not now", 503, "evidence_store_unavailable"),
}


def gone(desk: Desk, request: HttpRequest, sha256: str) -> Response:
    """Return the answer for erased content: its digest stays, its bytes do not."""
    erased = errors.Conflict("evidence_erased", sha256=sha256)
    return _with_status(desk, request, erased, 410)


async def respond(
    desk: Desk, request: HttpRequest, store: EvidenceStore, record: Record
) -> Response:
    """Return the bytes that the request asks for, of content that is stored.

    ``Unavailable``: evidence_bytes_missing, evidence_store_unavailable.
    ``Corrupt('evidence_damaged')``: the bytes are not those of the digest.
    """
    headers = _headers(record)
    if request.headers.get("if-none-match") in {headers["ETag"], "*"}:
        return Response(status_code=304, headers=headers)
    asked = request.headers.get("range")
    if request.headers.get("if-range", headers["ETag"]) != headers["ETag"]:
        asked = None
    start, end = span(asked, record.size)
    if start >= end:
        refusal = errors.Malformed("evidence_range_unsatisfiable", size=record.size)
        unsatisfiable = _with_status(desk, request, refusal, 416)
        unsatisfiable.headers["Content-Range"] = f"bytes */{record.size}"
        return unsatisfiable
    pieces = store.read(record.sha256, start=start, end=end)
    is_whole = end - start == record.size
    if is_whole:
        pieces = checked(pieces, record.sha256)
    # The first piece before the answer begins: what fails now is still told properly.
    first = await in_thread(next, pieces, b"")
    if asked is not None and not is_whole:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{record.size}"
    return StreamingResponse(
        _from(first, pieces),
        status_code=200 if is_whole else 206,
        media_type=None,
        headers=headers | {"Content-Length": str(end - start)},
    )


def span(asked: str | None, size: int) -> tuple[int, int]:
    """Return the bytes [start, end) that a Range header asks for; all without one.

    Empty where nothing of it is there. What cannot be read is ignored, as RFC 9110
    section 14.2 allows.
    """
    found = _RANGE.fullmatch((asked or "").strip().lower())
    if found is None:
        return 0, size
    first, last, suffix = found.groups()
    if suffix is not None:
        return (max(0, size - int(suffix)), size) if int(suffix) else (size, size)
    if last and int(last) < int(first):
        return 0, size
    return int(first), min(size, int(last) + 1) if last else size


def checked(pieces: Iterator[bytes], sha256: str) -> Iterator[bytes]:
    """Yield pieces, the last one only if they all have the digest together.

    ``Corrupt('evidence_damaged')`` instead of the last piece.
    """
    state, held = hashlib.sha256(), b""
    for piece in pieces:
        state.update(piece)
        if held:
            yield held
        held = piece
    if state.hexdigest() != sha256:
        raise errors.Corrupt("evidence_damaged", sha256=sha256)
    yield held


def _from(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from pieces


def _headers(record: Record) -> dict[str, str]:
    """Return the headers of content that never changes, and is never shown by us."""
    digest = b64encode(bytes.fromhex(record.sha256)).decode()
    name = record.sha256 + (guess_extension(record.media_type) or ".bin")
    keep = "no-store" if record.personal else "private, max-age=31536000, immutable"
    return {
        "Content-Type": record.media_type,
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": keep,
        "Accept-Ranges": "bytes",
        "ETag": f'"{record.sha256}"',
        "Repr-Digest": f"sha-256=:{digest}:",
        "Henji-Position": str(record.stored.position if record.stored else ""),
    }


def _with_status(
    desk: Desk, request: HttpRequest, error: errors.HenjiError, status: int
) -> Response:
    """Return a problem with a status that its class does not have elsewhere."""
    answer = desk.problem(request, error, status=status)
    answer.status_code = status
    return answer
