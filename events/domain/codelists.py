"""Lists with versions: checklists of a visit, categories of issues, measures of alerts.

Rules of this file: it describes and finds lists, it judges nothing. The lists are data:
``checklists/*.toml`` and ``codelists/*.toml``, one version a file. A version that was
published never changes, for old visits are read by it; a new list is a new file.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from tomllib import loads
from types import MappingProxyType
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from events.domain.model import Payload
from events.domain.supervision_values import Code, ListRef

_FOLDERS: Final = ("checklists", "codelists")

Text = Annotated[str, Meta(min_length=1, max_length=500)]


class Item(Payload, frozen=True, kw_only=True):
    """One item; ``unconfirmed``: its wording at the time could not be established."""

    id: Code
    en: Text
    zh: Text
    unconfirmed: bool = False
    note_en: str = ""
    note_zh: str = ""


class CodeList(Payload, frozen=True, kw_only=True):
    """One version of one list; ``valid_from`` is the first day it is used."""

    ref: ListRef
    en: Text
    zh: Text
    valid_from: date
    items: Annotated[tuple[Item, ...], Meta(min_length=1)]

    @property
    def name(self) -> str:
        """The list without its version: ``dust-100`` of ``dust-100/2017-11``."""
        return self.ref.partition("/")[0]

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes, in the order of the list."""
        return tuple(item.id for item in self.items)


@cache
def published() -> Mapping[str, CodeList]:
    """Return every list by its ref; read once."""
    found = {}
    for folder in _FOLDERS:
        for entry in files("events.domain").joinpath(folder).iterdir():
            if entry.name.endswith(".toml"):
                table = loads(entry.read_text(encoding="utf-8"))
                row = msgspec.convert(table, CodeList)
                found[row.ref] = row
    return MappingProxyType(dict(sorted(found.items())))


def find(ref: str) -> CodeList | None:
    """Return one version of a list; None: there is no such list or version."""
    return published().get(ref)


def in_force(name: str, day: date) -> CodeList | None:
    """Return the version of a list that was in force on a day; None: none yet."""
    begun = [
        row
        for row in published().values()
        if row.name == name and row.valid_from <= day
    ]
    return max(begun, key=lambda row: row.valid_from, default=None)
