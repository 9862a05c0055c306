"""What becomes of each commitment: the shares of real logs, dealt from one deck.

Rules of this file: how many of each, and to whom; how a fate is lived is ``life``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from services.demo.campaign.dice import Dice
from services.demo.campaign.moments import day
from services.demo.campaign.promises import FULL, Group, Spec

End = Literal["closed", "cancelled", "superseded", "failed", "open"]


@dataclass(frozen=True, slots=True)
class Fate:
    """How it goes. ``late_by``: days from the due in force to the close, if it is late.

    ``recorded_late``: by how many days a report of progress is written down too late.
    """

    end: End = "closed"
    late_by: int = 0
    extended: bool = False
    denied: bool = False
    returned: bool = False
    suspended: bool = False
    rejected: bool = False
    corrected: bool = False
    reuses: bool = False
    recorded_late: int = 0


#: How many of the 420 end otherwise than closed: never more than a few fail.
_ENDS: Final[Sequence[tuple[End, int]]] = (
    ("cancelled", 14),
    ("superseded", 7),
    ("failed", 3),
    ("open", 5),
)
_LATE, _LATE_PARTS = 63, 12
_LONGEST_DELAY: Final = 14
#: Terms in which a return, or an extension, can be lived through.
_ROOM: Final = 10
_SECOND_HALF: Final = day("11-20")


def deal(seed: str, groups: Sequence[Group]) -> dict[str, Fate]:
    """Return the fate of each promise by its key."""
    dice = Dice(seed, "fates")
    fates = {
        spec.key: Fate() for group in groups for spec in (group.whole, *group.parts)
    }
    alone = [group.whole for group in groups if not group.parts]
    roomy = [spec for spec in alone if spec.term >= _ROOM and spec.kind != FULL]
    ends = dice.shuffled(roomy)
    for end, count in _ENDS:
        _give(fates, ends[:count], end=end)
        ends = ends[count:]
    _deal_ways(fates, ends, dice)
    rest = [spec for spec in ends if not fates[spec.key].suspended]
    _delay(fates, dice.shuffled(rest)[:_LATE], dice)
    parts = [spec for group in groups for spec in group.parts]
    _delay(fates, dice.shuffled(parts)[:_LATE_PARTS], dice)
    return fates


def _deal_ways(fates: dict[str, Fate], specs: Sequence[Spec], dice: Dice) -> None:
    """Deal what happens on the way; returns and extensions are not of one promise."""
    pool = dice.shuffled(specs)
    ways = (("extended", 50), ("denied", 8), ("returned", 34), ("suspended", 8))
    for name, count in ways:
        _give(fates, pool[:count], **{name: True})
        pool = pool[count:]
    _give(fates, pool[:6], rejected=True)
    _give(fates, pool[6:12], corrected=True)
    # Whoever shows a picture again needs somebody who has shown it before.
    others = [spec for spec in pool[12:] if spec.start >= _SECOND_HALF]
    _give(fates, others[:5], reuses=True)
    for spec in dice.shuffled(specs)[:45]:
        _give(fates, [spec], recorded_late=dice.between(4, 9))


def _delay(fates: dict[str, Fate], specs: Sequence[Spec], dice: Dice) -> None:
    for spec in specs:
        _give(fates, [spec], late_by=dice.between(1, _LONGEST_DELAY))


def _give(fates: dict[str, Fate], specs: Sequence[Spec], **change: object) -> None:
    for spec in specs:
        fates[spec.key] = replace(fates[spec.key], **change)  # type: ignore[arg-type]
