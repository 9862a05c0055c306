"""Row ``rebuild``: all read models from nothing, against one transaction an event.

Rules of this file: ours folds the whole board (status with its history, timeline,
units). The baseline is what ``ProjectionRunner`` does with a ``TrackingRecorder``, in a
plain loop without its threads and queue: read, map, then one transaction that tracks
the position, keeps one status row and adds one line.
"""

from __future__ import annotations

import threading
from contextlib import closing
from typing import Any

from eventsourcing.application import Application
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.sqlite import SQLiteDatastore, SQLiteTrackingRecorder
from psycopg.sql import SQL

from benchmarks import filled
from benchmarks.effort import Effort
from benchmarks.library import application
from benchmarks.measure import Row, alternate, compared, per_second
from benchmarks.places import Place
from benchmarks.replay import fill_library
from projections.board import Board
from projections.runner import Runner
from services.wiring import open_views

_BASELINE = "library, one transaction an event"
_GOAL = 20.0
_NAME = "board"
_TABLES = (
    "CREATE TABLE status (case_id TEXT PRIMARY KEY, status TEXT, position BIGINT)",
    "CREATE TABLE line (position BIGINT PRIMARY KEY, case_id TEXT, type TEXT)",
)
_STATUS = (
    "INSERT INTO status VALUES ({0}, {0}, {0}) ON CONFLICT (case_id) "
    "DO UPDATE SET status = excluded.status, position = excluded.position"
)
_LINE = "INSERT INTO line VALUES ({0}, {0}, {0})"


class SqliteView(SQLiteTrackingRecorder):
    """The baseline's read model in SQLite."""

    def apply(self, tracking: Tracking, status: Any, line: Any) -> None:
        """Track and write in one transaction."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(_STATUS.format("?"), status)
            cursor.execute(_LINE.format("?"), line)

    def prepare(self) -> None:
        """Create the tables."""
        self.create_table()
        with self.datastore.transaction(commit=True) as cursor:
            for statement in _TABLES:
                cursor.execute(statement)


class PostgresView(PostgresTrackingRecorder):
    """The baseline's read model in PostgreSQL."""

    def apply(self, tracking: Tracking, status: Any, line: Any) -> None:
        """Track and write in one transaction."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(SQL(_STATUS.format("%s")), status)
            cursor.execute(SQL(_LINE.format("%s")), line)

    def prepare(self) -> None:
        """Create the tables."""
        self.create_table()
        with self.datastore.transaction(commit=True) as cursor:
            for statement in _TABLES:
                cursor.execute(SQL(statement))


def run(place: Place, effort: Effort) -> list[Row]:
    """Return the row."""
    settings = place.settings()
    with (
        filled.filled(settings, effort.entries) as store,
        closing(open_views(settings)) as views,
        application(place.library()) as app,
    ):
        # Each turn of the baseline goes on where the last one stopped.
        fill_library(app, effort.baseline_events * effort.rounds)
        view = _view(place)

        def henji() -> int:
            runner = Runner(
                reader=store, views=views, projector=Board(), wake=threading.Event()
            )
            return runner.rebuild().position

        rates = alternate(
            {
                "henji": lambda: per_second(henji),
                _BASELINE: lambda: per_second(
                    lambda: _project(app, view, effort.baseline_events)
                ),
            },
            rounds=effort.rounds,
        )
    row = compared(
        rates,
        name="rebuild",
        store=place.kind,
        baseline=_BASELINE,
        goal=_GOAL,
        extra={"entries": effort.entries, "baseline_events": effort.baseline_events},
    )
    return [row]


def _view(place: Place) -> SqliteView | PostgresView:
    environment = place.library()
    view: SqliteView | PostgresView
    if place.server is None:
        view = SqliteView(SQLiteDatastore(environment["SQLITE_DBNAME"]))
    else:
        names = ("DBNAME", "HOST", "PORT", "USER", "PASSWORD")
        parts = [environment[f"POSTGRES_{name}"] for name in names]
        view = PostgresView(PostgresDatastore(*parts))
    view.prepare()
    return view


def _project(app: Application[Any], view: SqliteView | PostgresView, count: int) -> int:
    start = (view.max_tracking_id(_NAME) or 0) + 1
    page = app.recorder.select_notifications(start, count)
    for notification in page:
        event: Any = app.mapper.to_domain_event(notification)
        case, kind = str(event.originator_id), event.entry["type"]
        status = (case, kind, notification.id)
        line = (notification.id, case, kind)
        view.apply(Tracking(_NAME, notification.id), status, line)
    return len(page)
