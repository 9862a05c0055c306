"""Names made from what a log holds: stream keys and event ids, the same every time.

The whole point is that a second run makes the same names from the same file, so nothing
here may depend on the order of runs, on a counter outside the case, or on chance.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection

import msgspec

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ESCAPED = re.compile(r".*\.x[0-9a-f]{24}", re.DOTALL)
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_DIGEST_CHARS = 24  # 96 bits: nobody meets a collision by accident
_SLUG_CHARS = 64 - _DIGEST_CHARS - 2


def stream_key(text: str, taken: Collection[str] = ()) -> str:
    """Give a key ``[A-Za-z0-9][A-Za-z0-9._-]{0,63}`` for any text, injectively.

    A text that is such a key already stays as it is. Any other becomes a readable stem
    and ``.x`` with a digest of the whole; a text that looks like the second form is
    digested too, so the two images never meet; and so is one that is ``taken``.
    """
    if _KEY.fullmatch(text) and not _ESCAPED.fullmatch(text) and text not in taken:
        return text
    stem = _UNFIT.sub("-", text).strip("-._")[:_SLUG_CHARS] or "id"
    return f"{stem}.x{digest(text)}"


def digest(*parts: str | int) -> str:
    """Give 24 hex digits that stand for these parts and their boundaries."""
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:_DIGEST_CHARS]
