"""Parquet: typed columns and the entry's exact bytes, row group by row group.

Rules of this file: the columns and the writer. ``pyarrow`` is an optional dependency
(``henji[parquet]``) and is looked for only when this format is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from io import BytesIO
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple

from events import errors
from services.exports.job import Job, Pieces, pieces, rows
from services.exports.members import Told, headed, recorded

#: Rows of a group, held at once; a usual entry has below 1 KiB, none over 64 KiB.
_GROUP = 1_000
_INSTANT = "timestamp"


class _Column(NamedTuple):
    type: str
    read: Callable[[Told], Any]


#: Column -> its type and what stands in it. Instants are µs, UTC.
_COLUMNS: Mapping[str, _Column] = MappingProxyType(
    {
        "position": _Column("int64", lambda entry: entry.row.position),
        "stream": _Column("string", lambda entry: entry.row.stream),
        "version": _Column("int64", lambda entry: entry.row.version),
        "type": _Column("string", lambda entry: entry.row.type),
        "id": _Column("string", lambda entry: entry.row.id),
        "source": _Column("string", lambda entry: entry.row.source),
        "occurred": _Column(_INSTANT, lambda entry: entry.row.occurred),
        "recorded": _Column(_INSTANT, recorded),
        "ingested": _Column(_INSTANT, lambda entry: entry.row.ingested),
        "unit": _Column("string", lambda entry: entry.unit),
        "post": _Column("string", lambda entry: entry.post),
        "person": _Column("string", lambda entry: entry.envelope.actorperson),
        "key": _Column("string", lambda entry: entry.envelope.authid),
        "policy": _Column("string", lambda entry: entry.envelope.policyversion),
        "due_at": _Column("string", lambda entry: entry.envelope.dueat),
        "leaf": _Column("binary", lambda entry: entry.row.leaf),
        "entry": _Column("binary", lambda entry: entry.row.entry),
    }
)


def parquet(job: Job) -> Pieces:
    """Yield one Parquet file; its metadata names the cut.

    ``Unavailable('export_extra_missing')``: ``henji[parquet]`` is not installed.
    """
    return pieces(_file(job))


def _file(job: Job) -> Iterator[bytes]:
    arrow, files = _arrow()
    schema = _schema(arrow, job)
    sink = _Sink()
    found = rows(job)
    with files.ParquetWriter(sink, schema, compression="zstd") as writer:
        while group := [headed(row) for row in islice(found, _GROUP)]:
            writer.write_table(_table(arrow, schema, group))
            yield sink.taken()
    yield sink.taken()


class _Sink(BytesIO):
    """Where the writer writes, which counts itself how far it is.

    What was taken out is no longer held.
    """

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        content = self.getvalue()
        self.seek(0)
        self.truncate()
        return content


def _arrow() -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as cause:
        raise errors.Unavailable("export_extra_missing", extra="parquet") from cause


def _schema(arrow: Any, job: Job) -> Any:
    types = {
        "int64": arrow.int64(),
        "string": arrow.string(),
        "binary": arrow.binary(),
        _INSTANT: arrow.timestamp("us", tz="UTC"),
    }
    fields = [(name, types[column.type]) for name, column in _COLUMNS.items()]
    told_of = {
        "henji.origin": job.origin,
        "henji.position": str(job.cut.position),
        "henji.root": job.cut.root.hex(),
    }
    return arrow.schema(fields, metadata=told_of)


def _table(arrow: Any, schema: Any, group: list[Told]) -> Any:
    columns = [
        arrow.array(
            [column.read(entry) for entry in group], type=schema.field(name).type
        )
        for name, column in _COLUMNS.items()
    ]
    return arrow.Table.from_arrays(columns, schema=schema)
