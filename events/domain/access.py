"""Who may use the service: API keys as events, and the names of roles and scopes.

Rules of this file: what a key is and until when it counts. Checking a secret or a
request is the edge's business; no secret is ever part of an event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal

from msgspec import Meta

from events.domain.fields import Id, Instant, Reason, Sha256Hex, Title, key_of, us
from events.domain.model import Context, Event, Payload
from events.domain.transitions import NEW, Rule, event_types, refuse

Role = Literal[
    "office",
    "headquarters",
    "lead",
    "support",
    "verifier",
    "lookback",
    "grid_worker",
    "enterprise",
    "discipline",
    "adapter",
    "auditor",
    "viewer",
    "admin",
    "system",
]

#: Role -> (English, Chinese).
ROLES: Final[Mapping[str, tuple[str, str]]] = {
    "office": ("Supervision office", "督查办"),
    "headquarters": ("Campaign headquarters", "指挥部"),
    "lead": ("Lead unit", "主办单位（环保所）"),
    "support": ("Supporting unit", "协办单位"),
    "verifier": ("Verifier", "核查人员"),
    "lookback": ("Look-back team", "回头看工作组"),
    "grid_worker": ("Grid worker", "网格员"),
    "enterprise": ("Enterprise or site", "企业（工地）"),
    "discipline": ("Discipline inspection", "纪检监察"),
    "adapter": ("Connected system", "接入系统"),
    "auditor": ("Auditor", "审计人员"),
    "viewer": ("Viewer", "查阅人员"),
    "admin": ("Administrator", "管理员"),
    "system": ("The service itself", "系统"),
}

Scope = Literal[
    "events:write",
    "events:read",
    "verify",
    "types:write",
    "keys:admin",
    "policy:write",
    "backfill",
    "delegate",
    "evidence:write",
]

#: Scope -> (English, Chinese): what a key may do at the interface.
SCOPES: Final[Mapping[str, tuple[str, str]]] = {
    "events:write": ("Submit events", "提交事件"),
    "events:read": ("Read events and views", "查询事件与视图"),
    "verify": ("Read checkpoints, proofs and tiles", "读取检查点与证明"),
    "types:write": ("Register event types", "登记事件类型"),
    "keys:admin": ("Create and revoke keys", "管理接入密钥"),
    "policy:write": ("Publish policy", "发布规则"),
    "backfill": ("Record past events at their own time", "按发生时间补录"),
    "delegate": ("Act for other units and posts", "代其他单位或岗位提交"),
    "evidence:write": ("Upload evidence", "上传佐证材料"),
}

SourcePattern = Annotated[
    str,
    Meta(
        max_length=300,
        pattern=r"^[^*\s]*\*?(?!\n)$",
        description="A CloudEvents source, or a prefix of one followed by `*`.",
    ),
]


TypePattern = Annotated[
    str,
    Meta(
        max_length=200,
        pattern=r"^[A-Za-z][A-Za-z0-9._-]*\*?(?!\n)$",
        description="An event type, or a prefix of some followed by `*`.",
    ),
]


class KeyCreated(Payload, frozen=True):
    """An API key exists, bound to a unit, a post, roles, scopes and sources.

    A connected system gets the event types that it is there for; none named: all that
    its roles allow.
    """

    key_id: Id
    secret_sha256: Sha256Hex
    roles: Annotated[tuple[Role, ...], Meta(min_length=1)]
    scopes: Annotated[tuple[Scope, ...], Meta(min_length=1)]
    sources: Annotated[tuple[SourcePattern, ...], Meta(min_length=1)]
    types: Annotated[tuple[TypePattern, ...], Meta(max_length=100)] = ()
    unit: Id | None = None
    post: Id | None = None
    name: Title | None = None
    expires: Instant | None = None


class KeyRevoked(Payload, frozen=True):
    """An API key no longer counts; what it submitted before stays valid."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Key:
    """The state of one API key. Instants are µs since the Unix epoch."""

    status: str
    key_id: str
    secret_sha256: str
    roles: frozenset[str]
    scopes: frozenset[str]
    sources: tuple[str, ...]
    created_at: int
    unit: str | None = None
    post: str | None = None
    name: str | None = None
    expires_at: int | None = None
    revoked_at: int | None = None
    types: tuple[str, ...] = ()

    def usable(self, at_us: int) -> bool:
        """Tell whether the key counts at an instant: neither revoked nor expired."""
        ends = (self.expires_at, self.revoked_at)
        return all(end is None or at_us < end for end in ends)


def _guard_created(_state: None, event: Event, context: Context) -> None:
    data: KeyCreated = event.data
    if data.key_id != key_of(event):
        raise refuse("key_id_mismatch", "/data/key_id", stream=event.stream)
    if data.expires is not None and us(data.expires) <= context.now:
        raise refuse("key_expiry_past", "/data/expires")


def _create(_state: None, event: Event) -> Key:
    data: KeyCreated = event.data
    return Key(
        status="active",
        key_id=data.key_id,
        secret_sha256=data.secret_sha256,
        roles=frozenset(data.roles),
        scopes=frozenset(data.scopes),
        sources=data.sources,
        types=data.types,
        created_at=event.ingested,
        unit=data.unit,
        post=data.post,
        name=data.name,
        expires_at=None if data.expires is None else us(data.expires),
    )


def _revoke(state: Key, event: Event) -> Key:
    return replace(state, status="revoked", revoked_at=event.ingested)


_ADMIN: Final = frozenset({"admin", "system"})

EVENT_TYPES: Final = event_types(
    "access",
    (
        Rule(
            what="key_created",
            data=KeyCreated,
            en="API key created",
            zh="创建接入密钥",
            roles=_ADMIN,
            when=frozenset({NEW}),
            guard=_guard_created,
            apply=_create,
            examples=(
                {
                    "key_id": "k7Q2mZ",
                    "secret_sha256": "00" * 32,
                    "name": "OA of the Gouzhao office (fictional)",
                    "unit": "gouzhao",
                    "post": "gouzhao-eps-head",
                    "roles": ["lead"],
                    "scopes": ["events:write", "events:read"],
                    "sources": ["urn:example:oa:*"],
                    "types": ["henji.commitment.*"],
                    "expires": "2099-12-31T16:00:00Z",
                },
            ),
        ),
        Rule(
            what="key_revoked",
            data=KeyRevoked,
            en="API key revoked",
            zh="吊销接入密钥",
            roles=_ADMIN,
            when=frozenset({"active"}),
            apply=_revoke,
            examples=({"reason": "The system was replaced (fictional)."},),
        ),
    ),
)
