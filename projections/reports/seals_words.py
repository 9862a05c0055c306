"""Columns of the report on sealed sites.

Rules of this file: texts only, in both languages.
"""

from __future__ import annotations

from typing import Final

from projections.reports.pieces import column

SITES: Final = (
    column("order", "Order", "封土令"),
    column("site", "Site no.", "工地编号"),
    column("name", "Site", "工地"),
    column("unit", "Unit", "责任单位"),
    column("base_end", "Order ends", "封土令截止日", "date"),
    column("violations", "Violations that count", "有效违规次数", "int"),
    column("revoked", "Revoked", "撤销次数", "int"),
    column("added", "Days added", "顺延天数", "int"),
    column("seal_until", "Sealed until", "封土截止日", "date"),
    column("basis", "Basis of exemption", "豁免依据"),
    column("allows", "What may go on", "允许事项"),
    column("up_to", "Up to alert", "适用至预警", "light"),
)
VIOLATIONS: Final = (
    column("violation", "Violation", "违规编号"),
    column("order", "Order", "封土令"),
    column("site", "Site", "工地"),
    column("found", "Found", "发现时间", "instant"),
    column("text", "What was found", "违规情形"),
    column("confirmed", "Confirmed", "认定时间", "instant"),
    column("revoked", "Revoked", "撤销时间", "instant"),
    column("reason", "Why revoked", "撤销理由"),
    column("status", "Status", "状态"),
    column("days", "Days added", "顺延天数", "int"),
)
DECISIONS: Final = (
    column("at", "At", "时间", "instant"),
    column("what", "What", "事项"),
    column("order", "Order", "封土令"),
    column("site", "Site", "工地"),
    column("reason", "Reason or basis", "理由或依据"),
    column("until", "Until", "至", "date"),
)
