"""The CloudEvents 1.0.2 codec for submissions: one for HTTP and for Kafka.

It turns bytes and headers into a `Submission`, or says what is wrong; nothing is
repaired, invented or guessed. What an event may contain is in `attributes.py`, what
JSON may be in `canonical.py`; authentication, limits on bodies and the meaning of
event types do not belong here. All errors are `Malformed`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from events import attributes, canonical
from events.errors import Fault, Malformed

MAX_ENTRY: Final = 65_535
"""The most bytes an entry may have, our attributes included (the sequencer checks)."""

ACCEPT_POST: Final = (
    "application/cloudevents+json, application/cloudevents-batch+json, "
    "application/x-ndjson, application/jsonl"
)
"""The value of ``Accept-Post`` that goes with `unsupported_media_type`."""

Mode = Literal["batch", "structured", "ndjson", "binary"]
Headers = Iterable[tuple[bytes, bytes]]

_MODES: Final[dict[str, Mode]] = {
    "application/cloudevents-batch+json": "batch",
    "application/cloudevents+json": "structured",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
}
_WHOLE: Final = frozenset({"json_syntax", "invalid_utf8", "byte_order_mark"})
_CHARSET: Final = re.compile(r"""charset\s*=\s*["']?([^\s;"']+)""", re.IGNORECASE)
_UTF8: Final = frozenset({"utf-8", "utf8", "us-ascii"})
_QUOTED: Final = re.compile(rb'"((?:[^"\\]|\\.)*+)"')
_ESCAPE: Final = re.compile(rb"\\(.)")
_HEADER_TEXT: Final = re.compile(rb"(?:[\x20-\x24\x26-\x7e]++|%[0-9A-Fa-f]{2})*+")
_PERCENT: Final = re.compile(rb"%(..)")
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])


class Submission(msgspec.Struct, frozen=True):
    """One valid event as its producer meant it, and what is asked of it often.

    ``event`` has the shape of the JSON format: unset attributes are absent, a payload
    is in ``data`` or ``data_base64``. ``occurred`` and ``recorded`` are microseconds
    since the Unix epoch, from the attributes ``time`` and ``recordedtime``.
    """

    event: dict[str, Any]
    id: str
    source: str
    type: str
    subject: str | None
    occurred: int | None
    time: str | None
    recorded: int | None = None


Item = Submission | Malformed


@dataclass(frozen=True, slots=True)
class Parsed:
    """A request body: how it was sent, and its events (or their errors) in order."""

    mode: Mode
    items: list[Item]


def dumps(event: dict[str, Any]) -> bytes:
    """Return the structured form of an event: RFC 8785 canonical JSON."""
    return canonical.encode(event)


def parse_structured(raw: bytes | str) -> Submission:
    """Read one event in the JSON format."""
    return accept(canonical.parse(raw))


def parse_batch(raw: bytes, *, limit: int) -> list[Item]:
    """Read a JSON array of events; one that is refused stands as its error.

    Raises `Malformed` if the whole is not a JSON array, or holds more than ``limit``.
    """
    try:
        items = _ITEMS.decode(raw)
    except (ValueError, RecursionError) as error:
        canonical.parse(raw)
        raise Malformed("batch_not_array") from error
    _check_count(len(items), limit)
    parsed = [_item(bytes(item)) for item in items]
    for item in parsed:
        if isinstance(item, Malformed) and item.code in _WHOLE:
            raise item
    return parsed


def parse_ndjson(raw: bytes, *, limit: int) -> list[Item]:
    """Read one event a line, skipping blank lines; a bad line stands as its error.

    Raises `Malformed` (`too_many_events`) beyond ``limit``.
    """
    lines = [line for line in raw.split(b"\n") if line and not line.isspace()]
    _check_count(len(lines), limit)
    return [_item(line) for line in lines]


def parse_binary(headers: Headers, body: bytes) -> Submission:
    """Read one event whose attributes are HTTP headers and whose data is the body."""
    return _assemble(_http_attributes(headers), body)


def parse_kafka(
    headers: Sequence[tuple[str, bytes | None]], value: bytes | None
) -> Submission:
    """Read one event from a Kafka record, structured if its content type says so."""
    kinds = [text for name, text in headers if name == "content-type" and text]
    kind = _only(kinds)
    if kind.lower().startswith("application/cloudevents"):
        if _mode(kind) != "structured":
            raise _unsupported(kind)
        return parse_structured(value or b"")
    if not any(name.startswith("ce_") for name, _ in headers):
        raise _unsupported(kind)
    return _assemble(_kafka_attributes(headers), value or b"")


def parse_request(
    headers: Sequence[tuple[bytes, bytes]], body: bytes, *, limit: int
) -> Parsed:
    """Read an HTTP request in the mode that its content type asks for.

    Raises `Malformed`, with the code `unsupported_media_type` if there is no mode.
    """
    kind = _content_type(headers)
    mode = _mode(kind)
    if mode == "batch":
        return Parsed(mode, parse_batch(body, limit=limit))
    if mode == "ndjson":
        return Parsed(mode, parse_ndjson(body, limit=limit))
    if mode == "structured":
        return Parsed(mode, [parse_structured(body)])
    if not any(name[:3].lower() == b"ce-" for name, _ in headers):
        raise _unsupported(kind)
    return Parsed("binary", [parse_binary(headers, body)])


