"""The SQL of the log stores, one file a dialect, one named statement a section.

A section starts with ``-- name: <name>`` and runs to the next one; comments between
belong to the reader. Statements take parameters only: nothing is ever spliced in.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

_SECTION = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def load(dialect: str) -> dict[str, str]:
    """Return the named statements of ``<dialect>.sql``, in the order of the file."""
    text = resources.files(__name__).joinpath(f"{dialect}.sql").read_text("utf-8")
    parts = _SECTION.split(text)[1:]
    return {
        name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)
    }
