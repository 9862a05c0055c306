"""Report 3, 督办台账: every commitment in one row, on sheets by what is to be done.

Rules of this file: which rows stand on which sheet. What a column shows is in
ledger_columns.py; the sheets all have the same columns, so that rows can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from events.domain.periods import Span
from projections.reports.corrections import Figure, Known, corrections, previous_cut
from projections.reports.ledger_cells import Entry, belongs, entries
from projections.reports.ledger_columns import COLUMNS
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
    ZONE,
    Case,
    Scene,
    both,
    cases_of,
    counted,
    cut_line,
    local_day,
    scene,
    table,
)
from projections.rules.courses import GREY
from projections.world import World

NAME = "ledger"
VERSION = 2
Chosen = Callable[[Case, int], bool]


def _all(_case: Case, _now: int) -> bool:
    return True


def _overdue(case: Case, now: int) -> bool:
    due = case.state.current_due
    return case.state.status not in GREY | {"draft"} and due is not None and now > due


def _to_verify(case: Case, _now: int) -> bool:
    return case.state.status == "claimed"


def _extended(case: Case, _now: int) -> bool:
    return case.state.extensions > 0 or case.state.pending_extension is not None


def _looked_at(case: Case, _now: int) -> bool:
    return case.row.lookbacks > 0


def _withdrawn(case: Case, _now: int) -> bool:
    return case.state.status in {"cancelled", "superseded"}


#: Sheet, its name, and whose rows it has.
SHEETS: Sequence[tuple[str, Text, Chosen]] = (
    ("all", both("All", "总台账"), _all),
    ("overdue", both("Overdue", "逾期"), _overdue),
    ("to_verify", both("To be verified", "待核查"), _to_verify),
    ("extended", both("Extended", "延期"), _extended),
    ("looked_back", both("Looked back at", "回头看"), _looked_at),
    ("withdrawn", both("Cancelled or superseded", "已撤销或替代"), _withdrawn),
)
_NOTE = both(
    "Judged at the cut's instant. Due dates are last days; days late are working days;"
    " evidence counts different contents. The light is derived and never typed in."
    " The leader is who approved the handing out.",
    "按统计截止时刻计算。时限为最后一日，当日24时届满；逾期天数按工作日计；"
    "佐证数按内容去重；亮灯由规则得出，不得人工填写；牵头领导为批准交办的领导。",
)


def make(world: World, question: Question) -> Report:
    """Return the ledger at a cut: of all, or of what one unit leads or supports."""
    one = scene(world, question)
    rows = tuple(entries(one))
    sections = [Section(both("In all", "总体情况"), (_totals(one, rows),))]
    sections += [
        Section(title, (_sheet(one, key, title, rows=rows, chosen=chosen),))
        for key, title, chosen in SHEETS
    ]
    unit = ZONE if question.unit is None else one.unit(question.unit)
    before = previous_cut(one, NAME, local_day(one.now))
    return Report(
        name=NAME,
        period=question.period,
        title=both(f"Ledger: {unit['en']}", f"督办台账（{unit['zh']}）"),
        issuer=issuer(world),
        cut=cut_line(one, NAME, VERSION),
        sections=tuple(sections),
        corrections=corrections(one, before, (), make=_figures(question.unit)),
        layout="ledger",
    )


def _totals(one: Scene, rows: Iterable[Entry]) -> Figures:
    cases = [row.case for row in rows]
    items = tuple((row.key, row.title, row.cell) for row in _sheets(cases, one.now))
    return Figures("totals", both("Commitments", "事项数"), items)


def _sheets(cases: Sequence[Case], now: int) -> list[Figure]:
    """Count the rows of each sheet, by the registration of each."""
    return [
        Figure(
            key,
            title,
            counted(
                case.row.registered_position for case in cases if chosen(case, now)
            ),
        )
        for key, title, chosen in SHEETS
    ]


def _figures(unit: str | None) -> Callable[[Known, Span], Sequence[Figure]]:
    def made(known: Known, _period: Span) -> Sequence[Figure]:
        cases = [c for c in cases_of(known.courses, known.now) if belongs(c, unit)]
        return _sheets(cases, known.now)

    return made


def _sheet(
    one: Scene, key: str, title: Text, *, rows: Sequence[Entry], chosen: Chosen
) -> Table:
    wanted = [row for row in rows if chosen(row.case, one.now)]
    cells = [
        [column.show(row, number) for column in COLUMNS]
        for number, row in enumerate(wanted, start=1)
    ]
    columns = [column.column for column in COLUMNS]
    empty = both("No commitment is on this sheet.", "本表无事项。")
    return table(key, title, columns, cells, note=_NOTE, empty=empty)


DEFINITION = Definition(
    name=NAME,
    title=both("Ledger", "督办台账"),
    template=VERSION,
    make=make,
    period="moment",
    formats=("html", "json", "csv", "xlsx"),
)
DEFINITIONS = (DEFINITION,)
