"""``python -m benchmarks.publish``: results that are kept as the tables of the READMEs.

Rules of this file: it writes between two marks and measures nothing. What a row means
is in ``benchmarks/README.md``; a missed goal is shown as one.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple


class Wording(NamedTuple):
    """How one README says it."""

    intro: str
    head: str
    quick: str
    dirty: str
    met: dict[bool | None, str]


_RESULTS = Path("benchmarks/results")
_MARKS = re.compile(r"(<!-- numbers: begin -->\n).*?(<!-- numbers: end -->)", re.DOTALL)
_ENGLISH = Wording(
    "Measured on {cpus} cores, {system} {architecture}, Python {python}, commit "
    "{commit}{quick}. The spread is that of repeated runs.",
    "| row | store | baseline | ratio | spread | goal | |",
    " (quick run)",
    " with uncommitted changes",
    {True: "yes", False: "**no**", None: ""},
)
_CHINESE = Wording(
    "测于 {cpus} 核、{system} {architecture}、Python {python}，提交 "
    "{commit}{quick}。“波动”为多次测量的范围。",
    "| 项目 | 存储 | 基线 | 比值 | 波动 | 目标 | 达到 |",
    "（快速测量）",
    "（含未提交改动）",
    {True: "是", False: "**否**", None: ""},
)
#: README, results that its table is made of, wording.
_TABLES = (
    ("README.md", "latest.json", _ENGLISH),
    ("README.zh-CN.md", "latest.json", _CHINESE),
    ("benchmarks/README.md", "query-1m.json", _ENGLISH),
)


def main() -> None:
    """Rewrite the section in each README."""
    for name, kept, wording in _TABLES:
        results = json.loads((_RESULTS / kept).read_text("utf-8"))
        path = Path(name)
        table = "\n".join(_lines(results, wording))
        text = path.read_text("utf-8")
        path.write_text(_MARKS.sub(rf"\g<1>{table}\n\g<2>", text), "utf-8")


def _lines(results: dict[str, Any], wording: Wording) -> list[str]:
    commit = results["commit"]
    shown = commit[:7] + (wording.dirty if commit.endswith("+") else "")
    quick = wording.quick if results.get("quick") else ""
    intro = wording.intro.format(**results["machine"], commit=shown, quick=quick)
    rows = [_row(row, wording) for row in results["rows"] if row["ratio"] is not None]
    return [intro, "", wording.head, "|---|---|---|---|---|---|---|", *rows]


def _row(row: dict[str, Any], wording: Wording) -> str:
    spread = "–".join(_figure(bound) for bound in row["spread"] or ())
    sign = "≥" if row["better"] == "more" else "≤"
    goal = "" if row["goal"] is None else f"{sign} {row['goal']:g}"
    cells = (
        row["name"],
        row["store"],
        row["baseline_name"],
        _figure(row["ratio"]),
        spread,
        goal,
        wording.met[row["met"]],
    )
    return f"| {' | '.join(cells)} |"


def _figure(value: float) -> str:
    return f"{value:,.3g}"


if __name__ == "__main__":
    main()
