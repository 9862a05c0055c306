"""Random walks over accountability cases: who may do what, and on what it rests."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import event, given, settings
from hypothesis import strategies as st

from events.domain.accountability import EVENT_TYPES
from events.domain.commitment_state import person_of
from events.entries import rfc3339
from events.errors import Refused
from tests.support.governance import World, actor

DAY_US = 86_400_000_000
STEPS = 400
ACTORS = [actor(post) for post in ("a", "b", "c")]
CASES = ("accountability/1", "accountability/2")
WHATS = [row.name.split(".")[2] for row in EVENT_TYPES]
#: How often a step is tried: an end comes rarely, so that a walk gets far.
WEIGHTS = [0.03 if what == "closed" else 1 for what in WHATS]


def _facts(random):
    streams = ("unit/u", "unit/v", *CASES, *CASES, "commitment/none")
    return [
        {"stream": stream, "version": random.choice((1, 1, 2, 5))}
        for stream in random.choices(streams, k=random.choice((1, 1, 1, 2)))
    ]


def _data(random, what, now):
    """Return a payload that is allowed sometimes."""
    outcome = random.choice(("upheld", "changed", "revoked"))
    form = {"form": random.choice(("warning", "interview"))}
    return {
        "clue_registered": {"origin": "urging", "title": "t", "summary": "s"},
        "opened": {"title": "t", "unit": "u", "fact_at": now, "facts": _facts(random)},
        "fact_attached": {"facts": _facts(random)},
        "statement_heard": {"heard_at": now, "summary": "s"},
        "decided": {
            **form,
            "findings": "f",
            "basis": ["b"],
            "approving_body": "b",
            "effective_from": now,
            "appeal_days": random.choice((29, 30, 40)),
            "appeal_body": "b",
            "influence_until": "2017-12-20",
        },
        "served": {"served_at": now},
        "executed": {"executed_at": now, "result": "r"},
        "published": {"where": "w"},
        "appealed": {"received_at": now, "grounds": "g"},
        "appeal_decided": {"outcome": outcome, "body": "b", "reasons": "r"}
        | (form if outcome == "changed" else {}),
        "closed": {"summary": "s"},
        "influence_lifted": {},
    }[what]


def _walk(random, world):
    """Yield (what, stream, actor, versions before) of each accepted step."""
    for unit in ("u", "v"):
        world.send("unit.created", f"unit/{unit}", name="示例")
    for _ in range(STEPS):
        world.now += random.choice((0,) * 20 + (1, 20)) * DAY_US
        stream, (what,) = random.choice(CASES), random.choices(WHATS, WEIGHTS)
        by = random.choice(ACTORS)
        before, versions = world.states.get(stream), dict(world.versions)
        data = _data(random, what, rfc3339(world.now))
        try:
            world.send(f"accountability.{what}", stream, by, **data)
        except Refused:
            # I13: a refused command leaves everything as it was.
            assert world.states.get(stream) is before
            assert world.versions == versions
        else:
            yield what, stream, by, versions


@settings(deadline=None, max_examples=100)
@given(random=st.integers(0, 2**32).map(Random))
def test_cases_rest_on_earlier_events_and_many_hands(random):
    """I10 and the separation of duties, after each accepted step of a long walk."""
    world, hands, seen = World(), {}, Counter()
    for what, stream, by, versions in _walk(random, world):
        seen[what] += 1
        hands.setdefault(stream, {})[what] = person_of(by)
        sealed = world.log[-1]
        for fact in getattr(sealed.data, "facts", ()):
            assert 1 <= fact.version <= versions[fact.stream]
        state, done = world.states[stream], hands[stream]
        assert "opened" not in done or state.facts
        assert "decided" not in done or done["decided"] != done["opened"]
        assert "appeal_decided" not in done or done["appeal_decided"] != done["decided"]
        if what == "closed":
            carried = state.outcome == "carried_out"
            assert carried == (state.form is not None)
            assert not carried or state.executed_at is not None
    for what in seen:
        event(what)
