"""Where an entry is found, whatever characters its id has, and in which ledger.

Rules of this file: paths only.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import quote

#: Below it, by their names, are the ledgers beside the default one.
LEDGERS: Final = "/v1/ledgers/"
_PLAIN = re.compile(r"[A-Za-z0-9_.~-]+")


def location(source: str, event_id: str, position: int) -> str:
    """Return the path of an entry: by its id, or by its position where that is unsafe.

    An id may be what another route is called, or what clients fold away as a path.
    """
    if event_id in {"stream", ".", ".."} or event_id.endswith("/proof"):
        return f"/v1/entries/{position}"
    return f"/v1/events/{_quoted(event_id)}?source={_quoted_source(source)}"


def _quoted(text: str) -> str:
    # Most ids need no quoting; finding that out is cheaper than quoting.
    return text if _PLAIN.fullmatch(text) else quote(text, safe="")


_quoted_source = lru_cache(maxsize=4096)(_quoted)


def proof(source: str, event_id: str, position: int) -> str:
    """Return the path of an entry's receipt."""
    path, _, query = location(source, event_id, position).partition("?")
    return f"{path}/proof?{query}" if query else f"{path}/proof"


def outward(path: str, base: str) -> str:
    """Return the address of a path of an application that is reached below ``base``.

    The default ledger's is reached at the short paths: its base is "".
    """
    return base + path.removeprefix("/v1") if base else path
