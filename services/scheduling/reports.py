"""Making the report that is frozen: over its cut, in every format, kept by its content.

Rules of this file: make, keep, say what was kept. The same cut gives the same bytes: a
worker that ended before the event was appended leaves files that nobody refers to, and
the next one keeps the same under the same names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from events.entries import rfc3339
from events.store import Reader
from projections.reports.formats.rendering import Format, View
from projections.reports.formats.table import FORMATS
from projections.reports.model import Demand, Language, Report
from projections.reports.registry import named
from projections.views import Views
from projections.world import Cut
from services import reporting
from services.evidence.intake import receiving
from services.evidence.store import EvidenceStore
from services.reporting import Asked
from services.scheduling.freezing import Freeze, Frozen

#: An issue is one document: in the language that it is issued in.
LANGUAGE: Final[Language] = "zh"


def freezer(reader: Reader, views: Views, store: EvidenceStore) -> Freeze:
    """Return what makes a report of a log and keeps its files in a store.

    ``Unavailable`` where the store does not take them; what the report's maker raises.
    """

    def freeze(name: str, period: str, cut: Cut) -> Frozen:
        asked = Asked(name, period)
        with reporting.world_of(reader, views, cut) as world:
            report = reporting.made(world, asked)
        view = View(LANGUAGE, reporting.link(asked, cut))
        return Frozen(
            template=report.cut.template,
            files=[
                _kept(store, report, FORMATS[format_], view)
                for format_ in named(name).formats
            ],
            title=report.title[LANGUAGE],
            demands=[_demanded(demand) for demand in report.demands],
        )

    return freeze


def _kept(
    store: EvidenceStore, report: Report, format_: Format, view: View
) -> Mapping[str, Any]:
    content = reporting.written(report, format_, view)
    with receiving(store.staging, limit=len(content)) as intake:
        intake.write(content)
        kept = intake.finish()
        store.keep(kept.path, kept.sha256)
    return {"format": format_.name, "sha256": kept.sha256, "size": kept.size}


def _demanded(demand: Demand) -> Mapping[str, Any]:
    return {
        "item": demand.item,
        "unit": demand.unit,
        "text": demand.text[LANGUAGE],
        "due": rfc3339(demand.due),
    }
