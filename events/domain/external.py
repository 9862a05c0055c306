"""Event types of other systems: registered with a JSON Schema, checked against it.

Rules of this file: the register (streams ``catalogue/<type>``). External events carry
no rule of ours beyond their schema and the roles that may send them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

from msgspec import Meta

from events.domain import schemas
from events.domain.access import ROLES, Role
from events.domain.fields import Reason, Text, Title, key_of
from events.domain.model import Actor, Context, Event, Payload
from events.domain.transitions import NEW, Rule, event_types, refuse
from events.errors import Fault, Refused

#: Names that begin so are ours: nobody registers them.
OWN_PREFIX: Final = "henji."

#: Who may submit at all, and does where a type names no roles: auditors and viewers
#: only read.
WRITERS: Final = frozenset(ROLES) - {"auditor", "viewer"}

TypeName = Annotated[
    str,
    Meta(
        max_length=180,
        pattern=r"^[A-Za-z][A-Za-z0-9-]*(\.[A-Za-z0-9_-]+)+(?!\n)$",
        description="Reverse DNS, version last: `org.example.hotline.call.v1`.",
    ),
]


class TypeRegistered(Payload, frozen=True):
    """An event type of another system may be submitted; again: its next version."""

    type: TypeName
    title_en: Title
    title_zh: Title
    schema: dict[str, Any]
    examples: Annotated[tuple[Any, ...], Meta(min_length=1, max_length=20)]
    roles: Annotated[
        tuple[Role, ...], Meta(description="Who may send it; empty: whoever writes.")
    ] = ()
    description: Text | None = None


class TypeRetired(Payload, frozen=True):
    """An event type of another system is no longer accepted; its events stay."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class ExternalType:
    """The state of one registered type. ``roles`` may send it."""

    status: str
    name: str
    version: int
    title_en: str
    title_zh: str
    schema_text: str
    examples: tuple[Any, ...]
    roles: frozenset[str] = frozenset()
    description: str = ""
    owner: str = ""

    @property
    def retired(self) -> bool:
        """Tell whether events of this type are refused."""
        return self.status == "retired"

    @property
    def titles(self) -> Mapping[str, str]:
        """Return the title by language."""
        return {"en": self.title_en, "zh": self.title_zh}


def _guard_registered(
    state: ExternalType | None, event: Event, context: Context
) -> None:
    data: TypeRegistered = event.data
    if state is not None:
        _check_owner(state, event, context)
    _check_roles(data.roles)
    if data.type.startswith(OWN_PREFIX):
        raise refuse("type_name_reserved", "/data/type", prefix=OWN_PREFIX)
    if data.type != key_of(event):
        raise refuse("type_name_mismatch", "/data/type", stream=event.stream)
    validator = schemas.compiled(schemas.canonical_text(data.schema))
    found: list[Fault] = []
    for index, example in enumerate(data.examples):
        root = f"/data/examples/{index}"
        found.extend(schemas.faults(validator, example, root=root))
    if found:
        raise Refused("example_violates_schema", faults=tuple(found))


def _check_owner(state: ExternalType, _event: Event, context: Context) -> None:
    """A type is changed by the system that registered it, or by an administrator."""
    actor = context.actor
    if "admin" not in actor.roles and _owner(actor) != state.owner:
        raise refuse("type_of_another_system", "/type", owner=state.owner)


def _owner(actor: Actor) -> str:
    """Return whose the type is: the unit's, whichever key it uses, or the key's."""
    return f"unit:{actor.unit}" if actor.unit else f"key:{actor.key}"


def _check_roles(roles: tuple[Role, ...]) -> None:
    for index, role in enumerate(roles):
        if role not in WRITERS:
            raise refuse("role_reads_only", f"/data/roles/{index}", role=role)


def _register(state: ExternalType | None, event: Event) -> ExternalType:
    data: TypeRegistered = event.data
    return ExternalType(
        status="registered",
        name=data.type,
        version=1 if state is None else state.version + 1,
        title_en=data.title_en,
        title_zh=data.title_zh,
        schema_text=schemas.canonical_text(data.schema),
        examples=data.examples,
        roles=frozenset(data.roles) or WRITERS,
        description=data.description or "",
        owner=_owner(event.actor) if state is None else state.owner,
    )


def _retire(state: ExternalType, _event: Event) -> ExternalType:
    return replace(state, status="retired")


EVENT_TYPES: Final = event_types(
    "catalogue",
    (
        Rule(
            what="type_registered",
            data=TypeRegistered,
            en="Event type registered",
            zh="登记事件类型",
            roles=frozenset({"admin", "adapter"}),
            when=frozenset({NEW, "registered"}),
            guard=_guard_registered,
            apply=_register,
            examples=(
                {
                    "type": "org.example.hotline.call.v1",
                    "title_en": "Hotline call",
                    "title_zh": "热线来电",
                    "schema": {
                        "type": "object",
                        "properties": {
                            "about": {"type": "string", "minLength": 1},
                            "urgent": {"type": "boolean"},
                        },
                        "required": ["about"],
                        "additionalProperties": False,
                    },
                    "examples": [{"about": "Dust from a site (fictional)"}],
                    "roles": ["adapter"],
                },
            ),
        ),
        Rule(
            what="type_retired",
            data=TypeRetired,
            en="Event type retired",
            zh="停用事件类型",
            roles=frozenset({"admin", "adapter"}),
            when=frozenset({"registered"}),
            guard=_check_owner,
            apply=_retire,
            examples=({"reason": "The hotline has a new system (fictional)."},),
        ),
    ),
)
