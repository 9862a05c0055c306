"""Submissions for tests: a small fictional administration and one promise kept by it.

Event dictionaries only (模拟数据): no store, no HTTP, no assertion. Posts stand where
persons would be. Who acts is said in two ways: by the key that submits (``PEOPLE`` have
one each), or by one system that may delegate (``acting`` puts the attributes in).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from events.entries import rfc3339

ORIGIN = "log.example/test"
SOURCE = "urn:test:oa"
EXTERNAL = "org.example.hotline.call.v1"
START = 1_510_642_800_000_000
"""2017-11-14T07:00:00Z, in µs: the first instant of the scenario."""

HOUR = 3_600_000_000
DAY = 24 * HOUR
PROOF = ({"sha256": "ab" * 32, "media_type": "image/jpeg"},)

Event = dict[str, Any]


class Person(NamedTuple):
    """A post with its unit and roles, and the key that it submits with."""

    key: str
    unit: str
    post: str
    roles: tuple[str, ...]


PEOPLE: Mapping[str, Person] = {
    "drafter": Person("keyDrafter", "hq", "clerk", ("office",)),
    "office": Person("keyOffice", "hq", "chief", ("office",)),
    "boss": Person("keyBoss", "hq", "director", ("headquarters",)),
    "lead": Person("keyLead", "gouzhao", "head", ("lead",)),
    "support": Person("keySupport", "city", "inspector", ("support",)),
    "verifier": Person("keyVerifier", "bureau", "checker", ("verifier",)),
    "lookback": Person("keyLookback", "audit", "looker", ("lookback",)),
}
UNITS = tuple(dict.fromkeys(person.unit for person in PEOPLE.values()))
ADAPTER = "keyAdapter"
"""The key of a system that may submit for everybody, also of the past."""

ALL_SCOPES = (
    "events:write",
    "events:read",
    "verify",
    "types:write",
    "keys:admin",
    "policy:write",
    "backfill",
    "delegate",
)


class Step(NamedTuple):
    """One event of the loop, who submits it, and the status it leads to."""

    by: str
    event: Event
    status: str


def event(
    name: str,
    subject: str | None,
    data: Any,
    *,
    event_id: str,
    source: str = SOURCE,
    time: int | None = START,
    **attributes: str,
) -> Event:
    """Return a submission; ``time`` is in µs, None leaves the attribute out."""
    made: Event = {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": name,
        "data": data,
        **attributes,
    }
    if subject is not None:
        made["subject"] = subject
    if time is not None:
        made["time"] = rfc3339(time)
    return made


def opened(vkeys: Sequence[str], *, origin: str = ORIGIN) -> Event:
    """Return the event of position 1; the operator submits it."""
    data = {"origin": origin, "vkeys": list(vkeys)}
    return event("henji.ledger.opened.v1", f"ledger/{origin}", data, event_id="opened")


def unit_created(unit: str) -> Event:
    """Return the event that founds a unit."""
    data = {"name": f"{unit}（模拟数据）", "name_en": unit, "category": "office"}
    return event("henji.unit.created.v1", f"unit/{unit}", data, event_id=f"unit-{unit}")


def post_appointed(post: str, unit: str) -> Event:
    """Return the event that puts somebody in a post, since before the scenario."""
    data = {
        "unit": unit,
        "title": f"{post}（模拟数据）",
        "person_ref": f"p:{post}",
        "valid_from": "2017-01-01T00:00:00+08:00",
    }
    name = "henji.post.appointed.v1"
    return event(name, f"post/{post}", data, event_id=f"post-{post}")


def key_created(
    key: str,
    *,
    secret_sha256: str = "0" * 64,
    roles: Sequence[str] = ("adapter",),
    scopes: Sequence[str] = ("events:write", "events:read"),
    sources: Sequence[str] = ("*",),
    **more: Any,
) -> Event:
    """Return the event that creates a key; ``more``: unit, post, name, types, expires."""
    data = {
        "key_id": key,
        "secret_sha256": secret_sha256,
        "roles": list(roles),
        "scopes": list(scopes),
        "sources": list(sources),
        **more,
    }
    name = "henji.access.key_created.v1"
    return event(name, f"access/{key}", data, event_id=f"create-{key}")


def key_revoked(key: str) -> Event:
    """Return the event that ends a key."""
    name = "henji.access.key_revoked.v1"
    data = {"reason": "The device was lost (模拟数据)."}
    return event(name, f"access/{key}", data, event_id=f"revoke-{key}")


def keys(secret_sha256: str = "0" * 64) -> list[Event]:
    """Return the events that create a key for each of ``PEOPLE``, and ``ADAPTER``."""
    made = [
        key_created(
            person.key,
            secret_sha256=secret_sha256,
            roles=person.roles,
            unit=person.unit,
            post=person.post,
        )
        for person in PEOPLE.values()
    ]
    adapter = key_created(ADAPTER, secret_sha256=secret_sha256, scopes=ALL_SCOPES)
    return [*made, adapter]


def type_registered(name: str = EXTERNAL, *, roles: Sequence[str] = ()) -> Event:
    """Return the event that lets an external type in."""
    data = {
        "type": name,
        "title_en": "Hotline call",
        "title_zh": "热线来电",
        "schema": {
            "type": "object",
            "properties": {
                "about": {"type": "string", "minLength": 1},
                "number": {"type": "integer"},
            },
            "required": ["about"],
            "additionalProperties": False,
        },
        "examples": [{"about": "Dust from a site (fictional)"}],
        "roles": list(roles),
    }
    kind = "henji.catalogue.type_registered.v1"
    return event(kind, f"catalogue/{name}", data, event_id=f"type-{name}")


def external(
    number: int,
    *,
    subject: str | None = None,
    source: str = "urn:test:hotline",
    about: str = "Dust",
) -> Event:
    """Return an event of the external type, numbered; each source is one stream."""
    data = {"about": about, "number": number}
    return event(EXTERNAL, subject, data, event_id=f"call-{number}", source=source)


def groundwork() -> list[Event]:
    """Return what the operator appends after opening.

    Units, the post that approves, keys, the external type.
    """
    boss = PEOPLE["boss"]
    approver = post_appointed(boss.post, boss.unit)
    return [*map(unit_created, UNITS), approver, *keys(), type_registered()]


def commitment(
    what: str, key: str, data: Any = None, *, time: int | None = START, number: int = 0
) -> Event:
    """Return ``henji.commitment.<what>.v1`` for one commitment; ids are per number."""
    return event(
        f"henji.commitment.{what}.v1",
        f"commitment/{key}",
        {} if data is None else data,
        event_id=f"{key}-{what}-{number}",
        time=time,
    )


def acting(person: str, submission: Event) -> Event:
    """Return the event as a delegating system submits it for one of ``PEOPLE``."""
    who = PEOPLE[person]
    return {**submission, "actorunit": who.unit, "actorpost": who.post}


def registered(due: str = "2017-12-15", **more: Any) -> dict[str, Any]:
    """Return the payload of a supervised commitment's registration."""
    return {
        "title": "Fit purifiers (模拟数据)",
        "kind": "supervision",
        "basis": [{"ref": "GX-2017-031"}],
        "standard": "All restaurants have one.",
        "lead_unit": "gouzhao",
        "lead_post": "head",
        "support_units": ["city"],
        "due": due,
        **more,
    }


