"""Keys as operators handle them; each change is an event.

Rules of this file: it makes the secret of an API key and forgets it; only its hash goes
into the log. How signing keys are kept is in ``keyfile``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from events.domain.access import Key
from events.signing import ROTATED
from events.store import Selection
from services import keyfile
from services.auth import SECRET_BYTES, compose_key
from services.wiring import Ledger, clock, operator_event

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


def rotate_signing_keys(
    ledger: Ledger, reason: str, *, random_bytes: Callable[[int], bytes]
) -> tuple[tuple[str, ...], Path | None]:
    """Let the log name new signing keys, then put them in place.

    Returns the new public keys and the file of the former keys' last checkpoint (None:
    another process that was starting did the rest). From here on this ledger signs
    nothing, and neither does any process that runs: each must be started again.
    """
    path = ledger.settings.data_dir / keyfile.FILE
    origin = ledger.keys.origin
    fresh = keyfile.prepare(path, origin=origin, random_bytes=random_bytes)
    data = {"vkeys": list(fresh.vkeys), "reason": reason}
    ledger.submit_as_operator(operator_event(ROTATED, f"ledger/{origin}", data))
    seconds = clock() // 1_000_000
    return fresh.vkeys, keyfile.take_up(
        path, ledger.keys, ledger.store, seconds=seconds
    )
