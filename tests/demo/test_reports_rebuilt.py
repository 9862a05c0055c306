"""Live and after a rebuild: the same bytes of every report, and the key's figures."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace

import msgspec
import pytest

from projections.cut_world import cut_of
from projections.reports.formats.rendering import View
from projections.reports.formats.table import FORMATS
from projections.reports.registry import REPORTS as OFFERED
from projections.reports.remembered import remembered
from services import reporting
from services.demo.campaign.expected.files import SUBJECTS
from services.demo.campaign.expected.table import REPORTS, answers
from services.demo.campaign.key import INSTANTS
from services.demo.campaign.reading import compared
from services.projecting import rebuild

#: Many reports: on a busy machine it takes longer than most tests may.
pytestmark = pytest.mark.timeout(300)
#: Slow to typeset: at one of the instants.
PRINTED, PRINTED_AT = {"docx", "pdf"}, "orange_alert"
ASKED = [one for one in REPORTS if one.subject in {"", SUBJECTS[0]}]
VIEW = View("zh")


def written_at(service, name, position):
    """Return (report, format) → bytes of every report at an instant of the key."""
    store, found = service.ledger.store, {}
    cut = cut_of(store, position=position, now=INSTANTS[name])
    with reporting.world_of(store, service.views, cut) as world:
        seen = remembered(world)
        for one in ASKED:
            asked = reporting.Asked(one.name, subject=one.subject or None)
            report = reporting.made(seen, asked)
            for format_ in OFFERED[one.name].formats:
                if format_ not in PRINTED or name == PRINTED_AT:
                    content = FORMATS[format_].render(report, VIEW)
                    found[one, format_] = content
    return found


def copies(service, positions):
    """Return (instant, report, format) → digest, and the JSON of each report."""
    digests, texts = {}, {}
    for name, position in positions.items():
        for (asked, format_), content in written_at(service, name, position).items():
            digests[name, asked, format_] = hashlib.sha256(content).hexdigest()
            if format_ == "json":
                texts[name, asked] = content
    return digests, texts


@pytest.fixture(scope="module")
def both(loaded, log, ids):
    """What was written of the live read models, and of the rebuilt ones."""
    service = loaded.service
    places = {event: position for position, event in ids.items()}
    told = log.told()
    positions = {
        name: places[[t for t in told if t.made.recorded <= instant][-1].made.id]
        for name, instant in INSTANTS.items()
    }
    before = service.projection().generation
    live = copies(service, positions)
    rebuild(service.ledger.settings)
    after = service.projection().generation
    rebuilt = copies(service, positions)
    return SimpleNamespace(live=live, rebuilt=rebuilt, before=before, after=after)


def test_the_read_models_were_built_anew(both):
    """Another generation is live."""
    assert both.after > (both.before or 0)


def test_every_report_has_the_same_bytes(both):
    """Each of 16 reports, at five instants, in each of its formats."""
    live, rebuilt = both.live[0], both.rebuilt[0]
    assert {one.name for _, one, _ in live} == set(OFFERED)
    formats = {(one.name, format_) for _, one, format_ in live}
    assert formats == {
        (name, format_) for name, row in OFFERED.items() for format_ in row.formats
    }
    assert [key for key in live if live[key] != rebuilt[key]] == []
    assert live.keys() == rebuilt.keys()


@pytest.mark.parametrize("name", INSTANTS)
def test_both_times_every_figure_is_the_keys(both, log, ids, name):
    """The key holds before and after."""
    told = answers(log, "as_of", INSTANTS[name], of=ASKED)
    for _, texts in (both.live, both.rebuilt):
        found = [
            one
            for asked, answer in told.items()
            for one in compared(msgspec.json.decode(texts[name, asked]), answer, ids)
        ]
        assert [one for one in found if not one.agrees] == []
