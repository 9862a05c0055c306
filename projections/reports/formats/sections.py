"""The parts of a report in the order of reading, corrections last.

Rules of this file: what formats for people have in common; no layout, no bytes.
"""

from __future__ import annotations

from collections.abc import Iterator

from projections.reports.formats.words import word
from projections.reports.model import Block, Paragraph, Report, Section, Text


def sections(report: Report) -> Iterator[Section]:
    """Yield the sections of a report, then its corrections, if it tells of any.

    They begin with what they are, unless there is nothing to correct.
    """
    yield from report.sections
    if not report.corrections:
        return
    blocks: tuple[Block, ...] = report.corrections
    if any(table.rows for table in report.corrections):
        blocks = (Paragraph(_both("corrections_note")), *blocks)
    yield Section(_both("corrections"), blocks)


def _both(name: str) -> Text:
    return {"en": word(name, "en"), "zh": word(name, "zh")}
