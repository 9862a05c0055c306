"""The judge itself: an honest history passes, and each kind of damage is named."""

from __future__ import annotations

import pytest

from events.merkle import leaf_hash
from events.records import Link, Mark, Relayed
from services.kafka.partitions import partition_of
from tests.faults.checking import History, Letter, Submitted, judged
from tests.faults.journal import Account, Told, name_of
from tests.faults.load import family, permit
from tests.support import scenario
from tests.support.desk import VERIFIERS, Desk, MemoryHome

PARTITIONS = 2
_REFUSED = {"specversion": "1.0", "id": "early", "source": scenario.SOURCE}


def _honest() -> History:
    """Return a history of two doors, one poison record, and a family of commitments."""
    desk = Desk(MemoryHome().open()).begin()
    groundwork = desk.store.head().size
    by_http = [*map(scenario.external, range(4)), *family("W", "W.1", "W.2")]
    by_topic = [
        permit("closed", "W.1", {}),
        permit("closed", "W.2", {}),
        *(scenario.external(n, source="urn:test:k") for n in range(10, 14)),
    ]
    claim = permit("completion_claimed", "W", {"text": "Done."})
    told = [*_told(desk, by_http), *_told(desk, by_topic), *_told(desk, [claim])]
    account = Account(
        sent={name_of(event): event for event in (*by_http, *by_topic, claim)},
        accepted=[*told[: len(by_http)], told[-1]],
    )
    log = list(desk.store.iter_entries())
    pages, keys = _topic(log)
    records = [*by_topic, None, _REFUSED, by_topic[-1]]
    return History(
        account=account,
        told=told,
        groundwork=groundwork,
        log=log,
        pages=pages,
        keys=keys,
        submitted=[Submitted(("in", 0, n), one) for n, one in enumerate(records)],
        letters=[Letter(("in", 0, n), "why") for n in (6, 7)],
        rows={
            one: {"line": [(1, "a"), (2, "b")], "notes": [("x",)]}
            for one in ("rebuilt", "local", "remote")
        },
    )


def _told(desk, events) -> list[Told]:
    """Submit events one by one; return what a client would have been told."""
    told = []
    for event in events:
        result = desk.one(event)
        (position, receipt) = result.position, desk.receipt(result)
        told.append(Told(name_of(event), position, result.leaf.hex(), receipt))
    return told


def _topic(log):
    """Return the log as its topic, with a record sent again, and marks."""
    pages, keys = [[] for _ in range(PARTITIONS)], [[] for _ in range(PARTITIONS)]
    last = [0] * PARTITIONS
    for row in log:
        number = partition_of(row.stream.encode(), PARTITIONS)
        link = Link(scenario.ORIGIN, row.position, last[number], row.leaf)
        last[number] = row.position
        pages[number].append(Relayed(link, row.entry))
        keys[number].append(row.stream.encode())
    for page, names in zip(pages, keys, strict=True):
        page += [page[-1], Mark(scenario.ORIGIN, len(log), b"", PARTITIONS)]
        names += [names[-1], None]
    return pages, keys


def _judged(history: History) -> set[str]:
    return {
        one.what for one in judged(history, verifiers=VERIFIERS, origin=scenario.ORIGIN)
    }


def _lose(one: History) -> None:
    """Lose the last entry: no hole, only the clients know."""
    one.log.pop()


def _cut_out(one: History) -> None:
    """Take an entry out of the middle."""
    del one.log[one.groundwork]


def _double(one: History) -> None:
    """Append an entry once more, at a position and with a version of its own."""
    last = one.log[-1]
    version = last.version + 1
    one.log.append(last._replace(position=last.position + 1, version=version))


def _swap(one: History) -> None:
    """Let two entries change places."""
    (a, b) = one.log[-3], one.log[-2]
    one.log[-3] = b._replace(position=a.position)
    one.log[-2] = a._replace(position=b.position)


def _rewrite(one: History) -> None:
    """Change what an entry says, and its leaf with it."""
    row = one.log[-2]
    entry = row.entry.replace(b'"Dust"', b'"Rust"')
    assert entry != row.entry
    one.log[-2] = row._replace(entry=entry, leaf=leaf_hash(entry))


def _rot(one: History) -> None:
    """Change what an entry says."""
    row = one.log[-2]
    one.log[-2] = row._replace(entry=row.entry.replace(b'"Dust"', b'"Rust"'))


def _intrude(one: History) -> None:
    """Let an entry be nobody's."""
    name = one.log[-2].source, one.log[-2].id
    del one.account.sent[name]


def _accept_refused(one: History) -> None:
    """Refuse what is in the log."""
    one.account.refused[one.told[0].name] = "schema_violation"


