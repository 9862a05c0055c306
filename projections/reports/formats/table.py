"""Every format by name: what a door offers, and what it calls.

Rules of this file: the table. A report names which of these it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from projections.reports.formats import csv, docx, html, json, pdf, xlsx
from projections.reports.formats.rendering import Format

FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        one.name: one
        for one in (
            Format("html", html.MEDIA_TYPE, html.render),
            Format("json", json.MEDIA_TYPE, json.render),
            Format("csv", csv.MEDIA_TYPE, csv.render),
            Format("xlsx", xlsx.MEDIA_TYPE, xlsx.render),
            Format("docx", docx.MEDIA_TYPE, docx.render),
            Format("pdf", pdf.MEDIA_TYPE, pdf.render),
        )
    }
)
