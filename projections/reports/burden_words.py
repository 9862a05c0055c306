"""Columns of the report on the burden of recording.

Rules of this file: texts only, in both languages.
"""

from __future__ import annotations

from typing import Final

from projections.reports.pieces import column

UNITS: Final = (
    column("unit", "Unit", "单位"),
    column("submitted", "Events submitted", "提交事件数", "int"),
    column("closed", "Closed", "销号", "int"),
    column("events", "Events of these", "所涉事件数", "int"),
    column("per_closed", "Events for one", "每件事件数", "number"),
    column("evidence", "Evidence of these", "所涉佐证数", "int"),
    column("evidence_per_closed", "Evidence for one", "每件佐证数", "number"),
    column("late", "Late records", "补录数", "int"),
    column("relapse", "Relapse rate", "回头看反弹率", "percent"),
)
LATE: Final = (
    column("position", "Event no.", "事件编号", "int"),
    column("unit", "Unit", "单位"),
    column("stream", "About", "对象"),
    column("what", "Event", "事件"),
    column("occurred", "Happened", "发生时间", "instant"),
    column("recorded", "Recorded", "记录时间", "instant"),
    column("days", "Days later", "滞后天数", "int"),
)
REUSED: Final = (
    column("found", "Found", "发现时间", "instant"),
    column("sha256", "SHA-256", "SHA-256"),
    column("unit", "Unit", "单位"),
    column("first", "First used in", "首次使用"),
    column("second", "Used again in", "再次使用"),
)
