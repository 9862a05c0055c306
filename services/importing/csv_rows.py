"""Rows of a CSV file: one pass, one row in memory, dialect from the mapping.

No column has a meaning here. A short or long row is read as far as it goes and counted.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from events.errors import Malformed
from services.importing.mapping import Dialect
from services.importing.rows import Oddities, Row, open_bytes

if TYPE_CHECKING:
    from _csv import Reader

_FIELD_LIMIT = 4 * 1024 * 1024


def csv_rows(path: Path, dialect: Dialect, oddities: Oddities) -> Iterator[Row]:
    """Yield the rows below the header.

    Raises ``Malformed`` for text that is not in the dialect's encoding, a repeated
    header, or quoting that cannot be read.
    """
    # The csv module bounds a cell to 128 KiB unless told; beyond ours is refused.
    csv.field_size_limit(_FIELD_LIMIT)
    with closing(open_bytes(path)) as raw:
        text = io.TextIOWrapper(raw, encoding=_with_bom(dialect), newline="")
        reader = csv.reader(
            text,
            delimiter=dialect.delimiter,
            quotechar=dialect.quote,
            skipinitialspace=dialect.skip_spaces,
            strict=True,
        )
        try:
            yield from _rows(reader, oddities)
        except UnicodeDecodeError as error:
            raise Malformed(
                "import_file_unreadable",
                f"not {dialect.encoding} near line {reader.line_num + 1}: {error}",
                file=path.name,
            ) from error
        except (csv.Error, EOFError, OSError) as error:
            raise Malformed(
                "import_file_unreadable",
                f"near line {reader.line_num + 1}: {error}",
                file=path.name,
            ) from error


def _with_bom(dialect: Dialect) -> str:
    name = dialect.encoding.lower().replace("_", "-")
    return "utf-8-sig" if name in {"utf-8", "utf8"} else dialect.encoding


def _rows(reader: Reader, oddities: Oddities) -> Iterator[Row]:
    header = [name.strip() for name in next(reader, [])]
    repeated = {name for name in header if header.count(name) > 1}
    if repeated or not any(header):
        detail = f"columns {sorted(repeated)} stand twice" if repeated else "no header"
        raise Malformed("import_file_unreadable", detail)
    oddities.header = tuple(header)
    for record in reader:
        if not record:
            continue
        if len(record) != len(header):
            oddities.counts["rows_of_other_length"] += 1
        yield Row(reader.line_num, dict(zip(header, record, strict=False)))
