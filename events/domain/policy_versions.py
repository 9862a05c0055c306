"""Versioned policy by two persons: published by one, activated by another, retired.

Rules of this file: the mechanism for rulesets, calendars and kinds alike. Versions
count up, a published one never changes, and a change counts from its own ``valid_from``
on: what was in force before that instant stays what it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

import msgspec

from events import canonical
from events.domain.commitment_state import person_of
from events.domain.fields import Id, Instant, Reason, Sha256Hex, Version, key_of, us
from events.domain.model import Context, Event, EventType, Payload
from events.domain.transitions import NEW, Rule, event_types, refuse


class Activated(Payload, frozen=True):
    """A second person puts a published version into force from its `valid_from` on."""

    version: Version
    content_sha256: Sha256Hex


class Retired(Payload, frozen=True):
    """A version is not in force from an instant on; the one before it is again."""

    version: Version
    valid_to: Instant
    reason: Reason
    approver_post: Id


@dataclass(frozen=True, slots=True)
class Edition:
    """One published version. Instants are µs; None: not activated, not retired."""

    version: int
    content: Any
    sha256: str
    valid_from: int
    publisher: str
    activated_at: int | None = None
    valid_to: int | None = None

    def covers(self, at_us: int) -> bool:
        """Tell whether the version may be in force at an instant."""
        if self.activated_at is None or at_us < self.valid_from:
            return False
        return self.valid_to is None or at_us < self.valid_to


@dataclass(frozen=True, slots=True)
class Versions:
    """The state of one ruleset, calendar or kind: all its versions, by number."""

    status: str
    versions: Mapping[int, Edition]

    @property
    def latest(self) -> int:
        """Return the highest version published."""
        return max(self.versions)

    @property
    def activated(self) -> bool:
        """Tell whether any version was ever put into force."""
        return any(row.activated_at is not None for row in self.versions.values())

    def in_force(self, at_us: int) -> Edition | None:
        """Return the version in force at an instant: of those that cover it, the one
        with the latest ``valid_from``, then the latest version. None: there is none.
        """
        rows = [row for row in self.versions.values() if row.covers(at_us)]
        return max(rows, key=lambda row: (row.valid_from, row.version), default=None)


def content_sha256(content: object) -> str:
    """Return the SHA-256 of a content's canonical JSON, lower hex.

    Members that have their default are left out, so that it is the hash of what was
    written where that says no more than it must.
    """
    written = content
    if isinstance(content, msgspec.Struct):
        written = {
            field.encode_name: value
            for field in msgspec.structs.fields(content)
            if (value := getattr(content, field.name)) != field.default
        }
    return hashlib.sha256(canonical.encode(msgspec.to_builtins(written))).hexdigest()


def _checked(check: Callable[[Event], None]) -> Callable[..., None]:
    def guard(state: Versions | None, event: Event, _context: Context) -> None:
        data = event.data
        if data.content.name != key_of(event):
            raise refuse(
                "policy_name_mismatch", "/data/content/name", stream=event.stream
            )
        if data.content.version != data.version:
            raise refuse("policy_version_mismatch", "/data/content/version")
        if state is not None and data.version <= state.latest:
            raise refuse(
                "policy_version_not_later", "/data/version", latest=state.latest
            )
        if data.content_sha256 != content_sha256(data.content):
            raise refuse("content_hash_mismatch", "/data/content_sha256")
        check(event)

    return guard


def _guard_activated(state: Versions, event: Event, context: Context) -> None:
    data: Activated = event.data
    edition = _known(state, data.version)
    if edition.activated_at is not None:
        raise refuse("policy_activated_already", "/data/version", version=data.version)
    if data.content_sha256 != edition.sha256:
        raise refuse("content_hash_mismatch", "/data/content_sha256")
    if person_of(context.actor) == edition.publisher:
        raise refuse("policy_activator_is_publisher", "/type")
    # The first one may reach back: nothing was in force that it could change.
    if state.activated and edition.valid_from < context.at:
        raise refuse("policy_valid_from_past", "/data/version", version=data.version)


def _guard_retired(state: Versions, event: Event, context: Context) -> None:
    data: Retired = event.data
    edition = _known(state, data.version)
    if edition.activated_at is None or edition.valid_to is not None:
        raise refuse("policy_not_active", "/data/version", version=data.version)
    if us(data.valid_to) < context.at:
        raise refuse("policy_valid_to_past", "/data/valid_to")
    if person_of(context.actor) == f"post:{data.approver_post}":
        raise refuse("policy_retired_not_by_two", "/data/approver_post")


def _known(state: Versions, version: int) -> Edition:
    edition = state.versions.get(version)
    if edition is None:
        raise refuse("policy_version_unknown", "/data/version", version=version)
    return edition


def _publish(state: Versions | None, event: Event) -> Versions:
    data = event.data
    edition = Edition(
        version=data.version,
        content=data.content,
        sha256=data.content_sha256,
        valid_from=us(data.valid_from),
        publisher=person_of(event.actor),
    )
    return _with(state, edition)


def _activate(state: Versions, event: Event) -> Versions:
    edition = state.versions[event.data.version]
    return _with(state, replace(edition, activated_at=event.ingested))


def _retire(state: Versions, event: Event) -> Versions:
    edition = state.versions[event.data.version]
    return _with(state, replace(edition, valid_to=us(event.data.valid_to)))


def _with(state: Versions | None, edition: Edition) -> Versions:
    before = {} if state is None else state.versions
    return Versions(
        status="published",
        versions=MappingProxyType({**before, edition.version: edition}),
    )


_ADMIN: Final = frozenset({"admin"})
_KNOWN: Final = frozenset({"published"})


def published_types(
    kind: str,
    data: type[Payload],
    *,
    names: tuple[str, str],
    check: Callable[[Event], None],
    content: Mapping[str, Any],
) -> tuple[EventType, ...]:
    """Return the three event types of one kind of versioned policy.

    ``data`` has version, content, content_sha256 and valid_from, its content a name
    and a version; ``check`` refuses content that is unsound. ``names`` are English and
    Chinese; ``content`` is an example.
    """
    en, zh = names
    digest = hashlib.sha256(canonical.encode(content)).hexdigest()
    version = content["version"]
    return event_types(
        kind,
        (
            Rule(
                what="published",
                data=data,
                en=f"{en} published",
                zh=f"发布{zh}",
                roles=_ADMIN,
                when=frozenset({NEW}) | _KNOWN,
                guard=_checked(check),
                apply=_publish,
                examples=(
                    {
                        "version": version,
                        "content": content,
                        "content_sha256": digest,
                        "valid_from": "2017-11-02T00:00:00+08:00",
                        "basis": "The rules of the demo (fictional).",
                    },
                ),
            ),
            Rule(
                what="activated",
                data=Activated,
                en=f"{en} activated",
                zh=f"启用{zh}",
                roles=_ADMIN,
                when=_KNOWN,
                guard=_guard_activated,
                apply=_activate,
                examples=({"version": version, "content_sha256": digest},),
            ),
            Rule(
                what="retired",
                data=Retired,
                en=f"{en} retired",
                zh=f"停用{zh}",
                roles=_ADMIN,
                when=_KNOWN,
                guard=_guard_retired,
                apply=_retire,
                examples=(
                    {
                        "version": version,
                        "valid_to": "2018-01-01T00:00:00+08:00",
                        "reason": "The campaign is over (fictional).",
                        "approver_post": "zone-hq-head",
                    },
                ),
            ),
        ),
    )
