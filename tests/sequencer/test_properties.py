"""Random programs against the real sequencer: what holds whatever is submitted.

I1 conservation, I2 no close without an independent pass, I5 the original due stays, I7
repeats change nothing, I13 a refusal leaves no trace (domain.md 2.8). Every program
ends with the whole log recomputed, and decided again event by event.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
)

from events import catalogue, errors
from events.domain.commitment_state import STATUSES, Commitment
from events.submissions import Accepted
from tests.support import scenario
from tests.support.desk import (
    Desk,
    Home,
    MemoryHome,
    SqliteHome,
    Tables,
    codes,
    replayed,
    tables,
    verified,
)
from tests.support.moves import CLAIM, KEYS, MOVES, NEXT, PASS


class Programs(RuleBasedStateMachine):
    """Two sequencers on one store, a clock, and all that was ever submitted."""

    home: Home

    @initialize()
    def begin(self) -> None:
        """Open the ledger."""
        self.open_home()
        self.desks = [Desk(self.home.open()) for _ in range(2)]
        appointed = {"unit": "audit", "title": "L", "person_ref": "p:looker"}
        appointed["valid_from"] = "2017-01-01T00:00:00+08:00"
        looker = scenario.event(
            "henji.post.appointed.v1", "post/looker", appointed, event_id="looker"
        )
        self.desks[0].begin().one(looker)
        self.accepted: list[tuple[scenario.Event, Accepted, str]] = []
        self.now = scenario.START
        self.number = 0

    def open_home(self) -> None:
        """Make the place of the log."""
        self.home = MemoryHome()

    @property
    def store(self):
        """Return the store of the first one."""
        return self.desks[0].store

    def state(self, key: str) -> Commitment | None:
        """Return a commitment as the log says."""
        state = None
        for row in self.store.stream(f"commitment/{key}"):
            read = catalogue.read(row.entry)
            state = catalogue.lookup(row.type).evolve(state, read)
        return state

    def move(self, data) -> scenario.Event:
        """Draw one event: mostly what comes next, by whom it should come from."""
        key = data.draw(st.sampled_from(KEYS))
        state = self.state(key)
        wild = data.draw(st.integers(0, 9)) == 0
        usual = NEXT.get(state.status if state else None, [])
        what = data.draw(st.sampled_from(list(MOVES) if wild or not usual else usual))
        by, payloads = MOVES[what]
        if data.draw(st.integers(0, 9)) == 0:
            by = data.draw(st.sampled_from(sorted(scenario.PEOPLE)))
        self.number += 1
        payload = data.draw(st.sampled_from(payloads))
        made = scenario.commitment(
            what, key, payload, time=self.now, number=self.number
        )
        return scenario.acting(by, made)

    def some(self, data) -> scenario.Event:
        """Draw an event: of a commitment, of another system, or one seen before."""
        kind = data.draw(st.integers(0, 9))
        if kind == 0 and self.accepted:
            return data.draw(st.sampled_from(self.accepted))[0]
        if kind <= 2:
            self.number += 1
            about = data.draw(st.sampled_from(["Dust", "Noise", ""]))
            return scenario.external(self.number, about=about)
        return self.move(data)

    def before(self) -> Tables:
        """Return the tables as they are."""
        return tables(self.store)

    def note(self, desk: Desk, events, results) -> None:
        """Keep what was accepted, with its receipt."""
        for one, result in zip(events, results, strict=True):
            event(f"{one['type'].split('.')[-2]} {codes([result])[0]}")
            if isinstance(result, Accepted):
                desk.proven(result)
                self.accepted.append((one, result, desk.receipt(result)))

    @rule(data=st.data(), writer=st.integers(0, 1))
    def submit(self, data, writer) -> None:
        """Submit one event; a refusal leaves the log as it was."""
        one, desk = self.some(data), self.desks[writer]
        before = self.before()
        result = desk.one(one)
        self.note(desk, [one], [result])
        after = self.before()
        fresh = isinstance(result, Accepted) and not result.repeat
        assert len(after[0]) == len(before[0]) + fresh
        assert after[0][: len(before[0])] == before[0]
        if not fresh:
            assert after == before

    @rule(
        data=st.data(),
        writer=st.integers(0, 1),
        atomic=st.booleans(),
        count=st.integers(2, 6),
    )
    def submit_together(self, data, writer, atomic, count) -> None:
        """Submit several in one request; a refused atomic one leaves the log as it was."""
        desk = self.desks[writer]
        events = [self.some(data) for _ in range(count)]
        before = self.before()
        results = desk.submit(events, atomic=atomic)
        self.note(desk, events, results)
        after = self.before()
        fresh = sum(
            isinstance(result, Accepted) and not result.repeat for result in results
        )
        assert len(after[0]) == len(before[0]) + fresh
        refused = any(isinstance(result, errors.HenjiError) for result in results)
        if not fresh or (refused and atomic):
            assert after == before
        if fresh:
            assert len(after[2]) == len(before[2]) + 1

    @rule(data=st.data(), writer=st.integers(0, 1), count=st.integers(1, 4))
    def try_out(self, data, writer, count) -> None:
        """A dry run leaves no trace, and foretells what the real thing answers."""
        desk = self.desks[writer]
        events = [self.some(data) for _ in range(count)]
        before = self.before()
        foretold = desk.submit(events, dry_run=True, atomic=False)
        assert self.before() == before
        results = desk.submit(events, atomic=False)
        assert codes(foretold) == codes(results)
        self.note(desk, events, results)

    @rule(data=st.data(), writer=st.integers(0, 1))
    def repeat(self, data, writer) -> None:
        """I7: what was accepted gets its own receipt again, and changes nothing."""
        if not self.accepted:
            return
        one, first, receipt = data.draw(st.sampled_from(self.accepted))
        before, desk = self.before(), self.desks[writer]
        again = desk.one(one)
        assert (again.repeat, again.position) == (True, first.position)
        assert desk.receipt(again) == receipt
        other = desk.one({**one, "note": "more"})
        assert codes([other]) == ["event_id_conflict"]
        assert self.before() == before

    @rule(
        key=st.sampled_from(KEYS),
        kind=st.sampled_from(["supervision", "rectification"]),
        steps=st.integers(2, 9),
        data=st.data(),
    )
    def go_on(self, key, kind, steps, data) -> None:
        """Bring one commitment further along its loop; shortcuts are tried, in vain."""
        for _ in range(steps):
            state = self.state(key)
            usual = NEXT.get(state.status if state else None)
            if usual is None:
                return
            what = data.draw(st.sampled_from(usual))
            by, payloads = MOVES[what]
            payload = payloads[-1 if what == "completion_claimed" else 0]
            if what == "registered":
                payload = scenario.registered("WD10", kind=kind)
            if state and not state.findings and what == "completion_claimed":
                payload = CLAIM
            self.number += 1
            for who, name, said in (
                ("lead", "verification_recorded", PASS),
                (by, what, payload),
            ):
                made = scenario.commitment(
                    name, key, said, time=self.now, number=self.number
                )
                one = scenario.acting(who, {**made, "id": f"{made['id']}-{who}"})
                desk = self.desks[self.number % 2]
                self.note(desk, [one], [desk.one(one)])

    @rule(hours=st.integers(-30, 60), writer=st.integers(0, 1))
    def tick(self, hours, writer) -> None:
        """Move a clock, backwards too; events happen at the later of all instants."""
        self.desks[writer].clock.now += hours * scenario.HOUR
        self.now = max(self.now, *(desk.clock.now for desk in self.desks))

    @rule(writer=st.integers(0, 1))
    def restart(self, writer) -> None:
        """Forget everything that is only in memory."""
        old = self.desks[writer]
        self.desks[writer] = Desk(old.store, clock=old.clock)

    def teardown(self) -> None:
        """Recompute the log, decide it again, and check the invariants at each prefix."""
        if not hasattr(self, "desks"):
            return
        verified(self.store)
        replayed(self.store)
        check_commitments(self.store)
        for desk in self.desks:
            desk.store.close()


def check_commitments(store) -> None:
    """I1, I2 and I5 after each entry of the log."""
    states: dict[str, Commitment] = {}
    passed: dict[str, bool] = {}
    registered = 0
    for row in store.iter_entries():
        if not row.stream.startswith("commitment/"):
            continue
        what = row.type.split(".")[-2]
        read = catalogue.read(row.entry)
        before = states.get(row.stream)
        after = catalogue.lookup(row.type).evolve(before, read)
        states[row.stream] = after
        registered += what == "registered"
        assert sum(one.status in STATUSES for one in states.values()) == registered
        if before is not None and before.original_due is not None:
            assert after.original_due == before.original_due
        if what == "verification_recorded":
            passed[row.stream] = (
                read.data.result == "pass" and read.actor.unit != before.lead_unit
            )
        if what in {"completion_claimed", "reopened"}:
            passed[row.stream] = False
        if after.status == "closed" and what == "closed":
            assert passed.get(row.stream), row
            event("closed")


class SqlitePrograms(Programs):
    """The same on a SQLite file, each sequencer with connections of its own."""

    def open_home(self) -> None:
        """Make the file."""
        self.folder = tempfile.TemporaryDirectory()
        self.home = SqliteHome(Path(self.folder.name) / "ledger.db")

    def teardown(self) -> None:
        """Check as above, and remove the file."""
        super().teardown()
        if hasattr(self, "folder"):
            self.folder.cleanup()


TestInMemory = Programs.TestCase
TestInMemory.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
TestInSqlite = SqlitePrograms.TestCase
TestInSqlite.settings = settings(max_examples=6, stateful_step_count=30, deadline=None)
