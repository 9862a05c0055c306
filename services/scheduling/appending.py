"""Appending what is due, in order, with the operator's grant, and what came of it.

Rules of this file: it submits and sorts the answers. What is in the log already counts
as done, whoever did it: ids are the same for every worker.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from queue import SimpleQueue
from typing import Any, NamedTuple

from events import entries, errors, gate
from events.cloudevents import accept
from events.submissions import Prepared, Request, Result, prepare
from services.scheduling.plan import Due
from services.wiring import Ledger

#: Most events of one request.
_MOST = 200
#: The log has moved on since the event was planned, or holds it already.
_MOVED = frozenset({"version_mismatch"})
_REPEATED = "repeated"
_DONE = frozenset({_REPEATED, "event_id_conflict", "stream_already_started"})


class Outcome(NamedTuple):
    """What became of a plan: how many events were appended, and which not, and why.

    In ``aside`` the code is "" where the log holds the event already. What was planned
    on a stream that has moved on since is in neither: it is planned anew.
    """

    appended: int
    aside: tuple[tuple[Due, str], ...]


def append(ledger: Ledger, dues: Sequence[Due], *, now: int) -> Outcome:
    """Submit events in order; each says when it was due and that it is recorded now.

    ``Unavailable``: the log cannot be written; what came after was not submitted.
    """
    appended: set[str] = set()
    missing: set[str | None] = set()
    aside = []
    for run in _runs(dues):
        missing |= {due.event["id"] for due in run if due.needs in missing}
        part = [due for due in run if due.needs not in missing]
        for due, result in zip(part, _submit(ledger, part, now), strict=True):
            code = _code(result)
            if code is None:
                appended.add(due.event["id"])
                continue
            # Also where the log holds it: perhaps at another place than was planned.
            missing.add(due.event["id"])
            if code not in _MOVED:
                aside.append((due, "" if code in _DONE else code))
    return Outcome(len(appended), tuple(aside))


def _runs(dues: Sequence[Due]) -> Iterator[list[Due]]:
    """Yield runs that are answered before the next is sent.

    What would follow something that could not be written must not be written: the next
    worker goes on where a routine's obligations end. Nor is anything sent together
    with what it needs.
    """
    run: list[Due] = []
    names: set[str] = set()
    for due in dues:
        alike = not run or (run[0].version is None) == (due.version is None)
        if not alike or len(run) >= _MOST or due.needs in names:
            yield run
            run, names = [], set()
        run.append(due)
        names.add(due.event["id"])
    if run:
        yield run


def _code(result: Result) -> str | None:
    """Return why an event was not appended; None: it was."""
    if not isinstance(result, errors.HenjiError):
        return _REPEATED if result.repeat else None
    if isinstance(result, errors.Unavailable | errors.Corrupt):
        raise result
    return result.code


def _submit(ledger: Ledger, part: Sequence[Due], now: int) -> list[Result]:
    """Submit a run: one request, or one for each event that rests on a version."""
    recorded = entries.rfc3339(now)
    items = [_prepared({**due.event, "recordedtime": recorded}) for due in part]
    if not part:
        return []
    if part[0].version is None:
        wanted: list[tuple[list[Prepared | errors.HenjiError], int | None]] = [
            (items, None)
        ]
    else:
        wanted = [([item], due.version) for item, due in zip(items, part, strict=True)]
    return _answers(ledger, wanted)


def _answers(
    ledger: Ledger,
    wanted: Sequence[tuple[Sequence[Prepared | errors.HenjiError], int | None]],
) -> list[Result]:
    answers: SimpleQueue[list[tuple[Request, list[Result]]]] = SimpleQueue()
    grant = gate.system_grant()
    for token, (items, expected) in enumerate(wanted):
        request = Request(
            items,
            grant.key,
            answers.put,
            grant=grant,
            atomic=False,
            expected=expected,
            token=token,
        )
        ledger.sequencer.submit(request)
    found: dict[int, list[Result]] = {}
    while len(found) < len(wanted):
        for request, results in answers.get():
            found[request.token] = results
    return [result for token in sorted(found) for result in found[token]]


def _prepared(event: dict[str, Any]) -> Prepared | errors.HenjiError:
    try:
        return prepare(accept(event))
    except errors.HenjiError as refusal:
        return refusal
