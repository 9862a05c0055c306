"""Until when a site stays sealed 封土令: the order's end, longer by each violation.

Rules of this file: the sum. Only violations that are confirmed and not revoked count;
one that is revoked on appeal gives its days back, while a cut of before keeps them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from events.domain.orders import Order, Violation
from projections.rules.derived import Derived, positions
from projections.rules.in_force import Rulebook, Rules, rulebook
from projections.world import Happened, StateRow, World

#: Events of an order that concern no one site.
_WHOLE = frozenset({"issued"})


@dataclass(frozen=True, slots=True)
class Seal:
    """One site under one order: the last day, and how it comes about."""

    order: str
    site: str
    until: date
    violations: int
    added_days: int
    exempted: bool


def seal_until(
    base_end: date, added_days: Iterable[int], extensions: Iterable[date] = ()
) -> date:
    """Return the last day: the end of the order and the days of each violation.

    An explicit extension is the decision for the same days and not in addition to
    them: the later of both counts.
    """
    by_rule = base_end + timedelta(days=sum(added_days))
    return max([by_rule, *extensions])


def days_of(violation: Violation, book: Rulebook) -> int:
    """Return the calendar days that a violation adds, by the rules when it happened."""
    return book.at(violation.found_at).ruleset.seal_violation_days


def seals(world: World, rules: Rules) -> tuple[Derived[Seal], ...]:
    """Return every site bound by, or in violation of, each sealing order of a cut."""
    book = rulebook(world)
    found = []
    for row in world.states("order"):
        if row.state.kind == "seal":
            happened = world.events(streams=(row.stream,))
            found += [
                _seal(row, site, happened=happened, book=book, rules=rules)
                for site in sorted(_sites(row.state))
            ]
    return tuple(found)


def _sites(order: Order) -> frozenset[str]:
    return order.sites | {row.site for row in order.violations.values()}


def _seal(
    row: StateRow,
    site: str,
    *,
    happened: Iterable[Happened],
    book: Rulebook,
    rules: Rules,
) -> Derived[Seal]:
    order: Order = row.state
    counted = order.counting(site)
    added = [days_of(violation, book) for violation in counted]
    extensions = [day for of, day in order.extensions if of in {None, site}]
    value = Seal(
        order=row.key,
        site=site,
        until=seal_until(order.base_end, added, extensions),
        violations=len(counted),
        added_days=sum(added),
        exempted=site in order.exempted,
    )
    return Derived(
        value,
        rules.cite("seal_until"),
        positions(_concerning(happened, order, site)),
        {"base_end": order.base_end.isoformat(), "days": tuple(added)},
    )


def _concerning(happened: Iterable[Happened], order: Order, site: str) -> Iterator[int]:
    """Yield the events that the date rests on, revocations included."""
    own = {name for name, row in order.violations.items() if row.site == site}
    for event in happened:
        named = getattr(event.data, "violation", None)
        at = getattr(event.data, "site", None)
        what = event.type.split(".")[2]
        for_all = what == "period_extended" and at is None
        if what in _WHOLE or for_all or at == site or named in own:
            yield event.position
