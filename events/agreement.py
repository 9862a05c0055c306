"""Whether a row of the log agrees with itself: leaf, canonical bytes, every column.

Each row alone, no order and no tree: those are in ``verify``. Two ways to one answer:
``all_agree`` asks it of many rows at once, in C loops as far as possible, and may give
up; ``disagreement`` then decides row by row and names the column.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from operator import itemgetter
from typing import Any

import msgspec

from events import canonical, entries
from events.errors import Malformed
from events.merkle import leaf_hash
from events.store import Row

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INDEXED = ("stream", "streamversion", "type", "source", "id")
_indexed_of = itemgetter(*_INDEXED)
_ingested_of = itemgetter("ingestedtime")

# Where msgspec's sorted JSON could differ from RFC 8785: integers that are no exact
# doubles (16 digits or more), and keys beyond the BMP, which sort otherwise.
_DIGITS = bytes(0x30 if 0x30 <= one <= 0x39 else 0x20 for one in range(256))
_ASTRAL_LEADS = (b"\xf0", b"\xf1", b"\xf2", b"\xf3", b"\xf4")
_UNSURE = re.compile(rb"[\xf0-\xf4]|[:,\[]-?[0-9]{16}")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong: the position it is found at, a stable code, what exactly."""

    position: int
    code: str
    detail: str


def _spell(literal: str) -> msgspec.Raw:
    """Write a number with fraction or exponent as RFC 8785 does (float hook)."""
    try:
        return msgspec.Raw(canonical.encode(canonical.parse(literal)))
    except Malformed:
        return msgspec.Raw(b"null")  # not the literal: the comparison will fail


_decode = msgspec.json.Decoder(float_hook=_spell).decode
_encode = msgspec.json.Encoder(order="sorted").encode


def all_agree(rows: Sequence[Row]) -> bool:
    """Tell that every row surely agrees; False means: ask ``disagreement``."""
    try:
        return _all_agree(rows)
    except (ArithmeticError, LookupError, TypeError, ValueError, Malformed):
        return False
    except (msgspec.MsgspecError, RecursionError, AttributeError):
        return False


def _all_agree(rows: Sequence[Row]) -> bool:
    columns = list(zip(*rows, strict=True))
    raws = columns[9]
    if tuple([sha256(b"\x00" + raw).digest() for raw in raws]) != columns[8]:
        return False
    values = list(map(_decode, raws))
    if tuple(map(_encode, values)) != raws or not _surely_spelt(raws):
        return False
    indexed = list(map(_indexed_of, values))
    if indexed != list(zip(*columns[1:6], strict=True)):
        return False
    # True == 1 and 1 == 1.0 in Python, not in JSON.
    if set(map(type, columns[2])) != {int} or {type(i[1]) for i in indexed} != {int}:
        return False
    return _times_agree(values, columns[6], columns[7])


def _surely_spelt(raws: Sequence[bytes]) -> bool:
    """Tell that re-encoding by msgspec was proof enough of the canonical form."""
    text = b"\n".join(raws)
    if b"0" * 16 not in text.translate(_DIGITS) and not any(
        lead in text for lead in _ASTRAL_LEADS
    ):
        return True
    return all(canonical.is_canonical(raw) for raw in raws if _UNSURE.search(raw))


def _times_agree(
    values: Sequence[Mapping[str, Any]],
    occurred: Sequence[int],
    ingested: Sequence[int],
) -> bool:
    # A batch shares its instant: few distinct pairs.
    pairs = set(zip(map(_ingested_of, values), ingested, strict=True))
    if any(entries.instant(text) != column for text, column in pairs):
        return False
    instants = [
        (datetime.fromisoformat(value["time"]) - _EPOCH) // _MICROSECOND
        if "time" in value
        else sealed
        for value, sealed in zip(values, ingested, strict=True)
    ]
    return instants == list(occurred)


def disagreement(row: Row, position: int) -> Finding | None:
    """Return what is wrong with the row that stands at ``position``, if anything."""
    if row.position != position:
        return Finding(position, "position_gap", f"found {row.position}")
    raw: object = row.entry  # a database may hold another type than it should
    if not isinstance(raw, bytes):
        return Finding(position, "row_unreadable", "entry is not bytes")
    if leaf_hash(raw) != row.leaf:
        return Finding(position, "leaf_mismatch", "leaf is not the hash of entry")
    try:
        expected = _columns_of(raw)
    except (Malformed, LookupError, TypeError, AttributeError) as error:
        return Finding(position, "entry_not_canonical", str(error))
    wrong = [name for name, value in expected.items() if not _same(row, name, value)]
    return Finding(position, "column_mismatch", wrong[0]) if wrong else None


def _same(row: Row, name: str, value: object) -> bool:
    column = getattr(row, name)
    return type(column) is type(value) and bool(column == value)


def _is_canonical(raw: bytes) -> bool:
    """Decide what ``_all_agree`` does, for one entry.

    RFC 8785, no more: what else the codec refuses at the door is not judged again.
    """
    try:
        if _encode(_decode(raw)) == raw and not _UNSURE.search(raw):
            return True
    except (ValueError, RecursionError, msgspec.MsgspecError):
        return False
    return canonical.is_canonical(raw)


def _columns_of(raw: bytes) -> dict[str, Any]:
    """Return what the columns must be, going by the entry alone."""
    if not _is_canonical(raw):
        raise Malformed("entry_not_canonical", "not RFC 8785")
    event = _decode(raw)
    stream, version, kind, source, event_id = _indexed_of(event)
    ingested = entries.instant(event["ingestedtime"])
    return {
        "stream": stream,
        "version": version,
        "type": kind,
        "source": source,
        "id": event_id,
        "occurred": entries.occurred(event, ingested),
        "ingested": ingested,
    }
