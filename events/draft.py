"""One batch while it is being decided: the rows to be, and the states they lead to.

Rules of this file: decisions and nothing else. Given what the log holds (through the
append transaction) it says what would be appended; it writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from events import canonical, catalogue, entries, errors, gate
from events.domain.model import Context, Event
from events.merkle import leaf_hash
from events.signing import OPENED
from events.store import Row
from events.submissions import Accepted, Prepared, Request, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from events.domain.model import Actor
    from events.gate import Grant

_BATCH_REJECTED = "batch_rejected"
#: What a rule raises by mistake, on values that nobody thought of.
_RULE_FAILURES = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class Known(NamedTuple):
    """A stream as far as it was folded. External streams have no state of their own."""

    version: int
    state: Any


NOTHING = Known(0, None)


@dataclass(slots=True)
class Draft:
    """The batch so far, over what is committed.

    ``committed`` folds a stream up to its committed end; ``holds`` tells whether a
    stream has an event of an id; ``seen`` holds the rows of those submissions of the
    batch that were in the log before, by (source, id).
    """

    size: int
    now: int
    committed: Callable[[str], Known]
    holds: Callable[[str, str], bool] = lambda _stream, _event_id: False
    seen: dict[tuple[str, str], Row] = field(default_factory=dict)
    known: dict[str, Known] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    ingested_text: str = ""

    def __post_init__(self) -> None:
        """Write the instant of the batch once."""
        self.ingested_text = entries.rfc3339(self.now)

    def decide(self, request: Request) -> list[Result]:
        """Decide a request's items in order; an atomic one is all or nothing."""
        try:
            grant = request.grant or self._grant(request.key)
        except errors.Denied as refusal:
            return [refusal] * len(request.items)
        if len(request.items) == 1 and not request.dry_run:
            return [self._attempt(request.items[0], grant, request.expected)]
        trial = self._trial()
        results = trial._decide_all(request, grant)  # noqa: SLF001 - another Draft
        refused = any(isinstance(result, errors.HenjiError) for result in results)
        given = trial.size
        if request.dry_run:
            return [_unsealed(result, given) for result in results]
        if refused and request.atomic:
            return [_held_back(result, given) for result in results]
        self._keep(trial)
        return results

    def _decide_all(self, request: Request, grant: Grant) -> list[Result]:
        results = []
        expected = request.expected
        for item in request.items:
            results.append(self._attempt(item, grant, expected))
            expected = None
        return results

    def _trial(self) -> Draft:
        """Return a draft on top of this one, to be kept or dropped as a whole."""
        return Draft(
            size=self.size + len(self.rows),
            now=self.now,
            committed=self._look,
            holds=self._has_event,
            seen=_Layer(self.seen),
            ingested_text=self.ingested_text,
        )

    def _keep(self, trial: Draft) -> None:
        self.rows += trial.rows
        self.known.update(trial.known)
        self.seen.update(trial.seen)

    def _look(self, stream: str) -> Known:
        found = self.known.get(stream)
        return self.committed(stream) if found is None else found

    def _state_of(self, stream: str) -> Any:
        return self._look(stream).state

    def _has_event(self, stream: str, event_id: str) -> bool:
        drafted = any(row.stream == stream and row.id == event_id for row in self.rows)
        return drafted or self.holds(stream, event_id)

    def _grant(self, key: str) -> Grant:
        return gate.grant_of(key, self._state_of(f"access/{key}"), at=self.now)

    def _attempt(
        self, item: Prepared | errors.HenjiError, grant: Grant, expected: int | None
    ) -> Result:
        if isinstance(item, errors.HenjiError):
            return item
        try:
            return self._append(item, grant, expected)
        except (errors.Corrupt, errors.Unavailable):
            raise  # The log could not be read: there is nothing to decide on.
        except errors.HenjiError as refusal:
            return refusal
        except _RULE_FAILURES as error:
            # Nothing was kept of it. One submission must not stop the ledger.
            failed = errors.Refused("rule_failed", repr(error))
            failed.__cause__ = error
            return failed

    def _append(self, item: Prepared, grant: Grant, expected: int | None) -> Accepted:
        submission = item.submission
        kind = item.kind.kind if item.kind else None
        name = submission.type
        gate.admit(grant, kind=kind, source=submission.source, name=name)
        key = (submission.source, submission.id)
        earlier = self.seen.get(key)
        if earlier is not None:
            return _repeat(earlier, item)
        known = self._look(item.stream)
        if expected is not None and expected != known.version:
            raise errors.Conflict(
                "version_mismatch", expected=expected, actual=known.version
            )
        first = self.size + len(self.rows) == 0
        if first != (name == OPENED):
            raise errors.Refused("ledger_opening_misplaced")
        row = self._seal(item, grant, known)
        self.rows.append(row)
        self.seen[key] = row
        return Accepted(row.position, row.stream, row.version, row.leaf, row.ingested)

    def _seal(self, item: Prepared, grant: Grant, known: Known) -> Row:
        """Decide one event and make its row; nothing is kept if a rule says no."""
        submission = item.submission
        actor = gate.acting(grant, submission.event)
        version = known.version + 1
        event = self._event(item, actor, version)
        stamps, state = self._judge(item, event, known, grant)
        entry = entries.compose(
            submission.event,
            stream=item.stream,
            version=version,
            ingested_text=self.ingested_text,
            authid=grant.key,
            authunit=grant.unit,
            authpost=grant.post,
            stamps=stamps,
        )
        self.known[item.stream] = Known(version, state)
        return Row(
            self.size + len(self.rows) + 1,
            item.stream,
            version,
            submission.type,
            submission.source,
            submission.id,
            event.occurred,
            self.now,
            leaf_hash(entry),
            entry,
        )

    def _event(self, item: Prepared, actor: Actor, version: int) -> Event:
        submission = item.submission
        occurred, recorded = submission.occurred, submission.recorded
        return Event(
            type=submission.type,
            stream=item.stream,
            version=version,
            id=submission.id,
            source=submission.source,
            occurred=self.now if occurred is None else occurred,
            ingested=self.now,
            data=item.data,
            actor=actor,
            recorded=self.now if recorded is None else recorded,
        )

    def _judge(
        self, item: Prepared, event: Event, known: Known, grant: Grant
    ) -> tuple[Any, Any]:
        """Return (stamps, next state), or raise the rule's refusal."""
        kind = item.kind
        if kind is None:
            self._judge_external(item, event.actor)
            return {}, None
        catalogue.permit(kind.roles, event.actor)
        context = Context(
            now=self.now,
            at=event.occurred if gate.BACKFILL in grant.scopes else self.now,
            actor=event.actor,
            state_of=self._state_of,
            version_of=lambda stream: self._look(stream).version,
            has_event=self._has_event,
        )
        stamps = kind.decide(known.state, event, context)
        if stamps:
            event = _stamped(event, stamps)
        return stamps, kind.evolve(known.state, event)

    def _judge_external(self, item: Prepared, actor: Actor) -> None:
        registered = self._state_of(f"catalogue/{item.submission.type}")
        catalogue.validate_external(registered, item.data)
        catalogue.permit(registered.roles, actor)


