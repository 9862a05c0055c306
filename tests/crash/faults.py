"""Connections that fail at one statement: before it took effect, or right after it.

The proxies count statements (each row of an ``executemany`` is one), so that a dry run
gives the list of all boundaries and a test can fail at each of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg

NEVER = 10**9

#: Raises a real error in the server: the transaction is aborted, the connection lives.
_CANCELLED = b"DO $$ BEGIN RAISE EXCEPTION SQLSTATE '57014'; END $$"


@dataclass
class Plan:
    """Fail at statement ``at`` (from 0) in this mode; ``seen`` lists all statements.

    lost: the error comes and the statement had no effect. applied: it had. refused
    (PostgreSQL): the server refuses it and the connection lives on; in the other two
    modes the connection is gone. ``between`` is called before each statement.
    """

    at: int = NEVER
    mode: str = "lost"
    seen: list[str] = field(default_factory=list)
    between: Callable[[], None] = lambda: None

    def step(self, text: str | bytes, run: Callable[[], Any], fail: Any) -> Any:
        """Run one statement, or fail as planned."""
        self.between()
        number = len(self.seen)
        self.seen.append(text.decode() if isinstance(text, bytes) else text)
        if number != self.at:
            return run()
        if self.mode == "applied":
            run()
        return fail()


class SqliteFaults:
    """A sqlite3 connection that fails as planned."""

    def __init__(self, real: sqlite3.Connection, plan: Plan) -> None:
        self._real = real
        self._plan = plan

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, text: str, parameters: Any = ()) -> Any:
        """Run one statement, or fail."""
        return self._plan.step(
            text, lambda: self._real.execute(text, parameters), self._fail
        )

    def executemany(self, text: str, rows: Any) -> None:
        """Run one statement a row, as the driver does, each of which may fail."""
        for row in rows:
            self.execute(text, tuple(row))

    def _fail(self) -> Any:
        raise sqlite3.OperationalError("disk I/O error")


class PostgresFaults:
    """A psycopg connection that fails as planned."""

    def __init__(self, real: psycopg.Connection, plan: Plan) -> None:
        self._real = real
        self._plan = plan

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, query: bytes, *arguments: Any, **options: Any) -> Any:
        """Run one statement, or fail."""
        return self._plan.step(
            query, lambda: self._real.execute(query, *arguments, **options), self._fail
        )

    def cursor(self, **options: Any) -> Any:
        """Return a cursor whose statements are counted, too."""
        return _Cursor(self._real.cursor(**options), self._plan, self._fail)

    def _fail(self) -> Any:
        if self._plan.mode == "refused":
            return self._real.execute(_CANCELLED)
        self._real.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")


class _Cursor:
    def __init__(self, real: Any, plan: Plan, fail: Any) -> None:
        self._real = real
        self._plan = plan
        self._fail = fail

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, query: bytes, *arguments: Any, **options: Any) -> Any:
        """Run one statement, or fail."""
        return self._plan.step(
            query, lambda: self._real.execute(query, *arguments, **options), self._fail
        )


def inject(store: Any, plan: Plan) -> None:
    """Put the plan between a store and its writing connection."""
    if isinstance(store._writer, sqlite3.Connection):
        store._writer = SqliteFaults(store._writer, plan)
    else:
        store._writer = PostgresFaults(store._writer, plan)
