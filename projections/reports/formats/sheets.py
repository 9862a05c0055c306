"""Names of sheets: what spreadsheets allow, and no two alike.

Rules of this file: names only; a sheet is found again by the key of its table.
"""

from __future__ import annotations

import re

_LONGEST = 31
_REFUSED = re.compile(r"[\[\]:*?/\\']")


class Sheets:
    """The names given in one workbook so far."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def named(self, key: str, title: str) -> str:
        """Return a name like the title that no other sheet has."""
        wanted = _cut(_REFUSED.sub(" ", title).strip(), _LONGEST) or _cut(key, _LONGEST)
        taken = {name.casefold() for name in self._names.values()}
        name, number = wanted, 1
        while name.casefold() in taken:
            number += 1
            mark = f" {number}"
            name = _cut(wanted, _LONGEST - len(mark)) + mark
        self._names[key] = name
        return name

    def of(self, key: str) -> str:
        """Return the name of the sheet of a table; KeyError: it has none."""
        return self._names[key]


def _cut(text: str, longest: int) -> str:
    """Return the beginning of a text, counted in UTF-16 as spreadsheets do."""
    while len(text.encode("utf-16-le")) // 2 > longest:
        text = text[:-1]
    return text
