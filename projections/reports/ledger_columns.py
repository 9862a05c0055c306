"""The columns of the ledger 督办台账, in its order.

Rules of this file: a table of columns. What a cell shows is in ledger_cells.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from projections.reports import ledger_cells as show
from projections.reports.ledger_cells import Show
from projections.reports.model import Column, Kind
from projections.reports.pieces import column


@dataclass(frozen=True, slots=True)
class Shown:
    """A column and how its cell is made; the number of the row is given."""

    column: Column
    show: Show


def _text(key: str, en: str, zh: str, made: Show, kind: Kind = "text") -> Shown:
    return Shown(column(key, en, zh, kind), made)


#: Events of a commitment that several columns are of.
_CHECK = "verification_recorded"
_LOOK = "lookback_recorded"
_CLAIM = "completion_claimed"
_PROGRESS = "progress_reported"
_MORE = "extension_granted"
COLUMNS: Sequence[Shown] = (
    _text("no", "No.", "序号", show.ordinal, "int"),
    _text("key", "Number", "编号", show.registered(lambda case: case.key)),
    _text("title", "Commitment", "事项名称", show.registered(lambda c: c.state.title)),
    _text("theme", "Theme", "类别/主题", show.registered(lambda c: c.state.theme)),
    _text("basis", "Basis", "立项依据（文件/会议）", show.basis),
    _text("issued", "Handed out", "交办日期", show.at("issued"), "date"),
    _text("leader", "Leader", "牵头领导", show.leader),
    _text("lead_unit", "Lead unit", "牵头（责任）单位", show.lead_unit),
    _text("lead_post", "Post", "责任人（职务）", show.lead_post),
    _text("support", "Supporting units", "协办单位", show.support),
    _text(
        "standard",
        "Standard",
        "工作要求/验收标准",
        show.registered(lambda c: c.state.standard),
    ),
    _text("original_due", "Original due", "原定时限", show.original_due, "date"),
    _text("current_due", "Current due", "现行时限", show.current_due, "date"),
    _text("extensions", "Extensions", "延期次数", show.count(_MORE), "int"),
    _text("signed", "Signed for", "签收时间", show.at("signed_for"), "instant"),
    _text(
        "progress_at",
        "Last progress",
        "最近进展日期",
        show.at(_PROGRESS),
        "date",
    ),
    _text("progress", "What was done", "最近进展内容", show.progress),
    _text("percent", "Done", "完成比例", show.percent, "percent"),
    _text("problem", "Problems", "存在问题", show.problem),
    _text("next", "Next", "下步措施", show.measures),
    _text("light", "Light", "亮灯", show.light, "light"),
    _text("overdue", "Overdue", "是否逾期", show.is_overdue),
    _text("days_late", "Days late", "逾期天数（工作日）", show.days_late, "int"),
    _text("urges", "Urged", "催办次数", show.count("urged"), "int"),
    _text("urge_level", "Highest sheet", "最高单色", show.urged),
    _text(
        "returns",
        "Returned",
        "退回次数",
        show.count(_CHECK, lambda data: data.result == "fail"),
        "int",
    ),
    _text(
        "claimed",
        "Claimed done",
        "报完成时间",
        show.at(_CLAIM),
        "instant",
    ),
    _text("verifier", "Verifier", "核查人", show.verifier),
    _text("verified", "Verified", "核查时间", show.at(_CHECK), "instant"),
    _text("verdict", "Verdict", "核查结论", show.verdict(_CHECK)),
    _text("closed", "Closed", "销号时间", show.at("closed"), "instant"),
    _text("lookbacks", "Look-backs", "回头看次数", show.count(_LOOK), "int"),
    _text("lookback", "Look-back result", "回头看结论", show.verdict(_LOOK)),
    _text("accountability", "Accountability", "追责情况", show.accountability),
    _text("evidence", "Evidence", "佐证数", show.evidence, "int"),
    _text("last_event", "Last event", "末次事件编号", show.last_event),
    _text("remark", "Remark", "备注", show.remark),
)
