"""Which rules there are: names in both languages, what each reads, its thresholds.

Rules of this file: reading ``names.toml``. What a rule does stands in its own module.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from tomllib import loads
from types import MappingProxyType

import msgspec


class Name(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One rule. ``reads``: event types, which may end in ``*``; ``thresholds``:
    members of the ruleset.
    """

    en: str
    zh: str
    reads: tuple[str, ...]
    thresholds: tuple[str, ...] = ()


@cache
def names() -> Mapping[str, Name]:
    """Return every rule by its id, in the order of the file; read once."""
    raw = files("projections.rules").joinpath("names.toml").read_text(encoding="utf-8")
    return MappingProxyType(msgspec.convert(loads(raw), dict[str, Name]))
