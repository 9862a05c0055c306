"""Who is asking: API keys, read from a bearer header and held against the log.

Rules of this file: authentication only. What a key may write is decided by the log
(``events.gate``); here a key is recognised, and its scope for reading is checked. A
secret is seen once, compared by hash in constant time, and never kept or logged.

A key reads ``henji_<key id>_<secret>``: the id finds its state in the log, the secret
has 256 bits of randomness, so that a plain SHA-256 of it is safe to store.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from events import errors
from events.domain.access import Key

PREFIX = "henji"
SECRET_BYTES = 32
_HEADER = re.compile(rb"(?i:bearer) +(henji_([A-Za-z0-9]{4,32})_([A-Za-z0-9_-]{43}))")
_MAX_CACHED = 10_000
_FOREVER = 2**63


def compose_key(key_id: str, secret: bytes) -> tuple[str, str]:
    """Return the key as shown once, and the hex SHA-256 of its secret for the log."""
    text = urlsafe_b64encode(secret).rstrip(b"=").decode()
    return f"{PREFIX}_{key_id}_{text}", sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Principal:
    """A recognised key: its id and what it may read."""

    key: str
    scopes: frozenset[str]
    roles: frozenset[str]
    unit: str | None = None
    post: str | None = None

    def require(self, scope: str) -> None:
        """Return if the key has the scope; else ``Denied('scope_missing')``."""
        if scope not in self.scopes:
            raise errors.Denied("scope_missing", scope=scope)


class Authenticator:
    """Recognises keys; remembers a recognised header for a few seconds.

    ``key_state`` reads the state of ``access/<id>`` from the log; ``clock`` gives µs.
    A revocation therefore ends reading within ``cache_us``; writing it ends at once,
    since the sequencer asks the log itself.
    """

    def __init__(
        self,
        key_state: Callable[[str], Key | None],
        *,
        clock: Callable[[], int],
        cache_us: int,
    ) -> None:
        self._key_state = key_state
        self._clock = clock
        self._cache_us = cache_us
        self._recognised: dict[bytes, tuple[int, Principal]] = {}

    def recognise(self, header: bytes | None) -> Principal:
        """Return the principal of an Authorization header.

        ``Denied``: credentials_missing, or credentials_invalid without saying why.
        """
        if header is None:
            raise errors.Denied("credentials_missing")
        now = self._clock()
        token = sha256(header).digest()
        found = self._recognised.get(token)
        if found is not None and now < found[0]:
            return found[1]
        principal, ends = self._check(header, now)
        if len(self._recognised) >= _MAX_CACHED:
            self._recognised.clear()
        self._recognised[token] = (min(now + self._cache_us, ends), principal)
        return principal

    def _check(self, header: bytes, now: int) -> tuple[Principal, int]:
        """Return the principal, and until when its key counts at most."""
        match = _HEADER.fullmatch(header.strip())
        if match is None:
            raise errors.Denied("credentials_invalid")
        key_id = match[2].decode()
        key = self._key_state(key_id)
        given = sha256(match[3]).hexdigest()
        # An unknown id costs the same comparison as a known one.
        wanted = key.secret_sha256 if key else "0" * 64
        same = hmac.compare_digest(given, wanted)
        if key is None or not same or not key.usable(now):
            raise errors.Denied("credentials_invalid", key=key_id)
        principal = Principal(
            key=key_id,
            scopes=frozenset(key.scopes),
            roles=frozenset(key.roles),
            unit=key.unit,
            post=key.post,
        )
        return principal, _FOREVER if key.expires_at is None else key.expires_at
