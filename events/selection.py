"""A selection of entries as a SQL condition: fixed fragments, all values parameters.

Rules of this file: pure; the two SQL stores share it because the columns and the
comparison operators are the same in both; everything else of their SQL is their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from events.store import Selection

#: How many entries that happened when a search says are read at once and sorted. Where
#: there are more, the log is walked in the order asked for, and they are soon met.
FEW = 1_000
#: Sorts after every character that may follow a prefix.
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Clause:
    """A condition and its parameters, in order."""

    text: str
    parameters: tuple[object, ...]


def where(selection: Selection, *, mark: str) -> Clause:
    """Return the condition; ``mark`` is the driver's placeholder (``?`` or ``%s``)."""
    return _joined([*_parts(selection, mark), *_happened(selection, mark)])


def happened(selection: Selection, *, mark: str) -> Clause | None:
    """Return the part of the condition on when things happened; None: it has none.

    Entries may be recorded long after they happened, so that a walk by position would
    have to come to the end of the log before it could know that there are no more.
    """
    parts = list(_happened(selection, mark))
    return _joined(parts) if parts else None


def _joined(parts: list[tuple[str, tuple[object, ...]]]) -> Clause:
    return Clause(
        " AND ".join(text for text, _ in parts),
        tuple(value for _, values in parts for value in values),
    )


def _parts(selection: Selection, mark: str) -> Iterator[tuple[str, tuple[object, ...]]]:
    yield f"position > {mark}", (selection.after,)
    if selection.until is not None:
        yield f"position <= {mark}", (selection.until,)
    if selection.types:
        yield _types(selection.types, mark)
    for column, values in (
        ("source", selection.sources),
        ("stream", selection.streams),
    ):
        if values:
            yield f"{column} IN ({', '.join([mark] * len(values))})", values
    for kind in selection.without:
        # "0" follows "/": all streams of a kind are one range of the index.
        yield f"(stream < {mark} OR stream >= {mark})", (f"{kind}/", f"{kind}0")


def _happened(
    selection: Selection, mark: str
) -> Iterator[tuple[str, tuple[object, ...]]]:
    if selection.occurred_from is not None:
        yield f"occurred >= {mark}", (selection.occurred_from,)
    if selection.occurred_before is not None:
        yield f"occurred < {mark}", (selection.occurred_before,)


def _types(types: tuple[str, ...], mark: str) -> tuple[str, tuple[object, ...]]:
    exact = tuple(name for name in types if not name.endswith("*"))
    prefixes = [name[:-1] for name in types if name.endswith("*")]
    parts = [f"type IN ({', '.join([mark] * len(exact))})"] if exact else []
    parts += [f"(type >= {mark} AND type < {mark})"] * len(prefixes)
    bounds = tuple(b for prefix in prefixes for b in (prefix, prefix + _LAST))
    return "(" + " OR ".join(parts) + ")", (*exact, *bounds)
