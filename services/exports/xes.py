"""XES (IEEE 1849-2016): one trace a commitment, one event an entry of its stream.

Rules of this file: the grammar of XES and the mapping to it. Events stand in the order
in which they were sealed; ``time:timestamp`` is when each happened. Every entry is an
activity of its own that has been done, so its ``lifecycle:transition`` is complete.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from xml.sax.saxutils import quoteattr

from events import catalogue
from events.domain.commitment_payloads import type_name
from events.entries import rfc3339
from events.store import Row
from services.exports.job import Job, Pieces, beginnings, final, pages, pieces
from services.exports.members import Kind, Scalar, Told, recorded, scalars, told
from services.exports.states import Attribute, attributes

_BEGINNING = type_name("registered")
#: Characters that XML 1.0 section 2.2 has no way to write.
_UNWRITABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: What cannot stand in a quoted value as it is; most values have none of it.
_SPECIAL = re.compile(r"[^ !#-%'-;=?-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAGS: Mapping[Kind, str] = MappingProxyType(
    {
        "string": "string",
        "integer": "int",
        "float": "float",
        "boolean": "boolean",
        "time": "date",
    }
)
_EXTENSIONS = (
    ("Concept", "concept"),
    ("Lifecycle", "lifecycle"),
    ("Organizational", "org"),
    ("Time", "time"),
)
_NAME = Attribute("concept:name", "string", "")
#: What every trace and every event has, as the grammar wants it declared.
_GLOBALS: Mapping[str, tuple[Attribute, ...]] = MappingProxyType(
    {
        "trace": (_NAME,),
        "event": (
            _NAME,
            Attribute("lifecycle:transition", "string", "complete"),
            Attribute("time:timestamp", "time", "1970-01-01T00:00:00Z"),
        ),
    }
)


def xes(job: Job) -> Pieces:
    """Yield the document: the commitments of the cut that have a selected event."""
    return pieces(part.encode() for part in _document(job))


def _document(job: Job) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield '<log xes.version="1849.2016" xes.features="">\n'
    for name, prefix in _EXTENSIONS:
        uri = f"http://www.xes-standard.org/{prefix}.xesext"
        yield f'<extension name="{name}" prefix="{prefix}" uri="{uri}"/>\n'
    for scope, declared in _GLOBALS.items():
        yield f'<global scope="{scope}">{_shown(declared)}</global>\n'
    yield '<classifier name="Activity" keys="concept:name"/>\n'
    yield _shown(_of_log(job)) + "\n"
    for row in beginnings(job, _BEGINNING):
        yield from _trace(job, row.stream)
    yield "</log>\n"


def _of_log(job: Job) -> Iterator[Attribute]:
    yield Attribute("concept:name", "string", job.origin)
    yield Attribute("lifecycle:model", "string", "standard")
    yield Attribute("henji:position", "integer", job.cut.position)
    yield Attribute("henji:root", "string", job.cut.root.hex())


def _trace(job: Job, stream: str) -> Iterator[str]:
    selection = replace(job.selection, streams=(stream,))
    begun = False
    for row in pages(job.reader, selection):
        if not begun:
            yield f"<trace>{_shown(_of_trace(job, stream))}\n"
            begun = True
        yield f"<event>{_shown(_of_event(row))}</event>\n"
    if begun:
        yield "</trace>\n"


def _of_trace(job: Job, stream: str) -> Iterator[Attribute]:
    yield Attribute("concept:name", "string", stream.partition("/")[2])
    yield Attribute("henji:stream", "string", stream)
    last = final(job.reader, stream, job.cut)
    if last is not None:
        for name, kind, value in attributes(last[1]):
            yield Attribute(f"state:{name}", kind, value)


def _of_event(row: Row) -> Iterator[Attribute]:
    entry = told(row)
    known = catalogue.lookup(row.type)
    yield Attribute("concept:name", "string", known.en if known else row.type)
    yield Attribute("lifecycle:transition", "string", "complete")
    yield Attribute("time:timestamp", "time", rfc3339(row.occurred))
    yield from _actor(entry)
    yield Attribute("henji:type", "string", row.type)
    yield Attribute("henji:id", "string", row.id)
    yield Attribute("henji:source", "string", row.source)
    yield Attribute("henji:position", "integer", row.position)
    yield Attribute("henji:recorded", "time", rfc3339(recorded(entry)))
    yield Attribute("henji:ingested", "time", rfc3339(row.ingested))
    for name, kind, value in scalars(entry):
        yield Attribute(f"data:{name}", kind, value)


def _actor(entry: Told) -> Iterator[Attribute]:
    """Who did it: the person's reference, else the post, else the key that sent it."""
    envelope = entry.envelope
    resource = envelope.actorperson or entry.post or envelope.authid
    yield Attribute("org:resource", "string", resource)
    if entry.post:
        yield Attribute("org:role", "string", entry.post)
    if entry.unit:
        yield Attribute("org:group", "string", entry.unit)


def _shown(given: Iterable[Attribute]) -> str:
    return "".join(
        f"<{_TAGS[kind]} key={_quoted(name)} value={_quoted(value)}/>"
        for name, kind, value in given
    )


def _quoted(value: Scalar) -> str:
    if isinstance(value, bool):
        return '"true"' if value else '"false"'
    text = str(value)
    if _SPECIAL.search(text) is None:
        return f'"{text}"'
    return quoteattr(_UNWRITABLE.sub("\ufffd", text))
