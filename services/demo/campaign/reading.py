"""A report as it was served, read figure by figure and held against the key.

Rules of this file: JSON in, comparisons out; nothing is asked and nothing is counted.
A figure that the key says nothing of is a difference, unless it is listed as such.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import translate
from functools import cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from services.demo.campaign.expected.answer import (
    Answer,
    Block,
    Figures,
    Lines,
    Rows,
)
from services.demo.campaign.expected.instants import us

Fields = dict[str, Any]
#: Kinds of values that are figures: what is left is text.
_FIGURES: Final = frozenset({"int", "number", "percent", "instant", "date", "light"})
NUMBERS: Final = frozenset({"int", "number", "percent"})
#: Members that name a block.
_KINDS: Final = ("table", "figures", "chart")
#: Columns that name an event by its place in the log.
_PLACES: Final = frozenset({"position"})
_CLOSE: Final = 1e-9


class Missing:
    """Stands where the key, or the report, says nothing."""

    def __repr__(self) -> str:
        return "-"


MISSING: Final = Missing()
#: An event's place in the log, where nobody can tell which event is there.
UNSEEN: Final = object()


class Figure(NamedTuple):
    """One value of a report: where it stands, how it is meant, and what it is."""

    where: str
    kind: str
    value: Any


class Compared(NamedTuple):
    """One figure and what the key says of it."""

    where: str
    kind: str
    expected: Any
    found: Any

    @property
    def agrees(self) -> bool:
        """Whether both say the same; shares and means to nine places."""
        if isinstance(self.expected, float) and isinstance(self.found, float | int):
            return abs(self.expected - self.found) < _CLOSE
        return bool(self.expected == self.found)


#: Figures that the key does not tell, and why: report, block, row, column.
NOT_KEYED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "replay/streams/access/*": "keys of the service, made by the service",
        "replay/streams/ledger/*": "the beginning of the ledger itself",
    }
)
_NO_KEY: Final = tuple(NOT_KEYED)
#: Figures that count whatever promises there are: also those of a log beside this one.
SHARED: Final = (
    "overview/totals/*",
    "overview/by_unit/合计/*",
    "daily_brief/at_risk/*",
    "weekly_bulletin/overall/期末逾期/*",
    "weekly_bulletin/by_status/*",
    "ledger/totals/*",
    "ledger/*/no",
    "lookback/overall/*",
    "replay/statuses/*",
    "replay/lights/*",
    "replay/streams/commitment/*",
    "replay/streams/unit/*",
)


def compared(
    report: Fields,
    answer: Answer,
    ids: Mapping[int, str] | None = None,
    *,
    beside: bool = False,
) -> Iterator[Compared]:
    """Yield every figure of a report beside what the key says, and what is not shown.

    ``ids``: position → id of each event of the campaign; without it, the numbers that
    name an event by its place in the log are not looked at. ``beside``: there is
    another log on the ledger, so that rows that the key does not know are none of its.
    """
    for one in _every(report, answer, ids):
        if one.found is UNSEEN:
            continue
        if one.expected is MISSING and (
            beside or _any(tuple(NOT_KEYED)).match(one.where)
        ):
            continue
        if not (beside and _any(SHARED).match(one.where)):
            yield one


@cache
def _any(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, patterns)))


def _every(
    report: Fields, answer: Answer, ids: Mapping[int, str] | None
) -> Iterator[Compared]:
    rest = dict(answer)
    for block in _blocks(report):
        key = str(next(block[kind] for kind in _KINDS if kind in block))
        told = rest.pop(key, None)
        expected = {} if told is None else _told(told)
        for figure in _read(block, told, ids):
            value = expected.pop(figure.where, MISSING)
            yield Compared(
                f"{report['name']}/{key}/{figure.where}",
                figure.kind,
                value,
                figure.value,
            )
        yield from _unshown(f"{report['name']}/{key}", expected)
    for key, told in rest.items():
        yield from _unshown(f"{report['name']}/{key}", _told(told))


def _unshown(block: str, expected: Fields) -> Iterator[Compared]:
    for where, value in expected.items():
        yield Compared(f"{block}/{where}", "", value, MISSING)


def _blocks(report: Fields) -> Iterator[Fields]:
    for section in report["sections"]:
        yield from (block for block in section["blocks"] if "paragraph" not in block)
    yield from report["corrections"]


def _told(block: Block) -> Fields:
    """Return where → value of all that the key says of a block."""
    match block:
        case Figures(items):
            return dict(items)
        case Lines(series):
            return {
                f"{line}/{label}": value
                for line, points in enumerate(series, 1)
                for label, value in points
            }
        case Rows(by, found):
            seen: Counter[str] = Counter()
            return {
                f"{row_name}/{column}": value
                for row in found
                for row_name in (_named([row[c] for c in by], seen),)
                for column, value in row.items()
                if column not in by or not isinstance(value, str)
            }


def _read(
    block: Fields, told: Block | None, ids: Mapping[int, str] | None
) -> Iterator[Figure]:
    if "figures" in block:
        for item in block["items"]:
            yield from _figure(item["key"], "", item["value"])
    elif "chart" in block:
        for line, series in enumerate(block["series"], 1):
            for point in series["points"]:
                label = f"{line}/{_text(point['label'])}"
                yield Figure(label, "number", point["value"])
    else:
        by = told.by if isinstance(told, Rows) else ()
        yield from _table(block, by, ids)


def _figure(where: str, kind: str, value: Any) -> Iterator[Figure]:
    """Yield a headline figure; texts in two languages are none."""
    if not isinstance(value, Mapping):
        is_text = isinstance(value, str)
        yield Figure(where, kind or ("date" if is_text else "number"), value)


def _table(
    block: Fields, by: tuple[str, ...], ids: Mapping[int, str] | None
) -> Iterator[Figure]:
    kinds = {column["key"]: column["kind"] for column in block["columns"]}
    seen: Counter[str] = Counter()
    for row in block["rows"]:
        values = {
            column: _value(kinds[column], cell["value"]) for column, cell in row.items()
        }
        name = _named([values[c] for c in by], seen)
        for column, value in values.items():
            if column in _PLACES:
                yield Figure(f"{name}/{column}", "int", _id(value, ids))
            elif column in by and isinstance(value, str):
                continue
            elif kinds[column] in _FIGURES or isinstance(value, int | float):
                yield Figure(f"{name}/{column}", kinds[column], value)


def _id(position: int, ids: Mapping[int, str] | None) -> Any:
    return UNSEEN if ids is None else ids.get(position, position)


def _named(values: list[Any], seen: Counter[str]) -> str:
    """Return the name of a row; a second one of a name is numbered."""
    name = "|".join(map(str, values))
    seen[name] += 1
    return name if seen[name] == 1 else f"{name}#{seen[name]}"


def _value(kind: str, value: Any) -> Any:
    if kind == "instant" and isinstance(value, str):
        return us(value)
    return _text(value)


def _text(value: Any) -> Any:
    return value["zh"] if isinstance(value, Mapping) else value
