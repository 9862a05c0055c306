"""Texts and data of a mapping with ``{column}`` in them, filled from cells.

``{column}`` is the cell's text; ``{column|int}``, ``|number`` and ``|time`` convert it
when they are the whole string. ``{{`` and ``}}`` are braces. Nothing is ever evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_HOLE = re.compile(r"\{\{|\}\}|\{([^{}|]+)(?:\|([a-z]+))?\}|[{}]")

#: What a template may name beside columns: the case's id, the row's activity as the log
#: writes them, and a unit's value.
SPECIAL = frozenset({"@case", "@activity", "@unit"})

Convert = Callable[[str], Any]
_CONVERSIONS = frozenset({"int", "number", "time"})


def columns_of(template: Any) -> Iterator[str]:
    """Yield the columns that a template, or data made of templates, refers to."""
    for text in _texts(template):
        for match in _HOLE.finditer(text):
            if match[1] and match[1] not in SPECIAL:
                yield match[1]


def template_fault(template: Any) -> str | None:
    """Say what is wrong with a template, or None."""
    for text in _texts(template):
        for match in _HOLE.finditer(text):
            if match[0] in {"{", "}"}:
                return f"a single {match[0]!r} in {text!r}; write {{{{ or }}}}"
            if match[2] and match[2] not in _CONVERSIONS:
                return f"unknown conversion {match[2]!r}: {sorted(_CONVERSIONS)}"
            if match[2] and match[0] != text:
                return f"{match[0]!r} converts, so it must be the whole of {text!r}"
            if match[1] and match[1][0] == "@" and match[1] not in SPECIAL:
                return f"unknown name {match[1]!r}: {sorted(SPECIAL)}"
    return None


def fill_text(template: str, cells: Mapping[str, str]) -> str:
    """Fill a text; a missing cell leaves nothing."""

    def piece(match: re.Match[str]) -> str:
        return cells.get(match[1], "") if match[1] else match[0][0]

    return _HOLE.sub(piece, template)


def fill_data(
    template: Any, cells: Mapping[str, str], conversions: Mapping[str, Convert]
) -> Any:
    """Fill a data template; a member whose cells are all missing is left out.

    ``conversions`` has ``int``, ``number`` and ``time``; they raise ``ValueError``.
    """
    if isinstance(template, str):
        return _fill_string(template, cells, conversions)
    if isinstance(template, list):
        filled = (fill_data(item, cells, conversions) for item in template)
        return [item for item in filled if item is not None]
    if isinstance(template, dict):
        members = (
            (name, fill_data(value, cells, conversions))
            for name, value in template.items()
        )
        return {name: value for name, value in members if value is not None}
    return template


def _fill_string(
    template: str, cells: Mapping[str, str], conversions: Mapping[str, Convert]
) -> Any:
    holes = [match for match in _HOLE.finditer(template) if match[1]]
    if holes and not any(cells.get(match[1]) for match in holes):
        return None
    if holes and holes[0][2]:
        return conversions[holes[0][2]](cells[holes[0][1]])
    return fill_text(template, cells)


def _texts(template: Any) -> Iterator[str]:
    if isinstance(template, str):
        yield template
    elif isinstance(template, list):
        for item in template:
            yield from _texts(item)
    elif isinstance(template, dict):
        for item in template.values():
            yield from _texts(item)
