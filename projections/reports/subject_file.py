"""Report 4, 一企一档: the whole file of one subject, replayed from the log.

Rules of this file: its twelve parts and their order. Tables are in subject_tables.py,
subject_papers.py and subject_history.py; what the log holds nothing of says so, and
is never made up.
"""

from __future__ import annotations

from collections.abc import Sequence

from events import errors
from events.domain.periods import Span
from projections.reports import subject_history as history
from projections.reports import subject_papers as papers
from projections.reports import subject_tables as tables
from projections.reports.corrections import (
    Figure,
    Known,
    Maker,
    corrections,
    previous_cut,
)
from projections.reports.model import (
    Definition,
    Figures,
    Question,
    Report,
    Section,
    Table,
    Text,
)
from projections.reports.naming import issuer
from projections.reports.pieces import (
    both,
    counted,
    cut_line,
    last_of_each,
    local_day,
    scene,
)
from projections.reports.subject_streams import File, file_of
from projections.world import World

NAME = "subject_file"
VERSION = 2
_TYPES = ("henji.issue.*", "henji.inspection.*", "henji.measure.*")


def make(world: World, question: Question) -> Report:
    """Return the file of ``question.subject`` at the cut.

    ``Malformed('report_subject_missing')``, ``NotFound('report_subject_unknown')``.
    """
    if question.subject is None:
        raise errors.Malformed("report_subject_missing", report=NAME)
    one = scene(world, question)
    row = one.world.state(f"subject/{question.subject}")
    if row is None:
        raise errors.NotFound("report_subject_unknown", subject=question.subject)
    file = file_of(one, row)
    name = row.state.name
    make_figures = _figures(file)
    before = previous_cut(one, NAME, local_day(one.now))
    return Report(
        name=NAME,
        period=question.period,
        title=both(f"File of {name}", f"{name}一企一档"),
        issuer=_keeper(file),
        cut=cut_line(one, NAME, VERSION),
        sections=_sections(file, make_figures),
        corrections=corrections(one, before, _TYPES, make=make_figures),
        layout="document",
    )


def _keeper(file: File) -> Text:
    """Return the unit that opened the file; of an unknown one, the headquarters."""
    opened = file.on(file.row.stream)[:1]
    unit = opened[0].unit if opened else None
    return issuer(file.one.world) if unit is None else file.one.unit(unit)


def _sections(file: File, make_figures: Maker) -> tuple[Section, ...]:
    known = Known(file.one.courses, file.events, file.one.now, file.one.rules)
    told = make_figures(known, Span(0, 0))
    return (
        _part("Basic facts", "基本信息", tables.basics(file), _shown(told)),
        _part("Permits", "手续", papers.permits(file)),
        _part("Processes and treatment", "产污环节与治理设施", papers.processes(file)),
        _part("Plans", "一企一策", tables.plans(file)),
        _part(
            "Staggered production and alerts",
            "错峰生产及应急减排措施",
            tables.schedules(file),
            tables.alert_plan(file),
            tables.measures(file),
        ),
        _part("Visits", "检查记录", history.visits(file), history.failed(file)),
        _part("Problems", "问题与整改", history.issues(file)),
        _part("Penalties", "处罚与追责", history.violations(file), history.cases(file)),
        _part("Measurements", "监测", history.readings_table(file)),
        _part(
            "Pledge and promises",
            "承诺书及承诺事项",
            papers.pledges(file),
            history.promises(file),
        ),
        _part("Timeline", "变更及事件时间线", history.timeline(file)),
        _part("Evidence", "佐证目录", history.evidence(file)),
    )


def _part(en: str, zh: str, *blocks: Figures | Table) -> Section:
    return Section(both(en, zh), blocks)


def _shown(told: Sequence[Figure]) -> Figures:
    items = tuple((row.key, row.title, row.cell) for row in told)
    return Figures("totals", both("In all", "总体情况"), items)


def _figures(file: File) -> Maker:
    """Count visits, problems and breaches of one subject, one event each."""
    issues = {row.stream for row in file.issues}
    visits = {row.stream for row in file.visits}
    measures = {row.stream for row in file.measures}
    told = (
        ("visits", both("Visits", "检查"), visits, "inspection.started"),
        ("problems", both("Problems found", "发现问题"), issues, "issue.found"),
        ("fixed", both("Fixed on the spot", "立即解决"), issues, "issue.fixed_on_spot"),
        ("revoked", both("Findings revoked", "撤销问题"), issues, "issue.revoked"),
        ("settled", both("Problems settled", "问题办结"), issues, "issue.closed"),
        ("breaches", both("Breaches", "违反管控措施"), measures, "measure.breached"),
    )

    def made(known: Known, _period: Span) -> Sequence[Figure]:
        happened = [event for event in known.events if event.occurred <= known.now]
        return [
            Figure(
                key,
                title,
                counted(
                    last_of_each(
                        event
                        for event in happened
                        if event.stream in streams and event.type == f"henji.{what}.v1"
                    )
                ),
            )
            for key, title, streams, what in told
        ]

    return made


DEFINITION = Definition(
    name=NAME,
    title=both("Enterprise file", "一企一档"),
    template=VERSION,
    make=make,
    period="moment",
    formats=("html", "json", "csv", "docx", "pdf"),
)
DEFINITIONS = (DEFINITION,)
