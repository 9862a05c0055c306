"""A world without a store: commitments, units and policies in a dict, and a clock.

``do`` is the whole append path in small: role check, payload check, decide, evolve.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from types import MappingProxyType, SimpleNamespace
from typing import Any

import msgspec
import pytest

from events import calendar
from events.domain import commitments
from events.domain.commitment_payloads import PAYLOADS, type_name
from events.domain.model import Actor, Context, Event
from events.domain.organisation import Appointment, Post, Unit
from events.domain.policy_versions import Edition, Versions, content_sha256
from events.entries import instant
from events.errors import Refused

_ROWS = {row.name: row for row in commitments.EVENT_TYPES}


def us(text: str) -> int:
    return instant(text)


def _actor(unit: str, post: str, *roles: str) -> Actor:
    return Actor(key=f"key-{unit}", unit=unit, post=post, roles=frozenset(roles))


DRAFTER = _actor("hq", "clerk", "office")
OFFICE = _actor("hq", "chief", "office")
BOSS = _actor("hq", "director", "headquarters")
LEAD = _actor("gouzhao", "head", "lead")
LEAD_2 = _actor("gouzhao", "deputy", "lead", "office", "verifier")
SUPPORT = _actor("city", "inspector", "support", "lead")
OTHER = _actor("fengyang", "head", "lead", "support")
VERIFIER = _actor("bureau", "verifier", "verifier", "office", "lookback")
LOOKBACK = _actor("audit", "looker", "lookback", "office")
SYSTEM = Actor(key="importer", roles=frozenset({"adapter"}))

PROOF = [{"sha256": "ab" * 32}]
REGISTERED = {
    "title": "Fit purifiers",
    "basis": [{"ref": "GX-2017-031"}],
    "standard": "All restaurants have one.",
    "lead_unit": "gouzhao",
    "lead_post": "head",
    "support_units": ["city"],
    "due": "2017-12-15",
}
PERMIT = {"title": "Case 1", "kind": "permit", "lead_unit": "gouzhao"}
PASS = {"result": "pass", "method": "document", "evidence": PROOF}
FAIL = {
    "result": "fail",
    "method": "document",
    "evidence": PROOF,
    "findings": ["a", "b"],
    "new_due": "WD5",
}
CLOSE = {"approver_post": "director"}
EXTENSION = {"new_due": "2017-12-22", "reason": "late supply", "progress": "half"}
PUBLIC = {"from": "2017-11-15", "until": "2017-11-17", "where": "board"}
RELAPSE = {"result": "relapsed", "team": ["looker"], "text": "off again"}


def published(now: int) -> dict[str, str]:
    """Return the window of three days of publicity that begins today."""
    first = calendar.local_date(now)
    return {"from": f"{first}", "until": f"{first + timedelta(days=2)}"}


#: The way of a supervised commitment: what happens, what with, by whom.
WAY = (
    ("registered", REGISTERED, DRAFTER, "draft"),
    ("issued", {}, OFFICE, "issued"),
    ("signed_for", {}, LEAD, "signed"),
    ("plan_filed", {"summary": "Three teams."}, LEAD, "in_progress"),
    ("completion_claimed", {"text": "done", "evidence": PROOF}, LEAD, "claimed"),
    ("verification_recorded", PASS, VERIFIER, "verified"),
    ("publicity_opened", PUBLIC, OFFICE, "verified"),
    ("publicity_closed", {"objections": 0, "answered": 0}, OFFICE, "verified"),
    ("closed", CLOSE, OFFICE, "closed"),
)


class World:
    """Streams by id, a clock that the test sets, and what was decided last."""

    def __init__(self) -> None:
        self.states: dict[str, Any] = {
            f"unit/{unit}": Unit(status="active", name=unit)
            for unit in ("hq", "gouzhao", "city", "bureau", "fengyang", "audit")
        }
        self.states["unit/old"] = Unit(status="ended", name="old")
        self.states["campaign/sixty"] = SimpleNamespace(
            status="open", end=date(2017, 12, 31)
        )
        self.states["directive/D1"] = SimpleNamespace(active=True)
        for post in ("clerk", "chief", "director", "deputy", "verifier", "looker"):
            self.appoint(post)
        self.now = us("2017-11-14T10:00:00+08:00")
        self.stamps: dict[str, str] = {}
        self.number = 0
        self.log: list[Event] = []

    def appoint(self, post: str, *, person: str | None = None) -> None:
        """Let a person (default: one of its own) hold a post since 2017."""
        held = Appointment(
            "hq", post, person or f"p:{post}", us("2017-01-01T00:00:00Z")
        )
        self.states[f"post/{post}"] = Post(status="known", appointments=(held,))

    def at(self, text: str) -> None:
        self.now = us(text)

    def event(self, what: str, data: Any, by: Actor, key: str) -> Event:
        self.number += 1
        kind = type_name(what)
        return Event(
            type=kind,
            stream=f"commitment/{key}",
            version=self.number,
            id=f"e{self.number}",
            source="urn:test",
            occurred=self.now,
            ingested=self.now,
            data=msgspec.convert(data or {}, PAYLOADS[kind]),
            actor=by,
        )

    def decide(self, event: Event) -> dict[str, str]:
        ctx = Context(
            now=self.now,
            at=self.now,
            actor=event.actor,
            state_of=self.states.get,
            has_event=self.has_event,
        )
        row = _ROWS[event.type]
        return dict(row.decide(self.states.get(event.stream), event, ctx))

    def has_event(self, stream: str, event_id: str) -> bool:
        return any((e.stream, e.id) == (stream, event_id) for e in self.log)

    def do(self, what: str, data: Any = None, *, by: Actor, key: str = "C1") -> Any:
        """Submit; return the new state. ``Refused`` leaves everything as it was."""
        event = self.event(what, data, by, key)
        assert _ROWS[event.type].roles & by.roles, f"{by} may not submit {what}"
        self.stamps = self.decide(event)
        due = self.stamps.get("dueat")
        event = msgspec.structs.replace(
            event,
            policy=self.stamps.get("policyversion"),
            due_at=us(due) if due else None,
        )
        before = self.states.get(event.stream)
        self.states[event.stream] = _ROWS[event.type].evolve(before, event)
        self.log.append(event)
        return self.states[event.stream]

    def refused(
        self, what: str, data: Any, code: str, *, by: Actor, key: str = "C1"
    ) -> Refused:
        """Submit what must be refused with this code, and leave no trace."""
        before = dict(self.states)
        with pytest.raises(Refused) as caught:
            self.do(what, data, by=by, key=key)
        assert caught.value.code == code
        assert caught.value.faults
        assert self.states == before
        return caught.value

    def reach(self, status: str, key: str = "C1", **registered: Any) -> Any:
        """Bring a supervised commitment to a status on the shortest way."""
        side = {
            "rejected_receipt": ("issued", "receipt_rejected", {"reason": "no"}, LEAD),
            "returned": ("claimed", "verification_recorded", FAIL, VERIFIER),
            "suspended": (
                "in_progress",
                "suspended",
                {"reason_class": "weather", "reason": "cold"},
                OFFICE,
            ),
            "cancelled": ("issued", "cancelled", {"reason": "revoked"}, BOSS),
            "failed": ("issued", "failed", {"reason": "too late"}, BOSS),
        }
        if status == "superseded":
            self.reach("issued", key=key + "-next")
            self.reach("issued", key=key, **registered)
            data = {"by": key + "-next", "reason": "same street"}
            return self.do("superseded", data, by=OFFICE, key=key)
        if status == "reopened":
            self.reach("closed", key=key, **registered)
            self.do("lookback_recorded", RELAPSE, by=LOOKBACK, key=key)
            data = {"new_due": "WD10", "reason": "relapse"}
            return self.do("reopened", data, by=LOOKBACK, key=key)
        if status in side:
            before, what, data, by = side[status]
            self.reach(before, key=key, **registered)
            return self.do(what, data, by=by, key=key)
        return self._along(status, key, registered)

    def _along(self, status: str, key: str, registered: dict[str, Any]) -> Any:
        state = None
        for what, data, by, result in WAY:
            extra = registered if what == "registered" else {}
            if what == "publicity_opened":
                extra = published(self.now)
            if what == "publicity_closed":
                self.now += 3 * calendar.DAY_US
            state = self.do(what, {**data, **extra}, by=by, key=key)
            assert state.status == result
            if result == status:
                return state
        raise AssertionError(status)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def put_kind(world):
    """Return a way to have a version of a kind published, and activated since 2010."""

    def put(kind, **changes: Any) -> None:
        edition = Edition(
            version=kind.version,
            content=kind,
            sha256=content_sha256(kind),
            valid_from=us("2010-01-01T00:00:00Z"),
            publisher="post:first",
            activated_at=world.now,
        )
        rows = {kind.version: replace(edition, **changes)}
        state = Versions("published", MappingProxyType(rows))
        world.states[f"policy/{kind.name}"] = state

    return put


@pytest.fixture
def new_world() -> type[World]:
    return World


@pytest.fixture
def who() -> SimpleNamespace:
    """The cast, by role."""
    return SimpleNamespace(
        drafter=DRAFTER,
        office=OFFICE,
        boss=BOSS,
        lead=LEAD,
        lead_2=LEAD_2,
        support=SUPPORT,
        other=OTHER,
        verifier=VERIFIER,
        lookback=LOOKBACK,
        system=SYSTEM,
    )


@pytest.fixture
def say() -> SimpleNamespace:
    """Payloads that are right, to be changed in one place by a test."""
    return SimpleNamespace(
        registered=REGISTERED,
        permit=PERMIT,
        passed=PASS,
        failed=FAIL,
        close=CLOSE,
        extension=EXTENSION,
        public=PUBLIC,
        relapse=RELAPSE,
        proof=PROOF,
        claim={"text": "done", "evidence": PROOF},
    )
