"""The words that formats add around a report: labels, colours, numbers of sections.

Rules of this file: texts and their choice by language; nothing about any one report.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from projections.reports.model import Language, Text

_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "simulated": ("SIMULATED DATA", "模拟数据"),
        "corrections": ("Corrections and late records", "更正与补录"),
        "corrections_note": (
            "Recorded after the previous cut; they change figures published then.",
            "以下为上期统计截止后记录的事项，影响上期已公布的数字。",
        ),
        "annexes": ("Annexes", "附件"),
        "empty": ("none", "无"),
        "skip": ("Skip to content", "跳至正文"),
        "contents": ("Contents", "目录"),
        "data": ("Figures of the chart", "图表数据"),
        "series": ("Series", "系列"),
        "point": ("Point", "项目"),
        "value": ("Value", "数值"),
        "item": ("Item", "项目"),
        "cut": ("Cut", "统计截止"),
        "position": ("Log position", "日志位置"),
        "root": ("Root hash", "根哈希"),
        "ruleset": ("Ruleset", "规则集"),
        "calendar": ("Calendar", "日历"),
        "template": ("Template", "模板"),
        "period": ("Period", "统计期"),
        "report": ("Report", "报表"),
        "issuer": ("Issuer", "发布机关"),
        "number": ("Number", "文号"),
        "checks": ("Verification", "校验"),
        "definitions": ("Definitions", "口径说明"),
        "overview": ("Figures", "概况"),
        "charts": ("Charts", "图表"),
        "table": ("Table", "表"),
        "rows": ("Rows", "行数"),
        "digest": ("SHA-256 of its values", "数据 SHA-256"),
        "rule": ("Rule and version", "规则及版本"),
        "uses": ("Values that rest on it", "据此得出的数值个数"),
        "note": ("Note", "说明"),
        "times": (
            "Times are UTC+08:00. Each figure opens to its events at its address.",
            "时间均为东八区时间；每个数字可按其地址展开到对应事件。",
        ),
        "verify": (
            "To verify: compare the root hash with a signed checkpoint of the log.",
            "核验方法：将根哈希与日志的签名检查点比对。",
        ),
        "green": ("green", "绿灯"),
        "yellow": ("yellow", "黄灯"),
        "red": ("red", "红灯"),
        "orange": ("orange", "橙色"),
        "blue": ("blue", "蓝色"),
        "grey": ("grey", "灰灯"),
    }
)
_ANNEX = "附件"
_DIGITS = "〇一二三四五六七八九"


def word(name: str, language: Language) -> str:
    """Return one of our words; KeyError: there is none of that name."""
    english, chinese = _WORDS[name]
    return chinese if language == "zh" else english


def colour_word(colour: str, language: Language) -> str:
    """Return the name of a light's colour; an unknown one is its own name."""
    return word(colour, language) if colour in _WORDS else colour


def in_language(text: str | Text, language: Language) -> str:
    """Return a text in a language; what has only one is itself."""
    return text if isinstance(text, str) else text[language]


def chinese_number(number: int) -> str:
    """Return 1 to 99 as it is said: 十, 十一, 二十."""
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else ("" if tens == 1 else _DIGITS[tens]) + "十"
    return head + (_DIGITS[ones] if ones or not tens else "")


def is_annex(title: Text) -> bool:
    """Say whether a part is an annex: it has a number of its own."""
    return title["zh"].startswith(_ANNEX)


def part_number(number: int, language: Language) -> str:
    """Return what stands before the title of a section."""
    return f"{chinese_number(number)}、" if language == "zh" else f"{number}. "


def subpart_number(part: int, number: int, language: Language) -> str:
    """Return what stands before the title of a part of a section."""
    if language == "zh":
        return f"（{chinese_number(number)}）"
    return f"{part}.{number} "
