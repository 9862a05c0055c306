"""Who may submit what: the checks that come before any rule of the domain.

Rules of this file: pure; it judges by the grant that the log itself holds for a key
(the state of ``access/<key>``), never by what a screen or a header claims.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from events import errors
from events.domain.model import Actor

if TYPE_CHECKING:
    from collections.abc import Mapping

WRITE = "events:write"
BACKFILL = "backfill"
DELEGATE = "delegate"

#: Streams whose events need another scope than ``events:write``.
_SCOPES = {
    "access": "keys:admin",
    "catalogue": "types:write",
    "policy": "policy:write",
    "ruleset": "policy:write",
    "calendar": "policy:write",
    "evidence": "evidence:write",
}

#: Attributes by which a system that submits for others names who acted.
_ACTING = ("actorunit", "actorpost", "actorperson")


@dataclass(frozen=True, slots=True)
class Grant:
    """What one key may do, as the log says at this moment.

    ``sources`` are exact CloudEvents sources or prefixes that end in ``*``; none means
    any source. ``types`` are event types, likewise.
    """

    key: str
    unit: str | None
    post: str | None
    roles: frozenset[str]
    scopes: frozenset[str]
    sources: tuple[str, ...] = ()
    types: tuple[str, ...] = ()

    #: The actor that the key itself is bound to.
    actor: Actor = field(init=False)

    def __post_init__(self) -> None:
        """Make the actor once: it acts in every event of a batch."""
        actor = Actor(self.key, self.unit, self.post, None, self.roles)
        object.__setattr__(self, "actor", actor)


def system_grant() -> Grant:
    """Return the grant of the operator at the machine: start-up, command line."""
    return Grant(
        key="system",
        unit=None,
        post=None,
        roles=frozenset({"system", "admin"}),
        scopes=frozenset({WRITE, BACKFILL, DELEGATE, *_SCOPES.values()}),
    )


def grant_of(key: str, state: Any, *, at: int) -> Grant:
    """Return the grant in an access state; ``Denied('key_unusable')`` if there is none.

    ``at`` (µs) is judged against the key's expiry.
    """
    if state is None or not state.usable(at):
        raise errors.Denied("key_unusable")
    return Grant(
        key=key,
        unit=state.unit,
        post=state.post,
        roles=frozenset(state.roles),
        scopes=frozenset(state.scopes),
        sources=tuple(state.sources),
        types=tuple(state.types),
    )


def admit(grant: Grant, *, kind: str | None, source: str, name: str) -> None:
    """Check the scope for this kind of stream (None: external), source and type name.

    ``Denied``: scope_missing, source_not_allowed, type_not_allowed.
    """
    scope = _SCOPES.get(kind or "", WRITE)
    if scope not in grant.scopes:
        raise errors.Denied("scope_missing", scope=scope)
    if not _listed(grant.sources, source):
        raise errors.Denied("source_not_allowed", source=source)
    if not _listed(grant.types, name):
        raise errors.Denied("type_not_allowed", type=name)


def acting(grant: Grant, event: Mapping[str, Any]) -> Actor:
    """Return who acts: the key's own binding, or whom a delegating system names.

    ``Denied('delegation_not_allowed')`` if a key without that scope names another.
    """
    claimed = [event.get(name) for name in _ACTING]
    if not any(claimed):
        return grant.actor
    own = (grant.unit, grant.post, None)
    if DELEGATE not in grant.scopes and any(
        value is not None and value != mine
        for value, mine in zip(claimed, own, strict=True)
    ):
        raise errors.Denied("delegation_not_allowed")
    unit, post, person = claimed
    return Actor(
        key=grant.key,
        unit=unit or grant.unit,
        post=post or grant.post,
        person=person,
        roles=grant.roles,
    )


@lru_cache(maxsize=4096)
def _listed(allowed: tuple[str, ...], value: str) -> bool:
    return not allowed or any(_covers(pattern, value) for pattern in allowed)


def _covers(allowed: str, source: str) -> bool:
    if allowed.endswith("*"):
        return source.startswith(allowed[:-1])
    return source == allowed
