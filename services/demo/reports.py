"""Every report of the simulated campaign, as files in a folder with a page of links.

Rules of this file: which reports, of which cut and where to; how a report is made and
written is not known here. The same log gives the same files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from types import MappingProxyType
from typing import Final, NamedTuple

from events.calendar import DAY_US
from events.domain import periods
from events.entries import rfc3339
from projections.cut_world import cut_of
from projections.reports import subject_file
from projections.reports.formats.rendering import View
from projections.reports.formats.table import FORMATS
from projections.reports.model import Definition, Language, Report
from projections.reports.registry import REPORTS
from projections.reports.remembered import remembered
from projections.world import Cut, World
from services import reporting
from services.demo.campaign.key import INSTANTS
from services.reporting import Asked
from services.running import Service

INDEX: Final = "index.html"
#: An orange alert is in force, half of the days are gone: no report is empty.
_INSTANT: Final = INSTANTS["orange_alert"]
#: The last whole day and week before an instant; other reports are of the instant.
_PERIODS: Final[Mapping[str, Callable[[int], str]]] = MappingProxyType(
    {
        "day": lambda instant: periods.day_of(instant - DAY_US),
        "week": lambda instant: periods.week_of(instant - 7 * DAY_US),
    }
)
#: In which languages a format is written, and what tells its file from the first.
_LANGUAGES: Final[Mapping[str, tuple[tuple[Language, str], ...]]] = MappingProxyType(
    {"html": (("zh", ""), ("en", "en."))}
)
_CHINESE: Final[tuple[tuple[Language, str], ...]] = (("zh", ""),)
_WAIT_SECONDS: Final = 60.0
_ROW: Final = Template(
    '<tr><th scope="row">$zh<br><span lang="en">$en</span></th>'
    "<td>$period</td><td>$links</td></tr>"
)
_LINK: Final = Template('<a href="$name">$label</a>')


class Paper(NamedTuple):
    """A report in a folder: what it was made of, and the names of its files."""

    definition: Definition
    period: str
    files: tuple[str, ...]


def write_all(service: Service, folder: Path) -> int:
    """Write every report in every format it offers; return how many files that is.

    They and ``index.html``, which is not counted, are new or replaced in the folder.
    """
    folder.mkdir(exist_ok=True)
    store = service.ledger.store
    cut = cut_of(store, as_at=_INSTANT)
    service.reach(cut.position, seconds=_WAIT_SECONDS)
    with reporting.world_of(store, service.views, cut) as world:
        seen = remembered(world)
        papers = [_paper(seen, one, folder) for one in REPORTS.values()]
    (folder / INDEX).write_text(_index(papers, cut), "utf-8")
    return sum(len(paper.files) for paper in papers)


def _paper(world: World, definition: Definition, folder: Path) -> Paper:
    period = _PERIODS.get(definition.period)
    asked = Asked(
        definition.name,
        period=period(world.cut.now) if period else None,
        subject=_subject(world) if definition.name == subject_file.NAME else None,
    )
    report = reporting.made(world, asked)
    files = []
    for name, content in _written(report, definition, asked):
        (folder / name).write_bytes(content)
        files.append(name)
    return Paper(definition, report.period, tuple(files))


def _written(
    report: Report, definition: Definition, asked: Asked
) -> Iterator[tuple[str, bytes]]:
    """Yield each file of a report: its name, its bytes."""
    for format_ in definition.formats:
        for language, mark in _LANGUAGES.get(format_, _CHINESE):
            name = reporting.file_name(asked, f"{mark}{format_}")
            yield name, reporting.written(report, FORMATS[format_], View(language))


def _subject(world: World) -> str:
    """Return the subject with the most visits: its file has something in every part."""
    visits: Counter[str] = Counter(
        event.data.subject
        for event in world.events(types=("henji.inspection.*",))
        if getattr(event.data, "subject", None)
    )
    most, _ = min(visits.items(), key=lambda row: (-row[1], row[0]))
    return most


def _index(papers: list[Paper], cut: Cut) -> str:
    page = Template(
        resources.files(__package__).joinpath("index.html").read_text("utf-8")
    )
    return page.substitute(
        instant=rfc3339(cut.now),
        position=cut.position,
        root=cut.root.hex(),
        rows="\n".join(_row(paper) for paper in papers),
    )


def _row(paper: Paper) -> str:
    title = paper.definition.title
    links = "".join(
        _LINK.substitute(name=escape(name), label=escape(name.partition(".")[2]))
        for name in paper.files
    )
    return _ROW.substitute(
        zh=escape(title["zh"]),
        en=escape(title["en"]),
        period=escape(paper.period),
        links=links,
    )
