"""Report 10, sealed sites 封土令: each site, its violations, and its last day.

Rules of this file: the last day is the rule's answer (``seal_until``); what was revoked
is listed beside what counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from events.domain.orders import Order
from projections.reports.frame import Head, finished, listed, named, subject_names
from projections.reports.model import (
    Cell,
    Definition,
    Figures,
    Question,
    Report,
    Section,
    Table,
    Value,
)
from projections.reports.pieces import Scene, both, counted, event_text, scene
from projections.reports.seals_words import DECISIONS, SITES, VIOLATIONS
from projections.rules.derived import Derived, positions
from projections.rules.in_force import Rulebook, rulebook
from projections.rules.seals import Seal, days_of, seals
from projections.world import Happened, StateRow, World

HEAD: Final = Head("seals", both("Sealed sites", "封土令执行情况"), 1)


class Site(NamedTuple):
    """One site under one order, and the events of the order that name it."""

    order: StateRow
    seal: Derived[Seal]
    happened: tuple[Happened, ...]

    def of(self, *what: str) -> tuple[Happened, ...]:
        """Return its events of some kinds, in the order of the log."""
        return tuple(e for e in self.happened if e.type.split(".")[2] in what)

    @property
    def violations(self) -> tuple[Happened, ...]:
        """Return what recorded each violation that its order knows of by then."""
        known = self.order.state.violations
        recorded = self.of("violation_recorded")
        return tuple(e for e in recorded if e.data.violation in known)

    @property
    def unit(self) -> str | None:
        """Return the unit that watches it, as it was last said."""
        units = [e.data.unit for e in self.of("site_bound", "violation_recorded")]
        return next((unit for unit in reversed(units) if unit is not None), None)


def make(world: World, question: Question) -> Report:
    """Return the report on every sealed site; ``unit`` and ``subject`` narrow it."""
    one = scene(world, question)
    names = subject_names(world)
    sites = [
        site
        for site in _sites(one)
        if question.unit in {None, site.unit}
        and question.subject in {None, site.seal.value.site}
    ]
    sections = (
        Section(both("Overall", "总体情况"), (_overall(sites),)),
        Section(both("Sites", "工地清单"), (_list(one, sites, names),)),
        Section(both("Violations", "违规情况"), (_violations(one, sites, names),)),
        Section(both("Decisions", "延期及豁免"), (_decisions(one, sites, names),)),
    )
    return finished(one, head=HEAD, sections=sections, make=make)


def _sites(one: Scene) -> Iterator[Site]:
    orders = {row.key: row for row in one.world.states("order")}
    happened: dict[str, list[Happened]] = {}
    for event in one.world.events(types=("henji.order.*",)):
        happened.setdefault(event.stream, []).append(event)
    for seal in seals(one.world, one.rules):
        row = orders[seal.value.order]
        own = tuple(
            event
            for event in happened.get(row.stream, ())
            if _site_of(event, row.state) == seal.value.site
        )
        yield Site(row, seal, own)


def _site_of(event: Happened, order: Order) -> str | None:
    """Return which site an event of an order is about; None: the order as a whole."""
    violation = order.violations.get(getattr(event.data, "violation", None) or "")
    site: str | None = getattr(event.data, "site", None)
    return violation.site if site is None and violation is not None else site


def _overall(sites: Sequence[Site]) -> Figures:
    """Count sites by what bound them, violations by what recorded them."""
    rule = sites[0].seal.rule if sites else ""
    counting = {id(site): _counting(site) for site in sites}
    violating = [site for site in sites if counting[id(site)]]
    items = (
        ("sites", both("Sites", "在册工地"), counted(map(_first, sites))),
        (
            "exempted",
            both("Exempted in part", "部分豁免"),
            counted(_first(site) for site in sites if site.seal.value.exempted),
        ),
        (
            "recorded",
            both("Violations recorded", "记录违规"),
            counted(e.position for s in sites for e in s.violations),
        ),
        (
            "counting",
            both("Confirmed, not revoked", "认定有效违规"),
            counted((p for found in counting.values() for p in found), rule),
        ),
        (
            "revoked",
            both("Revoked", "撤销违规"),
            counted(e.position for s in sites for e in s.of("violation_revoked")),
        ),
        (
            "extended",
            both("Sites sealed longer", "延长封土工地"),
            counted((_first(site) for site in violating), rule),
        ),
    )
    return Figures("totals", both("Sealing", "封土"), items)


def _list(one: Scene, sites: Sequence[Site], names: Mapping[str, Value]) -> Table:
    return listed(
        "sites",
        both("Sites and until when they are sealed", "工地清单及封土截止日"),
        SITES,
        (_site(one, site, names) for site in sites),
        empty=both("No site is sealed.", "无封土工地。"),
        note=both(
            "The last day is the order's, and the days of each violation that is"
            " confirmed and not revoked.",
            "封土截止日＝封土令截止日＋每次有效违规（已认定且未撤销）顺延天数。",
        ),
    )


def _site(one: Scene, site: Site, names: Mapping[str, Value]) -> Iterator[Cell]:
    seal, order = site.seal.value, site.order
    rule, every = site.seal.rule, site.seal.events
    issued = order.events[:1]
    bound = positions(event.position for event in site.of("site_bound"))
    granted = site.of("exempted")[-1:] if seal.exempted else ()
    basis = positions(event.position for event in granted)
    yield Cell(seal.order, issued)
    yield Cell(seal.site, bound)
    yield Cell(named(names, seal.site), bound)
    yield Cell(one.unit(site.unit), bound)
    yield Cell(order.state.base_end.isoformat(), issued)
    yield counted(_counting(site), rule)
    yield counted(event.position for event in site.of("violation_revoked"))
    yield Cell(seal.added_days, _counting(site), rule)
    yield Cell(seal.until.isoformat(), every, rule)
    yield Cell(granted[0].data.basis if granted else None, basis)
    yield Cell(granted[0].data.allows if granted else None, basis)
    yield Cell(granted[0].data.up_to if granted else None, basis)


def _violations(one: Scene, sites: Sequence[Site], names: Mapping[str, Value]) -> Table:
    book = rulebook(one.world)
    rows = (
        _violation(book, site, event, names)
        for site in sites
        for event in site.violations
    )
    return listed(
        "violations",
        both("Violations", "违规记录"),
        VIOLATIONS,
        rows,
        empty=both("No violation was recorded.", "无违规记录。"),
    )


def _violation(
    book: Rulebook, site: Site, event: Happened, names: Mapping[str, Value]
) -> Iterator[Cell]:
    key, own = event.data.violation, (event.position,)
    state = site.order.state.violations[key]
    confirmed = _about(site, "violation_confirmed", key)
    revoked = _about(site, "violation_revoked", key)
    decided = positions(own, *((row.position,) for row in (*confirmed, *revoked)))
    days = days_of(state, book) if state.status == "confirmed" else 0
    yield Cell(key, own)
    yield Cell(site.order.key, own)
    yield Cell(named(names, state.site), own)
    yield Cell(state.found_at, own)
    yield Cell(event.data.text, own)
    yield _instant(confirmed)
    yield _instant(revoked)
    yield _said(revoked, "reason")
    yield Cell(_STATUSES[state.status], decided)
    yield Cell(days, decided, site.seal.rule)


def _decisions(one: Scene, sites: Sequence[Site], names: Mapping[str, Value]) -> Table:
    """List what was decided for one of these sites, or for a whole order."""
    known = {(site.order.stream, site.seal.value.site) for site in sites}
    orders = {stream for stream, _ in known}
    found = [
        event
        for event in one.world.events(types=_DECIDED)
        if event.stream in orders
        and (event.data.site is None or (event.stream, event.data.site) in known)
    ]
    return listed(
        "decisions",
        both("Extensions and exemptions by decision", "延期及豁免决定"),
        DECISIONS,
        (_decision(event, names) for event in found),
        empty=both("There is no such decision.", "无延期、豁免决定。"),
    )


def _decision(event: Happened, names: Mapping[str, Value]) -> Iterator[Cell]:
    data, own = event.data, (event.position,)
    site = _ALL if data.site is None else named(names, data.site)
    until = getattr(data, "until", None)
    yield Cell(event.occurred, own)
    yield Cell(event_text(event.type), own)
    yield Cell(event.stream.partition("/")[2], own)
    yield Cell(site, own)
    yield Cell(getattr(data, "reason", None) or getattr(data, "basis", None), own)
    yield Cell(None if until is None else until.isoformat(), own)


def _counting(site: Site) -> tuple[int, ...]:
    """Return what confirmed each violation that counts."""
    order: Order = site.order.state
    keys = {
        key
        for key, row in order.violations.items()
        if row.site == site.seal.value.site and row.status == "confirmed"
    }
    found = (_about(site, "violation_confirmed", key) for key in keys)
    return positions(event.position for rows in found for event in rows[-1:])


def _about(site: Site, what: str, violation: str) -> tuple[Happened, ...]:
    return tuple(e for e in site.of(what) if e.data.violation == violation)


def _first(site: Site) -> int:
    """Return the event that put a site on the list."""
    found = site.of("site_bound") or site.happened
    return found[0].position


def _instant(happened: Sequence[Happened]) -> Cell:
    return Cell(
        happened[-1].occurred if happened else None,
        tuple(event.position for event in happened[-1:]),
    )


def _said(happened: Sequence[Happened], name: str) -> Cell:
    return Cell(
        getattr(happened[-1].data, name) if happened else None,
        tuple(event.position for event in happened[-1:]),
    )


_ALL: Final = both("The whole order", "全部工地")
_DECIDED: Final = (
    "henji.order.period_extended.v1",
    "henji.order.exempted.v1",
    "henji.order.exemption_ended.v1",
)
_STATUSES: Final = {
    "recorded": both("Recorded", "待认定"),
    "confirmed": both("Confirmed", "已认定"),
    "revoked": both("Revoked", "已撤销"),
}
DEFINITIONS: Final = (Definition(HEAD.name, HEAD.title, HEAD.template, make, "moment"),)
