"""A ledger whose clock the test moves, units and routines on it, and workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import pytest

from events import catalogue, gate
from events.cloudevents import accept
from events.domain.model import Event
from events.entries import instant, rfc3339
from events.store import Selection
from events.submissions import Request, prepare
from services import wiring
from services.leases import Lease
from services.scheduling.states import SOURCE
from services.scheduling.worker import Parts, Worker
from services.settings import Settings
from services.wiring import Ledger, open_ledger
from tests.support import scenario

START = instant("2017-11-14T15:00:00+08:00")
DAY = scenario.DAY


@dataclass
class Clock:
    """A clock that stands still until it is set."""

    now: int = START

    def __call__(self) -> int:
        """Return µs since the Unix epoch."""
        return self.now

    def set(self, text: str) -> None:
        """Move it to an instant, forwards or backwards."""
        self.now = instant(text)


class OneLease:
    """A lease that is granted to whoever asks."""

    def __init__(self, *, granted: bool = True) -> None:
        self.granted = granted

    def claim(self, name: str, holder: str, *, seconds: float) -> Lease | None:
        """Grant it, or not."""
        return Lease(name, holder, 1) if self.granted else None

    def release(self, lease: Lease) -> None:
        """Forget nothing."""

    def close(self) -> None:
        """Close nothing."""


def routine(unit: str = "gouzhao", **changed: Any) -> scenario.Event:
    """Return the event that defines a daily brief of a unit."""
    data = {
        "kind": "daily_brief",
        "unit": unit,
        "rhythm": "daily",
        "title": "日研判简报（模拟数据）",
        "first_day": "2017-11-15",
        "due_time": "18:00",
        **changed,
    }
    stream = f"routine/{data['kind']}/{unit}"
    return scenario.event(
        "henji.routine.defined.v1", stream, data, event_id=f"define-{stream}"
    )


def promise(desk, key="A", due="2017-11-24", **more):
    """Put a commitment on record that was issued and signed for on 14 November."""
    steps = scenario.loop(key, due=due, **more)[:3]
    desk.submit(*scenario.delegated(steps))


@dataclass
class Desk:
    """A ledger with its clock, and what the scheduler has appended to it."""

    ledger: Ledger
    clock: Clock

    def submit(self, *events: scenario.Event) -> None:
        """Append: what people do as the system that delegates, else as the operator."""
        for event in events:
            grant = None if "actorpost" in event else gate.system_grant()
            answers: SimpleQueue[Any] = SimpleQueue()
            item = prepare(accept(event))
            self.ledger.sequencer.submit(
                Request([item], scenario.ADAPTER, answers.put, grant=grant)
            )
            ((_, (result,)),) = answers.get()
            if isinstance(result, Exception):
                raise result

    def worker(self, **changed: Any) -> Worker:
        """Return a new worker on the ledger, as after a restart."""
        parts: dict[str, Any] = {
            "ledger": self.ledger,
            "leases": OneLease(),
            "clock": self.clock,
            "holder": "test",
            **changed,
        }
        return Worker(Parts(**parts))

    def appended(self) -> list[Event]:
        """Return all events of schedulers, in the order of the log."""
        rows: list[Any] = []
        while True:
            after = rows[-1].position if rows else 0
            page = self.ledger.store.select(
                Selection(sources=(SOURCE,), after=after), limit=1000
            )
            rows += page
            if not page:
                return [catalogue.read(row.entry) for row in rows]

    def lines(self) -> list[str]:
        """Return what was appended as ``<when, local> <what> <stream>``."""
        return [
            f"{rfc3339(event.occurred + 8 * scenario.HOUR)[5:16]}"
            f" {event.type.split('.')[2]} {event.stream}"
            for event in self.appended()
        ]


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """Return the clock of every ledger that is opened in the test."""
    clock = Clock()
    monkeypatch.setattr(wiring, "clock", clock)
    return clock


@pytest.fixture
def desk(tmp_path, clock) -> Iterator[Desk]:
    """A ledger with the units and keys of the scenario."""
    settings = Settings(data_dir=tmp_path / "ledger", origin=scenario.ORIGIN)
    with open_ledger(settings) as ledger:
        desk = Desk(ledger, clock)
        desk.submit(*scenario.groundwork())
        yield desk


MakeSettings = Callable[[str], Settings]


@pytest.fixture
def settings_of(tmp_path, request) -> MakeSettings:
    """Return a factory of settings for an empty ledger: sqlite or postgres."""

    def make(name: str) -> Settings:
        given: dict[str, Any] = {}
        if name == "postgres":
            owner, writer = request.getfixturevalue("new_postgres_database")()
            role = writer.split("user=")[1].split()[0]
            wiring.install_postgres(owner, schema="henji", writer_role=role)
            given["database_url"] = writer
        return Settings(data_dir=tmp_path / "data", origin=scenario.ORIGIN, **given)

    return make
