"""Canonical JSON (RFC 8785), strict in both directions: bytes to value, value to bytes.

Nothing about events, attributes or schemas belongs here, and no I/O. What is accepted
is I-JSON (RFC 7493) with less freedom still, so that each accepted text has exactly
one canonical form and that form is accepted again:

* A number is the nearest IEEE 754 double. An integral one within ±(2^53-1) becomes an
  ``int``, however it was spelt (``1.0``, ``1E2``, ``-0``); an integral one beyond is
  refused (every double from 2^53 on is integral); the others are ``float``.
* Strings hold no surrogates, no noncharacters and no control characters, save tab,
  line feed and carriage return, which JSON can only write as escapes.

Speed comes from msgspec, which accepts a little more than that; each check below
makes up for one such difference, and says why it is sound.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, Final, NoReturn

import msgspec
import rfc8785

from events.errors import Fault, Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_INTEGER: Final = 2**53 - 1
MAX_DEPTH: Final = 64

_ATOMS: Final = frozenset({str, bool, type(None)})
_ARRAYS: Final = frozenset({list, tuple})
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_NONCHARACTERS: Final = re.compile(
    "[\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF))
    + "]"
)
_RULES: Final = (("control_character", _CONTROL), ("noncharacter", _NONCHARACTERS))
_DIGITS: Final = b"0123456789"
_ASTRAL_LEADS: Final = (b"\xf0", b"\xf1", b"\xf2", b"\xf3", b"\xf4")
_CONTROL_ESCAPES: Final = (rb"\u", rb"\b", rb"\f")


def parse(raw: bytes | str) -> Any:
    """Return the value of one strict JSON text; see the module for what is accepted.

    Raises `Malformed` with the code `invalid_utf8`, `byte_order_mark`, `json_syntax`,
    `json_too_deep`, `duplicate_key`, `not_a_number`, `number_overflow`,
    `unsafe_integer`, `lone_surrogate`, `control_character` or `noncharacter`.
    """
    if isinstance(raw, str):
        raw = _utf8(raw)
    try:
        value = _DECODER.decode(raw)
        text = _ENCODER.encode(value)
    except (ValueError, RecursionError) as error:
        raise _diagnosis(raw) from error
    _survey((value,), 0)
    if _quotes(raw) != _quotes(text):
        raise _duplicate(raw)
    _check_characters(text, value)
    return value


def encode(value: object) -> bytes:
    """Return the RFC 8785 bytes of a JSON value: what `parse` gives back unchanged.

    Raises `Malformed` for what `parse` would refuse, `TypeError` for what is not JSON.
    """
    plain = _survey((value,), 0)
    try:
        text = _SORTER.encode(value)
    except UnicodeEncodeError as error:
        raise _surrogate(value) from error
    if not plain or _may_sort_otherwise(text, value):
        text = rfc8785.dumps(value)  # type: ignore[arg-type]
    _check_characters(text, value)
    return text


def encode_parsed(value: object) -> bytes:
    """Return what ``encode`` does, of a value whose parts all came from ``parse``.

    What ``parse`` has looked at is not looked at again: this is for the append path.
    """
    text = _SORTER.encode(value)
    if _may_hold_a_small_number(text) or _may_sort_otherwise(text, value):
        return rfc8785.dumps(value)  # type: ignore[arg-type]
    return text


def is_canonical(raw: bytes) -> bool:
    """Tell whether these bytes are the canonical form of the value they spell."""
    try:
        return encode(parse(raw)) == raw
    except Malformed:
        return False


def forbidden_character(text: str) -> str | None:
    """Return the code of the first rule on characters that a string breaks, if any."""
    for code, pattern in _RULES:
        if pattern.search(text):
            return code
    return None


def pointer_to(name: str) -> str:
    """Return the RFC 6901 pointer to a member of the top object."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _number(literal: str) -> int | float:
    """Read a literal that has a fraction or an exponent (msgspec's float hook)."""
    number = float(literal)
    if math.isinf(number):
        raise Malformed("number_overflow", literal[:40])
    return int(number) if number.is_integer() else number


_DECODER: Final = msgspec.json.Decoder(float_hook=_number)
_ENCODER: Final = msgspec.json.Encoder()
_SORTER: Final = msgspec.json.Encoder(order="sorted")


def _survey(value: Any, depth: int) -> bool:
    """Check depth, types and numbers; tell whether msgspec spells all numbers well."""
    if depth > MAX_DEPTH:
        raise Malformed("json_too_deep", f"more than {MAX_DEPTH} levels")
    members = value
    if type(value) is dict:
        "".join(value)  # a cheap proof that every key is a string
        members = value.values()
    plain = True
    for member in members:
        kind = type(member)
        if kind in _ATOMS:
            continue
        if kind is dict or kind in _ARRAYS:
            plain = _survey(member, depth + 1) and plain
        else:
            plain = _survey_number(member) and plain
    return plain


def _survey_number(number: Any) -> bool:
    """Refuse an unsafe number; tell whether msgspec spells it as ECMAScript does."""
    if type(number) is int:
        if not -MAX_INTEGER <= number <= MAX_INTEGER:
            raise Malformed("unsafe_integer", f"a number of {number.bit_length()} bits")
        return True
    if type(number) is not float:
        message = f"{type(number).__name__} is not a JSON type"
        raise TypeError(message)
    if not math.isfinite(number):
        raise Malformed("not_a_number", str(number))
    if number.is_integer():
        if abs(number) > MAX_INTEGER:
            raise Malformed("unsafe_integer", repr(number))
        return False
    # In this range both write the shortest digits that read back, without exponent.
    return abs(number) >= 1e-3


