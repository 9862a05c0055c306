"""Looking back at what was closed: samples that can be drawn again, and relapses.

Rules of this file: the draw is made here with hashlib alone, as the method is stated,
so that the service's own check of it is a check.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from services.demo.campaign.dice import Dice
from services.demo.campaign.directives import campaign_key
from services.demo.campaign.life import Life
from services.demo.campaign.moments import DAY, HOUR, MINUTE, at, day, day_of, later
from services.demo.campaign.places import LOOKBACK, LOOKBACK_TEAM
from services.demo.campaign.promises import FULL
from services.demo.campaign.record import MARK, Emitted, Log

#: (first day, how many are drawn, how many of these relapsed).
_ROUNDS: Final = (
    ("12-01", 14, 4),
    ("12-08", 18, 5),
    ("12-15", 20, 6),
    ("12-22", 20, 5),
    ("01-05", 20, 5),
)


def look_back(log: Log, lives: Sequence[Life]) -> None:
    """Add the rounds; each draws from what is closed and was not looked at yet."""
    seen: set[str] = set()
    for number, (first, size, relapsed) in enumerate(_ROUNDS, 1):
        begin = at(day(first), 9)
        pool = {life.stream: life for life in lives if _ready(life, seen, begin)}
        plan = _Plan(log, f"HTK-2017-{number:02d}{log.tag}", begin)
        drawn = plan.draw(sorted(pool), size)
        seen.update(drawn)
        for place, stream in enumerate(drawn):
            _look(pool[stream], begin, place, relapsed=place < relapsed)
        plan.end()


def _ready(life: Life, seen: set[str], begin: int) -> bool:
    """Tell whether it stands closed, in one piece and of its own, by then."""
    if life.stream in seen or life.status != "closed" or life.spec.parent:
        return False
    # What relapses is closed again without publicity.
    if life.spec.kind == FULL:
        return False
    return life.events["closed"].recorded < begin and "decomposed" not in life.events


class _Plan:
    """One round as an inspection of its own."""

    def __init__(self, log: Log, key: str, begin: int) -> None:
        self._log = log
        self._key = key
        self._stream = f"inspection/{key}"
        self._begin = begin

    def _emit(self, what: str, data: dict[str, object], when: int) -> Emitted:
        name = f"inspection.{what}"
        return self._log.emit(name, self._stream, data, by=LOOKBACK, at=when)

    def draw(self, population: list[str], size: int) -> list[str]:
        """Add plan, sample and start; return the sample in the order of its ranks."""
        first = day_of(self._begin)
        data: dict[str, object] = {
            "kind": "lookback",
            "title": f"已销号事项回头看{MARK}",
            "unit": "hq",
            "start": first.isoformat(),
            "end": later(first, 4).isoformat(),
            "team": LOOKBACK_TEAM,
            "campaign": campaign_key(self._log),
        }
        self._emit("planned", data, self._begin)
        seed = f"{self._key}:{first.isoformat()}"
        drawn = _ranked(population, seed)[:size]
        lines = "".join(f"{member}\n" for member in population)
        sample: dict[str, object] = {
            "population": population,
            "population_size": len(population),
            "population_digest": hashlib.sha256(lines.encode()).hexdigest(),
            "seed": seed,
            "method": "sha256-rank",
            "method_version": 1,
            "sample": drawn,
            "rule": f"抽样日前已销号且未回头看的单项事项{MARK}",
        }
        made = self._emit("sampled", sample, self._begin + HOUR)
        self._log.tally.mark(made, "lookback", self._key, planned=len(drawn))
        self._emit("started", {}, self._begin + 2 * HOUR)
        return drawn

    def end(self) -> None:
        """Add the end."""
        data: dict[str, object] = {"summary": f"本轮回头看完成{MARK}"}
        self._emit("ended", data, self._begin + 4 * DAY)


def _ranked(members: list[str], seed: str) -> list[str]:
    def rank(member: str) -> tuple[bytes, str]:
        text = f"henji-draw/1\n{seed}\n{member}"
        return hashlib.sha256(text.encode()).digest(), member

    return sorted(members, key=rank)


def _look(life: Life, begin: int, place: int, *, relapsed: bool) -> None:
    """Look at one; what relapsed is opened again, and most of it closed again."""
    when = begin + (place % 3) * DAY + (4 * HOUR) + place * MINUTE
    life.look_back(when, relapsed=relapsed)
    if not relapsed:
        return
    dice = Dice(life.log.seed, "relapse", life.spec.key)
    life.reopen(when + 20 * HOUR, days=8)
    life.progress(60, when + 2 * DAY)
    done = 3 if dice.hits(800) else 8
    life.claim(when + done * DAY)
    life.verify(when + (done + 1) * DAY)
    life.close(when + (done + 2) * DAY)
