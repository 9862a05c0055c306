"""Papers of an enterprise file: permits, treatment, pledges, as far as they are there.

Rules of this file: no event says these things yet, so they are what material on record
is called (its name, or the note of who referred to it). What nobody recorded says so,
line by line: an inspector looks for it here and must not think that it was left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from projections.reports.model import Cell, Table, Text
from projections.reports.pieces import both, column
from projections.reports.subject_streams import NOT_RECORDED, File, filed
from projections.world import Happened

#: Lines of a part, and what material for one is called, in any of these words.
Lines = Sequence[tuple[Text, tuple[str, ...]]]
_PERMITS: Final[Lines] = (
    (both("Approval of the impact assessment", "环评批复"), ("环评",)),
    (both("Acceptance (three at once)", "三同时验收"), ("三同时", "环保验收")),
    (both("Discharge permit", "排污许可证"), ("排污许可",)),
    (both("Others", "其他手续"), ("营业执照", "批复文件")),
)
_PROCESSES: Final[Lines] = (
    (both("Polluting processes", "产污环节"), ("产污环节", "工艺流程")),
    (both("Treatment facilities", "治理设施"), ("治理设施", "净化设施")),
    (both("Records of their operation", "设施运行记录"), ("运行记录",)),
)
_PLEDGES: Final[Lines] = ((both("Signed pledge", "承诺书"), ("承诺书",)),)
_SHORT = 12


class Material(NamedTuple):
    """What one event refers to: the words for it, its digest, and the event."""

    words: str
    digest: str
    event: Happened


def permits(file: File) -> Table:
    """Return approval, acceptance, permit and others, a line each."""
    title = both("Permits", "环评、验收、排污许可及其他手续")
    return _lines(file, "permits", title, _PERMITS)


def processes(file: File) -> Table:
    """Return processes, treatment and the records of it, a line each."""
    title = both("Processes and treatment", "产污环节与治理设施")
    return _lines(file, "processes", title, _PROCESSES)


def pledges(file: File) -> Table:
    """Return the signed pledge."""
    return _lines(file, "pledges", both("Pledge", "承诺书"), _PLEDGES)


def _lines(file: File, key: str, title: Text, lines: Lines) -> Table:
    columns = (
        column("item", "Item", "项目"),
        column("content", "On record", "记录情况"),
        column("time", "Recorded", "记录时间", "instant"),
        column("digest", "Evidence", "佐证"),
    )
    known = list(_materials(file))
    rows = [
        row
        for name, words in lines
        for row in _rows(name, [one for one in known if _is_called(one, words)])
    ]
    return filed(key, title, columns, rows)


def _rows(name: Text, found: Sequence[Material]) -> Iterator[tuple[Cell, ...]]:
    if not found:
        yield (Cell(name), Cell(NOT_RECORDED), Cell(None), Cell(None))
    for words, digest, event in found:
        at = (event.position,)
        yield (
            Cell(name, at),
            Cell(words, at),
            Cell(event.recorded, at),
            Cell(digest[:_SHORT], at),
        )


def _is_called(material: Material, words: tuple[str, ...]) -> bool:
    return any(word in material.words for word in words)


def _materials(file: File) -> Iterator[Material]:
    """Yield all that has a name or a note, each digest once, by its first use."""
    names = {
        event.data.sha256: event.data.name
        for event in file.one.world.events(types=("henji.evidence.stored.v1",))
    }
    seen: set[str] = set()
    for event in file.events:
        for one in getattr(event.data, "evidence", ()):
            digest = one if isinstance(one, str) else one.sha256
            words = getattr(one, "note", None) or names.get(digest)
            if words and digest not in seen:
                seen.add(digest)
                yield Material(words, digest, event)
