"""The building blocks of payloads: constrained text, ids, instants, numbers.

Rules of this file: types and their conversions; no rule of any stream. What is said
here reaches the served JSON Schemas word for word.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from msgspec import Meta

from events.domain.model import Event

# `$` alone also matches before a final line feed in Python; `(?!\n)$` does not, and
# means the same in ECMA 262, which JSON Schema refers to.
Title = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(min_length=1, max_length=4000)]
Reason = Annotated[str, Meta(min_length=1, max_length=2000, description="Why.")]
Id = Annotated[
    str,
    Meta(
        pattern=r"^[^\s/]{1,64}(?!\n)$",
        description="The key part of a stream id: `gouzhao` of `unit/gouzhao`.",
    ),
]
PersonRef = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9._:-]{1,128}(?!\n)$",
        description="An opaque reference to a person; never a name or a number of one.",
    ),
]
Instant = Annotated[
    datetime, Meta(tz=True, description="RFC 3339, with Z or an offset.")
]
Version = Annotated[int, Meta(ge=1, le=1_000_000)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Sha256Hex = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}(?!\n)$")]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def us(moment: datetime) -> int:
    """Return an aware datetime as µs since the Unix epoch, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def key_of(event: Event) -> str:
    """Return the key part of the event's stream: ``gouzhao`` of ``unit/gouzhao``."""
    return event.stream.partition("/")[2]
