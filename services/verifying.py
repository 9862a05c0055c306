"""``henji verify``: what is to be verified, with what trust, and how the outcome reads.

Rules of this file: it chooses and presents; the judging is in ``events``, the reading
in ``services.auditing``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from events.verify import Report, Trust
from services import auditing
from services.keyfile import read_vkeys
from services.settings import Settings
from services.texts import Say
from services.wiring import open_store


@dataclass(frozen=True, slots=True)
class Trusted:
    """What the auditor holds: public keys, the origin, earlier signed checkpoints.

    ``key`` is an API key, for a log that is not published to everyone.
    """

    vkeys: tuple[str, ...]
    origin: str | None
    checkpoints: tuple[Path, ...]
    key: str = ""

    def trust(self, vkeys: tuple[str, ...] = ()) -> Trust:
        """Return it in the verifier's terms; ``vkeys`` stand in where none is held."""
        return auditing.trust_from(
            origin=self.origin,
            vkeys=self.vkeys or vkeys,
            notes=[path.read_text("utf-8") for path in self.checkpoints],
        )


def verify(target: str, trusted: Trusted, settings: Settings) -> Report:
    """Verify a URL, a folder of tiles, or (no target) the store of the settings."""
    if target.startswith(("http://", "https://")):
        return auditing.verify_url(target, trusted.trust(), key=trusted.key)
    if target:
        return auditing.verify_directory(Path(target), trusted.trust())
    own = read_vkeys(settings.data_dir / "signing.keys")
    with _store(settings) as store:
        return auditing.verify_store(store, trusted.trust(own))


@contextmanager
def _store(settings: Settings) -> Iterator[Any]:
    store = open_store(settings)
    try:
        yield store
    finally:
        store.close()


def sentence(report: Report, say: Say) -> str:
    """Return the outcome in one sentence."""
    if report.ok:
        return say("log_verified", size=report.size, root=report.root.hex())
    return say(
        "log_bad", position=report.first_bad, code=report.code, detail=report.detail
    )


def as_json(report: Report) -> dict[str, Any]:
    """Return the outcome as one JSON object."""
    return {
        "ok": report.ok,
        "size": report.size,
        "root": report.root.hex(),
        "first_bad": report.first_bad,
        "code": report.code,
        "detail": report.detail,
        "origin": report.origin,
        "vkeys": list(report.vkeys),
        "keys": [
            {"vkeys": list(one.vkeys), "first": one.first, "last": one.last}
            for one in report.keys
        ],
        "streams": report.streams,
        "roots": report.roots,
        "nodes": report.nodes,
        "checkpoints": report.checkpoints,
    }
