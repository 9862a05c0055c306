"""What the things of a log are called: streams, cells, places, who issues a report.

Rules of this file: names only, of one cut. What nobody named is called by its kind and
key; a key is never shown alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from projections.reports.model import Text
from projections.reports.pieces import ZONE, both, join
from projections.world import World

#: What measurements of the whole zone name as their place.
_WHOLE = "zone"
#: Unit of a plain number, as measurements write it (UCUM).
_PLAIN = "1"
#: Kind of stream -> what one is called.
KINDS: Mapping[str, Text] = MappingProxyType(
    {
        "access": both("Keys", "密钥"),
        "accountability": both("Case", "追责案件"),
        "alert": both("Alert", "预警"),
        "calendar": both("Calendar", "日历"),
        "campaign": both("Campaign", "攻坚行动"),
        "catalogue": both("Catalogue", "事件目录"),
        "census": both("Census", "普查"),
        "commitment": both("Commitment", "事项"),
        "directive": both("Directive", "文件会议"),
        "evidence": both("Evidence", "佐证"),
        "external": both("External", "外部系统"),
        "grid": both("Cell", "网格"),
        "inspection": both("Inspection", "检查巡查"),
        "issue": both("Problem", "问题"),
        "ledger": both("Ledger", "账本"),
        "measure": both("Measure", "管控措施"),
        "metric": both("Measurement", "监测指标"),
        "obligation": both("Duty", "当期义务"),
        "order": both("Order", "管控令"),
        "policy": both("Policy", "事项类型"),
        "post": both("Post", "岗位"),
        "report": both("Report", "报表"),
        "routine": both("Routine", "周期性义务"),
        "ruleset": both("Ruleset", "规则集"),
        "subject": both("Subject", "对象"),
        "unit": both("Unit", "单位"),
    }
)


def kind_text(kind: str) -> Text:
    """Return what a kind of stream is called; its id where it is none of ours."""
    return KINDS.get(kind) or both(kind, kind)


def stream_text(stream: str) -> Text:
    """Return what a stream is called: ``issue/W-2017-0564`` is 问题 W-2017-0564."""
    kind, _, key = stream.partition("/")
    text = kind_text(kind)
    return both(f"{text['en']} {key}", f"{text['zh']} {key}")


def streams_text(streams: Iterable[str]) -> Text | None:
    """Return several streams as one list; None: there are none."""
    return join(map(stream_text, streams))


def listing(names: Iterable[str]) -> Text | None:
    """Return names as one list; None: there are none."""
    found = list(names)
    return both(", ".join(found), "、".join(found)) if found else None


def cell_name(world: World, cell: str | None) -> str | None:
    """Return the name of a cell of the grid; None: no cell is told."""
    row = None if cell is None else world.state(f"grid/{cell}")
    return cell if row is None else str(row.state.name)


def subject_name(world: World, key: str | None) -> str | None:
    """Return the name of a subject on file; None: no subject is told."""
    row = None if key is None else world.state(f"subject/{key}")
    return key if row is None else str(row.state.name)


def place_text(world: World, place: str) -> Text | str | None:
    """Return where something was measured: the zone, or a subject by its name."""
    return ZONE if place == _WHOLE else subject_name(world, place)


def measure_text(unit: str) -> str | None:
    """Return a unit of measurement; None: the number has none."""
    return None if unit == _PLAIN else unit


def issuer(world: World) -> Text:
    """Return who issues a report: the headquarters' name, where there is one."""
    for row in world.states("unit"):
        if row.state.category == "headquarters":
            return both(row.state.name_en or row.state.name, row.state.name)
    return both("Headquarters", "指挥部")
