"""A world of streams with actors and clocks: what was decided is folded at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from events import catalogue
from events.domain.model import Actor, Context, Event
from events.entries import instant
from events.errors import Refused

NOW = instant("2017-12-20T00:00:00Z")
PHOTO = [{"sha256": "5e" * 32}]


def actor(unit, post, *roles, person=None):
    """Return an actor of a unit and post with these roles."""
    return Actor(
        key=f"key-{unit}", unit=unit, post=post, person=person, roles=frozenset(roles)
    )


OFFICE = actor("zone", "office-chief", "office", "headquarters")
SECOND = actor("zone", "office-deputy", "office", "headquarters")
VERIFIER = actor("bureau", "verifier", "verifier")
LEAD = actor("gouzhao", "eps-head", "lead")
WORKER = actor("gouzhao", None, "grid_worker", person="p:1")
ADMIN = actor("zone", "admin", "admin", "office", "lead")
SITE_KEY = actor("S-1", None, "enterprise")
LOOKBACK = actor("zone", "lookback-1", "lookback")


class World:
    """Streams in memory, fed through roles, parse, decide and evolve as the log."""

    def __init__(self):
        self.states = {}
        self.versions = {}
        self.log = []

    def send(self, what, subject, data=None, *, by=OFFICE, at="2017-11-24T09:00:00Z"):
        """Submit one event as an actor, of a time; raises what the domain refuses."""
        row = catalogue.lookup(f"henji.{what}.v1")
        stream = catalogue.stream_of(row, subject)
        parsed = catalogue.parse_data(row, data or {})
        catalogue.permit(row.roles, by)
        event = self._event(row, stream, parsed, by, instant(at))
        state = self.states.get(stream)
        row.decide(state, event, self._context(event))
        # As after a restart: the roles of who acted are not in the log.
        folded = row.evolve(state, event)
        bare = replace(event.actor, roles=frozenset())
        again = row.evolve(state, _with_actor(event, bare))
        assert folded == again
        self.states[stream] = folded
        self.versions[stream] = event.version
        self.log.append(event)
        return folded

    def refusal(self, what, subject, data=None, **how):
        """Return (code, pointer) of a submission that must be refused, unchanged."""
        before = dict(self.states)
        with pytest.raises(Refused) as caught:
            self.send(what, subject, data, **how)
        assert self.states == before
        assert len(caught.value.faults) >= 1
        return caught.value.code, caught.value.faults[0].pointer

    def _event(self, row, stream, data, by, occurred):
        version = self.versions.get(stream, 0) + 1
        return Event(
            type=row.name,
            stream=stream,
            version=version,
            id=f"{stream}-{version}",
            source="urn:example:test",
            occurred=occurred,
            ingested=NOW,
            data=data,
            actor=by,
        )

    def _context(self, event):
        return Context(now=NOW, at=NOW, actor=event.actor, state_of=self.states.get)


def _with_actor(event, who):
    return Event(
        **{name: getattr(event, name) for name in event.__struct_fields__}
        | {"actor": who}
    )