def accept(event: Any) -> Submission:
    """Check an event in the shape of the JSON format, as `canonical.parse` gives it."""
    if type(event) is not dict:
        raise Malformed("event_not_object", type(event).__name__)
    if None in event.values():
        event = {
            name: value
            for name, value in event.items()
            if value is not None or name == "data"
        }
    faults = attributes.faults_of(event)
    occurred = _instant(event, "time", faults)
    recorded = _instant(event, "recordedtime", faults)
    if faults:
        raise _refusal(faults)
    return Submission(
        event,
        event["id"],
        event["source"],
        event["type"],
        event.get("subject"),
        occurred,
        event.get("time"),
        recorded,
    )


def _item(raw: bytes) -> Item:
    try:
        return accept(canonical.parse(raw))
    except Malformed as error:
        return error


def _instant(event: dict[str, Any], name: str, faults: list[Fault]) -> int | None:
    text = event.get(name)
    if type(text) is not str:
        return None
    try:
        return attributes.parse_time(text)
    except Malformed as error:
        faults.append(Fault(error.code, error.detail, f"/{name}"))
        return None


def _refusal(faults: Sequence[Fault]) -> Malformed:
    first = faults[0]
    detail = f"{first.pointer}: {first.detail}"
    return Malformed(first.code, detail, faults=tuple(faults))


def _check_count(count: int, limit: int) -> None:
    if count > limit:
        message = f"{count} events, {limit} allowed"
        raise Malformed("too_many_events", message, count=count, limit=limit)


def _unsupported(kind: str) -> Malformed:
    return Malformed("unsupported_media_type", repr(kind[:80]), accept=ACCEPT_POST)


def _content_type(headers: Headers) -> str:
    kinds = [value for name, value in headers if name.lower() == b"content-type"]
    return _only(kinds)


def _only(kinds: list[bytes]) -> str:
    if len(kinds) > 1:
        raise _broken("duplicate_attribute", "datacontenttype", "two content types")
    return kinds[0].decode("latin-1").strip() if kinds else ""


def _mode(kind: str) -> Mode | None:
    """Choose the mode in the order of the HTTP binding; none means perhaps binary."""
    essence = kind.partition(";")[0].strip().lower()
    mode = _MODES.get(essence)
    if mode is None and essence.startswith("application/cloudevents"):
        raise _unsupported(kind)
    if mode is not None and not _is_utf8(kind):
        raise _unsupported(kind)
    return mode


def _is_utf8(kind: str) -> bool:
    charset = _CHARSET.search(kind)
    return charset is None or charset.group(1).lower() in _UTF8


def _http_attributes(headers: Headers) -> Iterator[tuple[str, str]]:
    """Yield the attributes of binary mode over HTTP (binding, section 3.1.3)."""
    for key, value in headers:
        name = key.lower().decode("latin-1")
        if name == "content-type":
            yield "datacontenttype", value.decode("latin-1").strip()
        elif name == "ce-datacontenttype":
            raise _broken("datacontenttype_header", "datacontenttype", name)
        elif name.startswith("ce-"):
            yield name[3:], _header_text(name[3:], value.strip(b" \t"))


def _header_text(name: str, value: bytes) -> str:
    """Undo the quotes of RFC 9110, then exactly one round of percent-encoding."""
    if value.startswith(b'"'):
        quoted = _QUOTED.fullmatch(value)
        if quoted is None:
            raise _broken("invalid_header", name, "an open quote")
        value = _ESCAPE.sub(rb"\1", quoted.group(1))
    if not _HEADER_TEXT.fullmatch(value):
        raise _broken("invalid_header", name, "a character that must be %-encoded")
    return _decoded(name, _PERCENT.sub(_unhex, value))


def _unhex(match: re.Match[bytes]) -> bytes:
    return bytes((int(match.group(1), 16),))


def _kafka_attributes(
    headers: Sequence[tuple[str, bytes | None]],
) -> Iterator[tuple[str, str]]:
    """Yield the attributes of binary mode over Kafka (binding, section 3.2)."""
    for key, value in headers:
        if key == "ce_datacontenttype":
            raise _broken("datacontenttype_header", "datacontenttype", key)
        if value is None:
            continue
        if key == "content-type":
            yield "datacontenttype", _decoded("datacontenttype", value)
        elif key.startswith("ce_"):
            yield key[3:], _decoded(key[3:], value)


def _decoded(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise _broken("invalid_utf8", name, str(error)) from error


def _broken(code: str, name: str, detail: str) -> Malformed:
    return _refusal([Fault(code, detail, f"/{name}")])


def _assemble(pairs: Iterable[tuple[str, str]], body: bytes) -> Submission:
    """Build and check the event of a binary message."""
    event: dict[str, Any] = {}
    for name, text in pairs:
        if name in event:
            raise _broken("duplicate_attribute", name, "sent twice")
        if name in attributes.PAYLOADS:
            raise _broken("invalid_attribute_name", name, "not an attribute")
        event[name] = text
    if body:
        name, payload = _payload(event.get("datacontenttype"), body)
        event[name] = payload
    return accept(event)


def _payload(kind: str | None, body: bytes) -> tuple[str, Any]:
    """Say how the JSON format holds these bytes: as JSON, as text, or in base64."""
    if kind is not None and attributes.is_json_type(kind):
        return "data", _json_body(body)
    if kind is not None and kind.lower().startswith("text/") and _is_utf8(kind):
        text = _text_body(body)
        if text is not None:
            return "data", text
    return "data_base64", base64.b64encode(body).decode()


def _json_body(body: bytes) -> Any:
    try:
        return canonical.parse(body)
    except Malformed as error:
        inner = error.faults or (Fault(error.code, error.detail),)
        raise _refusal(
            [Fault(one.code, one.detail, f"/data{one.pointer}") for one in inner]
        ) from error


def _text_body(body: bytes) -> str | None:
    """Return a text that JSON may hold; bytes that are none stay bytes."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return None if canonical.forbidden_character(text) else text
