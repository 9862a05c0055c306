"""A world of streams with several actors and a clock that the test moves."""

from __future__ import annotations

import pytest

from events import catalogue
from events.domain.model import Actor, Context, Event
from events.entries import instant
from events.errors import Refused

DISCIPLINE = frozenset({"discipline"})


def actor(post, unit="hq", *, roles=DISCIPLINE):
    """Return an actor at a post of a unit."""
    return Actor(key=f"k-{post}", unit=unit, post=post, roles=frozenset(roles))


class World:
    """Streams in memory, fed through parse, decide and evolve as the log would."""

    def __init__(self):
        self.states = {}
        self.versions = {}
        self.log = []
        self.now = instant("2017-11-24T08:00:00Z")

    def send(self, what, subject, by=None, /, **data):
        """Submit one event; raises what the domain refuses."""
        row = catalogue.lookup(f"henji.{what}.v1")
        stream = catalogue.stream_of(row, subject)
        event = self._event(
            row, stream, catalogue.parse_data(row, data), by or actor("clerk")
        )
        state = self.states.get(stream)
        row.decide(state, event, self._context(event))
        self.states[stream] = row.evolve(state, event)
        self.versions[stream] = event.version
        self.log.append(event)
        return self.states[stream]

    def refusal(self, what, subject, by=None, /, **data):
        """Return (code, pointer) of a submission that must be refused, unchanged."""
        before = dict(self.states)
        with pytest.raises(Refused) as caught:
            self.send(what, subject, by, **data)
        assert self.states == before
        return caught.value.code, caught.value.faults[0].pointer

    def at(self, text):
        """Move the clock to an instant."""
        self.now = instant(text)
        return self

    def _event(self, row, stream, data, by):
        version = self.versions.get(stream, 0) + 1
        return Event(
            type=row.name,
            stream=stream,
            version=version,
            id=f"{stream}-{version}",
            source="urn:example:test",
            occurred=self.now,
            ingested=self.now,
            data=data,
            actor=by,
        )

    def _context(self, event):
        return Context(
            now=self.now,
            at=self.now,
            actor=event.actor,
            state_of=self.states.get,
            version_of=lambda stream: self.versions.get(stream, 0),
        )