def _set_back(one: History) -> None:
    """Let the last entry be older than the one before."""
    one.log[-1] = one.log[-1]._replace(ingested=1)


def _borrow_receipt(one: History) -> None:
    """Hand out the receipt of another entry."""
    one.told[0] = one.told[0]._replace(receipt=one.told[1].receipt)


def _answer_strangely(one: History) -> None:
    """Answer 500."""
    one.account.strange.append((500, "oops"))


def _drop_letter(one: History) -> None:
    """Leave a poison record without an answer."""
    one.letters.pop(0)


def _refuse_accepted(one: History) -> None:
    """Send a dead letter of what is in the log."""
    one.letters.append(Letter(one.submitted[0].place, "why"))


def _write_to_nobody(one: History) -> None:
    """Send a dead letter of a record that never was."""
    one.letters.append(Letter(("in", 5, 5), "why"))


def _deliver_late(one: History) -> None:
    """Take two records of one partition in the wrong order."""
    (first, second) = one.submitted[2:4]
    one.submitted[2:4] = [
        Submitted(first.place, second.event),
        Submitted(second.place, first.event),
    ]


def _drop_record(one: History) -> None:
    """Leave an entry out of the topic's last partition."""
    page, names = one.pages[-1], one.keys[-1]
    del page[-3:-1], names[-3:-1]


def _skip_record(one: History) -> None:
    """Relay an entry only behind one that came after it."""
    page, names = one.pages[-1], one.keys[-1]
    page[1], page[2] = page[2], page[1]
    names[1], names[2] = names[2], names[1]


def _spoil_record(one: History) -> None:
    """Relay other bytes."""
    page = one.pages[0]
    page[0] = page[0]._replace(entry=page[0].entry + b" ")


def _stray_record(one: History) -> None:
    """Relay one entry to two partitions."""
    one.pages[0].append(one.pages[1][0])
    one.keys[0].append(one.keys[1][0])


def _mark_early(one: History) -> None:
    """Mark the whole log as relayed before it was."""
    page, names = one.pages[0], one.keys[0]
    page.insert(0, page[-1])
    names.insert(0, None)


def _row(made: str):
    def differ(one: History) -> None:
        """Fold one row otherwise."""
        one.rows[made] = {**one.rows[made], "line": [(1, "a"), (2, "c")]}

    return differ


def _forget_row(one: History) -> None:
    """Fold a table not at all."""
    one.rows["local"] = {"line": one.rows["local"]["line"]}


def _unsettle(one: History) -> None:
    """Let the claim of the whole come before the parts were closed."""
    claim = one.log.pop()
    at = next(n for n, row in enumerate(one.log) if row.type.endswith("closed.v1"))
    one.log.insert(at, claim)


def _reopen(one: History) -> None:
    """Reopen a part after the whole was claimed."""
    closed = next(row for row in one.log if row.type.endswith("closed.v1"))
    one.log.append(closed._replace(type="henji.commitment.reopened.v1"))


#: What is done to a history, and the finding that must be among those made.
DAMAGE = {
    _lose: "lost",
    _cut_out: "gap",
    _double: "doubled",
    _swap: "moved",
    _rewrite: "changed",
    _rot: "changed",
    _intrude: "stranger",
    _accept_refused: "refused",
    _set_back: "clock",
    _borrow_receipt: "receipt",
    _answer_strangely: "answer",
    _drop_letter: "lost",
    _refuse_accepted: "contradiction",
    _write_to_nobody: "stranger",
    _deliver_late: "reordered",
    _drop_record: "lost",
    _skip_record: "chain",
    _spoil_record: "changed",
    _stray_record: "doubled",
    _mark_early: "mark",
    _row("local"): "rows",
    _row("remote"): "rows",
    _forget_row: "rows",
    _unsettle: "rule",
    _reopen: "rule",
}


def test_an_honest_history_passes():
    """Repeats on the topic and of records, poison, and silence are no findings."""
    history = _honest()
    history.account.sent["urn:never", "answered"] = {}
    assert _judged(history) == set()


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda one: one.__doc__)
def test_damage_is_found_and_named(damage):
    """Whatever was lost, doubled, moved, changed or told falsely is among the findings."""
    history = _honest()
    damage(history)
    assert DAMAGE[damage] in _judged(history)


def test_what_nobody_answered_is_unknown():
    """Neither what was told nor what the broker took is; what is left, is."""
    account = Account(sent={("s", str(n)): {} for n in range(4)})
    account.accepted.append(Told(("s", "0"), 1, "", ""))
    account.refused["s", "1"] = "why"
    account.produced["s", "2"] += 1
    assert account.unknown == {("s", "3")}
