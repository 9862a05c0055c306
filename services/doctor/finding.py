"""What a check finds, and what it is given to look at.

Rules of this file: shapes only. A code is one of the catalogue of errors: it has texts
in both languages, and what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Literal

import psycopg

from events.store import Store
from services.settings import Settings

State = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table. ``code`` is empty where all is well."""

    check: str
    state: State
    code: str = ""
    detail: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check saw: nothing wrong (no code), or what is, and how bad it is."""

    detail: str = ""
    code: str = ""
    state: State = "ok"


@dataclass(slots=True)
class Patient:
    """A deployment that is looked at; what is open is closed by ``stack``.

    ``connection`` is None for an embedded ledger. ``store`` is opened by a check.
    """

    settings: Settings
    clock: Callable[[], int]
    stack: ExitStack
    connection: psycopg.Connection[Any] | None = None
    store: Store | None = None


Check = Callable[[Patient], Seen]


def warning(code: str, detail: object = "") -> Seen:
    """Return what should be seen to, though the service runs."""
    return Seen(str(detail), code, "warning")


def failed(code: str, detail: object = "") -> Seen:
    """Return what keeps the service from running, or from being trusted."""
    return Seen(str(detail), code, "failed")
