"""A row of a source file, and how a file is opened and read as rows.

Only the shape that all readers share belongs here; a format has its own file
(``csv_rows``, ``xes_rows``), and what the columns mean is the mapping's business.
"""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

_GZIP_MAGIC = b"\x1f\x8b"

#: What reading a file or unpacking it may raise.
UNREADABLE = (OSError, EOFError, zlib.error)


@dataclass(frozen=True, slots=True)
class Row:
    """One event of the source.

    ``place`` tells a person where to look: the last line of the row in a CSV file, the
    ordinal of the event in an XES file (both from 1). ``cells`` maps column to text.
    """

    place: int
    cells: Mapping[str, str]


@dataclass(slots=True)
class Oddities:
    """What a reader noticed about the file itself, counted as it goes.

    ``header`` has the columns of a format that names them before its first row.
    """

    counts: Counter[str] = field(default_factory=Counter)
    header: tuple[str, ...] | None = None


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, unpacked if its first two bytes say gzip.

    The name is not asked: exports are often packed without saying so.
    """
    with path.open("rb") as raw:
        magic = raw.read(2)
        raw.seek(0)
        if magic != _GZIP_MAGIC:
            yield raw
            return
        with gzip.GzipFile(fileobj=raw) as unpacked:
            yield cast("BinaryIO", unpacked)
