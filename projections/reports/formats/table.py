"""Every format by name: what a door offers, and what it calls.

Rules of this file: the table. A report names which of these it has. A format's module
is loaded when it is first asked for: whoever writes no DOCX need not wait for what
writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from projections.reports.formats.rendering import Format, View
from projections.reports.model import Report

_OFFICE = "application/vnd.openxmlformats-officedocument."
_MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "html": "text/html; charset=utf-8",
        "json": "application/json",
        "csv": "application/zip",
        "xlsx": f"{_OFFICE}spreadsheetml.sheet",
        "docx": f"{_OFFICE}wordprocessingml.document",
        "pdf": "application/pdf",
    }
)


def _format(name: str, media_type: str) -> Format:
    def render(report: Report, view: View) -> bytes:
        module = import_module(f"projections.reports.formats.{name}")
        content: bytes = module.render(report, view)
        return content

    return Format(name, media_type, render)


FORMATS: Mapping[str, Format] = MappingProxyType(
    {name: _format(name, media_type) for name, media_type in _MEDIA_TYPES.items()}
)
