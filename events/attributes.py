"""The rules of CloudEvents 1.0.2 for one event: its attributes and its payload.

How an event travels (HTTP, Kafka, JSON bytes) is the codec's part (`cloudevents.py`);
what a type of event means is the domain's. Everything here is pure. Where the
specification leaves a choice, this log takes the strict side:

* extension values are Boolean, 32-bit Integer or String, as in the JSON format;
* the time zone of a time is part of it: no local times;
* names have 64 characters at most (20 is a SHOULD of the specification);
* a leap second (``23:59:60``) is valid RFC 3339 and still refused: the log could not
  compare it with other instants. Digits after the microsecond are cut, not rounded,
  and there are 30 at most.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from events import canonical
from events.errors import Fault, Malformed

MAX_TEXT: Final = 1024
MAX_NAME: Final = 64
REQUIRED: Final = ("specversion", "id", "source", "type")
PAYLOADS: Final = frozenset({"data", "data_base64"})
RESERVED: Final = frozenset(
    {
        "authid",
        "authpost",
        "authtype",
        "authunit",
        "dueat",
        "duecalendar",
        "ingestedtime",
        "policyversion",
        "stream",
        "streamversion",
    }
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# An offset may carry a time out of the years that a date has: then nobody can show it.
_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC) - _EPOCH
_END: Final = datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH + timedelta(days=1)
_NAME: Final = re.compile(rf"[a-z0-9]{{1,{MAX_NAME}}}")
_LINE_CONTROL: Final = re.compile(r"[\t\n\r]")
_INTEGERS: Final = range(-(2**31), 2**31)

# RFC 3339 section 5.6; the calendar itself is checked by `datetime`.
_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)"
    r"(?:\.[0-9]{1,30})?(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)

# RFC 3986 appendix A; possessive quantifiers keep the match linear.
_HEX: Final = "%[0-9A-Fa-f]{2}"
_WORD: Final = r"A-Za-z0-9\-._~!$&'()*+,;="
_PATH: Final = f"(?:[{_WORD}:@/]++|{_HEX})*+"
_QUERY: Final = rf"(?:\?(?:[{_WORD}:@/?]++|{_HEX})*+)?"
_FRAGMENT: Final = f"(?:#(?:[{_WORD}:@/?]++|{_HEX})*+)?"
_AUTHORITY: Final = (
    f"//(?:(?:[{_WORD}:]++|{_HEX})*+@)?"
    rf"(?:\[[{_WORD}:]++\]|(?:[{_WORD}]++|{_HEX})*+)(?::[0-9]*+)?(?:/{_PATH})?"
)
_ABSOLUTE: Final = rf"[A-Za-z][A-Za-z0-9+.\-]*+:(?:{_AUTHORITY}|(?!//){_PATH}){_QUERY}"
_RELATIVE: Final = (
    f"(?:{_AUTHORITY}|(?!//)(?:[{_WORD}@]++|{_HEX})*+(?:/{_PATH})?){_QUERY}{_FRAGMENT}"
)
_ABSOLUTE_URI: Final = re.compile(_ABSOLUTE)
_URI_REFERENCE: Final = re.compile(f"{_ABSOLUTE}{_FRAGMENT}|{_RELATIVE}")

# RFC 2046 with the tokens and parameters of RFC 9110 section 8.3.1.
_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z\-]++"  # noqa: S105
_MEDIA_TYPE: Final = re.compile(
    rf'{_TOKEN}/{_TOKEN}(?:[ \t]*+;[ \t]*+{_TOKEN}=(?:{_TOKEN}|"(?:[^"\\]|\\.)*+"))*+'
)
_JSON_TYPE: Final = re.compile(r"[^/;]+/(?:[^;]*\+)?json[ \t]*(?:;|\Z)", re.IGNORECASE)


def parse_time(text: str) -> int:
    """Return the microseconds from the Unix epoch to an RFC 3339 instant.

    Raises `Malformed` with the code `invalid_time` or `leap_second`.
    """
    if not _TIME.fullmatch(text):
        raise Malformed("invalid_time", repr(text[:40]))
    if text[17:19] == "60":
        raise Malformed("leap_second", text)
    try:
        since = datetime.fromisoformat(text.upper()) - _EPOCH
    except ValueError as error:
        raise Malformed("invalid_time", str(error)) from error
    if not _FIRST <= since < _END:
        raise Malformed("invalid_time", "outside of the years 1 to 9999 in UTC")
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def is_json_type(media_type: str | None) -> bool:
    """Tell whether a `datacontenttype` means JSON; none means so for `data`."""
    if media_type is None or media_type == "application/json":
        return True
    return _JSON_TYPE.match(media_type) is not None


def faults_of(event: dict[str, Any]) -> list[Fault]:
    """Return each rule that an event breaks, but for its times (see `parse_time`).

    ``event`` has the shape of the JSON format, without attributes that are null.
    """
    faults = [
        Fault(code, _detail(value), canonical.pointer_to(name))
        for name, value in event.items()
        if (code := _CHECKS.get(name, _check_extension)(name, value))
    ]
    faults += [
        Fault("missing_attribute", name, f"/{name}")
        for name in REQUIRED
        if name not in event
    ]
    return faults or _payload_faults(event)


def _detail(value: object) -> str:
    return repr(value)[:80] if isinstance(value, (str, int)) else type(value).__name__


def _check_text(_name: str, value: object) -> str | None:
    """Check a String that identifies something: not empty, bounded, printable."""
    if type(value) is not str:
        return "invalid_attribute_type"
    if not value:
        return "empty_attribute"
    if len(value) > MAX_TEXT:
        return "attribute_too_long"
    return _check_string(value)


def _check_string(value: str) -> str | None:
    if value.isprintable():
        return None
    if _LINE_CONTROL.search(value):
        return "control_character"
    return canonical.forbidden_character(value)


def _check_extension(name: str, value: object) -> str | None:
    if name in RESERVED:
        return "reserved_attribute"
    if not _NAME.fullmatch(name):
        return "invalid_attribute_name"
    if isinstance(value, str):
        return _check_string(value)
    if type(value) is int:
        return None if value in _INTEGERS else "integer_not_32_bit"
    return None if isinstance(value, bool) else "invalid_attribute_type"


def _check_version(_name: str, value: object) -> str | None:
    return None if value == "1.0" else "unsupported_specversion"


def _check_grammar(pattern: re.Pattern[str], code: str) -> _Check:
    # A producer sends few sources and media types, and each of them all the time.
    @lru_cache(maxsize=4096)
    def check_once(value: str) -> str | None:
        if broken := _check_text("", value):
            return broken
        return None if pattern.fullmatch(value) else code

    def check(_name: str, value: Any) -> str | None:
        return check_once(value) if type(value) is str else "invalid_attribute_type"

    return check


def _check_sampling(_name: str, value: object) -> str | None:
    # Binary mode has no integers, so there the same value is a string.
    every_one = (type(value) is int and value == 1) or value == "1"
    return None if every_one else "sampled_event"


def _check_payload(_name: str, _value: object) -> str | None:
    return None


_Check = Callable[[str, Any], str | None]
_CHECKS: Final[dict[str, _Check]] = {
    "specversion": _check_version,
    "id": _check_text,
    "source": _check_grammar(_URI_REFERENCE, "invalid_uri_reference"),
    "type": _check_text,
    "subject": _check_text,
    "time": _check_text,
    "recordedtime": _check_text,
    "partitionkey": _check_text,
    "actorunit": _check_text,
    "actorpost": _check_text,
    "actorperson": _check_text,
    "datacontenttype": _check_grammar(_MEDIA_TYPE, "invalid_media_type"),
    "dataschema": _check_grammar(_ABSOLUTE_URI, "invalid_uri"),
    "sampledrate": _check_sampling,
    "data": _check_payload,
    "data_base64": _check_payload,
}


def _payload_faults(event: dict[str, Any]) -> list[Fault]:
    """Check the payload against its media type (JSON format, section 3.1)."""
    if "data_base64" in event:
        return _base64_faults(event)
    if "data" in event and not is_json_type(event.get("datacontenttype")):
        data = event["data"]
        if not isinstance(data, str):
            return [Fault("data_not_text", _detail(data), "/data")]
    return []


def _base64_faults(event: dict[str, Any]) -> list[Fault]:
    if "data" in event:
        return [Fault("two_payloads", "data and data_base64", "/data_base64")]
    encoded = event["data_base64"]
    try:
        payload = binascii.a2b_base64(encoded, strict_mode=True)
    except (ValueError, TypeError) as error:
        return [Fault("invalid_base64", str(error), "/data_base64")]
    media_type = event.get("datacontenttype")
    if media_type is not None and is_json_type(media_type):
        try:
            canonical.parse(payload)
        except Malformed as error:
            return [Fault("data_not_json", str(error), "/data_base64")]
    return []
