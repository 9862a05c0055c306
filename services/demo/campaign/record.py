"""The campaign's log while it is made: events in order, and who submits each.

Rules of this file: it knows no rule of the domain. Inside a stream events keep the
order in which they are made, in both times; the log is in the order of recording, so
that what was known at an instant is a beginning of the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from services.demo.campaign.moments import DAY, MINUTE, written
from services.demo.campaign.tally import Tally

SOURCE: Final = "urn:henji:demo:campaign"
MARK: Final = "（模拟数据）"
#: From the deed to the keyboard, where nothing is late.
_LAG: Final = 5 * MINUTE
#: Recorded more than so long after it happened: 补录.
_LATE: Final = 3 * DAY
_VERY_LATE: Final = 30 * DAY

#: The systems that submit, each with a key of its own.
OFFICE, GRID, DISCIPLINE = LANES = ("office", "grid", "discipline")


class By(NamedTuple):
    """Who acts, and through which system it is submitted."""

    unit: str
    post: str | None = None
    person: str | None = None
    lane: str = OFFICE


class Emitted(NamedTuple):
    """An event that was made; ``version`` is its place in its stream."""

    id: str
    stream: str
    version: int
    occurred: int
    recorded: int

    @property
    def fact(self) -> dict[str, Any]:
        """Return it as a fact that another event cites."""
        return {"stream": self.stream, "version": self.version}


class Sent(NamedTuple):
    """One event to submit, and by which system."""

    lane: str
    event: dict[str, Any]


class Told(NamedTuple):
    """An event as whoever made it knows it: what, by whom, and its data."""

    made: Emitted
    what: str
    by: By
    data: dict[str, Any]


class Log:
    """All events of one copy of the campaign; ``tally`` counts what they mean."""

    def __init__(self, seed: str, copy: int = 0) -> None:
        self.seed = f"{seed}/{copy}"
        self.tag = f"-c{copy:03d}" if copy else ""
        self.tally = Tally()
        self._rows: list[tuple[int, int, Sent]] = []
        self._told: list[Told] = []
        self._first: dict[str, Emitted] = {}
        self._last: dict[str, Emitted] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def emit(  # noqa: PLR0913 - one an attribute of the event
        self,
        what: str,
        subject: str,
        data: dict[str, Any],
        *,
        by: By,
        at: int,
        recorded: int = 0,
        after: Iterable[Emitted] = (),
        simulated: bool = True,
    ) -> Emitted:
        """Add ``henji.<what>.v1``; it is recorded after ``after`` and its own stream.

        ``recorded`` is the earliest instant of recording, by default minutes after
        ``at``. ``ValueError``: its stream has an event that happened later.
        """
        last = self._last.get(subject)
        if last is not None and at < last.occurred:
            raise ValueError(f"{what} of {subject} before its predecessor {last.id}")
        written_down = max(
            recorded or at + _LAG,
            at,
            0 if last is None else last.recorded,
            *(event.recorded for event in after),
        )
        version = 1 if last is None else last.version + 1
        made = Emitted(f"{subject}/{version}", subject, version, at, written_down)
        self._first.setdefault(subject, made)
        self._last[subject] = made
        event = _event(made, what, data, by, simulated=simulated)
        self._rows.append((written_down, len(self._rows), Sent(by.lane, event)))
        self._told.append(Told(made, what, by, data))
        self._count(made, what)
        return made

    def first(self, subject: str) -> Emitted:
        """Return the first event of a stream."""
        return self._first[subject]

    def last(self, subject: str) -> Emitted:
        """Return the last event of a stream."""
        return self._last[subject]

    def sent(self) -> Iterator[Sent]:
        """Yield every event in the order of recording."""
        for _, _, sent in sorted(self._rows, key=lambda row: row[:2]):
            yield sent

    def told(self) -> list[Told]:
        """Return every event with what its maker knows, in the order of recording."""
        # The sort is stable: within one instant, the order of making.
        return sorted(self._told, key=lambda row: row.made.recorded)

    def _count(self, made: Emitted, what: str) -> None:
        delay = made.recorded - made.occurred
        self.tally.mark(
            made,
            "event",
            made.id,
            kind=what.partition(".")[0],
            late=delay > _LATE,
            very_late=delay > _VERY_LATE,
        )


def _event(
    made: Emitted, what: str, data: dict[str, Any], by: By, *, simulated: bool
) -> dict[str, Any]:
    acting = {"actorunit": by.unit, "actorpost": by.post, "actorperson": by.person}
    return {
        "specversion": "1.0",
        "id": made.id,
        "source": SOURCE,
        "type": f"henji.{what}.v1",
        "subject": made.stream,
        "time": written(made.occurred),
        "recordedtime": written(made.recorded),
        **{name: value for name, value in acting.items() if value is not None},
        "simulated": simulated,
        "data": data,
    }
