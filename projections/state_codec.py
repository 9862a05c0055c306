"""The states of streams as bytes and back: one encoding for every kind, exactly.

Rules of this file: what the domain's own state structs are made of, and nothing of what
they mean. A state is the JSON of its fields in their order; a mapping is a list of
pairs, since its keys may be more than text and its order counts; a set is sorted, so
that the same state is the same bytes in every process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache, partial
from types import MappingProxyType
from typing import Any, Final, get_args, get_origin, get_type_hints

import msgspec

from events.domain import (
    access,
    accountability,
    alerts,
    calendars,
    campaigns,
    censuses,
    directives,
    evidence,
    external,
    grids,
    inspection_state,
    issues,
    kinds,
    ledger,
    measures,
    metrics,
    obligations,
    orders,
    organisation,
    policy_versions,
    reports,
    rulesets,
    subjects,
)
from events.domain.commitment_state import Commitment

#: Kind of stream -> the struct of its state.
STATES: Final[Mapping[str, type]] = MappingProxyType(
    {
        "access": access.Key,
        "accountability": accountability.AccountabilityCase,
        "alert": alerts.Alert,
        "calendar": policy_versions.Versions,
        "campaign": campaigns.Campaign,
        "catalogue": external.ExternalType,
        "census": censuses.Census,
        "commitment": Commitment,
        "directive": directives.Directive,
        "evidence": evidence.Content,
        "grid": grids.Cell,
        "inspection": inspection_state.Inspection,
        "issue": issues.Issue,
        "ledger": ledger.Ledger,
        "measure": measures.Measure,
        "metric": metrics.Reading,
        "obligation": obligations.Obligation,
        "order": orders.Order,
        "policy": policy_versions.Versions,
        "post": organisation.Post,
        "report": reports.Report,
        "routine": obligations.Routine,
        "ruleset": policy_versions.Versions,
        "subject": subjects.Subject,
        "unit": organisation.Unit,
    }
)
#: Kind -> what is behind the one field that may hold anything (``Edition.content``).
_CONTENTS: Final[Mapping[str, type]] = MappingProxyType(
    {
        "calendar": calendars.CalendarTable,
        "policy": kinds.Kind,
        "ruleset": rulesets.Ruleset,
    }
)
#: Struct -> the narrower one that states hold in its place, and the member it adds.
_NARROWER: Final[Mapping[type, tuple[type, str]]] = MappingProxyType(
    {campaigns.Target: (campaigns.TargetSet, "reason")}
)
_Read = Callable[[Any], Any]


def _pairs(value: Any) -> Any:
    if isinstance(value, MappingProxyType):
        return list(value.items())
    raise NotImplementedError(type(value))


_encoder = msgspec.json.Encoder(enc_hook=_pairs, order="deterministic")
_plain: _Read = msgspec.json.Decoder().decode


def encode(state: Any) -> bytes:
    """Return a state as bytes; the same state always gives the same."""
    return _encoder.encode(state)


def decode(kind: str, body: bytes) -> Any:
    """Return the state that these bytes of a stream of this kind are of."""
    return _decoder(kind)(body)


def shown(state: Any) -> Any:
    """Return a state as what JSON can hold, with mappings as objects where they can be.

    A mapping with other keys than text and numbers is a list of ``key`` and ``value``.
    """
    return msgspec.to_builtins(state, enc_hook=_objects, order="deterministic")


def _objects(value: Any) -> Any:
    if not isinstance(value, MappingProxyType):
        raise NotImplementedError(type(value))
    if all(isinstance(key, str | int) for key in value):
        return {str(key): inner for key, inner in value.items()}
    return [{"key": list(key), "value": inner} for key, inner in value.items()]


@cache
def _decoder(kind: str) -> Callable[[bytes], Any]:
    """Return the decoder of a kind: msgspec's own where its types are enough."""
    struct, content = STATES[kind], _CONTENTS.get(kind)
    if _is_native(struct, content):
        return msgspec.json.Decoder(struct).decode
    read = _reader(struct, content)
    return lambda body: read(_plain(body))


def _is_native(hint: Any, content: type | None) -> bool:
    """Say whether msgspec alone restores a type: no pairs, nothing that is anything."""
    if is_dataclass(hint):
        inner = tuple(get_type_hints(hint).values())
    else:
        inner = get_args(hint)
    anything = hint is Any and content is not None
    if get_origin(hint) is Mapping or hint in _NARROWER or anything:
        return False
    return all(_is_native(each, content) for each in inner)


def _reader(hint: Any, content: type | None) -> _Read:
    """Return what turns plain JSON into a value of this type."""
    if _is_native(hint, content):
        return partial(msgspec.convert, type=hint)
    if is_dataclass(hint):
        return _dataclass_reader(hint, content)
    if get_origin(hint) is Mapping:
        key, value = (_reader(inner, content) for inner in get_args(hint))
        return partial(_mapping, key, value)
    if hint in _NARROWER:
        return partial(_narrowest, hint)
    return partial(msgspec.convert, type=content or hint)


def _dataclass_reader(struct: Any, content: type | None) -> _Read:
    hints = get_type_hints(struct)
    readers = {
        field.name: _reader(hints[field.name], content) for field in fields(struct)
    }

    def read(value: Any) -> Any:
        return struct(**{name: readers[name](inner) for name, inner in value.items()})

    return read


def _mapping(key: _Read, value: _Read, found: Any) -> Mapping[Any, Any]:
    if isinstance(found, dict):  # It was a dict: a default, which is empty.
        return {key(k): value(v) for k, v in found.items()}
    return MappingProxyType({key(k): value(v) for k, v in found})


def _narrowest(struct: type, found: Any) -> Any:
    narrower, member = _NARROWER[struct]
    return msgspec.convert(found, type=narrower if member in found else struct)
