"""OSCAL plan of action and milestones: each commitment an item, with both its dates.

Rules of this file: the grammar of OSCAL 1.1 and the mapping to it. A commitment is an
item and the risk that it is not kept; its original and its current due are milestones,
which stay apart. Identifiers are UUIDs by name: the same cut gives the same document.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from events import errors
from events.domain.commitment_payloads import type_name
from events.domain.commitments import STATUSES, TERMINAL, Commitment
from events.entries import rfc3339
from services.exports.job import Job, Pieces, beginnings, final, pieces

_OSCAL = "1.1.3"
_NS = "https://henji.example/ns/oscal"
_BEGINNING = type_name("registered")
_UNIT = "henji.unit.created.v1"
#: Status of a commitment -> of the risk; the rest is being worked on.
_RISK: Mapping[str, str] = MappingProxyType(
    {"draft": "open", "issued": "open", "rejected_receipt": "open"}
    | dict.fromkeys(TERMINAL, "closed")
)
_encode = msgspec.json.Encoder().encode


class _Item(NamedTuple):
    key: str
    state: Commitment
    lead: UUID


def poam(job: Job) -> Pieces:
    """Yield one JSON document over all commitments of the cut.

    ``NotFound('export_nothing')``: there is none, and the format wants at least one.
    """
    return pieces(_document(job))


def _document(job: Job) -> Iterator[bytes]:
    if next(beginnings(job, _BEGINNING), None) is None:
        raise errors.NotFound("export_nothing", position=job.cut.position)
    revision = _uuid(job, f"poam@{job.cut.position}:{job.cut.root.hex()}")
    yield b'{"plan-of-action-and-milestones":{"uuid":' + _encode(revision)
    yield b',"metadata":'
    yield _encode(_metadata(job))[:-1]
    yield b',"parties":['
    yield from _list(_party(job, row.stream) for row in beginnings(job, _UNIT))
    yield b']},"system-id":' + _encode(_system(job))
    yield b',"risks":['
    yield from _list(_risk(job, item) for item in _items(job))
    yield b'],"poam-items":['
    yield from _list(_item(job, item) for item in _items(job))
    yield b"]}}\n"


def _list(items: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    for number, item in enumerate(items):
        yield (b",\n" if number else b"\n") + _encode(item)


def _items(job: Job) -> Iterator[_Item]:
    for row in beginnings(job, _BEGINNING):
        last = final(job.reader, row.stream, job.cut)
        if last is not None:
            state: Commitment = last[1]
            lead = _uuid(job, f"unit/{state.lead_unit}")
            yield _Item(row.stream.partition("/")[2], state, lead)


def _metadata(job: Job) -> dict[str, Any]:
    return {
        "title": f"Commitments of {job.origin}",
        "last-modified": rfc3339(job.cut.sealed),
        "version": str(job.cut.position),
        "oscal-version": _OSCAL,
        "props": [_property("log-root", job.cut.root.hex())],
        "roles": [{"id": "lead-unit", "title": "Lead unit"}],
    }


def _system(job: Job) -> dict[str, str]:
    return {
        "identifier-type": "http://ietf.org/rfc/rfc4122",
        "id": str(_uuid(job, "system")),
    }


def _party(job: Job, stream: str) -> dict[str, Any]:
    last = final(job.reader, stream, job.cut)
    name = getattr(last[1], "name", "") if last else ""
    return {
        "uuid": _uuid(job, stream),
        "type": "organization",
        "name": _line(name) or stream,
    }


def _risk(job: Job, item: _Item) -> dict[str, Any]:
    state = item.state
    risk: dict[str, Any] = {
        "uuid": _uuid(job, f"commitment/{item.key}#risk"),
        "title": _line(state.title),
        "description": f"The commitment {item.key} may not be kept in time.",
        "statement": state.standard or state.title,
        "status": _risk_status(state),
        "remediations": [_remediation(job, item)],
    }
    if state.current_due is not None:
        risk["deadline"] = rfc3339(state.current_due)
    return risk


def _risk_status(state: Commitment) -> str:
    if state.pending_extension is not None:
        return "deviation-requested"
    return _RISK.get(state.status, "remediating")


def _remediation(job: Job, item: _Item) -> dict[str, Any]:
    done = item.state.status == "closed"
    remediation: dict[str, Any] = {
        "uuid": _uuid(job, f"commitment/{item.key}#remediation"),
        "lifecycle": "completed" if done else "planned",
        "title": _line(item.state.title),
        "description": item.state.standard or item.state.title,
    }
    tasks = list(_milestones(job, item))
    return remediation | ({"tasks": tasks} if tasks else {})


def _milestones(job: Job, item: _Item) -> Iterator[dict[str, Any]]:
    """Yield the date that was promised and the one that counts now, where there are."""
    dues = {"original": item.state.original_due, "current": item.state.current_due}
    for which, due in dues.items():
        if due is not None:
            yield {
                "uuid": _uuid(job, f"commitment/{item.key}#{which}-due"),
                "type": "milestone",
                "title": f"{which.capitalize()} due",
                "props": [_property("milestone", f"{which}-due")],
                "timing": {"on-date": {"date": rfc3339(due)}},
                "responsible-roles": [
                    {"role-id": "lead-unit", "party-uuids": [item.lead]}
                ],
            }


def _item(job: Job, item: _Item) -> dict[str, Any]:
    return {
        "uuid": _uuid(job, f"commitment/{item.key}"),
        "title": _line(item.state.title),
        "description": item.state.standard or item.state.title,
        "props": list(_properties(item)),
        "origins": [{"actors": [{"type": "party", "actor-uuid": item.lead}]}],
        "related-risks": [{"risk-uuid": _uuid(job, f"commitment/{item.key}#risk")}],
    }


def _properties(item: _Item) -> Iterator[dict[str, str]]:
    state = item.state
    yield _property("key", item.key)
    yield _property("status", state.status)
    yield _property("status-text", STATUSES[state.status][0])
    yield _property("policy", state.policy)
    yield _property("lead-unit", state.lead_unit)
    yield _property("registered", rfc3339(state.registered_at))
    yield _property("extensions", str(state.extensions))
    yield _property("reopened", str(state.reopen_no))
    if state.closed_at is not None:
        yield _property("closed", rfc3339(state.closed_at))


def _property(name: str, value: str) -> dict[str, str]:
    return {"name": name, "ns": _NS, "value": _line(value)}


def _uuid(job: Job, name: str) -> UUID:
    """Return the UUID of a thing of this ledger (RFC 9562 section 5.5, by name)."""
    return uuid5(uuid5(NAMESPACE_URL, f"urn:henji:ledger:{job.origin}"), name)


def _line(text: str) -> str:
    """Return a text as one line: OSCAL strings have no line breaks, no outer space."""
    return " ".join(text.split())
