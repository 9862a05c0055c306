"""What the command line says, from ``texts.toml``, in the language of the terminal.

Rules of this file: it finds and fills texts; errors have a catalogue of their own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources

Say = Callable[..., str]


def speaker(language: str) -> Say:
    """Return a function from a text's name and parameters to the text.

    KeyError: there is no such text.
    """

    def say(name: str, **parameters: object) -> str:
        return _texts()[name][language].format_map(parameters)

    return say


@cache
def _texts() -> Mapping[str, Mapping[str, str]]:
    file = resources.files("services").joinpath("texts.toml")
    return tomllib.loads(file.read_text("utf-8"))
