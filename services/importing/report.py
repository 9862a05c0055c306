"""What an import did and could not do: counted as it goes, shown as a table or as JSON.

Nothing is decided here, and lists stay short however large the file: every kind of
finding keeps its count and its first few places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_EXAMPLES = 10
_NAMES = 200

#: Exit codes of ``henji import``.
EXIT_DONE, EXIT_NOTHING, EXIT_CONFLICTS, EXIT_STOPPED = 0, 1, 3, 4


@dataclass(frozen=True, slots=True)
class Example:
    """One place of a finding: a line (CSV), the ordinal of an event (XES), 0: none."""

    place: int
    detail: str


@dataclass(slots=True)
class Tally:
    """How often something was found, and the first places."""

    count: int = 0
    examples: list[Example] = field(default_factory=list)

    def add(self, place: int, detail: str) -> None:
        """Count one; keep its place while there is room."""
        self.count += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(Example(place, detail))


@dataclass(slots=True)
class Report:
    """The account of one import. ``findings`` and ``refused`` are by stable code.

    ``conflicts`` are events whose id the log holds with other content: a cell changed.
    ``units_known`` are units that the log had already, with other data or another time.
    """

    file: str
    source: str
    rows: int = 0
    cases: int = 0
    events: int = 0
    accepted: int = 0
    duplicates: int = 0
    units_known: int = 0
    rejected: int = 0
    conflicts: Tally = field(default_factory=Tally)
    unknown_activities: Counter[str] = field(default_factory=Counter)
    ignored_activities: Counter[str] = field(default_factory=Counter)
    findings: dict[str, Tally] = field(default_factory=dict)
    refused: dict[str, Tally] = field(default_factory=dict)
    oddities: dict[str, int] = field(default_factory=dict)
    stopped: dict[str, str] | None = None
    checkpoint: str | None = None
    seconds: float = 0.0

    def find(self, code: str, place: int, detail: str) -> None:
        """Count a finding about the source."""
        self.findings.setdefault(code, Tally()).add(place, detail)

    def refuse(self, code: str, place: int, detail: str) -> None:
        """Count an event that the log refused."""
        self.refused.setdefault(code, Tally()).add(place, detail)

    def count_names(self, kind: str, names: Mapping[str, int]) -> None:
        """Add counts by activity; names beyond the first 200 are counted together."""
        counter: Counter[str] = getattr(self, kind)
        for name, count in names.items():
            known = name in counter or len(counter) < _NAMES
            counter[name if known else "(further names)"] += count


def exit_code(report: Report) -> int:
    """Give 0 done, 1 nothing is in the log, 3 there are conflicts, 4 stopped part-way.

    Findings alone are no failure: gaps in a log are normal, and the report tells them.
    """
    if report.accepted + report.duplicates == 0:
        return EXIT_NOTHING
    if report.stopped:
        return EXIT_STOPPED
    return EXIT_CONFLICTS if report.conflicts.count else EXIT_DONE


def as_json(report: Report) -> dict[str, Any]:
    """Give the report as one JSON object, its exit code in it."""
    return {**asdict(report), "exit_code": exit_code(report)}


def print_report(report: Report, console: Console) -> None:
    """Print the report for a person: the totals, then what could not be mapped."""
    totals = Table(title=_shown(f"Import of {report.file}"), show_header=False)
    totals.add_column()
    totals.add_column(justify="right")
    for name, value in _totals(report):
        totals.add_row(name, f"{value:,}")
    console.print(totals)
    problems = list(_problems(report))
    if problems:
        table = Table(
            "what", "how often", "first places", title="Not imported as it is"
        )
        for row in problems:
            table.add_row(*map(_shown, row))
        console.print(table)
    if report.stopped:
        detail = report.stopped["detail"]
        console.print(_shown(f"stopped: {report.stopped['code']} {detail}"))


def _totals(report: Report) -> Iterator[tuple[str, int]]:
    yield "rows read", report.rows
    yield "cases", report.cases
    yield "events made of them", report.events
    yield "new in the log", report.accepted
    yield "already in the log", report.duplicates
    if report.units_known:
        yield "units on record already", report.units_known
    if report.rejected:
        yield "refused by the log", report.rejected


def _problems(report: Report) -> Iterator[tuple[str, str, str]]:
    if report.conflicts.count:
        yield _line("changed since it was imported", report.conflicts)
    for kind, tallies in (("refused: ", report.refused), ("", report.findings)):
        for code, tally in sorted(tallies.items()):
            yield _line(kind + code, tally)
    for name, count in report.unknown_activities.most_common(_EXAMPLES):
        yield f"unknown activity: {name}", f"{count:,}", ""
    for name, count in report.ignored_activities.most_common(_EXAMPLES):
        yield f"ignored activity: {name}", f"{count:,}", ""
    for name, count in sorted(report.oddities.items()):
        yield name, f"{count:,}", ""


def _line(name: str, tally: Tally) -> tuple[str, str, str]:
    first = [f"{item.place}: {item.detail}" for item in tally.examples[:3]]
    return name, f"{tally.count:,}", "\n".join(first)


def _shown(text: str) -> Text:
    """Give text from a file to a terminal as text: no markup, no control sequences."""
    return Text("".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text))
