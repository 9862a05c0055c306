"""Kinds of commitment: what each requires, as versioned policy data.

Rules of this file: it describes and finds policies; it does not judge a commitment
(commitment_rules.py). The built-in kinds are kinds/<name>.toml; more are published and
activated at run time in the streams policy/<name> (policy.py). A published version
never changes.

A kind that is published at run time either is a later version of a built-in one or
specialises it by name (``permit.tree_felling``): what the *fold* depends on, the state
in which a commitment enters, is that of the built-in kind, so that a log can be folded
event by event without looking into another stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from tomllib import loads
from types import MappingProxyType
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from events.domain.access import ROLES
from events.domain.model import Context, Payload
from events.errors import Fault, Refused

Term = Annotated[
    str,
    Meta(
        pattern=r"^(?:PT[0-9]{1,4}[HM]|D[0-9]{1,4}|WD[0-9]{1,3})?(?!\n)$",
        description=(
            "PT2H hours, PT30M minutes, D30 calendar days, WD15 working days;"
            " empty: none."
        ),
        examples=["WD1"],
    ),
]
KindId = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_]{0,31}(?:[.][a-z][a-z0-9_]{0,31})?(?!\n)$",
        description="A built-in kind, or `<built-in>.<name>` which specialises it.",
        examples=["supervision", "permit.tree_felling"],
    ),
]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
ClosesFrom = Literal["in_progress", "returned", "reopened", "claimed", "verified"]
Many = Annotated[int, Meta(ge=0, le=100)]


class Kind(Payload, frozen=True, kw_only=True):
    """One version of the policy of one kind of commitment."""

    name: KindId
    version: Annotated[int, Meta(ge=1, le=999_999)]
    en: Name
    zh: Name
    description: Annotated[str, Meta(max_length=2000)] = ""
    #: The state after registration. `in_progress`: there is no issue and no receipt.
    entry_state: Literal["draft", "in_progress"] = "draft"
    #: The states from which it may be closed.
    closes_from: Annotated[
        tuple[
            Literal["in_progress", "returned", "reopened", "claimed", "verified"], ...
        ],
        Meta(min_length=1),
    ] = ("verified",)
    #: Activities recorded after the close are taken and change nothing.
    records_after_close: bool = False
    requires_basis: bool = True
    requires_standard: bool = True
    requires_lead_post: bool = True
    requires_known_unit: bool = True
    #: A post that approves or looks back is held by somebody at that instant.
    requires_known_post: bool = True
    requires_due: bool = True
    requires_campaign: bool = False
    requires_plan: bool = True
    requires_checklist: bool = False
    #: The rule for the due where a registration names none.
    default_due: Term = ""
    #: A due in the past is accepted: a log of what has been is being recorded.
    past_due_allowed: bool = False
    #: Only the lead unit (progress: also a supporting one) acts as the owner.
    owner_only: bool = True
    evidence_progress: Many = 1
    evidence_claim: Many = 1
    verification: Literal["other_unit", "none"] = "other_unit"
    #: On site: the place; by document: at least one piece of evidence.
    verification_proof: bool = True
    #: Least calendar days of publicity before the close; 0: none needed.
    publicity_days: Many = 0
    two_person_close: bool = True
    #: Who drafts, asks or issues is not who approves, grants or cancels.
    separate_approver: bool = True
    #: Until when a receipt may be rejected, and after which a signature is late.
    sign_window: Term = "WD1"
    max_extensions: Many = 2
    #: The role that grants every extension after the first one; empty: the usual.
    senior_extension_role: Annotated[str, Meta(max_length=64)] = "headquarters"
    #: The longest time to rectify after a failed verification.
    rectification_window: Term = "WD15"
    reopen_needs_lookback: bool = True
    suspension_pauses_clock: bool = False

    @property
    def id(self) -> str:
        """The name with the version: "permit@1"."""
        return f"{self.name}@{self.version}"


@cache
def built_in() -> Mapping[str, Kind]:
    """Return the kinds that come with the code, by name; read once."""
    directory = files("events.domain").joinpath("kinds")
    tables = [
        loads(entry.read_text(encoding="utf-8"))
        for entry in directory.iterdir()
        if entry.name.endswith(".toml")
    ]
    kinds = [msgspec.convert(table, Kind) for table in tables]
    return MappingProxyType({kind.name: kind for kind in kinds})


def entry_state(policy: str) -> str:
    """Return the state in which a commitment of "name@version" enters.

    Total, for folding: a policy nobody knows enters as a draft.
    """
    kind = built_in().get(policy.partition("@")[0].partition(".")[0])
    return kind.entry_state if kind else "draft"


def checked(kind: Kind) -> Kind:
    """Return a kind to be published if it is sound; ``Refused('kind_invalid')``."""
    name = kind.name.partition(".")[0]
    base = built_in().get(name)
    if base is None:
        raise _invalid(f"{name} is no built-in kind", "/name")
    if kind.name == name and kind.version <= base.version:
        raise _invalid(f"{base.id} is built in: take a later version", "/version")
    if kind.entry_state != base.entry_state:
        raise _invalid(f"entry_state is that of {base.name}", "/entry_state")
    if kind.senior_extension_role and kind.senior_extension_role not in ROLES:
        raise _invalid("there is no such role", "/senior_extension_role")
    settled = kind.verification == "other_unit" or kind.publicity_days > 0
    if settled and kind.closes_from != ("verified",):
        raise _invalid("verification or publicity: only verified", "/closes_from")
    return kind


def current(text: str, ctx: Context) -> Kind:
    """Return the kind that "name" (in force) or "name@version" (pinned) means now.

    What two persons put into force goes before what is built in;
    ``Refused('kind_unknown')``.
    """
    name, _, pinned = text.partition("@")
    version = int(pinned) if pinned else None
    found = _in_force(ctx.state_of("policy/" + name), version, ctx.at)
    if found is None and (kind := built_in().get(name)) is not None:
        found = kind if version in {None, kind.version} else None
    if found is None:
        fault = Fault("kind_unknown", text, "/data/kind")
        raise Refused("kind_unknown", text, faults=(fault,), kind=text)
    return found


def _in_force(published: Any, version: int | None, at_us: int) -> Kind | None:
    if published is None:
        return None
    edition = published.in_force(at_us)
    if version is not None:
        edition = published.versions.get(version)
    usable = edition is not None and edition.covers(at_us)
    return edition.content if usable else None


def of_state(policy: str, ctx: Context) -> Kind:
    """Return the kind that a registered commitment is under: "name@version".

    It stays that one when the version is retired. ``Refused('kind_unknown')``.
    """
    published = ctx.state_of("policy/" + policy.partition("@")[0])
    return registered_under(policy, published) or current(policy, ctx)


def registered_under(policy: str, published: Any) -> Kind | None:
    """Return the kind "name@version" means for ever; None: nobody knows it.

    ``published`` is the state of the stream ``policy/<name>``.
    """
    name, _, version = policy.partition("@")
    kind = built_in().get(name)
    if kind is not None and kind.id == policy:
        return kind
    if published is None or not version:
        return None
    found = published.versions.get(int(version))
    return None if found is None else found.content


def _invalid(detail: str, pointer: str = "") -> Refused:
    fault = Fault("kind_invalid", detail, "/data/content" + pointer)
    return Refused("kind_invalid", detail, faults=(fault,))
