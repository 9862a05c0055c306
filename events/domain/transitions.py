"""One table of transitions per kind of stream, and the decide and evolve read off it.

Rules of this file: the mechanism only. What may happen when, and to whom, is written in
the tables of the domain modules, one ``Rule`` an event type.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from events.domain.model import Context, Event, EventType, Payload, Stamps
from events.errors import Fault, Refused

#: The status of a stream that has no event yet.
NEW: Final = "new"

Guard = Callable[[Any, Event, Context], None]


def free(_state: Any, _event: Event, _context: Context) -> None:
    """Guard nothing: the status alone decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of a table: an event type, the statuses it is allowed in, its effect.

    ``guard`` refuses what the statuses alone do not; ``apply`` returns the next state
    (the state before the first event is None). The docstring of ``data`` becomes the
    description that we serve.
    """

    what: str
    data: type[Payload]
    en: str
    zh: str
    roles: frozenset[str]
    when: frozenset[str]
    apply: Callable[[Any, Event], Any]
    examples: tuple[Mapping[str, Any], ...]
    guard: Guard = free


def event_types(kind: str, rules: Iterable[Rule]) -> tuple[EventType, ...]:
    """Return the catalogue rows of one kind of stream, all over the same table.

    The state of the stream must have a ``status``.
    """
    table = {rule.data: rule for rule in rules}

    def decide(state: Any, event: Event, context: Context) -> Stamps:
        rule = table[type(event.data)]
        _check_status(rule, state, event)
        rule.guard(state, event, context)
        return {}

    def evolve(state: Any, event: Event) -> Any:
        return table[type(event.data)].apply(state, event)

    return tuple(
        EventType(
            name=f"henji.{kind}.{rule.what}.v1",
            kind=kind,
            en=rule.en,
            zh=rule.zh,
            version=1,
            data=rule.data,
            roles=rule.roles,
            decide=decide,
            evolve=evolve,
            examples=rule.examples,
            description=inspect.getdoc(rule.data) or rule.en,
        )
        for rule in table.values()
    )


def refuse(code: str, where: str, detail: str = "", **parameters: object) -> Refused:
    """Return the refusal of one rule, pointing at the member that breaks it."""
    return Refused(code, detail, faults=(Fault(code, detail, where),), **parameters)


def _check_status(rule: Rule, state: Any, event: Event) -> None:
    status = NEW if state is None else state.status
    if status in rule.when:
        return
    if status == NEW:
        raise refuse("stream_not_started", "/subject", stream=event.stream)
    if rule.when == {NEW}:
        raise refuse("stream_already_started", "/subject", stream=event.stream)
    raise refuse(
        "not_allowed_in_state",
        "/type",
        stream=event.stream,
        status=status,
        allowed=sorted(rule.when),
    )
