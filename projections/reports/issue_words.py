"""What issues, subjects and duties are called in reports, in both languages.

Rules of this file: texts by code, nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from projections.reports.model import Text
from projections.reports.pieces import both

ORIGINS: Mapping[str, Text] = MappingProxyType(
    {
        "patrol": both("Patrol", "网格巡查"),
        "inspection": both("Inspection", "督查"),
        "hotline": both("Hotline", "群众举报"),
        "sensor": both("Sensor", "在线监测"),
        "upper_level": both("Upper level", "上级交办"),
    }
)
STATUSES: Mapping[str, Text] = MappingProxyType(
    {
        "found": both("Found", "已发现"),
        "fixed": both("Fixed", "已解决"),
        "reported": both("Reported", "已上报"),
        "handed_over": both("Handed over", "已交办"),
        "disputed": both("Disputed", "有异议"),
        "revoked": both("Revoked", "已撤销"),
        "closed": both("Closed", "已办结"),
    }
)
KINDS: Mapping[str, Text] = MappingProxyType(
    {
        "site": both("Sites", "建筑工地"),
        "enterprise": both("Enterprises", "企业"),
        "restaurant": both("Restaurants", "餐饮单位"),
        "scrap_yard": both("Scrap yards", "废品站"),
        "mixing_plant": both("Mixing plants", "搅拌站"),
        "road": both("Roads", "道路"),
        "vehicle_fleet": both("Vehicle fleets", "渣土车队"),
        "other": both("Others", "其他"),
    }
)
DUTIES: Mapping[str, Text] = MappingProxyType(
    {
        "overdue": both("Not reported", "未报"),
        "missed": both("Missed", "缺报"),
        "met_late": both("Late", "迟报"),
        "waived": both("Waived", "免报"),
    }
)
SUBJECT_STATUSES: Mapping[str, Text] = MappingProxyType(
    {
        "operating": both("Operating", "正常生产"),
        "suspended": both("Stopped", "停产"),
        "closed": both("Closed down", "关停"),
        "relocated": both("Moved away", "搬迁"),
        "merged": both("Merged", "并档"),
    }
)
