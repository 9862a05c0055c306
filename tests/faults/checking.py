"""The judge of a run: what clients kept, against the log, the topic and the read models.

Rules of this file: pure, and nothing of the product's judging: each check is written
anew from what is promised, and says what it found. Its own tests tamper with histories:
each kind of damage must be found, and named.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Any, NamedTuple

from events.errors import HenjiError
from events.notes import Verifier
from events.receipts import parse_receipt, verify_receipt
from events.records import Mark, Relayed
from events.store import Row
from tests.faults.journal import Account, Name, Told, name_of

Rows = Mapping[str, Sequence[tuple[Any, ...]]]


class Finding(NamedTuple):
    """What is wrong, in one word, and where."""

    what: str
    where: str


class Letter(NamedTuple):
    """A dead letter: of which record, and why."""

    place: tuple[str, int, int]
    code: str


class Submitted(NamedTuple):
    """A record of a topic of submissions; ``event`` is None for what is none."""

    place: tuple[str, int, int]
    event: Mapping[str, Any] | None


@dataclass
class History:
    """All that is left of a run. The first ``groundwork`` positions are the operator's.

    ``told`` is what clients were told, by either door; ``pages`` and ``keys`` are the
    topic of the log, by partition; ``rows`` the read models, by the way they were made.
    """

    account: Account
    told: list[Told]
    groundwork: int
    log: list[Row]
    pages: list[list[Relayed | Mark]]
    keys: list[list[bytes | None]]
    submitted: list[Submitted]
    letters: list[Letter]
    rows: dict[str, Rows]


def judged(
    history: History, *, verifiers: Sequence[Verifier], origin: str
) -> list[Finding]:
    """Return all that is wrong with a history; ``rows`` are held to the first of them."""
    log, pages = history.log, history.pages
    first, *others = history.rows
    return [
        *log_whole(log),
        *ordered_in_time(log),
        *clients_kept(history),
        *receipts_prove(history.told, log, verifiers=verifiers, origin=origin),
        *intake_answered(history.submitted, history.letters, log),
        *intake_in_order(history),
        *topic_equal(pages, history.keys, log),
        *marks_true(pages, history.keys, log),
        *rules_held(log),
        *(
            finding
            for other in others
            for finding in rows_equal(
                history.rows[other], history.rows[first], called=other
            )
        ),
    ]


def log_whole(log: Sequence[Row]) -> Iterator[Finding]:
    """Positions 1..n, versions 1..n a stream, each name once, each leaf its entry's."""
    versions: Counter[str] = Counter()
    names: set[Name] = set()
    for expected, row in enumerate(log, 1):
        versions[row.stream] += 1
        name = row.source, row.id
        wrong = {
            "gap": row.position != expected,
            "version": row.version != versions[row.stream],
            "changed": sha256(b"\x00" + row.entry).digest() != row.leaf,
            "doubled": name in names,
        }
        names.add(name)
        for what in (each for each, is_so in wrong.items() if is_so):
            yield Finding(
                what, f"{name} at {row.position}, the entry number {expected}"
            )


def ordered_in_time(log: Sequence[Row]) -> Iterator[Finding]:
    """What stands later was sealed later, whatever the clocks said."""
    for one, other in pairwise(log):
        if one.ingested > other.ingested:
            yield Finding("clock", f"{other.position} is older than the one before")


def clients_kept(history: History) -> Iterator[Finding]:
    """What was acknowledged is there, unchanged; what is there was sent by a client."""
    account = history.account
    rows = {(row.source, row.id): row for row in history.log}
    for told in history.told:
        yield from _kept(told, rows.get(told.name))
    for name in sorted(account.refused.keys() & rows.keys()):
        yield Finding("refused", f"{name} is in the log")
    for row in history.log[history.groundwork :]:
        sent = account.sent.get((row.source, row.id))
        if sent is None:
            yield Finding("stranger", f"nobody sent {row.position}")
        elif not carries(row.entry, sent):
            yield Finding("changed", f"{row.position} is not what was sent")
    for status, text in account.strange:
        yield Finding("answer", f"{status} {text[:200]}")


