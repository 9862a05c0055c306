"""What the columns of a log mean: the mapping file (TOML), read strictly.

A misspelt key is an error that names the key, never a silent default. Only shapes and
their checks live here; applying a mapping to rows is ``plan``, texts are ``templates``.
"""

from __future__ import annotations

import re
import tomllib
from codecs import lookup
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from events.errors import Malformed
from services.importing.templates import columns_of, template_fault
from services.importing.times import pattern_fault

#: A row whose activity has this rule is left out, and counted as ignored.
IGNORE = "ignore"
#: ``other_activities`` by default: an unknown activity is left out and reported.
REPORT = "report"

_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(\.[A-Za-z0-9_-]+)+")
_DUE_TERM = re.compile(r"D[0-9]{1,4}|WD[0-9]{1,3}|PT[0-9]{1,4}[HM]")
_WHERE = re.compile(r" - at `\$?\.?(?P<path>[^`]*)`")
_FIELD = re.compile(r"(?:unknown|required) field `(?P<field>[^`]*)`")

Text = Annotated[str, Meta(min_length=1)]
Char = Annotated[str, Meta(min_length=1, max_length=1)]
Data = dict[str, Any]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The root of all tables: frozen, and an unknown key is an error."""


class Dialect(_Table, frozen=True):
    """How the bytes are rows. ``auto`` looks at the first character: ``<`` is XES."""

    type: Literal["auto", "csv", "xes"] = "auto"
    delimiter: Char = ","
    quote: Char = '"'
    encoding: Text = "utf-8"
    skip_spaces: bool = False


class Times(_Table, frozen=True):
    """How times are written: formats tried in order, and the zone of naive ones."""

    zone: Text
    formats: Annotated[tuple[Text, ...], Meta(min_length=1)] = ("iso",)
    deadline_date_means: Literal["end_of_day", "start_of_day"] = "end_of_day"


class Columns(_Table, frozen=True):
    """Which column is what. Only the first three must be there."""

    case: Text
    activity: Text
    time: Text
    id: Text | None = None
    instance: Text | None = None
    recorded: Text | None = None
    start: Text | None = None
    deadline: Text | None = None
    end: Text | None = None
    lead_unit: Text | None = None
    actor_unit: Text | None = None
    actor_post: Text | None = None
    actor_person: Text | None = None
    verifier_unit: Text | None = None
    verifier_post: Text | None = None
    verifier_person: Text | None = None


class Rule(_Table, frozen=True):
    """What a row becomes. ``subject`` is the case's commitment unless it is given."""

    type: Text
    data: Data = msgspec.field(default_factory=dict)
    subject: Text | None = None
    acted_by: Literal["actor", "verifier"] = "actor"


class CaseEvent(_Table, frozen=True):
    """Members added to the data of the event at a case's start or end."""

    data: Data = msgspec.field(default_factory=dict)


class UnitName(_Table, frozen=True):
    """The id of one unit of the log, and data for its event instead of the default."""

    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}(?!\n)$")]
    data: Data = msgspec.field(default_factory=dict)


class Units(_Table, frozen=True):
    """Which units there are. ``default`` leads the cases that name none."""

    create: bool = True
    default: Text | None = None
    data: Data = msgspec.field(default_factory=lambda: {"name": "{@unit}"})
    names: dict[str, UnitName] = msgspec.field(default_factory=dict)


class LogMapping(_Table, frozen=True, kw_only=True):
    """A whole mapping file; ``henji_mapping`` is the version of this format."""

    henji_mapping: Literal[1]
    source: Text
    kind: Text
    title: Text
    key: Text = "{@case}"
    time: Times
    columns: Columns
    activities: dict[str, str | Rule]
    other_activities: str | Rule = REPORT
    missing: tuple[str, ...] = ("",)
    due: str | None = None
    format: Dialect = Dialect()
    registered: CaseEvent = msgspec.field(default_factory=CaseEvent)
    closed: CaseEvent = msgspec.field(default_factory=CaseEvent)
    units: Units = msgspec.field(default_factory=Units)


def read_mapping(path: Path) -> LogMapping:
    """Read a mapping file. Raises ``Malformed`` ``mapping_invalid`` with a ``key``."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Malformed("mapping_invalid", f"{path.name}: {error}", key="") from error
    return parse_mapping(text)


def parse_mapping(text: str) -> LogMapping:
    """Read the text of a mapping. Raises ``Malformed`` ``mapping_invalid``."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Malformed("mapping_invalid", f"no TOML: {error}", key="") from error
    # msgspec does not say which key of a dictionary was wrong; so these go one by one.
    for name, rule in _dict_at(document, "activities").items():
        _convert(rule, str | Rule, f'activities."{name}"')
    for name, unit in _dict_at(_dict_at(document, "units"), "names").items():
        _convert(unit, UnitName, f'units.names."{name}"')
    mapping: LogMapping = _convert(document, LogMapping, "")
    for key, fault in _faults(mapping):
        raise Malformed("mapping_invalid", f"{key}: {fault}", key=key)
    return mapping


