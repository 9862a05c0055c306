"""Logs for the tests of rules: events noted by local time, and the world of a cut.

Nothing is decided here: a test writes what happened, and the domain's folds make the
states of it. Every failure is made up (模拟数据).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import msgspec

from events import calendar, catalogue
from events.domain import commitment_dues as dues
from events.domain import rulesets
from events.domain.model import Actor, Event
from events.domain.policy_versions import content_sha256
from projections.world import Cut, Happened, StateRow

SHANGHAI = timezone(timedelta(hours=8))
PHOTO = {"sha256": "5e" * 32}


def us(text):
    """Return µs of a local time, ``2017-11-14 09:00`` or ``2017-11-14`` (00:00)."""
    local = datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)
    return int(local.timestamp()) * 1_000_000


def end(text):
    """Return 24:00 of a local day, in µs."""
    return us((date.fromisoformat(text) + timedelta(days=1)).isoformat())


def rfc(text):
    """Return a local time as RFC 3339."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).isoformat()


class Diary:
    """Events in the order in which they were sealed; positions from 1."""

    def __init__(self):
        self.log = []

    def note(
        self,
        what,
        stream,
        at,
        data=None,
        *,
        unit=None,
        post="clerk",
        recorded=None,
        due_at=None,
    ):
        """Note one event; return its position."""
        kind = catalogue.lookup(f"henji.{what}.v1")
        parsed = catalogue.parse_data(kind, data or {})
        occurred = us(at)
        written = occurred if recorded is None else us(recorded)
        event = Event(
            type=kind.name,
            stream=stream,
            version=1 + sum(row.stream == stream for row in self.log),
            id=f"e{len(self.log) + 1}",
            source="urn:example:test",
            occurred=occurred,
            ingested=written,
            data=parsed,
            actor=Actor("k1", unit, post),
            recorded=written,
            policy="supervision@1",
            due_at=_counted(parsed, occurred) if due_at is None else due_at,
        )
        self.log.append(event)
        return len(self.log)

    def commitment(self, key, *notes, due="2017-12-15", unit="gouzhao", **more):
        """Note a commitment from its issue on 2017-11-14; then (what, at, data)."""
        stream = f"commitment/{key}"
        data = {"title": "示例（模拟数据）", "lead_unit": unit, "due": due} | more
        made = [
            self.note("commitment.registered", stream, "2017-11-13 09:00", data),
            self.note("commitment.issued", stream, "2017-11-14 09:00"),
        ]
        return made + [
            self.note(f"commitment.{what}", stream, at, *data, unit=unit)
            for what, at, *data in notes
        ]

    def world(self, now, *, position=None):
        """Return the world of a cut, judged at a local time or at µs."""
        last = len(self.log) if position is None else position
        instant = us(now) if isinstance(now, str) else now
        return MemoryWorld(self.log[:last], Cut(last, b"\0" * 32, instant))


class MemoryWorld:
    """A ``projections.world.World`` of some events."""

    def __init__(self, log, cut):
        self.cut = cut
        self._events = [
            Happened(
                position=number,
                post=event.actor.post,
                unit=event.actor.unit,
                **{
                    name: getattr(event, name)
                    for name in Happened._fields
                    if name not in {"position", "unit", "post"}
                },
            )
            for number, event in enumerate(log, start=1)
        ]
        self._states = {}
        for number, event in enumerate(log, start=1):
            kind, _, key = event.stream.partition("/")
            row = self._states.get(event.stream)
            evolve = catalogue.lookup(event.type).evolve
            state = evolve(row.state if row else None, event)
            known = row.events if row else ()
            self._states[event.stream] = StateRow(
                event.stream, kind, key, state, (*known, number)
            )

    def state(self, stream):
        """Return the state of one stream."""
        return self._states.get(stream)

    def states(self, kind):
        """Return the states of a kind, by key."""
        return [row for _, row in sorted(self._states.items()) if row.kind == kind]

    def events(self, *, types=(), streams=(), occurred_from=None, occurred_before=None):
        """Return events by position."""
        return [
            row
            for row in self._events
            if (not types or any(_is(row.type, wanted) for wanted in types))
            and (not streams or row.stream in streams)
            and (occurred_from is None or row.occurred >= occurred_from)
            and (occurred_before is None or row.occurred < occurred_before)
        ]


def put(diary, kind, content, *, on, valid_from):
    """Note that a version was published and activated; return both positions."""
    stream = f"{kind}/{content['name']}"
    digest = content_sha256(content)
    both = {"version": content["version"], "content_sha256": digest}
    data = both | {"content": content, "valid_from": valid_from}
    return (
        diary.note(f"{kind}.published", stream, on, data, post="first"),
        diary.note(f"{kind}.activated", stream, on, both, post="second"),
    )


def put_ruleset(diary, changes, *, valid_from, on="2017-11-14"):
    """Note another version of the ruleset that comes with the code."""
    content = msgspec.to_builtins(rulesets.built_in()["demo-2017"]) | changes
    return put(diary, "ruleset", content, on=on, valid_from=valid_from)


def _is(name, wanted):
    if wanted.endswith("*"):
        return name.startswith(wanted[:-1])
    return name == wanted


def _counted(data, occurred):
    for member in ("due", "new_due"):
        text = getattr(data, member, None)
        if isinstance(text, str) and dues.is_term(text):
            return dues.counted(text, occurred, table=calendar.load())
    return None
