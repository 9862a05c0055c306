"""Opaque keyset cursors: where a page ended, and of which question.

Rules of this file: a cursor names a place, never a count; one that belongs to another
question is refused, so that pages of different filters cannot be mixed.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from dataclasses import replace
from hashlib import sha256

from starlette.requests import Request

from events import errors
from events.store import Selection


def fingerprint(*parts: str) -> str:
    """Return a short name of a question."""
    return sha256("\x00".join(parts).encode()).hexdigest()[:12]


def write(place: object, question: str) -> str:
    """Return the cursor of a place in the answer to a question.

    The place is part of the check, so that half a cursor is not the cursor of another
    place.
    """
    text = f"{fingerprint(question, str(place))}:{place}"
    return urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def read_text(cursor: str, question: str) -> str:
    """Return the place; ``Malformed('invalid_cursor')`` for any other question's."""
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (Error, ValueError) as cause:
        raise errors.Malformed("invalid_cursor") from cause
    place = text.partition(":")[2]
    if write(place, question) != cursor:
        raise errors.Malformed("invalid_cursor")
    return place


def read(cursor: str, question: str) -> int:
    """Return the place as a position."""
    place = read_text(cursor, question)
    if not place.isascii() or not place.isdecimal() or len(place) > 18:
        raise errors.Malformed("invalid_cursor")
    return int(place)


def after(selection: Selection, place: int | None, *, newest_first: bool) -> Selection:
    """Return the rest of a selection behind a place."""
    if place is None:
        return selection
    if not newest_first:
        return replace(selection, after=max(selection.after, place))
    last = place - 1
    until = last if selection.until is None else min(selection.until, last)
    return replace(selection, until=until)


def link(request: Request, following: str | None) -> dict[str, str]:
    """Return the Link header to the next page (RFC 8288), if there is one."""
    if following is None:
        return {}
    url = request.url.include_query_params(cursor=following)
    return {"Link": f'<{url.path}?{url.query}>; rel="next"'}
