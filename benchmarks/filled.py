"""A log with a past: commitments taken through their whole loop, without HTTP.

Rules of this file: it fills ledgers and the library's database with the same events;
nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

from events.cloudevents import accept
from events.errors import HenjiError
from events.store import Store
from events.submissions import Request, prepare
from services.settings import Settings
from services.wiring import Ledger, open_ledger, open_store
from tests.support import scenario

_LOOPS_A_BATCH = 25
#: How much later each loop begins: time goes on with the log, within one day.
STEP_US = 50_000


def key_of(number: int) -> str:
    """Return the key of the commitment of the so-manieth loop, counted from 1."""
    return f"B-{number:06d}"


def loops(entries: int) -> Iterator[list[dict[str, Any]]]:
    """Yield the events of whole loops, some 250 at a time, until there are enough."""
    made, number = 0, 0
    while made < entries:
        batch: list[dict[str, Any]] = []
        for _ in range(_LOOPS_A_BATCH):
            number += 1
            begin = scenario.START + number * STEP_US
            batch += scenario.delegated(scenario.loop(key_of(number), begin=begin))
        batch = batch[: entries - made]
        made += len(batch)
        yield batch


def fill(settings: Settings, entries: int) -> None:
    """Append the groundwork and ``entries`` events of commitments to a new ledger."""
    with open_ledger(settings) as ledger:
        for event in scenario.groundwork():
            ledger.submit_as_operator(event)
        for batch in loops(entries):
            _append(ledger, batch)


@contextmanager
def filled(settings: Settings, entries: int) -> Iterator[Store]:
    """Yield the store of a new ledger with this many events and its groundwork."""
    fill(settings, entries)
    store = open_store(settings)
    try:
        yield store
    finally:
        store.close()


def _append(ledger: Ledger, batch: list[dict[str, Any]]) -> None:
    answers: SimpleQueue[list[tuple[Request, list[Any]]]] = SimpleQueue()
    items = [prepare(accept(event)) for event in batch]
    ledger.sequencer.submit(Request(items, scenario.ADAPTER, answers.put))
    ((_, results),) = answers.get()
    for result in results:
        if isinstance(result, HenjiError):
            raise result
