"""Texts for people, by error code and language, from ``messages.d/*.toml``.

Rules of this file: it finds and fills texts, it holds none. A code is worded in the
``messages.d`` file of the part that raises it; what is missing or said twice there is
found by ``tests/project/test_messages.py``, so nothing here needs to fail at run time.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

Language = Literal["en", "zh"]

#: What each entry of the catalogue holds, all of it text.
FIELDS = ("en", "zh", "fix_en", "fix_zh")


@dataclass(frozen=True, slots=True)
class Message:
    """What happened, and what the reader can do about it."""

    title: str
    fix: str


class _Parameters(dict[str, str]):
    """Parameters of a text; one that was not given stays visible as ``{name}``."""

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


def text(
    code: str, language: Language, parameters: Mapping[str, object] | None = None
) -> Message:
    """Return the text of ``code``, with ``{name}`` filled from ``parameters``.

    An unknown code is its own title: whoever reports an error must not raise another.
    """
    entry = catalogue().get(code)
    if entry is None:
        return Message(title=code.replace("_", " "), fix="")
    # As strings, so that no text can reach into an object or trip over a type.
    shown = _Parameters({k: str(v) for k, v in (parameters or {}).items()})
    return Message(
        title=entry[language].format_map(shown),
        fix=entry[f"fix_{language}"].format_map(shown),
    )


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Return every worded code with its four texts; read once a process."""
    return {
        code: entry
        for part in sorted(parts())
        for code, entry in tomllib.loads(parts()[part]).items()
    }


@cache
def parts() -> Mapping[str, str]:
    """Return the catalogue's files as TOML text, by file name."""
    folder = resources.files("events") / "messages.d"
    return {
        file.name: file.read_text(encoding="utf-8")
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    }
