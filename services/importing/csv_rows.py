"""Rows of a CSV file: one pass, one row in memory, dialect from the mapping.

No column has a meaning here. A short or long row is read as far as it goes and counted.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from events.errors import Malformed
from services.importing.mapping import Dialect
from services.importing.rows import UNREADABLE, Oddities, Row, open_bytes

if TYPE_CHECKING:
    from _csv import Reader

_FIELD_LIMIT = 4 * 1024 * 1024


def csv_rows(
    path: Path, dialect: Dialect, oddities: Oddities
) -> Generator[Row, None, None]:
    """Yield the rows below the header.

    Raises ``Malformed`` for text that is not in the dialect's encoding, a repeated
    header, or quoting that cannot be read.
    """
    # The csv module bounds a cell to 128 KiB unless told; beyond ours is refused.
    csv.field_size_limit(_FIELD_LIMIT)
    try:
        with open_bytes(path) as raw:
            text = io.TextIOWrapper(raw, encoding=_with_bom(dialect), newline="")
            reader = csv.reader(
                text,
                delimiter=dialect.delimiter,
                quotechar=dialect.quote,
                skipinitialspace=dialect.skip_spaces,
                strict=True,
            )
            yield from _rows(_records(reader, dialect), oddities)
    except UNREADABLE as error:
        raise Malformed("import_file_unreadable", str(error)) from error


def _with_bom(dialect: Dialect) -> str:
    name = dialect.encoding.lower().replace("_", "-")
    return "utf-8-sig" if name in {"utf-8", "utf8"} else dialect.encoding


def _records(reader: Reader, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    try:
        for record in reader:
            yield reader.line_num, record
    except UnicodeDecodeError as error:
        detail = f"not {dialect.encoding} after line {reader.line_num}: {error}"
        raise Malformed("import_file_unreadable", detail) from error
    except csv.Error as error:
        detail = f"line {reader.line_num}: {error}"
        raise Malformed("import_file_unreadable", detail) from error


def _rows(
    records: Iterator[tuple[int, list[str]]], oddities: Oddities
) -> Iterator[Row]:
    _, first = next(records, (0, []))
    header = [name.strip() for name in first]
    repeated = {name for name in header if header.count(name) > 1}
    if repeated or not any(header):
        detail = f"columns {sorted(repeated)} stand twice" if repeated else "no header"
        raise Malformed("import_file_unreadable", detail)
    oddities.header = tuple(header)
    for line, record in records:
        if not record:
            continue
        if len(record) != len(header):
            oddities.counts["rows_of_other_length"] += 1
        yield Row(line, dict(zip(header, record, strict=False)))
