"""A report as PDF in the layout of GB/T 9704-2012, fonts embedded, tagged.

Rules of this file: it hands data to ``document.typ``; text never becomes markup there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from itertools import chain, count
from typing import Any

import msgspec

from projections.reports.formats import typesetting
from projections.reports.formats.flow import (
    Document,
    Element,
    Pages,
    Picture,
    document,
)
from projections.reports.formats.rendering import View
from projections.reports.model import Report


def render(report: Report, view: View) -> bytes:
    """Return the report as a PDF document."""
    flow = document(report, view.language)
    runs = (*flow.body, *chain.from_iterable(flow.annexes))
    whole = chain.from_iterable(run.elements for run in runs)
    pictures = [one.svg for one in whole if isinstance(one, Picture)]
    named = {_name(number): one.encode() for number, one in enumerate(pictures)}
    data = msgspec.json.encode(_data(flow))
    sources = {"main": _template(), "data.json": data, **named}
    return typesetting.pdf(sources, second=report.cut.instant // 1_000_000)


def _data(flow: Document) -> dict[str, Any]:
    names = map(_name, count())
    body = [_pages(run, names) for run in flow.body]
    annexes = [[_pages(run, names) for run in annex] for annex in flow.annexes]
    return asdict(flow) | {"body": body, "annexes": annexes}


def _pages(run: Pages, names: Iterator[str]) -> dict[str, Any]:
    elements = [_element(element, names) for element in run.elements]
    return {"across": run.across, "elements": elements}


def _element(element: Element, names: Iterator[str]) -> dict[str, Any]:
    kind = type(element).__name__.lower()
    if isinstance(element, Picture):
        return {"is": kind, "file": next(names), "title": element.title}
    return {"is": kind, **asdict(element)}


def _name(number: int) -> str:
    return f"picture-{number}.svg"


@cache
def _template() -> bytes:
    folder = files("projections.reports.formats")
    return folder.joinpath("document.typ").read_bytes()
