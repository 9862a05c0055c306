"""API keys as operators handle them: create, list, revoke; each change is an event.

Rules of this file: it makes the secret and forgets it; only its hash goes into the log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from events.domain.access import Key
from events.store import Selection
from services.auth import SECRET_BYTES, compose_key
from services.wiring import Ledger, operator_event

CREATED = "henji.access.key_created.v1"
REVOKED = "henji.access.key_revoked.v1"
_ID_BYTES = 4
_MOST_KEYS = 100_000


@dataclass(frozen=True, slots=True)
class KeySpec:
    """What a new key is bound to. ``expires`` is RFC 3339, or None for never."""

    name: str
    roles: Sequence[str]
    scopes: Sequence[str]
    sources: Sequence[str] = ("*",)
    types: Sequence[str] = ()
    unit: str | None = None
    post: str | None = None
    expires: str | None = None


def create_key(
    ledger: Ledger, spec: KeySpec, *, random_bytes: Callable[[int], bytes]
) -> tuple[str, str]:
    """Create a key; return (its id, the key itself: to be shown once)."""
    key_id = random_bytes(_ID_BYTES).hex()
    shown, hashed = compose_key(key_id, random_bytes(SECRET_BYTES))
    optional = {"unit": spec.unit, "post": spec.post, "expires": spec.expires}
    data: dict[str, Any] = {
        "key_id": key_id,
        "secret_sha256": hashed,
        "name": spec.name,
        "roles": list(spec.roles),
        "scopes": list(spec.scopes),
        "sources": list(spec.sources),
        **({"types": list(spec.types)} if spec.types else {}),
        **{name: value for name, value in optional.items() if value is not None},
    }
    ledger.submit_as_operator(operator_event(CREATED, f"access/{key_id}", data))
    return key_id, shown


def list_keys(ledger: Ledger) -> list[Key]:
    """Return the state of every key, oldest first."""
    rows = ledger.store.select(Selection(types=(CREATED,)), limit=_MOST_KEYS)
    return [ledger.state_of(row.stream) for row in rows]


def revoke_key(ledger: Ledger, key_id: str, reason: str) -> None:
    """Revoke a key; what it submitted before stays valid."""
    event = operator_event(REVOKED, f"access/{key_id}", {"reason": reason})
    ledger.submit_as_operator(event)