def decomposed(*children: str, due: str = "2017-12-01") -> dict[str, Any]:
    """Return the payload that lists these parts, of equal weight (100 must divide)."""
    parts = [
        {
            "key": child,
            "title": f"Part {child}",
            "lead_unit": "gouzhao",
            "due": due,
            "weight": 100 // len(children),
        }
        for child in children
    ]
    return {"children": parts}


_PASS = {"result": "pass", "method": "document", "evidence": PROOF}
_PUBLIC = {"from": "2017-11-18", "until": "2017-11-20", "where": "Notice board"}

#: The loop of a supervised commitment: (by, what, payload, day, status after it).
WAY: Sequence[tuple[str, str, Mapping[str, Any], int, str]] = (
    ("drafter", "registered", registered(), 0, "draft"),
    ("office", "issued", {}, 0, "issued"),
    ("lead", "signed_for", {}, 0, "signed"),
    ("lead", "plan_filed", {"summary": "Three teams."}, 1, "in_progress"),
    (
        "support",
        "progress_reported",
        {"percent": 60, "text": "Half.", "evidence": PROOF},
        2,
        "in_progress",
    ),
    ("lead", "completion_claimed", {"text": "Done.", "evidence": PROOF}, 3, "claimed"),
    ("verifier", "verification_recorded", _PASS, 4, "verified"),
    ("office", "publicity_opened", _PUBLIC, 4, "verified"),
    ("office", "publicity_closed", {"objections": 0, "answered": 0}, 8, "verified"),
    ("office", "closed", {"approver_post": "director"}, 8, "closed"),
)


def loop(key: str, *, begin: int = START, **registration: Any) -> list[Step]:
    """Return the whole loop of one commitment, each event at its own time.

    ``begin`` (µs) is on the day of ``START``, for which the payloads are made.
    ``registration`` changes the first payload. Submit each with the person's own key
    while the clock shows the event's time, or all with ``ADAPTER`` (see ``delegated``).
    """
    steps = []
    for number, (by, what, data, day, status) in enumerate(WAY):
        given = {**data, **registration} if what == "registered" else dict(data)
        at = begin + day * DAY + number * 60_000_000
        steps.append(Step(by, commitment(what, key, given, time=at), status))
    return steps


def delegated(steps: Iterable[Step]) -> Iterator[Event]:
    """Yield the events of a loop as ``ADAPTER`` submits them."""
    for step in steps:
        yield acting(step.by, step.event)
