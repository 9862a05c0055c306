"""What every format is: a media type and a function from a report to bytes.

Rules of this file: the contract between formats and doors; no format is known here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from projections.reports.model import Language, Report


@dataclass(frozen=True, slots=True)
class View:
    """How a report is asked for.

    ``explain`` is a URL to which an address is added, empty for no links. ``table`` is
    the key of the one table wanted, where a format gives single tables.
    """

    language: Language
    explain: str = ""
    table: str = ""


Render = Callable[[Report, View], bytes]


@dataclass(frozen=True, slots=True)
class Format:
    """One way of writing a report. The same report and view give the same bytes."""

    name: str
    media_type: str
    render: Render
