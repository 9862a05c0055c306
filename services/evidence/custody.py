"""What the log says of evidence: the event of a stored piece, and what became of it.

Rules of this file: events and their reading; no bytes and no HTTP. The order of an
upload, and what a crash after each step leaves:

    1  receive and hash into a staged file   the file, swept by ``upkeep``
    2  check it, and make its event          as 1: nothing was promised
    3  keep it under its digest, durably     bytes without an event: nobody can read
                                             them, ``upkeep`` collects them
    4  append ``henji.evidence.stored.v1``   bytes and event, unanswered; sent again it
                                             gets the receipt of then
    5  answer

There is never an event without bytes. The event is made by the service and sealed in
the name of the key that uploaded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from events import errors, gate
from events.cloudevents import accept
from events.store import Row
from events.submissions import Prepared, prepare
from services.evidence.intake import Content
from services.wiring import SYSTEM_SOURCE, Ledger, clock

STORED = "henji.evidence.stored.v1"
ERASED = "henji.evidence.erased.v1"


@dataclass(frozen=True, slots=True)
class Description:
    """What the uploader says of the content.

    ``captured_at`` is RFC 3339; ``place`` is (latitude, longitude), WGS 84.
    """

    media_type: str
    name: str | None = None
    captured_at: str | None = None
    place: tuple[float, float] | None = None
    personal: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """What the log holds of one content: its state, and the event that stored it.

    ``status``: "" (nothing), stored, rejected, erased or referred.
    """

    sha256: str
    status: str = ""
    stored: Row | None = None
    media_type: str = ""
    size: int = 0
    personal: bool = False


def stream_of(sha256: str) -> str:
    """Return the stream of one content."""
    return f"evidence/{sha256}"


def event_id(sha256: str) -> str:
    """Return the id of the event that stores it: two uploads cannot make two."""
    return f"evidence-stored-{sha256}"


def record_of(ledger: Ledger, sha256: str) -> Record:
    """Return what the log holds of a content."""
    stream = stream_of(sha256)
    state = ledger.state_of(stream)
    if state is None:
        return Record(sha256)
    return Record(
        sha256,
        status=state.status,
        stored=_stored_row(ledger, stream),
        media_type=state.media_type or "",
        size=state.size or 0,
        personal=state.personal,
    )


def prepared(content: Content, said: Description, grant: gate.Grant) -> Prepared:
    """Return the event of a content that is about to be kept, ready to be appended.

    Raises the refusal where what was said of it breaks the schema of the event.
    """
    item = prepare(accept(_event(content, said, grant)))
    if isinstance(item, errors.HenjiError):
        raise item
    return item


def uploader(ledger: Ledger, key: str) -> gate.Grant:
    """Return the grant in whose name a content is stored: the key's, as the service.

    The log is asked now, not a cache: ``Denied('key_unusable')`` for a key that has
    ended meanwhile, scope_missing.
    """
    grant = gate.grant_of(key, ledger.state_of(f"access/{key}"), at=clock())
    if "evidence:write" not in grant.scopes:
        raise errors.Denied("scope_missing", scope="evidence:write")
    return replace(
        grant,
        roles=grant.roles | {"system"},
        scopes=frozenset({gate.WRITE, "evidence:write"}),
        sources=(SYSTEM_SOURCE,),
    )


def _event(content: Content, said: Description, grant: gate.Grant) -> dict[str, Any]:
    optional = {
        "name": said.name,
        "captured_at": said.captured_at,
        "geo": _place(said),
        "personal": said.personal or None,
        "by_unit": grant.unit,
    }
    return {
        "specversion": "1.0",
        "id": event_id(content.sha256),
        "source": SYSTEM_SOURCE,
        "type": STORED,
        "subject": stream_of(content.sha256),
        "data": {
            "sha256": content.sha256,
            "sm3": content.sm3,
            "media_type": said.media_type,
            "size": content.size,
            "by_key": grant.key,
            **{name: value for name, value in optional.items() if value is not None},
        },
    }


def _place(said: Description) -> dict[str, float] | None:
    if said.place is None:
        return None
    latitude, longitude = said.place
    return {"latitude": latitude, "longitude": longitude}


def _stored_row(ledger: Ledger, stream: str) -> Row | None:
    """Return the newest event that stored it, under whatever id."""
    rows = ledger.store.stream(stream)
    return next((row for row in reversed(rows) if row.type == STORED), None)
