"""The audit after a run: wait until all have caught up, gather everything, judge it.

Rules of this file: it reads what any operator or consumer may read; the judging is in
``checking``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import msgspec
from kafka import TopicPartition

from events.checkpoint import open_checkpoint
from events.errors import HenjiError
from events.notes import Verifier
from events.receipts import parse_receipt
from events.records import Relayed
from events.verify import Trust
from projections.views import Views
from services.auditing import verify_store
from services.kafka.clients import open_consumer
from services.kafka.connection import connection_of
from services.relay.delivery import Bookmark
from services.settings import Settings
from services.wiring import open_leases, open_store, open_views
from tests.faults import checking
from tests.faults.checking import Finding, History, Letter, Submitted
from tests.faults.deployment import Deployment, await_true
from tests.faults.journal import Account, Told, name_of
from tests.kafka.relaying import on_topic
from tests.projections.tables_dump import dump
from tests.support.desk import replayed
from tests.support.intake import header, problem
from tests.support.topics import of_the_log


class Verdict(NamedTuple):
    """What came out of an audit. The figures are of the deployment's whole time."""

    figures: dict[str, int]
    findings: list[Finding]


def await_quiet(made: Deployment) -> None:
    """Return when all that was submitted is answered, and all read the whole log."""
    await_true(lambda: not _behind(made), "offsets are committed")
    with closing(open_store(made.settings)) as store:
        size = store.head().size
    with closing(open_leases(made.settings)) as leases:
        name = f"relay/{made.settings.kafka_topic}"
        await_true(
            lambda: (
                msgspec.json.decode(leases.noted(name), type=Bookmark).position == size
            ),
            f"{size} entries are relayed",
        )
    for called, settings in (("local", made.settings), ("remote", made.remote)):
        with _views(settings) as views:
            await_true(
                lambda views=views: _folded(views) == size,
                f"{called} read models are at {size}",
            )


def gathered(made: Deployment, account: Account) -> History:
    """Read log, topics and read models; await quiet first."""
    with closing(open_store(made.settings)) as store:
        log = list(store.iter_entries())
    rows = {"rebuilt": of_the_log(log, made.folder)}
    for called, settings in (("local", made.settings), ("remote", made.remote)):
        with _views(settings) as views:
            rows[called] = dump(views)
    topic = on_topic(connection_of(made.settings), made.settings.kafka_topic)
    records = _records(made, made.topic)
    receipts = _records(made, made.receipts)
    return History(
        account=account,
        told=[*account.accepted, *map(_told, receipts)],
        groundwork=made.groundwork,
        log=log,
        pages=topic.pages,
        keys=topic.keys,
        submitted=[Submitted(_place(one), _event(one)) for one in records],
        letters=[_letter(one) for one in _records(made, f"{made.topic}.dead")],
        rows=rows,
    )


def judged(made: Deployment, history: History) -> Verdict:
    """Judge all of it, and what only the store itself can show."""
    verifiers = [Verifier.from_vkey(made.keys.vkeys[0])]
    findings = [
        *checking.judged(history, verifiers=verifiers, origin=made.keys.origin),
        *_verified(made, history.told, verifiers),
        *_serial(made),
    ]
    account = history.account
    everything = [one for page in history.pages for one in page]
    relayed = sum(isinstance(one, Relayed) for one in everything)
    figures = {
        "events": len(history.log),
        "repeated": sum(told.repeated for told in history.told),
        "unknown": len(account.unknown),
        "refused": len(account.refused) + len({one.place for one in history.letters}),
        "turned away": account.away.total(),
        "topic again": relayed - len(history.log),
        "findings": len(findings),
    }
    return Verdict(figures, checking.named(findings))


def _serial(made: Deployment) -> Iterator[Finding]:
    """Decide the whole log again, alone: each entry rested on exactly those before it."""
    with closing(open_store(made.settings)) as store:
        try:
            replayed(store, signer=made.keys.signers[0])
        except (AssertionError, HenjiError) as error:
            yield Finding("serial", str(error)[:300])


def _verified(
    made: Deployment, everything: list[Told], verifiers: list[Verifier]
) -> Iterator[Finding]:
    """Verify as ``henji verify`` does, holding every checkpoint that was handed out."""
    held = {}
    for told in everything:
        try:
            note = parse_receipt(told.receipt).note
            found = open_checkpoint(note, verifiers, made.keys.origin)
        except HenjiError:
            continue  # ``receipts_prove`` has named it.
        held[found.size, found.root] = found
    trust = Trust(made.keys.origin, (made.keys.vkeys[0],), tuple(held.values()))
    with closing(open_store(made.settings)) as store:
        report = verify_store(store, trust)
    if not report.ok:
        yield Finding("verify", f"{report.first_bad} {report.code} {report.detail}")


def _behind(made: Deployment) -> dict[TopicPartition, int]:
    """Return the ends of partitions whose offsets are not committed up to there."""
    with _reader(made, group=made.group) as consumer:
        numbers = consumer.partitions_for_topic(made.topic)
        places = [TopicPartition(made.topic, number) for number in numbers]
        ends = consumer.end_offsets(places)
        return {
            place: end
            for place, end in ends.items()
            if end and (consumer.committed(place) or 0) < end
        }


def _records(made: Deployment, topic: str) -> list[Any]:
    """Return all records of a topic."""
    with _reader(made) as consumer:
        numbers = consumer.partitions_for_topic(topic) or ()
        places = [TopicPartition(topic, number) for number in sorted(numbers)]
        ends = consumer.end_offsets(places)
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        found: dict[TopicPartition, list[Any]] = {place: [] for place in places}
        while any(consumer.position(place) < ends[place] for place in places):
            for place, page in consumer.poll(timeout_ms=200).items():
                found[place] += page
    return [record for place in places for record in found[place]]


@contextmanager
def _reader(made: Deployment, group: str | None = None) -> Iterator[Any]:
    connection = connection_of(made.settings)
    with closing(open_consumer(connection, name="audit", group=group)) as consumer:
        yield consumer


@contextmanager
def _views(settings: Settings) -> Iterator[Views]:
    with closing(open_views(settings)) as views:
        yield views


def _folded(views: Views) -> int:
    found = [one for one in views.generations("board") if one.state == "live"]
    return found[0].position if found else 0


def _place(record: Any) -> tuple[str, int, int]:
    return record.topic, record.partition, record.offset


def _event(record: Any) -> Any:
    """Return the event of a record that the load has sent as one; else None."""
    try:
        event = json.loads(record.value or b"")
    except ValueError:
        return None
    return event if isinstance(event, dict) and "source" in event else None


def _letter(record: Any) -> Letter:
    where = [header(record, f"henji_{one}") for one in ("partition", "offset")]
    topic = header(record, "henji_topic").decode()
    return Letter((topic, *map(int, where)), problem(record)["code"])


def _told(record: Any) -> Told:
    item = json.loads(record.value)
    return Told(
        name_of(item),
        item["position"],
        item["leaf_hash"],
        item["receipt"],
        item.get("duplicate", False),
    )
