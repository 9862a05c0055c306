"""Instants as logs write them: several forms in one column, with and without offset.

Text to microseconds since the Unix epoch and back to RFC 3339; no reading of files and
no judging of what a time means for a case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LAST_OF_DAY = timedelta(days=1) - _MICROSECOND

#: RFC 3339, and the wider ISO 8601 that exports use: a space for the T, a comma for the
#: point, no seconds, any number of fractional digits, no offset, or the date alone.
_ISO = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)"
    r"(?:[Tt ](\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?"
    r"\s*([Zz]|[+-]\d\d(?::?\d\d)?)?)?"
)
_EPOCH_UNITS = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}

#: The names a mapping may use beside strptime patterns.
NAMED_FORMATS = frozenset({"iso", *_EPOCH_UNITS})


def parse_instant(
    text: str, formats: Sequence[str], zone: ZoneInfo, *, day_end: bool = False
) -> int | None:
    """Give the µs since the epoch that ``text`` says, or None when no format fits.

    Formats are tried in order. A time without an offset is read in ``zone`` (the
    earlier reading where clocks go back). With ``day_end``, a bare date means its last
    µs there.
    """
    for form in formats:
        try:
            found = _READERS.get(form, _by_pattern)(text, form)
        except (ValueError, OverflowError):
            continue
        if found is None:
            continue
        moment, date_only = found
        if moment.tzinfo is None:
            moment = _in_zone(moment, zone, day_end=day_end and date_only)
        return (moment - _EPOCH) // _MICROSECOND
    return None


def format_instant(instant: int) -> str:
    """Give RFC 3339 in UTC, fractions only where there are some."""
    moment = _EPOCH + timedelta(microseconds=instant)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    fraction = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
    return f"{text}{fraction}Z"


def pattern_fault(pattern: str) -> str | None:
    """Say what is wrong with a time format, or None when it can be used."""
    if pattern in NAMED_FORMATS:
        return None
    if "%" not in pattern:
        return f"expected one of {sorted(NAMED_FORMATS)} or a strptime pattern"
    probe = datetime(2010, 12, 31, 23, 58, 59)  # noqa: DTZ001
    try:
        again = datetime.strptime(probe.strftime(pattern), pattern)  # noqa: DTZ007
    except ValueError as error:
        return f"is no usable strptime pattern: {error}"
    if again.date() != probe.date():
        return "does not fix year, month and day"
    return None


_Found = tuple[datetime, bool]


def _in_zone(moment: datetime, zone: ZoneInfo, *, day_end: bool) -> datetime:
    return (moment + _LAST_OF_DAY if day_end else moment).replace(tzinfo=zone)


def _iso(text: str, _form: str) -> _Found | None:
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    moment = datetime(  # noqa: DTZ001  the offset follows, or the mapping's zone
        int(year),
        int(month),
        int(day),
        int(hour or 0),
        int(minute or 0),
        int(second or 0),
        int((fraction or "0")[:6].ljust(6, "0")),
    )
    if offset is not None:
        moment = moment.replace(tzinfo=_offset(offset))
    return moment, hour is None


def _offset(text: str) -> timezone:
    if text in {"Z", "z"}:
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-size if text[0] == "-" else size)


def _epoch(text: str, form: str) -> _Found | None:
    whole, _, fraction = text.partition(".")
    if not (whole.lstrip("-").isdecimal() and (fraction or "0").isdecimal()):
        return None
    unit = _EPOCH_UNITS[form]
    part = int((fraction or "0")[:6].ljust(6, "0")) * unit // 1_000_000
    amount = int(whole) * unit + (-part if whole.startswith("-") else part)
    return _EPOCH + timedelta(microseconds=amount), False


def _by_pattern(text: str, form: str) -> _Found | None:
    date_only = not any(mark in form for mark in ("%H", "%I", "%X", "%c"))
    return datetime.strptime(text, form), date_only  # noqa: DTZ007


_READERS: dict[str, Callable[[str, str], _Found | None]] = {
    "iso": _iso,
    **dict.fromkeys(_EPOCH_UNITS, _epoch),
}
