"""What the folds read of an entry agrees with what the catalogue reads of it."""

from __future__ import annotations

from events import catalogue
from projections.facts import event, facts
from projections.status import _payloads
from tests.projections.logs import Log


def test_a_fact_is_the_event_that_the_decision_saw():
    """Actor, instants, due and payload are those of the catalogue's own view."""
    log = Log()
    log.commitment("C-1", "registered")
    log.add(
        "commitment/C-1",
        "henji.commitment.issued.v1",
        {"approver_post": "chief"},
        time="2017-11-14T09:00:00+08:00",
        recordedtime="2017-11-20T09:00:00+08:00",
        actorunit="wutong",
        actorpost="wutong.chief",
        actorperson="p:7",
    )
    for row, fact in zip(log.all, facts(log.all), strict=True):
        mine = event(fact, _payloads[fact.type].decode(fact.data))
        assert mine == catalogue.read(row.entry)
