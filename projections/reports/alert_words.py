"""Words and columns of the report on measures under alerts.

Rules of this file: texts only, in both languages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from projections.reports.model import Column, Text
from projections.reports.pieces import both, column
from projections.rules.alert_measures import Compliance

STANDINGS: Final[Mapping[Compliance, Text]] = {
    Compliance.EXEMPTED: both("Exempted", "豁免"),
    Compliance.BREACHED: both("Breached", "违反"),
    Compliance.IN_TIME: both("Taken in time", "按时落实"),
    Compliance.LATE: both("Taken late", "逾时落实"),
    Compliance.WAITING: both("Time still runs", "时限内"),
    Compliance.MISSING: both("Not taken", "未落实"),
}
NONE: Final = both("No measure was required.", "未下达措施。")
ALERT: Final = (
    column("alert", "Alert", "预警"),
    column("colour", "Colour", "颜色", "light"),
    column("grade", "Grade", "响应等级"),
    column("since", "From", "起始", "instant"),
    column("until", "Until", "解除", "instant"),
)
TOTALS: Final[tuple[Column, ...]] = (
    column("required", "Required", "下达", "int"),
    column("noted", "Notified in time", "按时通知", "int"),
    column("acknowledged", "Acknowledged", "签收", "int"),
    column("applied", "Taken at all", "已落实（含后又违反）", "int"),
    column("applied_in_time", "Taken by the due", "时限内落实（含后又违反）", "int"),
    *(Column(name.value, text, "int") for name, text in STANDINGS.items()),
    column("checked", "Checked", "已核查", "int"),
    column("kept", "Found kept", "核查落实", "int"),
    column("rate", "In time, of those due", "按时落实率", "percent"),
)
TIMELINE: Final = (
    column("at", "At", "时间", "instant"),
    column("what", "What", "事项"),
    column("colour", "Colour", "颜色", "light"),
    column("grade", "Grade", "响应等级"),
    column("since", "From", "生效", "instant"),
    column("until", "Until", "截止", "instant"),
    column("reason", "Reason", "原因"),
)
DETAILS: Final = (
    column("subject", "Subject", "对象"),
    column("measure", "Measure", "措施"),
    column("unit", "Unit", "责任单位"),
    column("required", "Required", "下达时间", "instant"),
    column("notice", "Notice after, minutes", "通知用时（分钟）", "int"),
    column("acknowledged", "Acknowledged", "签收时间", "instant"),
    column("due", "Due", "时限", "instant"),
    column("applied", "Taken", "落实时间", "instant"),
    column("late", "Late, minutes", "逾时（分钟）", "int"),
    column("checked", "Checked", "核查时间", "instant"),
    column("standing", "Standing", "落实情况"),
    column("basis", "Basis of exemption", "豁免依据"),
)
