"""JSON Schema 2020-12 over payloads: compile safely, report every violation exactly.

Rules of this file: schemas and JSON values only; no event type, no state. Schemas come
from strangers too, so nothing here may fetch, recurse without bound or backtrack.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

import jsonschema_rs
import msgspec

from events.errors import Fault, Refused

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
MAX_SCHEMA_BYTES: Final = 65_536
MAX_SCHEMA_DEPTH: Final = 32
MAX_FAULTS: Final = 50

#: JSON Schema keyword -> our stable fault code; every other keyword is value_invalid.
_CODES: Final = {
    "required": "member_missing",
    "additionalProperties": "member_unknown",
    "unevaluatedProperties": "member_unknown",
    "type": "wrong_type",
    "enum": "value_not_listed",
    "const": "value_not_listed",
    "pattern": "pattern_mismatch",
    "format": "format_mismatch",
    "minimum": "value_out_of_range",
    "maximum": "value_out_of_range",
    "exclusiveMinimum": "value_out_of_range",
    "exclusiveMaximum": "value_out_of_range",
    "minLength": "wrong_length",
    "maxLength": "wrong_length",
    "minItems": "wrong_length",
    "maxItems": "wrong_length",
    "uniqueItems": "items_not_unique",
}


def pointer(path: Sequence[str | int], *, root: str = "/data") -> str:
    """Return the RFC 6901 JSON Pointer of a path below ``root``."""
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in path)
    return "/".join((root, *steps))


def canonical_text(schema: object) -> str:
    """Return a schema as text, members sorted: the key of its compilation."""
    return msgspec.json.encode(schema, order="deterministic").decode()


@lru_cache(maxsize=512)
def compiled(text: str) -> jsonschema_rs.Draft202012Validator:
    """Return the validator of a schema (the text of an object); compiled once.

    ``Refused``: schema_too_large, schema_too_deep, schema_remote_reference,
    schema_dialect_unsupported or schema_invalid, pointing at ``/data/schema``.
    """
    if len(text.encode()) > MAX_SCHEMA_BYTES:
        raise _refuse("schema_too_large", limit=MAX_SCHEMA_BYTES)
    schema = msgspec.json.decode(text)
    _inspect(schema)
    try:
        return jsonschema_rs.Draft202012Validator(
            schema,
            validate_formats=True,
            offline=True,
            pattern_options=jsonschema_rs.RegexOptions(size_limit=1 << 20),
        )
    except (ValueError, jsonschema_rs.ReferencingError) as cause:
        raise _refuse("schema_invalid", str(cause)) from cause


def own(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """Return the validator of a schema of ours, whose patterns may look ahead."""
    return jsonschema_rs.Draft202012Validator(
        schema, validate_formats=True, offline=True
    )


def faults(
    validator: jsonschema_rs.Draft202012Validator, data: object, *, root: str = "/data"
) -> tuple[Fault, ...]:
    """Return all violations (at most 50), by pointer and code; none: data is valid."""
    found: set[tuple[str, str, str]] = set()
    for error in validator.iter_errors(data):
        found.update(_faults_of(error, root))
        if len(found) >= MAX_FAULTS:
            break
    return tuple(
        Fault(code=code, detail=detail, pointer=where)
        for where, code, detail in sorted(found)
    )


def _faults_of(
    error: jsonschema_rs.ValidationError, root: str
) -> Iterator[tuple[str, str, str]]:
    """Yield (pointer, code, detail); a missing or unknown member is its own place."""
    path = list(error.instance_path)
    inner = _meant_branch(error)
    if inner:
        for below in inner:
            yield from _faults_of(below, root)
        return
    missing = getattr(error.kind, "property", None)
    members = [missing] if missing else getattr(error.kind, "unexpected", [None])
    for member in members:
        steps = path if member is None else [*path, member]
        yield pointer(steps, root=root), _code(error), error.message


def _code(error: jsonschema_rs.ValidationError) -> str:
    branches = getattr(error.kind, "context", None)
    if branches and all(_wrong_type(branch, error) for branch in branches):
        return "wrong_type"
    return _CODES.get(error.kind.name, "value_invalid")


def _meant_branch(
    error: jsonschema_rs.ValidationError,
) -> Sequence[jsonschema_rs.ValidationError]:
    """Return the violations of the one alternative whose type fits: ``X | null``."""
    branches = getattr(error.kind, "context", [])
    fitting = [branch for branch in branches if not _wrong_type(branch, error)]
    return fitting[0] if len(fitting) == 1 else ()


def _wrong_type(
    branch: Sequence[jsonschema_rs.ValidationError],
    error: jsonschema_rs.ValidationError,
) -> bool:
    """Tell whether an alternative fails by its type, at the place of the error."""
    return any(
        below.kind.name == "type" and below.instance_path == error.instance_path
        for below in branch
    )


def _inspect(schema: dict[str, Any]) -> None:
    """Refuse what must not be compiled: remote references, deep nesting ..."""
    if schema.get("$schema", DIALECT) != DIALECT:
        raise _refuse("schema_dialect_unsupported", expected=DIALECT)
    level: list[Any] = [schema]
    for _ in range(MAX_SCHEMA_DEPTH):
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    raise _refuse("schema_too_deep", limit=MAX_SCHEMA_DEPTH)


def _children(node: object) -> list[Any]:
    if isinstance(node, list):
        return node
    if not isinstance(node, dict):
        return []
    for keyword in ("$ref", "$dynamicRef"):
        target = node.get(keyword)
        if isinstance(target, str) and not target.startswith("#"):
            raise _refuse("schema_remote_reference", target)
    return list(node.values())


def _refuse(code: str, detail: str = "", **parameters: object) -> Refused:
    fault = Fault(code=code, detail=detail, pointer="/data/schema")
    return Refused(code, detail, faults=(fault,), **parameters)
