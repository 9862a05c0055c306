"""Rows of an XES file (IEEE 1849), one trace in memory at a time.

A trace's attributes become columns ``case:<key>``, an event's ``<key>``, as the common
CSV exports name them. XML from strangers: entities and external references are refused.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from events.errors import Malformed
from services.importing.rows import UNREADABLE, Oddities, Row, open_bytes

_VALUES = frozenset({"string", "date", "int", "float", "boolean", "id"})
_NESTING = frozenset({"list", "container"})


def xes_rows(path: Path, oddities: Oddities) -> Generator[Row, None, None]:
    """Yield one row for each event, in file order.

    A nested attribute becomes a column ``key/inner``; a repeated key gets ``#2``.
    Both are counted in ``oddities``. Raises ``Malformed`` for what is no XES.
    """
    try:
        with open_bytes(path) as raw:
            yield from _rows(raw, oddities)
    except (ParseError, DefusedXmlException, *UNREADABLE) as error:
        raise Malformed("import_file_unreadable", str(error)) from error


def _rows(raw: Any, oddities: Oddities) -> Iterator[Row]:
    place = 0
    ancestors: list[Element] = []
    for kind, element in iterparse(raw, events=("start", "end"), forbid_dtd=True):
        if kind == "start":
            if not ancestors and _tag(element) != "log":
                raise Malformed("import_file_unreadable", "the root is not <log>")
            ancestors.append(element)
            continue
        ancestors.pop()
        if len(ancestors) != 1:
            continue
        for cells in _events(element, oddities):
            place += 1
            yield Row(place, cells)
        # What was read leaves the tree, or the whole file would stay in memory.
        ancestors[0].clear()
    if place == 0:
        oddities.counts["xes_without_events"] += 1


def _events(element: Element, oddities: Oddities) -> Iterator[dict[str, str]]:
    if _tag(element) == "event":
        # Events outside traces are allowed; they have no case, which is reported.
        yield _attributes(element, "", oddities)
    if _tag(element) != "trace":
        return
    case = _attributes(element, "case:", oddities)
    for child in element:
        if _tag(child) == "event":
            yield case | _attributes(child, "", oddities)


def _attributes(element: Element, prefix: str, oddities: Oddities) -> dict[str, str]:
    cells: dict[str, str] = {}
    for name, value in _walk(element, prefix, oddities):
        column, turn = name, 1
        while column in cells:
            turn += 1
            column = f"{name}#{turn}"
        if turn > 1:
            oddities.counts["repeated_attributes"] += 1
        cells[column] = value
    return cells


def _walk(
    element: Element, prefix: str, oddities: Oddities
) -> Iterator[tuple[str, str]]:
    for child in element:
        tag = _tag(child)
        if tag == "values":
            yield from _walk(child, prefix, oddities)
        if tag not in _VALUES and tag not in _NESTING:
            continue
        name = prefix + child.get("key", "")
        if tag in _VALUES:
            yield name, child.get("value", "")
        if len(child):
            oddities.counts["nested_attributes_flattened"] += 1
            yield from _walk(child, f"{name}/", oddities)


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]
