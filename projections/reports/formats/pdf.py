"""A report as PDF in the layout of GB/T 9704-2012, fonts embedded, tagged.

Rules of this file: it hands data to ``document.typ``; text never becomes markup there.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from projections.reports.formats import typesetting
from projections.reports.formats.flow import Document, Element, Picture, document
from projections.reports.formats.rendering import View
from projections.reports.model import Report

MEDIA_TYPE = "application/pdf"


def render(report: Report, view: View) -> bytes:
    """Return the report as a PDF document."""
    flow = document(report, view.language)
    pictures = {
        _name(number): element.svg.encode()
        for number, element in enumerate(flow.body)
        if isinstance(element, Picture)
    }
    data = msgspec.json.encode(_data(flow))
    sources = {"main": _template(), "data.json": data, **pictures}
    return typesetting.pdf(sources, second=report.cut.instant // 1_000_000)


def _data(flow: Document) -> dict[str, Any]:
    body = [_element(number, element) for number, element in enumerate(flow.body)]
    return asdict(flow) | {"body": body}


def _element(number: int, element: Element) -> dict[str, Any]:
    kind = type(element).__name__.lower()
    if isinstance(element, Picture):
        return {"is": kind, "file": _name(number), "title": element.title}
    return {"is": kind, **asdict(element)}


def _name(number: int) -> str:
    return f"picture-{number}.svg"


@cache
def _template() -> bytes:
    folder = files("projections.reports.formats")
    return folder.joinpath("document.typ").read_bytes()
