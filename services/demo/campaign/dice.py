"""Choices that look like chance and are not: one seed gives the same on any Python.

Rules of this file: every value is read off SHA-256 of the names of the dice and a
counter, so no release of a random module can change the campaign.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """A source of choices of its own for one named part of the campaign."""

    def __init__(self, *names: object) -> None:
        self._name = "/".join(map(str, names))
        self._count = 0

    def below(self, size: int) -> int:
        """Return a whole number from 0 up to below ``size``."""
        self._count += 1
        text = f"{self._name}#{self._count}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) % size

    def between(self, low: int, high: int) -> int:
        """Return a whole number from ``low`` up to ``high``, both included."""
        return low + self.below(high - low + 1)

    def hits(self, of_thousand: int) -> bool:
        """Tell whether it happens, in so many of a thousand."""
        return self.below(1000) < of_thousand

    def pick(self, among: Sequence[T]) -> T:
        """Return one of several."""
        return among[self.below(len(among))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return them all, in an order of its own."""
        pool = list(items)
        for last in range(len(pool) - 1, 0, -1):
            other = self.below(last + 1)
            pool[last], pool[other] = pool[other], pool[last]
        return pool


def digest(*names: object) -> str:
    """Return the SHA-256 (hex) that stands for a piece of evidence nobody ever took."""
    return hashlib.sha256("/".join(map(str, names)).encode()).hexdigest()
