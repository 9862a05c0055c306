"""An entry of the log as a record of Kafka, and back to the very same bytes.

Pure: no client of Kafka, no partitions, no topic. The content follows the CloudEvents
Kafka protocol binding 1.0.2; what a consumer needs to prove that it holds the log
itself, whole and in order, is in headers of our own:

    henji_ledger     origin of the log
    henji_position   position of the entry in it
    henji_previous   position of the record before it in the same partition (0: none)
    henji_leaf       leaf hash of the entry (RFC 6962), hex
    henji_types      what the binding cannot say, only where it is needed
    henji_through    on a mark of progress instead: all that belongs to this partition
                     up to this position stands before the mark

``henji_types`` is ``name=type`` with commas between: an extension that is an
``integer`` or a ``boolean`` (a header is text; ``streamversion`` is always an integer),
``data=json|text|base64`` where the content type would have it read as another, and
``datacontenttype=implied`` where the event has none and JSON is meant. An event that
the binary mode cannot carry without loss goes structured. A value is never null: on a
compacted topic that would delete.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final, Literal, NamedTuple

import msgspec

from events import canonical
from events.attributes import is_json_type
from events.errors import Corrupt, Malformed
from events.merkle import leaf_hash

PROGRESSED: Final = "henji.relay.progressed.v1"
STRUCTURED: Final = b"application/cloudevents+json; charset=UTF-8"

Mode = Literal["binary", "structured"]
Header = tuple[str, bytes]
Headers = Iterable[tuple[str, bytes | None]]
Members = dict[str, bytes]
"""The members of a JSON object, each value still JSON."""


class Record(NamedTuple):
    """What is sent: no topic and no partition yet."""

    key: bytes | None
    value: bytes
    headers: list[Header]


class Link(NamedTuple):
    """Where an entry belongs; ``previous`` is 0 for the first of its partition."""

    ledger: str
    position: int
    previous: int
    leaf: bytes


class Relayed(NamedTuple):
    """An entry as it was read from a topic: its bytes have the hash of its leaf."""

    link: Link
    entry: bytes


class Mark(NamedTuple):
    """How far the log has been relayed: to a size with this root (32 bytes)."""

    ledger: str
    through: int
    root: bytes
    partitions: int


class Unsayable(Exception):
    """The binary mode has no way to carry this event exactly."""


class _Progress(msgspec.Struct, frozen=True):
    through: int
    root: str
    partitions: int


_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_STRING: Final = msgspec.json.Decoder(str)
_PROGRESS: Final = msgspec.json.Decoder(_Progress)
_PLAIN: Final = re.compile(rb'[^"\\\x00-\x1f]*+')
_OTHER_CHARSET: Final = re.compile(r"charset\s*=\s*(?![\"']?utf-?8\b)", re.IGNORECASE)
_INHERENT: Final = {"streamversion": "integer"}
_IMPLIED: Final = "application/json"
#: No log has more, and every database holds as much.
_POSITION: Final = re.compile(rb"[0-9]{1,18}")


def of_entry(entry: bytes, *, stream: str, link: Link, mode: Mode) -> Record:
    """Return the record of an entry; its key is the stream."""
    value, headers = _content(entry, mode)
    headers += (
        ("henji_ledger", link.ledger.encode()),
        ("henji_position", b"%d" % link.position),
        ("henji_previous", b"%d" % link.previous),
        ("henji_leaf", link.leaf.hex().encode()),
    )
    return Record(stream.encode(), value, headers)


def of_mark(mark: Mark, *, partition: int, mode: Mode) -> Record:
    """Return the mark of progress for one partition; it has no key."""
    event = {
        "specversion": "1.0",
        "id": f"{mark.through}/{partition}",
        "source": f"//{mark.ledger}",
        "type": PROGRESSED,
        "datacontenttype": "application/json",
        "data": {
            "through": mark.through,
            "root": mark.root.hex(),
            "partitions": mark.partitions,
        },
    }
    value, headers = _content(canonical.encode(event), mode)
    headers += (
        ("henji_ledger", mark.ledger.encode()),
        ("henji_through", b"%d" % mark.through),
    )
    return Record(None, value, headers)


def entry_of(headers: Headers, value: bytes | None) -> bytes:
    """Return the bytes of the entry that a record carries.

    ``Malformed('record_malformed')`` for what is no record of an entry;
    ``Corrupt('record_leaf_mismatch')`` where it is not the entry that was sealed.
    """
    read_back = read(headers, value)
    if isinstance(read_back, Mark):
        raise Malformed("record_malformed", "a mark of progress")
    return read_back.entry


def read(headers: Headers, value: bytes | None) -> Relayed | Mark:
    """Read a record of the relay: errors as ``entry_of``."""
    given = {name: text for name, text in headers if text is not None}
    try:
        if "henji_through" in given:
            return _mark(given, value or b"")
        link = Link(
            ledger=given["henji_ledger"].decode(),
            position=_position(given["henji_position"]),
            previous=_position(given["henji_previous"]),
            leaf=bytes.fromhex(given["henji_leaf"].decode()),
        )
        entry = _event(given, value or b"")
    except (KeyError, ValueError) as error:
        raise Malformed("record_malformed", repr(error)) from error
    if leaf_hash(entry) != link.leaf:
        raise Corrupt("record_leaf_mismatch", position=link.position)
    return Relayed(link, entry)


def _mark(given: Mapping[str, bytes], value: bytes) -> Mark:
    data = _PROGRESS.decode(_MEMBERS.decode(_event(given, value))["data"])
    root = bytes.fromhex(data.root)
    ledger = given["henji_ledger"].decode()
    return Mark(ledger, _position(given["henji_through"]), root, data.partitions)


def position_in(headers: Headers) -> int | None:
    """Return the position that a record says it has, whatever else is wrong with it."""
    text = dict(headers).get("henji_position")
    with suppress(ValueError):
        return _position(text or b"")
    return None


def _position(text: bytes) -> int:
    if _POSITION.fullmatch(text) is None:
        raise ValueError("no position")
    return int(text)


def _content(event: bytes, mode: Mode) -> tuple[bytes, list[Header]]:
    if mode == "binary":
        try:
            return _binary(event)
        except Unsayable:
            pass  # A reader must take both modes, record by record (binding, 3.).
    return event, [("content-type", STRUCTURED)]


def _event(given: Mapping[str, bytes], value: bytes) -> bytes:
    """Return the canonical event, whichever mode it came in."""
    if given.get("content-type", b"").startswith(b"application/cloudevents"):
        return value
    return _assembled(given, value)


def _binary(event: bytes) -> tuple[bytes, list[Header]]:
    """Return value and headers: binding, section 3.2."""
    members = {name: bytes(raw) for name, raw in _MEMBERS.decode(event).items()}
    types: list[str] = []
    value = _put_payload(members, types)
    kind = members.pop("datacontenttype", None)
    headers = [] if kind is None else [("content-type", _text(kind))]
    for name, raw in members.items():
        if raw[:1] == b'"':
            headers.append(("ce_" + name, _text(raw)))
            continue
        headers.append(("ce_" + name, raw))
        if name not in _INHERENT:
            types.append(f"{name}={'boolean' if raw[:1] in b'tf' else 'integer'}")
    if types:
        headers.append(("henji_types", ",".join(types).encode()))
    return value, headers


def _put_payload(members: Members, types: list[str]) -> bytes:
    """Take the payload out of the members, noting what a reader could not guess."""
    kind = _text(members["datacontenttype"]).decode() if _has_kind(members) else None
    form, value = _payload(members, kind)
    if kind is None and form == "json":
        members["datacontenttype"] = b'"' + _IMPLIED.encode() + b'"'
        types.append("datacontenttype=implied")
        kind = _IMPLIED
    if form != _natural(kind, value):
        types.append(f"data={form}")
    return value


def _has_kind(members: Members) -> bool:
    return "datacontenttype" in members


def _payload(members: Members, kind: str | None) -> tuple[str, bytes]:
    """Return how the event holds its payload, and the bytes of it."""
    if kind is not None and kind.lower().startswith("application/cloudevents"):
        raise Unsayable  # It would be taken for the structured mode.
    if "data_base64" in members:
        text = _text(members.pop("data_base64"))
        value = binascii.a2b_base64(text)
        if b64encode(value) != text:
            raise Unsayable
        return "base64", value
    data = members.pop("data", None)
    if data is None:
        return "none", b""
    if is_json_type(kind):
        return "json", data
    if kind is not None and _OTHER_CHARSET.search(kind):
        raise Unsayable  # The text would have to be in that character set.
    return "text", _text(data)


def _natural(kind: str | None, value: bytes) -> str:
    """Say how a value of this content type is held, unless it is said otherwise."""
    if not value:
        return "none"
    if kind is None:
        return "base64"
    if is_json_type(kind):
        return "json"
    return "text" if kind.lower().startswith("text/") else "base64"


def _assembled(given: Mapping[str, bytes], value: bytes) -> bytes:
    """Return the canonical event of headers and value: what ``_binary`` took apart."""
    types = _INHERENT | _types(given.get("henji_types", b""))
    members: Members = {}
    for name, text in given.items():
        if name.startswith("ce_"):
            typed = types.get(name[3:])
            members[name[3:]] = text if typed else _quoted(text)
    kind = given.get("content-type")
    if kind is not None and types.get("datacontenttype") != "implied":
        members["datacontenttype"] = _quoted(kind)
    natural = _natural(None if kind is None else kind.decode(), value)
    held = _HELD[types.get("data", natural)]
    if held is not None:
        members[held[0]] = held[1](value)
    # Names of attributes are ASCII: their order is that of RFC 8785.
    return b"{%b}" % b",".join(
        b'"%b":%b' % (name.encode(), members[name]) for name in sorted(members)
    )


def _types(text: bytes) -> dict[str, str]:
    pairs = (one.partition("=") for one in text.decode().split(",") if one)
    return {name: kind for name, _, kind in pairs}


def _text(raw: bytes) -> bytes:
    """Return the UTF-8 text of a JSON string."""
    if b"\\" not in raw:
        return raw[1:-1]
    return _STRING.decode(raw).encode()


def _quoted(text: bytes) -> bytes:
    """Return the canonical JSON string of a UTF-8 text."""
    if _PLAIN.fullmatch(text):
        return b'"%b"' % text
    return canonical.encode(text.decode())


def _encoded(value: bytes) -> bytes:
    return b'"%b"' % b64encode(value)


#: How a payload is held -> the member that holds it, and its JSON.
_HELD: Final[dict[str, tuple[str, Callable[[bytes], bytes]] | None]] = {
    "none": None,
    "json": ("data", bytes),
    "text": ("data", _quoted),
    "base64": ("data_base64", _encoded),
}