def _kept(told: Told, row: Row | None) -> Iterator[Finding]:
    if row is None:
        yield Finding("lost", f"{told.name}, acknowledged at {told.position}")
    elif row.position != told.position:
        yield Finding("moved", f"{told.name}: {told.position} to {row.position}")
    elif row.leaf.hex() != told.leaf:
        yield Finding("changed", f"{told.position} has another leaf than acknowledged")


def carries(entry: bytes, event: Mapping[str, Any]) -> bool:
    """Tell whether an entry says what was submitted, whatever else it says."""
    sealed = json.loads(entry)
    return all(sealed.get(name) == value for name, value in event.items())


def receipts_prove(
    everything: Sequence[Told],
    log: Sequence[Row],
    *,
    verifiers: Sequence[Verifier],
    origin: str,
) -> Iterator[Finding]:
    """Each receipt proves its entry, by itself; two of one size rest on one root."""
    roots: dict[int, bytes] = {}
    entries = {row.position: row.entry for row in log}
    for told in everything:
        try:
            entry = entries.get(told.position, b"")
            found = verify_receipt(told.receipt, entry, verifiers, origin)
        except HenjiError as error:
            yield Finding("receipt", f"{told.position}: {error}")
            continue
        if parse_receipt(told.receipt).index != told.position - 1:
            yield Finding("receipt", f"{told.position}: of another position")
        if roots.setdefault(found.size, found.root) != found.root:
            yield Finding("fork", f"two roots of size {found.size}")


def intake_answered(
    submitted: Sequence[Submitted], letters: Sequence[Letter], log: Sequence[Row]
) -> Iterator[Finding]:
    """Each record is either in the log or among the dead letters, and never both."""
    rows = {(row.source, row.id): row for row in log}
    dead = {letter.place for letter in letters}
    for place, event in submitted:
        row = rows.get(name_of(event)) if event is not None else None
        inside = row is not None and event is not None and carries(row.entry, event)
        if not inside and place not in dead:
            yield Finding("lost", f"record {place} has no answer")
        if inside and place in dead:
            yield Finding("contradiction", f"record {place} is in the log, and refused")
    for place in sorted(dead - {one.place for one in submitted}):
        yield Finding("stranger", f"a dead letter of no record: {place}")


def intake_in_order(history: History) -> Iterator[Finding]:
    """What came in one partition is in the log in that order, by first occurrence.

    What came in several, or by HTTP as well, has no order to keep.
    """
    log, submitted = history.log, history.submitted
    positions = {(row.source, row.id): row.position for row in log}
    homes: dict[Name, set[tuple[str, int]]] = {}
    for place, event in submitted:
        if event is not None:
            homes.setdefault(name_of(event), set()).add(place[:2])
    last: dict[tuple[str, int], int] = {}
    seen: set[Name] = {told.name for told in history.account.accepted}
    for place, event in submitted:
        name = name_of(event) if event is not None else ("", "")
        if name in seen or name not in positions or len(homes[name]) > 1:
            continue
        seen.add(name)
        if positions[name] < last.get(place[:2], 0):
            yield Finding("reordered", f"record {place} came before its predecessor")
        last[place[:2]] = positions[name]


def topic_equal(
    pages: Sequence[Sequence[Relayed | Mark]],
    keys: Sequence[Sequence[bytes | None]],
    log: Sequence[Row],
) -> Iterator[Finding]:
    """The topic is the log: byte for byte, each record after the one before it."""
    seen: dict[int, int] = {}
    for number, (page, names) in enumerate(zip(pages, keys, strict=True)):
        yield from _partition(number, page, names, log)
        for one in page:
            if not isinstance(one, Relayed):
                continue
            if seen.setdefault(one.link.position, number) != number:
                yield Finding("doubled", f"{one.link.position} in two partitions")
    missing = [row.position for row in log if row.position not in seen]
    if missing:
        yield Finding("lost", f"not on the topic: {missing[:5]}, {len(missing)} in all")


