"""Open311 GeoReport v2, read-only: issues as service requests, categories as services.

Rules of this file: the mapping and its two notations (JSON, XML); no HTTP. A request is
closed where the issue is settled or withdrawn. Nobody's words of who reported it are
shown: who found an issue is not part of the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any
from xml.sax.saxutils import escape

import msgspec

from events import errors
from events.domain import codelists, commitment_dues
from events.domain.issue_payloads import Found, HandedOver
from events.domain.issues import Issue
from events.domain.model import Event
from events.entries import rfc3339
from events.store import Reader, Row, Selection
from services.exports.job import Cut, history

_FOUND = "henji.issue.found.v1"
_LIST = "issue-category"
_CLOSED = frozenset({"closed", "revoked"})
#: GeoReport v2, GET Service Requests: no more at once.
MOST = 1_000
#: Issues that one question may walk over; beyond it must be narrowed by dates.
_MOST_SCANNED = 20_000
_PAGE = 256
_UNWRITABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: The element of a list -> of each of its items, in the XML notation.
_ITEMS: Mapping[str, str] = MappingProxyType(
    {"services": "service", "service_requests": "request"}
)
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which requests: every given field narrows. Instants are µs, half-open."""

    ids: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    since: int | None = None
    before: int | None = None


@dataclass(slots=True)
class _Told:
    """What the events of an issue say that its state does not keep."""

    found: Found
    state: Issue
    updated: int
    note: str | None = None
    expected: int | None = None
    agency: str | None = None


def services(language: str) -> list[Record]:
    """Return each category of issues as a service, in the order of its list."""
    found: dict[str, Record] = {}
    for table in codelists.published().values():
        if table.name == _LIST:
            group = table.zh if language == "zh" else table.en
            for item in table.items:
                found[item.id] = {
                    "service_code": item.id,
                    "service_name": item.zh if language == "zh" else item.en,
                    "description": f"{item.zh} · {item.en}",
                    "metadata": False,
                    "type": "realtime",
                    "keywords": "",
                    "group": group,
                }
    return list(found.values())


def requests(
    reader: Reader, cut: Cut, asked: Asked, *, language: str, base: str
) -> list[Record]:
    """Return the newest requests asked for, newest first; up to ``MOST``.

    ``base`` is the URL under which evidence is served. ``Malformed``
    ('open311_range_too_wide'): the question walks over too many issues.
    """
    names = {
        service["service_code"]: service["service_name"]
        for service in services(language)
    }
    kept: list[tuple[int, str, Record]] = []
    for stream in _streams(reader, cut, asked):
        issue = _read(reader, cut, stream)
        if issue is not None and _is_meant(issue, asked):
            key = stream.partition("/")[2]
            record = _record(issue, key, names=names, base=base)
            kept.append((issue.state.found_at, key, record))
            if len(kept) == MOST:
                break
    kept.sort(key=lambda row: row[:2], reverse=True)
    return [record for _, _, record in kept]


def _streams(reader: Reader, cut: Cut, asked: Asked) -> Iterator[str]:
    if asked.ids:
        yield from (f"issue/{key}" for key in dict.fromkeys(asked.ids))
        return
    # Nothing is recorded before it is found: the event's own instant narrows safely.
    wanted = Selection(until=cut.position, types=(_FOUND,), occurred_from=asked.since)
    for number, row in enumerate(_newest_first(reader, wanted)):
        if number == _MOST_SCANNED:
            raise errors.Malformed("open311_range_too_wide", limit=_MOST_SCANNED)
        yield row.stream


def _newest_first(reader: Reader, wanted: Selection) -> Iterator[Row]:
    page = reader.select(wanted, limit=_PAGE, newest_first=True)
    while page:
        yield from page
        wanted = replace(wanted, until=page[-1].position - 1)
        page = reader.select(wanted, limit=_PAGE, newest_first=True)


def _read(reader: Reader, cut: Cut, stream: str) -> _Told | None:
    issue: _Told | None = None
    for event, state in history(reader, stream, cut):
        if issue is None:
            issue = _Told(event.data, state, event.occurred)
        issue.state, issue.updated = state, event.occurred
        _note(issue, event)
    return issue


def _note(issue: _Told, event: Event) -> None:
    data = event.data
    issue.note = getattr(data, "text", None) or getattr(data, "reason", None)
    if isinstance(data, HandedOver):
        issue.agency = data.to_unit
        issue.note = data.requirement
        issue.expected = commitment_dues.fixed(data.due) if data.due else None


def _is_meant(issue: _Told, asked: Asked) -> bool:
    state = issue.state
    return (
        (not asked.codes or state.category in asked.codes)
        and (not asked.statuses or _status(state) in asked.statuses)
        and (asked.since is None or state.found_at >= asked.since)
        and (asked.before is None or state.found_at < asked.before)
    )


def _status(state: Issue) -> str:
    return "closed" if state.status in _CLOSED else "open"


def _record(issue: _Told, key: str, *, names: Mapping[str, str], base: str) -> Record:
    state, found = issue.state, issue.found
    geo = found.place.geo
    pictures = [one.sha256 for one in found.evidence]
    return {
        "service_request_id": key,
        "status": _status(state),
        "status_notes": ": ".join(filter(None, (state.status, issue.note))),
        "service_name": names.get(state.category, state.category),
        "service_code": state.category,
        "description": "\n".join(filter(None, (found.title, found.text))),
        "agency_responsible": issue.agency or state.unit,
        "service_notice": None,
        "requested_datetime": rfc3339(state.found_at),
        "updated_datetime": rfc3339(issue.updated),
        "expected_datetime": rfc3339(issue.expected) if issue.expected else None,
        "address": found.place.address,
        "address_id": None,
        "zipcode": None,
        "lat": geo.lat if geo else None,
        "long": geo.lon if geo else None,
        "media_url": f"{base}v1/evidence/{pictures[0]}" if pictures else None,
    }


def as_json(_root: str, records: Sequence[Record]) -> bytes:
    """Return the JSON notation: an array."""
    return msgspec.json.encode(records)


def as_xml(root: str, records: Sequence[Record]) -> bytes:
    """Return the XML notation: ``root`` around an element for each record."""
    parts = ['<?xml version="1.0" encoding="utf-8"?>\n', f"<{root}>"]
    for record in records:
        members = "".join(_element(name, value) for name, value in record.items())
        parts.append(f"<{_ITEMS[root]}>{members}</{_ITEMS[root]}>")
    parts.append(f"</{root}>\n")
    return "".join(parts).encode()


def _element(name: str, value: Any) -> str:
    if value is None:
        return f"<{name}/>"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    shown = escape(_UNWRITABLE.sub("\ufffd", text))
    return f"<{name}>{shown}</{name}>"
