"""Row ``replay``: reading a whole log as typed events, against the library's reading.

Rules of this file: both read the same commitments, in order, from their own tables, and
make a typed event of each; one thread, no HTTP.
"""

from __future__ import annotations

from typing import Any

from eventsourcing.application import Application

from benchmarks import filled
from benchmarks.effort import Effort
from benchmarks.library import Case, application
from benchmarks.measure import Row, alternate, compared, per_second
from benchmarks.places import Place
from events import catalogue

_BASELINE = "select_notifications + mapper"
_GOAL = 3.0
_PAGE = 1_000


def run(place: Place, effort: Effort) -> list[Row]:
    """Return the row."""
    with (
        filled.filled(place.settings(), effort.entries) as store,
        application(place.library()) as app,
    ):
        fill_library(app, effort.entries)

        def henji() -> int:
            last = 0
            while page := store.replay(after=last, limit=_PAGE):
                for _, occurred, ingested, entry in page:
                    catalogue.read(entry, (occurred, ingested))
                last = page[-1][0]
            return last

        at_least = effort.seconds / 5
        rates = alternate(
            {
                "henji": lambda: per_second(henji, seconds=at_least),
                _BASELINE: lambda: per_second(lambda: _read(app), seconds=at_least),
            },
            rounds=effort.rounds,
        )
    row = compared(
        rates,
        name="replay",
        store=place.kind,
        baseline=_BASELINE,
        goal=_GOAL,
        extra={"entries": effort.entries},
    )
    return [row]


def fill_library(app: Application[Any], entries: int) -> None:
    """Save the same commitments as aggregates, an event each for an event of ours."""
    for batch in filled.loops(entries):
        cases: dict[str, Case] = {}
        for event in batch:
            case = cases.get(event["subject"])
            if case is None:
                cases[event["subject"]] = Case(entry=event)
            else:
                case.happen(entry=event)
        app.save(*cases.values())


def _read(app: Application[Any]) -> int:
    count = 0
    while page := app.recorder.select_notifications(count + 1, _PAGE):
        for notification in page:
            app.mapper.to_domain_event(notification)
        count += len(page)
    return count