def _partition(
    number: int,
    page: Sequence[Relayed | Mark],
    names: Sequence[bytes | None],
    log: Sequence[Row],
) -> Iterator[Finding]:
    last = 0
    for one, name in zip(page, names, strict=True):
        if isinstance(one, Mark):
            continue
        link = one.link
        if not 0 < link.position <= len(log):
            yield Finding("stranger", f"partition {number}: {link.position}")
            continue
        row = log[link.position - 1]
        if (one.entry, link.leaf, name) != (row.entry, row.leaf, row.stream.encode()):
            yield Finding("changed", f"partition {number}: {link.position}")
        if link.position <= last:
            continue  # Sent again: whoever reads drops it by its position.
        if link.previous != last:
            yield Finding(
                "chain",
                f"partition {number}: {link.position} follows {link.previous},"
                f" after {last}",
            )
        last = link.position


def marks_true(
    pages: Sequence[Sequence[Relayed | Mark]],
    keys: Sequence[Sequence[bytes | None]],
    log: Sequence[Row],
) -> Iterator[Finding]:
    """A mark never says more than was there before it in its partition."""
    for number, (page, names) in enumerate(zip(pages, keys, strict=True)):
        streams = {name.decode() for name in names if name is not None}
        ours = [row.position for row in log if row.stream in streams]
        last = 0
        for one in page:
            if isinstance(one, Relayed):
                last = max(last, one.link.position)
            elif any(last < position <= one.through for position in ours):
                yield Finding("mark", f"partition {number}: {one.through} after {last}")


def rows_equal(one: Rows, other: Rows, *, called: str) -> Iterator[Finding]:
    """Two ways to the read models led to the same rows."""
    for table in sorted({*one, *other}):
        here, there = list(one.get(table, ())), list(other.get(table, ()))
        if here == there:
            continue
        apart = [row for row in here if row not in there]
        apart += [row for row in there if row not in here]
        yield Finding("rows", f"{called}: {table}: {len(apart)} apart, {apart[:1]}")


_CLAIMED = "henji.commitment.completion_claimed.v1"
_DECOMPOSED = "henji.commitment.decomposed.v1"
_OPENING = {
    "henji.commitment.registered.v1": True,
    "henji.commitment.reopened.v1": True,
    "henji.commitment.closed.v1": False,
}


def rules_held(log: Sequence[Row]) -> Iterator[Finding]:
    """No whole was claimed done with a part open, none reopened under a claimed whole.

    Each is decided in one stream by the state of another: told from the log alone.
    """
    parts: dict[str, list[str]] = {}
    whole: dict[str, str] = {}
    open_ones: dict[str, bool] = {}
    claimed: set[str] = set()
    for row in log:
        key = row.stream.partition("/")[2]
        if row.type == _DECOMPOSED:
            parts[key] = [
                one["key"] for one in json.loads(row.entry)["data"]["children"]
            ]
            whole |= dict.fromkeys(parts[key], key)
        elif row.type == _CLAIMED:
            claimed.add(key)
            left = [part for part in parts.get(key, []) if open_ones.get(part, True)]
            if left:
                yield Finding("rule", f"{key} claimed at {row.position}, open: {left}")
        elif row.type in _OPENING:
            open_ones[key] = _OPENING[row.type]
            if open_ones[key] and whole.get(key) in claimed:
                yield Finding(
                    "rule", f"{key} open at {row.position}, its whole claimed"
                )


def named(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings as a list, no more than anybody reads."""
    found = list(findings)
    if len(found) <= 20:
        return found
    return [*found[:20], Finding("more", f"{len(found) - 20} findings")]
