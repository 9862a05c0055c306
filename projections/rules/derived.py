"""What a rule answers: a value, the rule that gave it, and the events it rests on.

Rules of this file: shapes only. Nobody types in a derived value, and none is handed on
without the name and version of its rule and the positions that anyone can look up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

V = TypeVar("V")
Reason = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Derived(Generic[V]):
    """A value with its rule (``inaction@demo-2017/1``) and its events' positions.

    ``reason`` holds the numbers that decided, by stable names.
    """

    value: V
    rule: str
    events: tuple[int, ...] = ()
    reason: Reason = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its denominator: one event's position for each case that counts.

    ``hits`` is part of ``base``, so that every number is the count of a list.
    """

    hits: tuple[int, ...]
    base: tuple[int, ...]

    @property
    def numerator(self) -> int:
        """Return how many cases have what is asked."""
        return len(self.hits)

    @property
    def denominator(self) -> int:
        """Return how many cases could have it."""
        return len(self.base)

    @property
    def value(self) -> float | None:
        """Return the share, 0-1; None: there was no case, which is not 0."""
        return self.numerator / self.denominator if self.base else None


def positions(*groups: Iterable[int]) -> tuple[int, ...]:
    """Return all positions, each once, ascending."""
    return tuple(sorted({position for group in groups for position in group}))
