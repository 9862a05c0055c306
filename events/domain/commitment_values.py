"""The vocabulary of commitment payloads: ids, dues, evidence, places, checklists.

Rules of this file: constrained types and the small structs that events share; whole
payloads are in commitment_payloads.py, and what is *allowed* in commitment_rules.py.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from events.domain.model import Payload

# `$` alone also matches before a final line feed in Python; `(?!\n)$` does not, and
# means the same in ECMA 262, which JSON Schema refers to.
_DATE = "(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}"
_INSTANT = (
    _DATE + "T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.][0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_TERM = "PT[0-9]{1,4}[HM]|D[0-9]{1,4}|WD[0-9]{1,3}"

Key = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}(?!\n)$",
        description="The number of a commitment (编号): the key of its stream.",
        examples=["GX-2017-0012"],
    ),
]
UnitId = Annotated[
    str,
    Meta(
        pattern=r"^[^\s/]{1,64}(?!\n)$",
        description="A unit: the key of its stream unit/<id>.",
        examples=["shifo-office"],
    ),
]
PostId = Annotated[
    str,
    Meta(
        pattern=r"^[^\s/]{1,64}(?!\n)$",
        description="A post (an office held, not a person): the key of post/<id>.",
        examples=["shifo-office.station-chief"],
    ),
]
Reference = Annotated[
    str,
    Meta(
        pattern=r"^[^\s/]{1,64}(?!\n)$",
        description="The key of another stream.",
    ),
]
KindName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_]{0,31}(?:[.][a-z][a-z0-9_]{0,31})?(?:@[1-9][0-9]{0,5})?(?!\n)$",
        description="A kind of commitment; `name@n` pins a version of its policy.",
        examples=["supervision", "permit@1"],
    ),
]
Title = Annotated[str, Meta(min_length=1, max_length=300, description="One line.")]
Text = Annotated[str, Meta(min_length=1, max_length=8000, description="Free text.")]
Reason = Annotated[
    str, Meta(min_length=1, max_length=2000, description="Why, for the reader.")
]
Label = Annotated[str, Meta(min_length=1, max_length=100)]
EventId = Annotated[
    str, Meta(min_length=1, max_length=256, description="The id of an event.")
]
Percent = Annotated[int, Meta(ge=0, le=100, description="0 to 100.")]
Weight = Annotated[int, Meta(ge=1, le=100, description="A share of 100.")]
Count = Annotated[int, Meta(ge=0, le=1_000_000_000)]
FixedDue = Annotated[
    str,
    Meta(
        pattern=rf"^(?:{_DATE}|{_INSTANT})(?!\n)$",
        description=(
            "A date (meaning 24:00 of that day, UTC+08:00) or an RFC 3339 instant."
        ),
        examples=["2017-12-15", "2017-12-15T18:00:00+08:00"],
    ),
]
Due = Annotated[
    str,
    Meta(
        pattern=rf"^(?:{_DATE}|{_INSTANT}|{_TERM})(?!\n)$",
        description=(
            "A date (24:00 of that day, UTC+08:00), an RFC 3339 instant, or a term:"
            " PT2H hours, PT30M minutes, D30 calendar days, WD15 working days."
        ),
        examples=["2017-12-15", "2017-12-15T18:00:00+08:00", "WD15"],
    ),
]
Instant = Annotated[
    str,
    Meta(
        pattern=rf"^{_INSTANT}(?!\n)$",
        description="An RFC 3339 instant.",
        examples=["2017-11-24T09:30:00+08:00"],
    ),
]


class Basis(Payload, frozen=True, kw_only=True):
    """On what a commitment rests: a directive, a document, a meeting, a finding."""

    ref: Annotated[str, Meta(min_length=1, max_length=200)]
    clause: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


class Evidence(Payload, frozen=True, kw_only=True):
    """Proof by digest; the material itself is kept elsewhere."""

    sha256: Annotated[
        str, Meta(pattern=r"^[0-9a-f]{64}(?!\n)$", description="SHA-256, lower hex.")
    ]
    media_type: Annotated[str, Meta(min_length=3, max_length=127)] | None = None
    note: Annotated[str, Meta(min_length=1, max_length=500)] | None = None
    captured_at: Instant | None = None


class Geo(Payload, frozen=True, kw_only=True):
    """A place on the ground, WGS 84."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]
    accuracy_m: Annotated[float, Meta(ge=0, le=100_000)] | None = None


class ChecklistItem(Payload, frozen=True, kw_only=True):
    """One line of a checklist, as found."""

    item: Label
    passed: bool
    note: Annotated[str, Meta(min_length=1, max_length=500)] | None = None


class Checklist(Payload, frozen=True, kw_only=True):
    """A filled checklist; `ref` names the list and its version."""

    ref: Annotated[
        str, Meta(min_length=1, max_length=100, examples=["dust-100/2017-11"])
    ]
    items: Annotated[list[ChecklistItem], Meta(min_length=1, max_length=100)]


class Milestone(Payload, frozen=True, kw_only=True):
    """What share shall be done by when."""

    due: FixedDue
    percent: Percent


class Child(Payload, frozen=True, kw_only=True):
    """One part of a decomposition; it becomes a commitment of its own."""

    key: Key
    title: Title
    lead_unit: UnitId
    due: FixedDue
    weight: Weight


class Answer(Payload, frozen=True, kw_only=True):
    """What was done about one finding of the last failed verification."""

    finding: Annotated[
        int, Meta(ge=1, le=100, description="Its number in that list, from 1.")
    ]
    answer: Text


class Changes(Payload, frozen=True, kw_only=True):
    """What a correction may replace: never due, lead unit or evidence.

    `lead_post`: only of a draft.
    """

    title: Title | None = None
    standard: Text | None = None
    lead_post: PostId | None = None
    theme: Label | None = None
    campaign: Reference | None = None
    directive: Reference | None = None
    percent: Percent | None = None
    done: Count | None = None
    urgent: bool | None = None


EvidenceList = Annotated[list[Evidence], Meta(max_length=100)]
Findings = Annotated[list[Text], Meta(max_length=100)]
