"""Words and columns of the report on accountability cases.

Rules of this file: texts only, in both languages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from projections.reports.model import Text
from projections.reports.pieces import both, column

ALL: Final = both("All units", "全部单位")
ANSWERS: Final[Mapping[str | None, Text]] = {
    None: both("Below the first step", "未达问责起点"),
    "deputy_in_charge": both("Deputy in charge", "分管副职"),
    "head": both("Head", "行政主要负责人"),
    "party_secretary": both("Party secretary", "党委主要负责人"),
}
STATUSES: Final[Mapping[str, Text]] = {
    "clue": both("Clue", "线索"),
    "open": both("Open", "立案调查"),
    "decided": both("Decided", "已决定"),
    "served": both("Served", "已送达"),
    "appealed": both("Appealed", "申诉中"),
    "final": both("Final", "申诉已决"),
    "revoked": both("Revoked", "已撤销"),
    "closed": both("Ended", "已办结"),
    "lifted": both("Influence over", "影响期满"),
}
OUTCOMES: Final[Mapping[str, Text]] = {
    "not_opened": both("Not opened", "不予立案"),
    "no_action": both("No action", "不予追责"),
    "carried_out": both("Carried out", "已执行"),
    "revoked": both("Revoked", "撤销"),
}
APPEALED: Final[Mapping[str, Text]] = {
    "pending": both("Not decided yet", "待决定"),
    "upheld": both("Upheld", "维持"),
    "changed": both("Changed", "变更"),
    "revoked": both("Revoked", "撤销"),
}
LEDGER: Final = (
    column("key", "Case", "案件编号"),
    column("title", "Title", "事由"),
    column("unit", "Unit", "责任单位"),
    column("post", "Post", "职务"),
    column("facts", "Facts cited", "引用事实数", "int"),
    column("clue", "Clue", "线索时间", "instant"),
    column("opened", "Opened", "立案时间", "instant"),
    column("opening", "Days to opening", "线索至立案（天）", "int"),
    column("heard", "Statements", "陈述次数", "int"),
    column("decided", "Decided", "决定时间", "instant"),
    column("deciding", "Days to decision", "立案至决定（天）", "int"),
    column("first", "First decision", "原决定形式"),
    column("form", "In force", "现行形式"),
    column("served", "Served", "送达时间", "instant"),
    column("until", "Appeal until", "申诉截止", "date"),
    column("executed", "Carried out", "执行时间", "instant"),
    column("published", "Made known", "通报时间", "instant"),
    column("influence", "Influence until", "影响期至", "date"),
    column("status", "Status", "状态"),
    column("outcome", "Outcome", "结果"),
)
APPEALS: Final = (
    column("key", "Case", "案件编号"),
    column("unit", "Unit", "责任单位"),
    column("received", "Received", "申诉收到时间", "instant"),
    column("until", "Appeal until", "申诉截止", "date"),
    column("decided", "Decided", "申诉决定时间", "instant"),
    column("days", "Days", "用时（天）", "int"),
    column("outcome", "Outcome", "申诉结果"),
    column("first", "First decision", "原决定形式"),
    column("form", "In force", "现行形式"),
)
THRESHOLDS: Final = (
    column("what", "What", "事项"),
    column("unit", "Unit", "单位"),
    column("count", "Count", "数量", "int"),
    column("step", "Step", "档次", "int"),
    column("answers", "Who answers", "问责层级"),
)
