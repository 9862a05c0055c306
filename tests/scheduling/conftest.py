"""A ledger whose clock the test moves, units and routines on it, and workers."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

import pytest
from starlette.testclient import TestClient

from events import catalogue, gate
from events.cloudevents import accept
from events.domain.model import Event
from events.entries import instant, rfc3339
from events.store import Selection
from events.submissions import Request, prepare
from projections.reports.registry import REPORTS
from services import wiring
from services.app import create_app
from services.keyring import KeySpec, create_key
from services.leases import Lease
from services.running import Service, running
from services.scheduling import opening
from services.scheduling.states import SOURCE
from services.scheduling.worker import Parts, Worker
from services.settings import Settings
from services.wiring import Ledger, open_ledger
from tests.support import scenario

START = instant("2017-11-14T15:00:00+08:00")
DAY = scenario.DAY
BULLETIN = "weekly_bulletin"


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


@dataclass
class Office:
    """A running service, a client of it, and the scheduler beside it."""

    service: Service
    client: TestClient
    clock: Clock
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **query: Any) -> Any:
        """GET what must be there."""
        answer = self.client.get(path, params=query or None, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer

    def submit(self, events: list[dict[str, Any]]) -> None:
        """Submit events, all of which must be taken."""
        kind = {"Content-Type": "application/cloudevents-batch+json"}
        answer = self.client.post(
            "/v1/events", content=json.dumps(events), headers=self.headers | kind
        )
        assert answer.status_code == 201, answer.text

    def key(self, **spec: Any) -> dict[str, str]:
        """Create a key; return the headers that present it."""
        made = KeySpec(**{"name": "t", **spec})
        ledger = self.service.ledger
        _, shown = create_key(ledger, made, random_bytes=secrets.token_bytes)
        return {"Authorization": f"Bearer {shown}"}

    def at(self, text: str) -> None:
        """Let it be some instant, and a scheduler do what is due by then."""
        self.clock.set(text)
        with opening.scheduler(self.service.ledger, self.service.views) as worker:
            worker.catch_up()
            assert worker.refused == {}

    def issue(self, period: str) -> dict[str, Any]:
        """Return the frozen issue of a week, as the list has it."""
        size = self.service.ledger.store.head().size
        listed = self.get(f"/v1/frozen/{BULLETIN}", as_of=size).json()["data"]
        (issue,) = [row for row in listed if row["period"] == period]
        return issue

    def files(self, period: str) -> dict[str, bytes]:
        """Return each file of a frozen issue by its format."""
        issue = self.issue(period)
        files = {}
        for file in issue["files"]:
            content = self.get(file["href"]).content
            assert hashlib.sha256(content).hexdigest() == file["sha256"]
            assert len(content) == file["size"]
            files[file["format"]] = content
        return files

    def made_anew(self, period: str) -> dict[str, bytes]:
        """Return each format of the report as it is made now, of the cut of its issue."""
        cut = self.issue(period)["cut"]
        when = {
            "as_of": cut["position"],
            "as_at": cut["instant"],
            "at": cut["instant"],
        }
        path = f"/v1/reports/{BULLETIN}"
        return {
            name: self.get(f"{path}.{name}", period=period, lang="zh", **when).content
            for name in REPORTS[BULLETIN].formats
        }


@pytest.fixture
def office(tmp_path, clock, monkeypatch):
    """A service whose ledger and scheduler go by the test's clock."""
    monkeypatch.setattr(opening, "clock", clock)
    settings = Settings(data_dir=tmp_path / "ledger", origin=scenario.ORIGIN)
    with running(settings) as service, TestClient(create_app(service)) as client:
        for event in scenario.groundwork():
            service.ledger.submit_as_operator(event)
        weekly = {"rhythm": "weekly", "due_time": "09:00", "due_days_later": 1}
        service.ledger.submit_as_operator(routine("hq", kind=BULLETIN, **weekly))
        office = Office(service, client, clock)
        office.headers = office.key(roles=["adapter"], scopes=scenario.ALL_SCOPES)
        yield office