def wanted_columns(mapping: LogMapping) -> Mapping[str, str]:
    """Give every column that the mapping uses, with the first key that names it."""
    wanted: dict[str, str] = {}
    for name, column in msgspec.structs.asdict(mapping.columns).items():
        if column is not None:
            wanted.setdefault(column, f"columns.{name}")
    for key, template in _templates(mapping):
        for column in columns_of(template):
            wanted.setdefault(column, key)
    return wanted


def rule_of(mapping: LogMapping, activity: str) -> str | Rule:
    """Give the rule of an activity: a ``Rule``, ``IGNORE`` or ``REPORT``."""
    rule = mapping.activities.get(activity, mapping.other_activities)
    if isinstance(rule, str) and rule not in {IGNORE, REPORT}:
        return Rule(type=rule)
    return rule


def _dict_at(table: Any, key: str) -> dict[str, Any]:
    found = table.get(key) if isinstance(table, dict) else None
    return found if isinstance(found, dict) else {}


def _convert(value: Any, form: Any, key: str) -> Any:
    try:
        return msgspec.convert(value, form)
    except msgspec.ValidationError as error:
        text = str(error)
        where, field = _WHERE.search(text), _FIELD.search(text)
        steps = (key, where and where["path"], field and field["field"])
        full = ".".join(step for step in steps if step)
        detail = f"{full}: {_WHERE.sub('', text)}"
        raise Malformed("mapping_invalid", detail, key=full) from error


def _faults(mapping: LogMapping) -> Iterator[tuple[str, str]]:
    """Yield (key, what is wrong) for what the shapes alone do not exclude."""
    for index, form in enumerate(mapping.time.formats):
        if fault := pattern_fault(form):
            yield f"time.formats[{index}]", f"{form!r} {fault}"
    if fault := _zone_fault(mapping.time.zone):
        yield "time.zone", fault
    if fault := _encoding_fault(mapping.format.encoding):
        yield "format.encoding", fault
    if mapping.due is not None and not _DUE_TERM.fullmatch(mapping.due):
        yield "due", f"{mapping.due!r} is no term such as D30, WD15 or PT2H"
    yield from _type_faults(mapping)
    yield from _template_faults(mapping)
    yield from _unit_faults(mapping)


def _type_faults(mapping: LogMapping) -> Iterator[tuple[str, str]]:
    for key, rule in _rules(mapping):
        name = rule.type if isinstance(rule, Rule) else rule
        if name not in {IGNORE, REPORT} and not _TYPE.fullmatch(name):
            yield key, f"{name!r} is neither an event type nor 'ignore' nor 'report'"


def _template_faults(mapping: LogMapping) -> Iterator[tuple[str, str]]:
    for key, template in _templates(mapping):
        if fault := template_fault(template):
            yield key, fault
    if "{@case}" not in mapping.key or list(columns_of(mapping.key)):
        yield "key", "takes {@case} and no column, so that each case has its own"


def _unit_faults(mapping: LogMapping) -> Iterator[tuple[str, str]]:
    owners: dict[str, str] = {}
    for value, unit in mapping.units.names.items():
        other = owners.setdefault(unit.id, value)
        if other != value:
            yield f'units.names."{value}"', f"has the id of {other!r}: {unit.id!r}"


def _zone_fault(zone: str) -> str | None:
    try:
        ZoneInfo(zone)
    except (OSError, ValueError, KeyError):
        return f"unknown time zone {zone!r}"
    return None


def _encoding_fault(encoding: str) -> str | None:
    try:
        lookup(encoding)
    except LookupError:
        return f"unknown encoding {encoding!r}"
    return None


def _rules(mapping: LogMapping) -> Iterator[tuple[str, str | Rule]]:
    yield "other_activities", mapping.other_activities
    for name, rule in mapping.activities.items():
        yield f'activities."{name}"', rule


def _templates(mapping: LogMapping) -> Iterator[tuple[str, Any]]:
    yield "title", mapping.title
    yield "key", mapping.key
    yield "registered.data", mapping.registered.data
    yield "closed.data", mapping.closed.data
    yield "units.data", mapping.units.data
    for name, unit in mapping.units.names.items():
        yield f'units.names."{name}".data', unit.data
    for key, rule in _rules(mapping):
        if isinstance(rule, Rule):
            yield f"{key}.data", rule.data
            yield f"{key}.subject", rule.subject or ""
