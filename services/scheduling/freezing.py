"""Freezing a report of a week: of which cut of the log, and what the event says.

Rules of this file: the report itself is made by whoever is given, over the cut and
nothing else. The cut is what had been sealed at the instant of freezing, however late
the scheduler comes to it, so that every worker freezes the same.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from events import entries
from events.store import Reader
from projections.rules.in_force import Rules
from projections.world import Cut


@dataclass(frozen=True, slots=True)
class Frozen:
    """A report that was made and kept: its template, and each format by its digest.

    ``files`` and ``demands`` have the shapes of ``henji.report.frozen.v1``.
    """

    template: str
    files: Sequence[Mapping[str, Any]]
    title: str | None = None
    demands: Sequence[Mapping[str, Any]] = ()


#: Makes a report of a name for a period over a cut, and keeps its files for good.
#: Called again after a crash; the same cut must give the same bytes.
Freeze = Callable[[str, str, Cut], Frozen]


def cut_at(reader: Reader, instant: int) -> Cut | None:
    """Return what had been sealed by an instant (µs); None: nothing had."""
    root = reader.root_covering(max(1, reader.position_at(instant)))
    if root is None or root.ingested > instant:
        return None
    return Cut(position=root.size, root=root.root, now=instant, as_at=instant)


def frozen_data(
    given: Mapping[str, Any], cut: Cut, frozen: Frozen, rules: Rules
) -> dict[str, Any]:
    """Return the payload of the event: ``given`` (name and period), cut and files."""
    data: dict[str, Any] = {
        **given,
        "cut": {
            "position": cut.position,
            "root": b64encode(cut.root).decode(),
            "ruleset": rules.ruleset.label,
            "calendar": rules.calendar,
            "template": frozen.template,
            "instant": entries.rfc3339(cut.now),
        },
        "files": [dict(file) for file in frozen.files],
    }
    if frozen.title is not None:
        data["title"] = frozen.title
    if frozen.demands:
        data["demands"] = [dict(demand) for demand in frozen.demands]
    return data
