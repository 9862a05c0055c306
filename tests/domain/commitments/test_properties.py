"""Random walks over several commitments: the invariants of domain.md 2.8 that are ours."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random

import msgspec
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from events import calendar
from events.domain import commitments, kinds
from events.domain.commitment_payloads import type_name
from events.domain.commitments import TRANSITIONS
from events.domain.model import Actor
from events.errors import Refused

KEYS = ("P", "P.1", "P.2", "Q")
PROOF = [{"sha256": "cd" * 32}]
HOUR_US = 3_600_000_000
STEPS = 250

ROLES = frozenset().union(*(row.roles for row in commitments.EVENT_TYPES))
ACTORS = [
    Actor(key=f"k-{post}", unit=unit, post=post, roles=ROLES)
    for unit, post in (
        ("hq", "clerk"),
        ("hq", "chief"),
        ("hq", "director"),
        ("gouzhao", "head"),
        ("bureau", "verifier"),
        ("bureau", "second"),
        ("audit", "looker"),
    )
]


def _registered(kind, due, parent):
    return {
        "title": "T",
        "kind": kind,
        "basis": [{"ref": "B"}],
        "standard": "S",
        "lead_unit": "gouzhao",
        "lead_post": "head",
        "campaign": "sixty",
        "due": due,
        "parent": parent,
    }


def _parts(keys):
    return {
        "children": [
            {
                "key": key,
                "title": "T",
                "lead_unit": "gouzhao",
                "due": "2017-12-01",
                "weight": 100 // len(keys),
            }
            for key in keys
        ]
    }


PASS = {"result": "pass", "method": "document", "evidence": PROOF}
FAIL = {**PASS, "result": "fail", "findings": ["f"], "new_due": "PT2H"}

#: What an event may say; each is allowed sometimes.
PAYLOADS = {
    "registered": [
        _registered(kind, due, parent)
        for kind in sorted(kinds.built_in())
        for due in ("2017-12-01", "2017-12-15", "D10", "WD8")
        for parent in (None, "P")
    ],
    "issued": [{}, {"approver_post": "director"}],
    "signed_for": [{}],
    "receipt_rejected": [{"reason": "r"}],
    "reassigned": [{"lead_unit": "bureau", "lead_post": "chief", "reason": "r"}],
    "plan_filed": [{"summary": "s"}],
    "decomposed": [_parts(["P.1", "P.2"]), _parts(["P.1"])],
    "progress_reported": [
        {"text": "t", "percent": percent, "evidence": PROOF} for percent in (5, 50, 90)
    ],
    "extension_requested": [
        {"new_due": day, "reason": "r", "progress": "p"}
        for day in ("2017-12-10", "2017-12-20")
    ],
    "extension_granted": [{}],
    "extension_denied": [{"reason": "r"}],
    "urged": [{"level": level} for level in ("reminder", "blue", "orange", "red")],
    "completion_claimed": [
        {
            "text": "t",
            "evidence": PROOF,
            "answers": [{"finding": n, "answer": "a"} for n in found],
        }
        for found in ([], [1])
    ],
    "completion_withdrawn": [{"reason": "r"}],
    "verification_recorded": [PASS, PASS, FAIL],
    "publicity_opened": [{"where": "w"}],
    "publicity_closed": [{"objections": 0, "answered": 0}],
    "closed": [{}, {"approver_post": "director"}],
    "lookback_recorded": [
        {"result": result, "team": ["looker"], "text": "t"}
        for result in ("passed", "relapsed")
    ],
    "reopened": [{"new_due": "WD5", "reason": "r"}],
    "suspended": [{"reason_class": "weather", "reason": "r"}],
    "resumed": [{}],
    "cancelled": [{"reason": "r"}],
    "superseded": [{"by": key, "reason": "r"} for key in KEYS],
    "failed": [{"reason": "r"}],
    "corrected": [{"corrects": "x", "reason": "r", "changes": {"percent": 1}}],
}
#: How often an event is considered: what goes round the loop always, ends rarely.
_CHANCE = {
    **dict.fromkeys(
        ("registered", "issued", "signed_for", "plan_filed", "decomposed",
         "reassigned", "completion_claimed", "verification_recorded", "resumed",
         "publicity_opened", "publicity_closed", "closed"), 1.0,
    ),
    **dict.fromkeys(("cancelled", "superseded", "failed", "suspended"), 0.02),
}  # fmt: skip
#: Who usually does it, by the number in ACTORS; the rest of the time anyone tries.
_USUAL = {
    "registered": 0, "issued": 1, "verification_recorded": 4, "closed": 1,
    "extension_granted": 1, "lookback_recorded": 6, "reopened": 6, "cancelled": 2,
}  # fmt: skip


def _step(random, world):
    """Return what, with what, by whom, of which: mostly what the table allows."""
    key = random.choice(KEYS)
    state = world.states.get(f"commitment/{key}")
    possible = [
        name
        for name in PAYLOADS
        if (state is None) == (name == "registered")
        and (state is None or state.status in TRANSITIONS[type_name(name)].when)
        and random.random() < _CHANCE.get(name, 0.3)
    ]
    if not possible or random.random() < 0.15:
        possible = list(PAYLOADS)
    what = random.choice(possible)
    usual = ACTORS[_USUAL.get(what, 3)]
    by = usual if random.random() < 0.8 else random.choice(ACTORS)
    data = random.choice(PAYLOADS[what])
    if what == "publicity_opened":
        data = {**data, **_three_days(world.now)}
    return what, data, by, key


def _three_days(now):
    first = calendar.local_date(now)
    return {"from": f"{first}", "until": f"{first + timedelta(days=2)}"}


#: Seeds, not drawn choices: long even walks reach further than what shrinks well.
WALKS = st.integers(0, 2**32).map(Random)
_SETTINGS = settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ],
)


def _walk(world, walk):
    """Yield (step, state before, accepted or not) and keep the world going."""
    for _ in range(STEPS):
        what, data, by, key = _step(walk, world)
        world.now += walk.choice((0, 0, 1, 5, 30)) * HOUR_US
        before = world.states.get(f"commitment/{key}")
        copy = None if before is None else msgspec.structs.replace(before)
        try:
            world.do(what, data, by=by, key=key)
        except Refused:
            # I13: a refused command leaves the state as it was.
            assert world.states.get(f"commitment/{key}") is before
            assert before == copy
            yield what, key, before, False
        else:
            yield what, key, before, True


@given(walk=WALKS)
@_SETTINGS
def test_every_commitment_is_in_exactly_one_state(new_world, walk):
    """I1: as many commitments in known states as were registered, after each step."""
    world, registered = new_world(), 0
    for what, _, _, accepted in _walk(world, walk):
        registered += accepted and what == "registered"
        found = [
            s for name, s in world.states.items() if name.startswith("commitment/")
        ]
        counts = Counter(state.status for state in found)
        assert sum(counts[status] for status in commitments.STATUSES) == registered
    event(f"accepted {len(world.log) // 20 * 20}+")
    for name, state in world.states.items():
        if name.startswith("commitment/"):
            event(f"ended {state.status}")


@given(walk=WALKS)
@_SETTINGS
def test_nothing_is_closed_that_another_unit_has_not_passed(new_world, walk):
    """I2: before each close there is a pass by another unit, in the same round."""
    world = new_world()
    for what, key, before, accepted in _walk(world, walk):
        if what != "closed" or not accepted:
            continue
        kind = kinds.built_in()[before.policy.partition("@")[0]]
        event(f"closed a {kind.name}")
        if kind.verification == "none":
            continue
        own = [e for e in world.log if e.stream == f"commitment/{key}"]
        last = [
            e.actor
            for e in own
            if e.type == type_name("verification_recorded") and e.data.result == "pass"
        ][-1]
        claim = [e for e in own if e.type == type_name("completion_claimed")][-1].actor
        assert last.unit not in {None, before.lead_unit, claim.unit}
        assert last.post != own[-1].actor.post
        assert last.post != claim.post


@given(walk=WALKS)
@_SETTINGS
def test_the_original_due_never_changes(new_world, walk):
    """I5: once a commitment has an original due, it has it for ever."""
    world = new_world()
    for _, key, before, _ in _walk(world, walk):
        after = world.states.get(f"commitment/{key}")
        if before is not None and before.original_due is not None:
            assert after.original_due == before.original_due
            if after.current_due != before.current_due:
                event("current due moved")


@given(walk=WALKS)
@_SETTINGS
def test_the_whole_is_not_claimed_with_an_open_part(new_world, walk):
    """I6: as long as a whole is claimed, verified or closed, its parts are settled."""
    world = new_world()
    for what, key, before, accepted in _walk(world, walk):
        if what == "reopened" and accepted and before.parent:
            event("reopened a part")
        if what == "completion_claimed" and accepted:
            event("claimed a whole" if before.children else "claimed")
        whole = world.states.get("commitment/P")
        if whole is None or whole.status not in {"claimed", "verified", "closed"}:
            continue
        for part in whole.children:
            status = world.states[f"commitment/{part}"].status
            assert status in {"closed", "superseded", "cancelled"}, (what, key)


@given(walk=WALKS)
@_SETTINGS
def test_an_accepted_log_folds_to_the_same_states(new_world, walk):
    """The fold of what was accepted, from nothing, is what deciding went along with."""
    world = new_world()
    for _ in _walk(world, walk):
        pass
    folded = {}
    for one in world.log:
        folded[one.stream] = commitments.evolve(folded.get(one.stream), one)
    assert all(world.states[stream] == state for stream, state in folded.items())
