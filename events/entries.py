"""The entry: the canonical bytes that are stored, hashed and served, and the way back.

Rules of this file: pure functions of what is given. No clock, no store, no catalogue:
what an event type means is not known here, only where our attributes go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from events import canonical
from events.attributes import RESERVED
from events.errors import Malformed, Refused

#: One tile entry carries its length in an unsigned 16-bit integer (C2SP tlog-tiles).
MAX_ENTRY = 65_535

# RFC 3339 section 5.6. A leap second has no place on the scale of Unix time: refused.
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}"
    r"(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - formatted with a literal Z
_MICROSECOND = timedelta(microseconds=1)


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """The members of an entry that folds and readers use; its payload still JSON.

    The bytes were checked when they were sealed: what is not named here is skipped
    unread, which is most of the speed of a replay.
    """

    id: str
    source: str
    type: str
    stream: str
    streamversion: int
    ingestedtime: str
    authid: str
    data: msgspec.Raw = msgspec.Raw(b"null")
    time: str | None = None
    recordedtime: str | None = None
    actorunit: str | None = None
    actorpost: str | None = None
    actorperson: str | None = None
    authunit: str | None = None
    authpost: str | None = None
    dueat: str | None = None
    policyversion: str | None = None


#: Entry bytes -> ``Envelope``; ``msgspec.DecodeError`` where they are no entry.
envelope: Callable[[bytes], Envelope] = msgspec.json.Decoder(Envelope).decode


def compose(  # noqa: PLR0913 - one argument an attribute, on the hottest path
    event: Mapping[str, Any],
    *,
    stream: str,
    version: int,
    ingested_text: str,
    authid: str,
    authunit: str | None = None,
    authpost: str | None = None,
    stamps: Mapping[str, str],
) -> bytes:
    """Return the entry of a submission: RFC 8785 bytes of it and our attributes.

    The submission is one that ``canonical.parse`` gave and ``cloudevents`` accepted.

    Attributes that are None are left out. ``Refused('entry_too_large')`` above 65,535
    bytes.
    """
    entry = {
        **event,
        "ingestedtime": ingested_text,
        "stream": stream,
        "streamversion": version,
        "authtype": "api_key",
        "authid": authid,
        **stamps,
    }
    if authunit is not None:
        entry["authunit"] = authunit
    if authpost is not None:
        entry["authpost"] = authpost
    raw = canonical.encode_parsed(entry)
    if len(raw) > MAX_ENTRY:
        raise Refused("entry_too_large", size=len(raw), limit=MAX_ENTRY)
    return raw


def strip(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the submission an entry was composed of: the same members, exactly."""
    return {name: value for name, value in entry.items() if name not in RESERVED}


@lru_cache(maxsize=4096)
def instant(text: str) -> int:
    """Return µs since the Unix epoch of an RFC 3339 time; finer digits are cut off.

    ``Malformed('invalid_time')`` for anything else, leap seconds included.
    """
    upper = text.upper()
    if not _RFC3339.fullmatch(upper):
        raise Malformed("invalid_time", text)
    try:
        moment = datetime.fromisoformat(upper)
    except ValueError as cause:
        raise Malformed("invalid_time", text) from cause
    return (moment - _EPOCH) // _MICROSECOND


@lru_cache(maxsize=1024)
def rfc3339(us: int) -> str:
    """Return an instant as RFC 3339 in UTC with six digits and Z (years 1 to 9999)."""
    moment = _NAIVE_EPOCH + timedelta(microseconds=us)
    return moment.isoformat(timespec="microseconds") + "Z"


def occurred(event: Mapping[str, Any], ingested: int) -> int:
    """Return when it happened, in µs: the event's ``time``, else when it was sealed."""
    return instant(event["time"]) if "time" in event else ingested


def recorded(event: Mapping[str, Any], ingested: int) -> int:
    """Return when the source wrote it down (``recordedtime``), else when sealed."""
    return instant(event["recordedtime"]) if "recordedtime" in event else ingested