class _Layer(dict[tuple[str, str], Row]):
    """A dict over another: reads fall through, writes stay in this layer."""

    def __init__(self, below: dict[tuple[str, str], Row]) -> None:
        super().__init__()
        self._below = below

    def get(self, key: Any, default: Any = None) -> Any:
        found = super().get(key)
        return self._below.get(key, default) if found is None else found


def fold(known: Known, rows: Sequence[Row]) -> Known:
    """Fold committed rows of one stream, in order of version, onto what is known."""
    version, state = known
    for row in rows:
        if row.version != version + 1:
            raise errors.Corrupt("stream_gap", stream=row.stream, version=row.version)
        version = row.version
        kind = catalogue.lookup(row.type)
        if kind is not None:
            moments = (row.occurred, row.ingested)
            state = kind.evolve(state, catalogue.read(row.entry, moments))
    return Known(version, state)


def _stamped(event: Event, stamps: Any) -> Event:
    due = stamps.get("dueat")
    return msgspec.structs.replace(
        event,
        policy=stamps.get("policyversion"),
        due_at=entries.instant(due) if due else None,
    )


def _repeat(earlier: Row, item: Prepared) -> Accepted:
    """Answer a submission that is in the log already, if it says the same again."""
    stored = entries.strip(canonical.parse(earlier.entry))
    if canonical.encode(stored) != canonical.encode(item.submission.event):
        raise errors.Conflict(
            "event_id_conflict", position=earlier.position, source=earlier.source
        )
    return Accepted(
        earlier.position,
        earlier.stream,
        earlier.version,
        earlier.leaf,
        earlier.ingested,
        repeat=True,
    )


def _unsealed(result: Result, given: int) -> Result:
    """Strip a dry run's result of a position that was never given.

    A repeat of an event of the same dry run has none either.
    """
    if isinstance(result, Accepted) and result.position > given:
        return replace(result, position=0)
    return result


def _held_back(result: Result, given: int) -> Result:
    """In a refused atomic request the sound items were not appended either."""
    if isinstance(result, Accepted) and result.position > given:
        return errors.Refused(_BATCH_REJECTED)
    return result
