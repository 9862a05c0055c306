"""What the demonstration shows in a terminal.

Rules of this file: layout only; every text is in ``texts.toml``, every figure is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from events.verify import Report
from services.importing.report import Report as ImportReport
from services.importing.report import print_report
from services.texts import Say

_SHOWN = 10
_DIFFERS = ("answers_differ", "red")
_FIGURES = frozenset({"count", "days_late"})


class Stage:
    """A terminal, and the language it is spoken to in."""

    def __init__(self, console: Console, say: Say) -> None:
        self.console = console
        self._say = say

    def heading(self, name: str, **parameters: object) -> None:
        """Begin a step."""
        self.console.print()
        self.console.print(Text(self._say(name, **parameters), style="bold cyan"))

    def imported(self, report: ImportReport) -> None:
        """Show the account of an import."""
        print_report(report, self.console)

    def board(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Show how many commitments each unit has in each status."""
        self.heading("demo_board")
        table = self._table("unit", "status", "count")
        for (unit, status), count in sorted(counts.items()):
            table.add_row(Text(unit), Text(status), f"{count:,}")
        self.console.print(table)

    def late(self, rows: Sequence[dict[str, Any]]) -> None:
        """Show the ten that were late the longest."""
        self.heading("demo_late", count=len(rows))
        table = self._table("key", "unit", "due", "finished_at", "days_late")
        longest = sorted(rows, key=lambda row: -int(row["schedule"]["overdue_days"]))
        for row in longest[:_SHOWN]:
            table.add_row(
                Text(row["key"]),
                Text(row["lead_unit"]),
                _day(row["original_due"]),
                _day(row["ended_at"]),
                str(row["schedule"]["overdue_days"]),
            )
        self.console.print(table)

    def replay(self, key: str, lines: Sequence[dict[str, Any]]) -> None:
        """Show every event of one commitment."""
        self.heading("demo_replay", key=key)
        table = self._table("occurred", "event", "unit", "summary")
        for line in lines:
            summary = line["summary"]
            said = summary.get("text") or summary.get("title") or ""
            table.add_row(
                line["occurred_at"][:16].replace("T", " "),
                Text(line["title"]),
                Text(line["unit"] or ""),
                Text(str(said)),
            )
        self.console.print(table)

    def campaign(self, figures: dict[str, Any]) -> None:
        """Show how much of the campaign was loaded, and whether its answers hold."""
        differing = figures["answer_key_mismatches"]
        name, style = ("answers_hold", "green") if not differing else _DIFFERS
        mark = "✗ " if differing else "✓ "
        said = self._say(
            name,
            entries=figures["campaign_entries"],
            checks=figures["answer_key_checks"],
            mismatches=differing,
        )
        self.console.print(Text(mark + said, style=style))

    def reports(self, count: int, index: Path) -> None:
        """Show where the reports are."""
        said = self._say("reports_written", count=count, path=index)
        self.console.print(Text("✓ " + said, style="green"), soft_wrap=True)

    def verified(self, report: Report) -> None:
        """Show the outcome of a verification."""
        if report.ok:
            said = self._say("log_verified", size=report.size, root=report.root.hex())
            self.console.print(Text("✓ " + said, style="green"))
            return
        said = self._say(
            "log_bad",
            position=report.first_bad,
            code=report.code,
            detail=report.detail,
        )
        self.console.print(Text("✗ " + said, style="red"))

    def receipt(self, position: int, size: int) -> None:
        """Show that a receipt holds."""
        said = self._say("receipt_verified", position=position, size=size)
        self.console.print(Text("✓ " + said, style="green"))

    def tampered(self, report: Report) -> None:
        """Show whether tampering was found, and where."""
        if report.ok:
            self.console.print(Text("✗ " + self._say("tamper_missed"), style="red"))
            return
        said = self._say("tamper_found", position=report.first_bad, code=report.code)
        self.console.print(Text("✓ " + said, style="green"))

    def line(self, name: str, **parameters: object) -> None:
        """Say one line."""
        self.console.print(Text(self._say(name, **parameters)), soft_wrap=True)

    def _table(self, *names: str) -> Table:
        table = Table()
        for name in names:
            table.add_column(
                self._say(name), justify="right" if name in _FIGURES else "left"
            )
        return table


def _day(text: str | None) -> str:
    return text[:10] if text else ""
