"""Values of a report as they are shown: local times, shares, colours, safe text.

Rules of this file: pure functions of a value; the same for every format that people
read. Times are of Asia/Shanghai, which is UTC+08:00 throughout.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType

from events.calendar import OFFSET_US
from projections.reports.formats.words import colour_word, in_language, word
from projections.reports.model import CutLine, Kind, Language, Value

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Controls, overrides of direction, and what XML 1.0 does not have: none is text.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e"
    "\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
#: What stands for a character that cannot be shown in Chinese print; fonts have it.
_REPLACEMENT = "□"


def local(instant_us: int) -> datetime:
    """Return the local time of an instant, without a zone (spreadsheets have none)."""
    return (_EPOCH + timedelta(microseconds=instant_us + OFFSET_US)).replace(
        tzinfo=None
    )


def local_day(value: str | float) -> date:
    """Return a date that is written, or the local date of an instant in µs."""
    if isinstance(value, str):
        return date.fromisoformat(value)
    return local(int(value)).date()


def visible(text: str) -> str:
    """Return text without characters that hide, reorder or break what is shown."""
    return _UNSEEN.sub(_REPLACEMENT, text.replace("\r\n", "\n"))


def shown(value: Value, kind: Kind, language: Language) -> str:
    """Return a value as text for people; nothing where there is no value."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return _NUMBERS[kind](value, language)
    text = in_language(value, language)
    return visible(colour_word(text, language) if kind == "light" else text)


def cut_items(cut: CutLine, language: Language) -> tuple[tuple[str, str], ...]:
    """Return what the cut line says, as (label, value)."""
    items = (
        ("cut", f"{local(cut.instant):%Y-%m-%d %H:%M:%S} UTC+08:00"),
        ("position", f"#{cut.position}"),
        ("root", cut.root),
        ("ruleset", cut.ruleset),
        ("calendar", cut.calendar),
        ("template", cut.template),
    )
    return tuple((word(name, language), value) for name, value in items)


def cut_line(cut: CutLine, language: Language) -> str:
    """Return the cut line as one sentence."""
    colon, comma = (" ", "；") if language == "zh" else (" ", "; ")
    items = cut_items(cut, language)
    line = comma.join(f"{label}{colon}{value}" for label, value in items)
    return line + (comma + word("simulated", language) if cut.simulated else "")


def plain(number: float) -> str:
    """Return a number with at most two decimals, none that say nothing."""
    text = f"{number:.2f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


_NUMBERS: Mapping[Kind, Callable[[float, Language], str]] = MappingProxyType(
    {
        "text": lambda number, _: plain(number),
        "int": lambda number, _: plain(number),
        "number": lambda number, _: plain(number),
        "percent": lambda number, _: f"{number * 100:.1f}%",
        "instant": lambda number, _: f"{local(int(number)):%Y-%m-%d %H:%M}",
        "date": lambda number, _: local_day(number).isoformat(),
        "light": lambda number, _: plain(number),
    }
)