def _may_hold_a_small_number(text: bytes) -> bool:
    """Tell whether a fraction below 0.001, which msgspec may misspell, could be there.

    Such a number begins with ``0.000`` behind ``:``, ``,``, ``[`` or ``-``, or has an
    exponent ``e-``. Times end in ``.000Z`` all day long, so what precedes is looked at.
    """
    at = text.find(b"0.000")
    while at > 0:
        if text[at - 1] in b":,[-":
            return True
        at = text.find(b"0.000", at + 1)
    at = text.find(b"e-")
    while at > 0:
        if text[at - 1] in _DIGITS and text[at + 2] in _DIGITS:
            return True
        at = text.find(b"e-", at + 1)
    return text[:2] == b"0." or text[:1] == b"-"


def _quotes(text: bytes) -> int:
    """Count the quotes that open or close a string of a valid JSON text.

    Decoding keeps all strings but those of the members that a duplicate key replaced,
    so a text and its re-encoded value have equal counts just when no key is repeated.
    """
    if b"\\" not in text:
        return text.count(b'"')
    # A run of backslashes starts at an escape: taking pairs away keeps the pairing.
    text = text.replace(rb"\\", b"")
    return text.count(b'"') - text.count(rb"\"")


def _check_characters(text: bytes, value: object) -> None:
    """Refuse forbidden characters, given the value and its own (escaped) encoding.

    A printable character is an assigned one that is no control: so none is forbidden.
    The converse fails (an ideographic space is "not printable"): then look closely.
    """
    if b"\\" in text:
        escapes = text.replace(rb"\\", b"")
        if any(escape in escapes for escape in _CONTROL_ESCAPES):
            _refuse_characters(value)
    characters = text.decode()
    if not characters.isprintable() and any(
        pattern.search(characters) for _, pattern in _RULES
    ):
        _refuse_characters(value)


def _refuse_characters(value: object) -> None:
    for pointer, string in _strings(value, ""):
        for code, pattern in _RULES:
            if found := pattern.search(string):
                name = f"U+{ord(found.group()):04X}"
                fault = Fault(code, name, pointer)
                raise Malformed(code, name, faults=(fault,))


def _strings(value: object, pointer: str) -> Iterator[tuple[str, str]]:
    """Yield each string of a value, keys included, with its RFC 6901 pointer."""
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield pointer, key
            yield from _strings(member, pointer + pointer_to(key))
    elif isinstance(value, (list, tuple)):
        for index, member in enumerate(value):
            yield from _strings(member, f"{pointer}/{index}")


def _may_sort_otherwise(text: bytes, value: object) -> bool:
    """Tell whether UTF-16 order may differ from UTF-8: some key leaves the BMP."""
    return (
        not text.isascii()
        and any(lead in text for lead in _ASTRAL_LEADS)
        and _has_astral_key(value)
    )


def _has_astral_key(value: object) -> bool:
    if isinstance(value, dict):
        return any(key and max(key) > "\uffff" for key in value) or any(
            map(_has_astral_key, value.values())
        )
    return isinstance(value, (list, tuple)) and any(map(_has_astral_key, value))


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise Malformed("lone_surrogate", f"at character {error.start}") from error


def _surrogate(value: object) -> Malformed:
    for pointer, string in _strings(value, ""):
        if any("\ud800" <= character <= "\udfff" for character in string):
            fault = Fault("lone_surrogate", "", pointer)
            return Malformed("lone_surrogate", faults=(fault,))
    return Malformed("lone_surrogate")


def _duplicate(raw: bytes) -> Malformed:
    """Name the key that comes twice (the slow way: this text is refused anyhow)."""

    def look(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise Malformed("duplicate_key", repr(key), key=key)
            seen.add(key)

    try:
        json.loads(raw.decode(), object_pairs_hook=look)
    except Malformed as error:
        return error
    return Malformed("duplicate_key")


def _diagnosis(raw: bytes) -> Malformed:
    """Say what is wrong with a text that msgspec refused, by a slower reading."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        return Malformed("invalid_utf8", f"at byte {error.start}", offset=error.start)
    if text.startswith("\ufeff"):
        return Malformed("byte_order_mark")
    try:
        json.loads(text, parse_constant=_refuse_constant, parse_int=len)
    except Malformed as error:
        return error
    except RecursionError:
        return Malformed("json_too_deep", f"more than {MAX_DEPTH} levels")
    except json.JSONDecodeError as error:
        inside = error.msg.startswith("Invalid control character")
        code = "control_character" if inside else "json_syntax"
        return Malformed(code, str(error), offset=error.pos)
    return _unread(text)


def _unread(text: str) -> Malformed:
    """Name what the standard library reads and msgspec does not."""
    if re.search(r"\\u[dD][89a-fA-F]", text):
        return Malformed("lone_surrogate")
    if re.search(r"\d{400}", text):
        return Malformed("unsafe_integer")
    return Malformed("json_too_deep", f"more than {MAX_DEPTH} levels")


def _refuse_constant(name: str) -> NoReturn:
    raise Malformed("not_a_number", name)
