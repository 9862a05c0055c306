"""Records as they come from a topic, and records as they go back: no broker here.

Rules of this file: pure. What a record says is the codec's matter, the same as over
HTTP; which topic an answer goes to is said by the caller, never by a record.

A null value is no case of its own: in binary mode it is an event without data (Kafka
binding, section 3.2), in structured mode it is no JSON, without ``ce_`` headers it is
no event. Other headers than ``ce_…`` and ``content-type`` are no part of the event, so
those that a relay adds do not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec

from events import errors, messages
from events.cloudevents import parse_kafka
from events.records import Record
from events.submissions import Accepted, Prepared, prepare
from services import problems
from services.acknowledgement import acknowledge

Headers = Sequence[tuple[str, bytes | None]]

ASKED = ("henji_receipt", b"true")
CORRELATION = "henji_correlation"
#: Most bytes of a record that a dead letter repeats: with its reason it must fit into
#: what brokers take by default (1 MiB).
MOST_CARRIED = 900_000
_PROBLEM, _LEFT_OUT = "henji_problem", "henji_value_bytes"
_ENCODER = msgspec.json.Encoder()


class Incoming(Protocol):
    """What is read of a consumed record."""

    @property
    def topic(self) -> str:
        """Return the topic that it came from."""

    @property
    def partition(self) -> int:
        """Return the partition, from 0."""

    @property
    def offset(self) -> int:
        """Return the offset in the partition."""

    @property
    def key(self) -> bytes | None:
        """Return the key's bytes."""

    @property
    def value(self) -> bytes | None:
        """Return the value's bytes; None is no empty value."""

    @property
    def headers(self) -> Headers:
        """Return the headers in their order; names may repeat."""


class Unreadable(NamedTuple):
    """A record that the client could not take apart (a header's name is no UTF-8)."""

    topic: str
    partition: int
    offset: int
    detail: str
    key: bytes | None = None
    value: bytes | None = None
    headers: Headers = ()


class Reply(NamedTuple):
    """A record to be sent, and where to."""

    topic: str
    record: Record


def size(record: Incoming) -> int:
    """Return how many bytes of a submitter a record holds."""
    inside = len(record.value or b"") + len(record.key or b"")
    return inside + sum(len(name) + len(text or b"") for name, text in record.headers)


def read(record: Incoming, *, limit: int) -> Prepared | errors.HenjiError:
    """Return a record as what the sequencer takes; what is wrong stands as the error.

    ``Malformed('record_too_large')`` beyond ``limit`` bytes, unread;
    ``Malformed('record_unreadable')`` for what never was a record.
    """
    if isinstance(record, Unreadable):
        return errors.Malformed("record_unreadable", record.detail)
    given = size(record)
    if given > limit:
        return errors.Malformed("record_too_large", size=given, limit=limit)
    try:
        return prepare(parse_kafka(record.headers, record.value))
    except errors.Malformed as refusal:
        return refusal


def asks_receipt(record: Incoming) -> bool:
    """Tell whether a record asks for its receipt: ``henji_receipt: true``."""
    return ASKED in record.headers


def dead_letter(
    record: Incoming,
    refusal: errors.HenjiError,
    *,
    topic: str,
    failed_at: str,
    language: messages.Language = "en",
) -> Reply:
    """Return a refused record as it came, with why and from where in its headers.

    ``henji_problem`` is the RFC 9457 document that HTTP would have answered. A null
    value becomes an empty one: on a topic that compacts it would delete. What is too
    large to be carried along stays where it was, and ``henji_value_bytes`` says so.
    """
    why = {
        _PROBLEM: problems.encode(problems.document(refusal, language)),
        "henji_topic": record.topic.encode(),
        "henji_partition": str(record.partition).encode(),
        "henji_offset": str(record.offset).encode(),
        "henji_failed_at": failed_at.encode(),
    }
    # One that was sent again after it had failed must not keep its old reason.
    kept = [(name, text or b"") for name, text in record.headers if name not in why]
    if size(record) > MOST_CARRIED:
        told = str(len(record.value or b"")).encode()
        whole = Record(None, b"", [*why.items(), (_LEFT_OUT, told)])
        return Reply(topic, whole)
    return Reply(topic, Record(record.key, record.value or b"", [*kept, *why.items()]))


def receipt(
    record: Incoming, item: Prepared, result: Accepted, proof: str, *, topic: str
) -> Reply:
    """Return the answer to an accepted record: what HTTP answers, under its key."""
    submission = item.submission
    correlation = [
        (name, text) for name, text in record.headers if name == CORRELATION and text
    ]
    headers = [
        ("content-type", b"application/json"),
        ("ce_id", submission.id.encode()),
        ("ce_source", submission.source.encode()),
        *correlation[:1],
    ]
    value = _ENCODER.encode(acknowledge(submission, result, proof))
    return Reply(topic, Record(record.key, value, headers))
