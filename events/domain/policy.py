"""Policy in force: the kinds of commitment that are published at run time.

Rules of this file: the register (streams ``policy/<kind>``) and its order of versions.
What a kind says, and which kinds come with the code, is kinds.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from events.domain import kinds
from events.domain.fields import key_of
from events.domain.kinds import Kind
from events.domain.model import Context, Event
from events.domain.transitions import NEW, Rule, event_types, refuse


@dataclass(frozen=True, slots=True)
class Policy:
    """The published versions of one kind; a version, once published, never changes."""

    status: str
    latest: int
    versions: Mapping[int, Kind]

    def policy(self, version: int | None = None) -> Kind | None:
        """Return one version, or the newest (None: no such version)."""
        return self.versions.get(self.latest if version is None else version)


def _guard_published(state: Policy | None, event: Event, _context: Context) -> None:
    kind: Kind = kinds.checked(event.data)
    if kind.name != key_of(event):
        raise refuse("kind_name_mismatch", "/data/name", stream=event.stream)
    if state is not None and kind.version <= state.latest:
        raise refuse("kind_version_not_later", "/data/version", latest=state.latest)


def _publish(state: Policy | None, event: Event) -> Policy:
    kind: Kind = event.data
    before = {} if state is None else state.versions
    return Policy(
        status="published",
        latest=kind.version,
        versions=MappingProxyType({**before, kind.version: kind}),
    )


EVENT_TYPES: Final = event_types(
    "policy",
    (
        Rule(
            what="kind_published",
            data=Kind,
            en="Kind of commitment published",
            zh="发布承诺类型",
            roles=frozenset({"admin"}),
            when=frozenset({NEW, "published"}),
            guard=_guard_published,
            apply=_publish,
            examples=(
                {
                    "name": "permit",
                    "version": 2,
                    "en": "Permit procedure",
                    "zh": "行政许可办件",
                    "entry_state": "in_progress",
                    "closes_from": ["verified"],
                },
            ),
        ),
    ),
)
