"""What is shown of the census, of patrols, and of the passing on of directives.

Rules of this file: what has to be covered, and what was, cell by cell and unit by unit.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.demo.campaign.expected.answer import (
    Answer,
    Figures,
    Lines,
    Row,
    rows,
    share,
)
from services.demo.campaign.expected.known import Event, Known, Span, week
from services.demo.campaign.expected.words import unit
from services.demo.campaign.moments import DAY
from services.demo.campaign.places import UNITS

#: Level of a cell → (patrols, days): that many in each span of so many days.
FREQUENCIES: Final = {1: (1, 7), 2: (2, 7), 3: (1, 2)}
_OTHERS: Final = frozenset({"inspection", "upper_level"})
_HEADQUARTERS: Final = "hq"


def census(known: Known) -> Answer:
    """Every cell that was listed: visited, missing, new, left."""
    cells = [_counted(events) for events in known.streams_of("census").values()]
    named = {event.key: event.data["name"] for event in known.of("grid.drawn")}
    sums = {
        name: sum(row[name] for row in cells)
        for name in ("listed", "visited", "missing", "new", "left")
    }
    totals = {
        "cells": len(cells),
        "finished": sum(row["finished"] is not None for row in cells),
        "share": share(sums["listed"] - sums["left"], sums["listed"]),
        **sums,
    }
    points = [(named[row["cell"]], row["coverage"]) for row in cells]
    new = [
        {"census": event.key, "entry": event.data["entry"], "visited": event.occurred}
        for event in known.of("census.visited")
        if event.data.get("newly_found")
    ]
    return {
        "totals": Figures(totals),
        "cells": rows("census cell", cells),
        "coverage": Lines((points,)),
        "new_sources": rows("census entry", new),
    }


def _counted(events: Sequence[Event]) -> Row:
    listed = sum(len(event.data.get("entries", ())) for event in events)
    visits = [event for event in events if event.what == "census.visited"]
    new = sum(event.data.get("newly_found", False) for event in visits)
    missing = sum(event.what == "census.not_found" for event in events)
    ends = [event.occurred for event in events if event.what == "census.finished"]
    left = listed - (len(visits) - new) - missing
    return {
        "census": events[0].key,
        "cell": events[0].data["cell"],
        "listed": listed,
        "visited": len(visits) - new,
        "missing": missing,
        "new": new,
        "left": left,
        "coverage": share(listed - left, listed),
        "finished": ends[-1] if ends else None,
    }


@dataclass(frozen=True, slots=True)
class Walked:
    """A cell of the grid and its patrols in a period: (stream, instant) a point."""

    key: str
    name: str
    unit: str
    level: int
    workers: int
    points: tuple[tuple[str, int], ...]
    spans: tuple[Span, ...]

    @property
    def met(self) -> int:
        """In how many spans it was walked often enough."""
        often, _ = FREQUENCIES[self.level]
        return sum(
            len({stream for stream, when in self.points if span.has(when)}) >= often
            for span in self.spans
        )

    @property
    def patrols(self) -> int:
        """How many patrols checked a point in it."""
        return len({stream for stream, _ in self.points})

    @property
    def is_full(self) -> bool:
        """Whether it was walked as often as required in every span that is over."""
        return bool(self.spans) and self.met == len(self.spans)


def walked(known: Known, period: Span, *, days: int = 0) -> list[Walked]:
    """Return every cell in a period; ``days``: the length of its spans, if not usual.

    Spans begin with the period; one that is not over is not judged.
    """
    points: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for event in known.of("inspection.point_checked"):
        if period.has(event.occurred):
            points[event.data["cell"]].append((event.stream, event.occurred))
    workers = Counter(event.key for event in known.of("grid.assigned"))
    end = min(period.end, known.now)
    return [
        Walked(
            key=event.key,
            name=event.data["name"],
            unit=event.data["unit"],
            level=event.data["level"],
            workers=workers[event.key],
            points=tuple(points[event.key]),
            spans=_spans(
                Span(period.start, end), days or FREQUENCIES[event.data["level"]][1]
            ),
        )
        for event in sorted(known.of("grid.drawn"), key=lambda event: event.key)
    ]


def _spans(period: Span, days: int) -> tuple[Span, ...]:
    count = max(0, period.end - period.start) // (days * DAY)
    starts = [period.start + number * days * DAY for number in range(count)]
    return tuple(Span(start, start + days * DAY) for start in starts)


def patrol(known: Known) -> Answer:
    """Each cell in the week, against how often it must be walked."""
    cells = walked(known, week(known.today))
    judged = [cell for cell in cells if cell.spans]
    full = sum(cell.is_full for cell in cells)
    totals = {
        "cells": len(cells),
        "judged": len(judged),
        "full": full,
        "share": share(full, len(judged)),
        "patrols": sum(cell.patrols for cell in cells),
        "points": sum(len(cell.points) for cell in cells),
    }
    units = sorted({cell.unit for cell in cells})
    return {
        "totals": Figures(totals),
        "cells": rows("cell", [_walk(cell) for cell in cells]),
        "coverage": Lines(([(cell.name, _met(cell)) for cell in cells],)),
        "units": rows("unit", [_of_unit(name, cells) for name in units]),
        "quality": rows("cell", _quality(known, cells)),
    }


def _met(cell: Walked) -> float | None:
    return share(cell.met, len(cell.spans))


def _walk(cell: Walked) -> Row:
    return {
        "cell": cell.key,
        "level": cell.level,
        "workers": cell.workers,
        "required": len(cell.spans),
        "met": cell.met,
        "coverage": _met(cell),
        "patrols": cell.patrols,
        "points": len(cell.points),
        "last": max((when for _, when in cell.points), default=None),
    }


def _of_unit(name: str, cells: Sequence[Walked]) -> Row:
    own = [cell for cell in cells if cell.unit == name]
    full = sum(cell.is_full for cell in own)
    return {
        "unit": unit(name),
        "cells": len(own),
        "full": full,
        "share": share(full, sum(bool(cell.spans) for cell in own)),
        "patrols": sum(cell.patrols for cell in own),
    }


def _quality(known: Known, cells: Sequence[Walked]) -> list[Row]:
    span = week(known.today)
    found: dict[str, Counter[bool]] = defaultdict(Counter)
    for event in known.of("issue.found"):
        channel = event.data["found_by"]
        revoked = known.table["issue"][event.key]["status"] == "revoked"
        counts = channel == "patrol" or channel in _OTHERS
        if counts and not revoked and span.has(event.occurred):
            found[event.data["cell"]][channel in _OTHERS] += 1
    return [
        {
            "cell": cell.name,
            "own": found[cell.key][False],
            "others": found[cell.key][True],
            "missed": share(found[cell.key][True], found[cell.key].total()),
        }
        for cell in cells
        if cell.key in found
    ]


def relay(known: Known) -> Answer:
    """Each directive and unit: who has it, who has studied it."""
    members = [name for name in UNITS if name != _HEADQUARTERS]
    directives = {
        key: _passed(events) for key, events in known.streams_of("directive").items()
    }
    cited = Counter(
        event.data["directive"]
        for event in known.of("commitment.registered")
        if "directive" in event.data
    )
    lines = [
        {
            "directive": key,
            **_reach(one, members),
            "commitments": cited[key],
        }
        for key, one in directives.items()
    ]
    count = len(directives)
    totals = {
        "directives": count,
        "in_force": count,
        "members": len(members),
        "relays": sum(len(one.relayed) for one in directives.values()),
        "reads": sum(len(one.read) for one in directives.values()),
        "full": sum(row["missing"] == 0 for row in lines),
    }
    points = [(row["directive"], row["coverage"]) for row in lines]
    units = [_member(known, name, list(directives.values())) for name in members]
    return {
        "totals": Figures(totals),
        "directives": rows("directive", lines),
        "coverage": Lines((points,)),
        "units": rows("unit", units),
    }


@dataclass(frozen=True, slots=True)
class _Directive:
    """One directive: when it began, and to whom it was passed on when."""

    begun: int
    giver: str | None
    relayed: Mapping[str, int]
    read: Mapping[str, int]

    def has_reached(self, name: str) -> bool:
        """Tell whether a unit has it: its own, passed on to it, or studied."""
        return name == self.giver or name in self.relayed or name in self.read


def _passed(events: Sequence[Event]) -> _Directive:
    by = {
        what: {
            event.data["unit"]: event.occurred
            for event in events
            if event.what == f"directive.{what}"
        }
        for what in ("relayed", "read")
    }
    first = events[0]
    giver = first.unit if first.what == "directive.issued" else None
    return _Directive(first.occurred, giver, **by)


def _reach(one: _Directive, members: Sequence[str]) -> Row:
    reached = sum(map(one.has_reached, members))
    passed = [when for name, when in one.relayed.items() if name in members]
    return {
        "reached": reached,
        "missing": len(members) - reached,
        "coverage": share(reached, len(members)),
        "studied": sum(name in one.read for name in members),
        "last": max(passed, default=None),
    }


def _member(known: Known, name: str, directives: Sequence[_Directive]) -> Row:
    missing = [one for one in directives if not one.has_reached(name)]
    reached = len(directives) - len(missing)
    waiting = [(known.now - one.begun) // DAY for one in missing]
    return {
        "unit": unit(name),
        "owed": len(directives),
        "reached": reached,
        "missing": len(missing),
        "studied": sum(name in one.read for one in directives),
        "coverage": share(reached, len(directives)),
        "waiting": max(waiting, default=None),
    }
