"""The Chinese words by which rows of reports are told apart, by the field's terms.

Rules of this file: tables of texts.
"""

from __future__ import annotations

from typing import Final

from services.demo.campaign.places import UNITS
from services.demo.campaign.record import MARK

TOTAL: Final = "合计"
#: In the order of a promise's life.
STATUSES: Final[dict[str, str]] = {
    "draft": "拟立项",
    "issued": "已交办",
    "rejected_receipt": "拒签（退回交办）",
    "signed": "已签收",
    "in_progress": "办理中",
    "claimed": "已报完成（待核查）",
    "returned": "退回整改",
    "verified": "核查通过",
    "closed": "已销号",
    "reopened": "回头看反弹（重新办理）",
    "suspended": "中止",
    "cancelled": "撤销",
    "superseded": "并入（替代）",
    "failed": "未完成结案",
}
FORMS: Final[dict[str, str]] = {
    "admonition": "诫勉",
    "criticism": "通报批评",
    "written_review": "书面检查",
    "interview": "约谈",
    "suspension": "停职",
    "warning": "警告",
}
MEASURES: Final[dict[str, str]] = {
    "stop_earthwork": "停止土石方作业和拆除",
    "stop_line": "按一厂一策停产限产",
    "restaurant_closed": "未安装净化设施的餐饮单位停业",
    "heaps_covered": "散装物料全部覆盖",
    "wet_sweeping": "增加道路湿扫和洒水频次",
}
CATEGORIES: Final[dict[str, str]] = {
    "earth_uncovered": "裸露土方未覆盖",
    "fence_missing": "围挡缺失或破损",
    "dry_earthwork": "土方作业未湿法施工",
    "road_dust": "道路积尘带泥",
    "spoil_truck": "渣土车违规运输",
    "scattered_firm": "散乱污企业",
    "banned_again": "取缔企业死灰复燃",
    "staggered_breach": "错峰生产未落实",
    "loose_coal": "散煤燃烧或销售",
    "open_burning": "露天焚烧",
    "fume_purifier": "餐饮油烟直排",
    "scrap_yard": "废品收购站违规",
    "monitoring_off": "在线监测停运或未联网",
    "work_safety": "安全生产隐患",
}
KINDS: Final[dict[str, str]] = {
    "site": "建筑工地",
    "enterprise": "企业",
    "restaurant": "餐饮单位",
    "scrap_yard": "废品站",
    "mixing_plant": "搅拌站",
    "road": "道路",
}


def unit(key: str) -> str:
    """Return what a unit is called."""
    return UNITS[key][0] + MARK
