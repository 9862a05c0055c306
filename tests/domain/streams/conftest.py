"""A world of streams for given / when / then: what was decided is folded at once."""

from __future__ import annotations

import pytest

from events import catalogue
from events.domain.model import Actor, Context, Event
from events.entries import instant
from events.errors import Refused

NOW = instant("2017-11-24T08:00:00Z")


class World:
    """Streams in memory, fed through parse, decide and evolve as the log would."""

    def __init__(self):
        self.states = {}
        self.versions = {}
        self.actor = Actor(key="k1")

    def send(self, what, subject, **data):
        """Submit one event; raises what the domain refuses."""
        row = catalogue.lookup(f"henji.{what}.v1")
        stream = catalogue.stream_of(row, subject)
        event = self._event(row, stream, catalogue.parse_data(row, data))
        state = self.states.get(stream)
        stamps = row.decide(state, event, self._context(event))
        self.states[stream] = row.evolve(state, event)
        self.versions[stream] = event.version
        return stamps

    def refusal(self, what, subject, **data):
        """Return (code, pointer) of a submission that must be refused, unchanged."""
        before = dict(self.states)
        with pytest.raises(Refused) as caught:
            self.send(what, subject, **data)
        assert self.states == before
        assert len(caught.value.faults) >= 1
        return caught.value.code, caught.value.faults[0].pointer

    def _event(self, row, stream, data):
        version = self.versions.get(stream, 0) + 1
        return Event(
            type=row.name,
            stream=stream,
            version=version,
            id=f"{stream}-{version}",
            source="urn:example:test",
            occurred=NOW,
            ingested=NOW + version,
            data=data,
            actor=self.actor,
        )

    def _context(self, event):
        return Context(now=NOW, at=NOW, actor=event.actor, state_of=self.states.get)


@pytest.fixture
def world():
    """Return an empty world."""
    return World()


@pytest.fixture
def units(world):
    """Return a world with the units zone and gouzhao."""
    world.send("unit.created", "unit/zone", name="示例区")
    world.send("unit.created", "unit/gouzhao", name="示例办事处", parent="zone")
    return world
