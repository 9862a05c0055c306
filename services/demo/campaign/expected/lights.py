"""The light of a promise at an instant, and its days, as the demo's rules state them.

Rules of this file: the definitions of ruleset demo-2017/1 written down once more, from
its text: grey ended or suspended; red past the due or returned twice; yellow near the
due, behind an even pace, or silent; else green.
"""

from __future__ import annotations

from typing import Final

from services.demo.campaign.expected.known import ENDED, Note
from services.demo.campaign.expected.working_days import between
from services.demo.campaign.moments import day_of, later

_RETURNS: Final = 2
#: Working days left: of a usual term, of one of five working days or less.
SOON, _SOON_SHORT, _SHORT = 3, 1, 5
_POINTS_BEHIND: Final = 20
#: More than half of the interval of reports (five working days) and a day more.
_SILENT: Final = 3
_WORKING: Final = frozenset({"in_progress", "returned", "reopened"})
GREY: Final = ENDED | {"suspended"}


def colour(note: Note, now: int) -> str:
    """Return the colour of its light."""
    if note["status"] in GREY:
        return "grey"
    if now > note["current_due"] or note["returns"] >= _RETURNS:
        return "red"
    if _is_near(note, now) or _is_behind(note, now) or _is_silent(note, now):
        return "yellow"
    return "green"


def left(note: Note, now: int) -> int:
    """Return the working days left up to its due."""
    return between(now, note["current_due"])


def late(note: Note, until: int) -> int:
    """Return the working days past its due."""
    return between(note["current_due"] - 1, until) if is_past(note, until) else 0


def is_past(note: Note, instant: int) -> bool:
    """Tell whether an instant is past its due."""
    return bool(instant > note["current_due"])


def last_day(due: int) -> str:
    """Return a due as its last day: 24:00 belongs to the day before."""
    return later(day_of(due), -1).isoformat()


def _is_near(note: Note, now: int) -> bool:
    term = between(note["begun"], note["original_due"])
    return left(note, now) <= (_SOON_SHORT if term <= _SHORT else SOON)


def _is_behind(note: Note, now: int) -> bool:
    term = between(note["begun"], note["current_due"])
    if note["percent"] is None or not term:
        return False
    planned = min(100, 100 * between(note["begun"], now) // term)
    return bool(planned - note["percent"] > _POINTS_BEHIND)


def _is_silent(note: Note, now: int) -> bool:
    if note["status"] not in _WORKING or note["active"] is None:
        return False
    return between(note["active"], now) > _SILENT
