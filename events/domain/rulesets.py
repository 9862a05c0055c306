"""Rulesets: every threshold that rules, reports and guards use, as one versioned table.

Rules of this file: what the numbers are called and mean, and which are in force. No
rule is evaluated here. The ones that come with the code are rulesets/<name>-<n>.json;
more are published at run time in the streams ``ruleset/<name>`` (policy_versions.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from events.domain.fields import Instant, Sha256Hex, Text, Version
from events.domain.model import Context, Event, Payload
from events.domain.policy_versions import Versions, published_types
from events.domain.transitions import refuse

Name = Annotated[
    str,
    Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}(?!\n)$", examples=["demo-2017"]),
]
Days = Annotated[int, Meta(ge=0, le=3650)]
Points = Annotated[int, Meta(ge=0, le=1000)]
Count = Annotated[int, Meta(ge=1, le=1000)]
Steps = Annotated[
    tuple[Count, Count, Count],
    Meta(
        description=(
            "From how many a month the first, second and third level of a unit answers:"
            " the deputy in charge, the head, the Party secretary."
        )
    ),
]


class Ruleset(Payload, frozen=True):
    """One version of all thresholds; days are working days unless said otherwise.

    `late_record_days`, `seal_violation_days` and the appeal windows are calendar days.
    """

    name: Name
    version: Version
    # Lights: red from so many returns; yellow so near the due, so far behind.
    red_returns: Count
    yellow_days_left: Days
    yellow_days_left_short: Days
    short_term_days: Days
    yellow_points_behind: Annotated[int, Meta(ge=0, le=100)]
    report_interval_days: Days
    # Recorded later than so many calendar days after it happened: flagged 补录.
    late_record_days: Days
    # Inaction 不作为: no event of the owner for so long; slow action 慢作为.
    inaction_days: Days
    inaction_days_daily: Days
    slow_returns: Count
    # Urging: a reminder before the due, sheets on and after it.
    urge_reminder_days: Days
    urge_blue_days: Days
    urge_orange_days: Days
    urge_red_days: Days
    # Limits where none is set.
    limit_urgent_days: Days
    limit_normal_days: Days
    limit_hard_days: Days
    limit_document_days: Days
    limit_minutes_days: Days
    # Scoring of a unit and week: points off a base, points on up to a cap.
    score_base: Points
    score_minimum: Points
    score_overdue_week: Points
    score_late_sign: Points
    score_failed_verification: Points
    score_relapse: Points
    score_alert_breach: Points
    score_late_record: Points
    score_early_close: Points
    score_early_close_cap: Points
    # Ranking: too few cases are not ranked; so many last places a month are criticised.
    ranking_min_cases: Count
    ranking_last_places: Count
    # Accountability by number, counted monthly.
    unrectified_steps: Steps
    newly_found_steps: Steps
    units_held_steps: Steps
    alert_notice_hours: Annotated[int, Meta(ge=0, le=720)]
    seal_violation_days: Days
    appeal_window_days: Annotated[int, Meta(ge=1, le=3650)]
    appeal_decision_days: Annotated[int, Meta(ge=1, le=3650)]

    @property
    def label(self) -> str:
        """Return the name by which results cite this version: ``demo-2017/1``."""
        return f"{self.name}/{self.version}"


class Published(Payload, frozen=True):
    """A version of a ruleset is laid open; it counts once a second person activates it.

    `content_sha256` is that of the content's canonical JSON (RFC 8785).
    """

    version: Version
    content: Ruleset
    content_sha256: Sha256Hex
    valid_from: Instant
    basis: Text | None = None


@cache
def built_in() -> Mapping[str, Ruleset]:
    """Return the rulesets that come with the code, by name; read once."""
    folder = files("events.domain").joinpath("rulesets")
    found = [
        msgspec.json.decode(entry.read_bytes(), type=Ruleset)
        for entry in folder.iterdir()
        if entry.name.endswith(".json")
    ]
    return MappingProxyType({ruleset.name: ruleset for ruleset in found})


def in_force(name: str, at_us: int, state: Versions | None) -> Ruleset | None:
    """Return the ruleset of a name in force at an instant (None: there is none).

    ``state`` is that of the stream ``ruleset/<name>``. Where no published version is
    in force, the one that comes with the code is.
    """
    found = None if state is None else state.in_force(at_us)
    return built_in().get(name) if found is None else found.content


def current(name: str, context: Context, *, where: str) -> Ruleset:
    """Return the ruleset in force for a decision; ``Refused('ruleset_unknown')``."""
    found = in_force(name, context.at, context.state_of(f"ruleset/{name}"))
    if found is None:
        raise refuse("ruleset_unknown", where, ruleset=name)
    return found


def _check_content(event: Event) -> None:
    """Refuse thresholds that contradict each other."""
    content: Ruleset = event.data.content
    for member in ("unrectified_steps", "newly_found_steps", "units_held_steps"):
        steps = getattr(content, member)
        if list(steps) != sorted(set(steps)):
            raise refuse("ruleset_steps_not_rising", f"/data/content/{member}")
    sheets = (content.urge_blue_days, content.urge_orange_days, content.urge_red_days)
    if list(sheets) != sorted(sheets):
        raise refuse("ruleset_sheets_not_rising", "/data/content/urge_red_days")
    if content.score_minimum > content.score_base:
        raise refuse("ruleset_minimum_above_base", "/data/content/score_minimum")


_CONTENT: Final = msgspec.json.decode(
    files("events.domain").joinpath("rulesets", "demo-2017-1.json").read_bytes()
)

EVENT_TYPES: Final = published_types(
    "ruleset",
    Published,
    names=("Ruleset", "规则集"),
    check=_check_content,
    content=_CONTENT,
)
