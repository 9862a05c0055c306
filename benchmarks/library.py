"""The ``eventsourcing`` library as it comes: the baseline of storing and reading.

Rules of this file: its own Application, mapper and recorders, used as documented; its
objects are made before the clock starts, so that only its storing is measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event


class Case(Aggregate):
    """An aggregate whose events carry a CloudEvent as a dictionary."""

    @event("Opened")
    def __init__(self, entry: dict[str, Any]) -> None:
        self.last = entry["id"]

    @event("Happened")
    def happen(self, entry: dict[str, Any]) -> None:
        """Record another event of the case."""
        self.last = entry["id"]


@contextmanager
def application(environment: Mapping[str, str]) -> Iterator[Application[Any]]:
    """Yield an application on a new database."""
    app: Application[Any] = Application(environment)
    try:
        yield app
    finally:
        app.close()
