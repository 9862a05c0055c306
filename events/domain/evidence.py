"""Evidence 佐证材料: what is known of one piece of content, by its SHA-256.

Rules of this file: digests and descriptions. The bytes are kept elsewhere and may be
erased by law; the digest in the log stays, and so does every proof over it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal

from msgspec import Meta

from events.domain.citations import Fact, check_fact
from events.domain.commitment_state import person_of
from events.domain.fields import (
    Id,
    Instant,
    Latitude,
    Longitude,
    Reason,
    Sha256Hex,
    Title,
    key_of,
)
from events.domain.model import Context, Event, Payload
from events.domain.transitions import NEW, Rule, event_types, refuse

MediaType = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}(?!\n)$",
        description="A media type without parameters, in lower case.",
        examples=["image/jpeg"],
    ),
]
Size = Annotated[int, Meta(ge=0, le=2**53 - 1, description="Bytes.")]
Sm3Hex = Annotated[
    str,
    Meta(pattern=r"^[0-9a-f]{64}(?!\n)$", description="SM3 (GB/T 32905), lower hex."),
]


class Place(Payload, frozen=True):
    """Where a picture was taken, WGS 84."""

    latitude: Latitude
    longitude: Longitude


class Stored(Payload, frozen=True):
    """The content with this digest was received, checked and kept."""

    sha256: Sha256Hex
    media_type: MediaType
    size: Size
    sm3: Sm3Hex | None = None
    name: Title | None = None
    captured_at: Instant | None = None
    geo: Place | None = None
    personal: bool = False
    by_key: Id | None = None
    by_unit: Id | None = None


class Rejected(Payload, frozen=True):
    """Content with this digest was offered and not kept."""

    sha256: Sha256Hex
    reason: Literal["too_large", "media_type", "malware", "digest_mismatch", "empty"]
    size: Size | None = None
    media_type: MediaType | None = None
    note: Title | None = None


class ReuseDetected(Payload, frozen=True):
    """One content serves two claims: the event that used it first, and the second."""

    sha256: Sha256Hex
    first: Fact
    second: Fact


class Erased(Payload, frozen=True):
    """The bytes were erased, by law and by two persons; the digest stays."""

    reason: Reason
    basis: Title
    approver_post: Id


@dataclass(frozen=True, slots=True)
class Content:
    """The state of one content; ``reuses`` are the second uses, by place.

    ``status``: stored, rejected, erased, or referred (used, though never stored here).
    """

    status: str
    media_type: str | None = None
    size: int | None = None
    personal: bool = False
    reuses: frozenset[tuple[str, int]] = frozenset()

    @property
    def kept(self) -> bool:
        """Tell whether the bytes can be had."""
        return self.status == "stored"


def evidence_stream(sha256: str) -> str:
    """Return the stream of one content: ``evidence/<sha256>``."""
    return f"evidence/{sha256}"


def _guard_digest(_state: Content | None, event: Event, _context: Context) -> None:
    if event.data.sha256 != key_of(event):
        raise refuse("evidence_digest_mismatch", "/data/sha256", stream=event.stream)


def _guard_reuse(state: Content | None, event: Event, context: Context) -> None:
    _guard_digest(state, event, context)
    data: ReuseDetected = event.data
    check_fact(data.first, context, where="/data/first")
    check_fact(data.second, context, where="/data/second")
    if data.first.place == data.second.place:
        raise refuse("evidence_reuse_of_itself", "/data/second")
    if state is not None and data.second.place in state.reuses:
        raise refuse("evidence_reuse_known", "/data/second")


def _guard_erased(_state: Content, event: Event, context: Context) -> None:
    if person_of(context.actor) == f"post:{event.data.approver_post}":
        raise refuse("evidence_erasure_not_by_two", "/data/approver_post")


def _store(state: Content | None, event: Event) -> Content:
    data: Stored = event.data
    return Content(
        status="stored",
        media_type=data.media_type,
        size=data.size,
        personal=data.personal,
        reuses=frozenset() if state is None else state.reuses,
    )


def _reject(state: Content | None, _event: Event) -> Content:
    return replace(state or Content(status="rejected"), status="rejected")


def _reuse(state: Content | None, event: Event) -> Content:
    known = state or Content(status="referred")
    return replace(known, reuses=known.reuses | {event.data.second.place})


def _erase(state: Content, _event: Event) -> Content:
    return replace(state, status="erased")


_SERVICE: Final = frozenset({"system"})
_UNKEPT: Final = frozenset({NEW, "rejected", "referred"})
_DIGEST: Final = "e3" * 32

EVENT_TYPES: Final = event_types(
    "evidence",
    (
        Rule(
            what="stored",
            data=Stored,
            en="Evidence stored",
            zh="佐证材料入库",
            roles=_SERVICE,
            when=_UNKEPT,
            guard=_guard_digest,
            apply=_store,
            examples=(
                {
                    "sha256": _DIGEST,
                    "sm3": "66" * 32,
                    "media_type": "image/jpeg",
                    "size": 204_800,
                    "name": "site-0007-cover.jpg",
                    "captured_at": "2017-11-24T10:05:00+08:00",
                    "geo": {"latitude": 34.8, "longitude": 113.55},
                    "by_key": "k7Q2mZ",
                    "by_unit": "gouzhao",
                },
            ),
        ),
        Rule(
            what="rejected",
            data=Rejected,
            en="Evidence rejected",
            zh="佐证材料拒收",
            roles=_SERVICE,
            when=_UNKEPT,
            guard=_guard_digest,
            apply=_reject,
            examples=({"sha256": _DIGEST, "reason": "too_large", "size": 900_000_000},),
        ),
        Rule(
            what="reuse_detected",
            data=ReuseDetected,
            en="Evidence reuse detected",
            zh="发现佐证复用",
            roles=_SERVICE,
            when=_UNKEPT | {"stored", "erased"},
            guard=_guard_reuse,
            apply=_reuse,
            examples=(
                {
                    "sha256": _DIGEST,
                    "first": {"stream": "commitment/GX-2017-0012", "version": 9},
                    "second": {"stream": "commitment/GX-2017-0044", "version": 6},
                },
            ),
        ),
        Rule(
            what="erased",
            data=Erased,
            en="Evidence erased",
            zh="佐证材料依法删除",
            roles=frozenset({"admin", "discipline"}),
            when=frozenset({"stored"}),
            guard=_guard_erased,
            apply=_erase,
            examples=(
                {
                    "reason": "A face of a passer-by (fictional).",
                    "basis": "Request under the privacy law (fictional)",
                    "approver_post": "zone-records-head",
                },
            ),
        ),
    ),
)
