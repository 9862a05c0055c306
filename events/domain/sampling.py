"""Samples that can be drawn again: the same population and seed give the same sample.

Rules of this file: pure functions of their arguments; no randomness, no state. A change
of the order is a new ``VERSION`` beside the old one, because recorded samples stay.

Method ``sha256-rank``, version 1. Every member of the population gets the rank
``SHA-256("henji-draw/1\\n" + seed + "\\n" + member)``, all of it UTF-8; the members
with the smallest ranks are the sample, in the order of their ranks. So the order in
which the population was listed does not matter, a larger sample begins with the smaller
one, and anybody can check it with any SHA-256 and a sort.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

METHOD: Final = "sha256-rank"
VERSION: Final = 1


def draw(population: Iterable[str], size: int, seed: str) -> tuple[str, ...]:
    """Return ``size`` members of a population, by rank; each is in it once.

    ``ValueError``: a member twice, a line feed in the seed or a member (two inputs
    could then read alike), or a size that is negative or more than there are.
    """
    members = _distinct(population)
    if "\n" in seed:
        raise ValueError("a seed is one line")
    if not 0 <= size <= len(members):
        raise ValueError(f"cannot draw {size} of {len(members)}")
    return tuple(sorted(members, key=lambda member: (_rank(seed, member), member)))[
        :size
    ]


def digest(population: Iterable[str]) -> str:
    """Return the SHA-256 (hex) of a population: its members sorted, a line each.

    Sorted by code point, UTF-8, each line ended by a line feed; ``ValueError`` as draw.
    """
    lines = sorted(_distinct(population))
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def ranked(sample: Iterable[str], seed: str) -> bool:
    """Tell whether members are in the order of a draw: what is left to check of a
    sample whose population is known by its digest only.
    """
    ranks = [(_rank(seed, member), member) for member in sample]
    return all(a < b for a, b in pairwise(ranks))


def _distinct(population: Iterable[str]) -> list[str]:
    members = list(population)
    if len(set(members)) != len(members):
        raise ValueError("a member is listed twice")
    if any("\n" in member for member in members):
        raise ValueError("a member is one line")
    return members


def _rank(seed: str, member: str) -> bytes:
    return hashlib.sha256(f"henji-draw/1\n{seed}\n{member}".encode()).digest()
