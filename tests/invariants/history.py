"""Random histories of a small zone (模拟数据), each made through the real sequencer.

A history is a seed and a number of steps: what is submitted is mostly what comes next,
sometimes nonsense, sometimes recorded late. What the log took of it is the history; what
it refused is kept too. Nothing is asserted here.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
from base64 import b64encode
from contextlib import contextmanager
from pathlib import Path
from random import Random

import msgspec

from events import canonical, catalogue
from events.domain import rulesets
from events.domain.access import ROLES
from events.entries import rfc3339
from events.memory import MemoryStore
from events.sqlite import SqliteStore
from events.submissions import Accepted
from projections.board import Board
from projections.cut_world import cut_of
from projections.runner import Runner
from projections.sqlite import SqliteViews
from tests.support import scenario
from tests.support.desk import OPERATOR, Desk
from tests.support.moves import CLAIM, KEYS, MOVES, NEXT

EVERYBODY = "keyEverybody"
"""A key with every role; who acts is in each event. Powers still need two persons."""

SITES = ("S-1", "S-2")
SEAL = "order/FT-2017"
SEAL_END = "2018-03-15"
CASES = ("accountability/ZZ-1", "accountability/ZZ-2")
RULESET = "ruleset/demo-2017"
FROZEN = "report/weekly_bulletin/2017-W46"
MONDAY = scenario.START + 5 * scenario.DAY + 18 * scenario.HOUR
"""2017-11-20T09:00+08:00, µs: when the bulletin of the first week is frozen."""

_PEOPLE = {
    **scenario.PEOPLE,
    **{
        name: scenario.Person("", "hq", name, ())
        for name in ("opener", "decider", "judge", "first", "second")
    },
    "deputy": scenario.Person("", "gouzhao", "deputy", ()),
}
#: Who tries what is not theirs: most often a colleague of those who do the work.
_MEDDLERS = (*sorted(scenario.PEOPLE), *(("deputy",) * 6))
_OPENED = {"title": "逾期未整改（模拟数据）", "unit": "gouzhao"}
_DECIDED = {
    "form": "warning",
    "findings": "f",
    "basis": ["b"],
    "approving_body": "示例",
    "effective_from": "2017-11-25T00:00:00Z",
    "appeal_days": 30,
    "appeal_body": "示例",
}
_UPHELD = {"outcome": "upheld", "body": "示例", "reasons": "r"}
_CHANGES = (
    {"yellow_days_left": 6},
    {"red_returns": 1},
    {"inaction_days": 2},
    {"urge_red_days": 9},
    {"seal_violation_days": 20},
)


class History:
    """A ledger that grows by random submissions.

    ``areas`` are the names of its methods that propose events. ``sent`` holds every
    submission with its answer, in order.
    """

    def __init__(self, seed, *, areas=None, store=None):
        self.random = Random(seed)
        self.areas = AREAS if areas is None else areas
        self.desk = Desk(MemoryStore() if store is None else store).begin()
        self.sent = []
        self._number = 0
        self._found()

    @property
    def store(self):
        """Return the log."""
        return self.desk.store

    @property
    def rows(self):
        """Return the whole log."""
        return list(self.store.iter_entries())

    @property
    def now(self):
        """Return the instant of the clock, µs."""
        return self.desk.clock.now

    @property
    def accepted(self):
        """Return (event, answer) of what the log took, in order, each once."""
        return [
            (event, answer)
            for event, answer in self.sent
            if isinstance(answer, Accepted) and not answer.repeat
        ]

    def submit(self, event):
        """Submit one event; its answer."""
        answer = self.desk.one(event, key=EVERYBODY)
        self.sent.append((event, answer))
        return answer

    def grow(self, steps):
        """Take so many steps; each is one submission. Return this history."""
        for _ in range(steps):
            self.desk.clock.now += self.random.randrange(12) * scenario.HOUR
            names = sorted(self.areas)
            weights = [_WEIGHTS.get(name, 1) for name in names]
            (area,) = self.random.choices(names, weights)
            for event in AREAS[area](self):
                self.submit(event)
        return self

    def event(self, what, stream, by, data, *, days_ago=0):
        """Return an event that happened so many days before now."""
        self._number += 1
        kind = stream.partition("/")[0]
        made = scenario.event(
            f"henji.{kind}.{what}.v1",
            stream,
            data,
            event_id=f"e-{self._number}",
            time=max(scenario.START, self.now - days_ago * scenario.DAY),
        )
        who = _PEOPLE[by]
        return {**made, "actorunit": who.unit, "actorpost": who.post}

    def told(self, what, stream, by, data):
        """Return the same of now, or one in six times of days ago."""
        days = self.random.choice((0,) * 10 + (1, 5))
        return self.event(what, stream, by, data, days_ago=days)

    def state(self, stream):
        """Return the domain's state of a stream, None: not begun."""
        state = None
        for row in self.store.stream(stream, limit=10_000):
            read = catalogue.read(row.entry, (row.occurred, row.ingested))
            state = catalogue.lookup(row.type).evolve(state, read)
        return state

    def _found(self):
        """Record the key of everybody, and the two sites."""
        key = scenario.key_created(
            EVERYBODY, roles=sorted(ROLES), scopes=scenario.ALL_SCOPES
        )
        assert isinstance(self.desk.one(key, key=OPERATOR), Accepted)
        looker = scenario.post_appointed("looker", "audit")
        assert isinstance(self.submit(looker), Accepted)
        for site in SITES:
            data = {"kind": "site", "name": f"示例工地{site}（模拟数据）"}
            event = self.event("registered", f"subject/{site}", "office", data)
            assert isinstance(self.submit(event), Accepted)

    def commitment(self):
        """Bring a commitment on: mostly what comes next, by whom it should come from."""
        choose = self.random
        key = choose.choice(KEYS)
        if "." in key and not self._is_planned(key):
            key = "P"
        state = self.state(f"commitment/{key}")
        usual = NEXT.get(state.status if state else None)
        if key == "P" and state and state.status == "signed" and not state.children:
            usual = ["decomposed"]
        if choose.random() < 0.15 or usual is None:
            usual = list(MOVES)
        what = choose.choice(usual)
        if what == "cancelled" and choose.random() < 0.8:
            what = "progress_reported"
        by, _ = MOVES[what]
        if choose.random() < 0.2:
            by = choose.choice(_MEDDLERS)
        yield self.told(what, f"commitment/{key}", by, self._said(what, key, state))

    def _said(self, what, key, state):
        """Return a payload that fits the instant and the state, where one must."""
        if what == "publicity_opened":
            days = (self.now, self.now + 3 * scenario.DAY)
            first, last = (rfc3339(day)[:10] for day in days)
            return {"from": first, "until": last, "where": "Board"}
        payloads = MOVES[what][1]
        if what == "completion_claimed":
            return payloads[-1] if state is not None and state.findings else CLAIM
        if what == "registered":
            is_part = "." in key
            payloads = [
                row
                for row in payloads
                if ("parent" in row) == is_part and (is_part or row["due"] != "WD10")
            ]
        return self.random.choice(payloads)

    def _is_planned(self, key):
        whole = self.state("commitment/P")
        return whole is not None and key in whole.children

    def issue(self):
        """Find an issue, or go on with it."""
        choose = self.random
        stream = f"issue/W-{choose.randrange(4)}"
        at = rfc3339(self.now)
        what, by, data = choose.choice(
            (
                (
                    "found",
                    "verifier",
                    {
                        "title": "裸露土方未覆盖（模拟数据）",
                        "category": "earth_uncovered",
                        "severity": "serious",
                        "found_by": "inspection",
                        "found_at": at,
                        "place": {"address": "示例路口"},
                        "subject": choose.choice(SITES),
                        "unit": "gouzhao",
                    },
                ),
                (
                    "fixed_on_spot",
                    "lead",
                    {"text": "已覆盖", "fixed_at": at, "evidence": scenario.PROOF},
                ),
                ("reported", "lead", {"to_unit": "hq", "reported_at": at}),
                ("handed_over", "office", {"to_unit": "city", "requirement": "覆盖"}),
                ("revoked", "office", {"reason": "Recorded twice (fictional)."}),
                ("closed", "verifier", {"text": "复查已覆盖（模拟数据）"}),
            )
        )
        yield self.told(what, stream, by, data)

    def seal(self):
        """Issue the sealing order, or record, confirm or revoke a violation of it."""
        choose = self.random
        name = f"V-{choose.randrange(8)}"
        site = choose.choice(SITES)
        what, by, data = choose.choice(
            (
                ("issued", "boss", _SEAL),
                ("site_bound", "boss", {"site": site}),
                *(
                    2
                    * (("violation_recorded", "verifier", self._violation(name, site)),)
                ),
                *(2 * (("violation_confirmed", "boss", {"violation": name}),)),
                ("violation_revoked", "boss", {"violation": name, "reason": "示例"}),
            )
        )
        if self.state(SEAL) is None:
            what, by, data = "issued", "boss", _SEAL
        yield self.told(what, SEAL, by, data)

    def _violation(self, name, site):
        return {
            "violation": name,
            "site": site,
            "text": "夜间擅自土方作业（模拟数据）",
            "found_at": rfc3339(self.now - scenario.HOUR),
        }

    def case(self):
        """Open a case on facts, sound or not, or go on with it."""
        choose, at = self.random, rfc3339(self.now)
        stream = choose.choice(CASES)
        state = self.state(stream)
        steps = {
            "opened": (
                "opener",
                {**_OPENED, "fact_at": at, "facts": self._facts()},
            ),
            "fact_attached": ("opener", {"facts": self._facts()}),
            "statement_heard": ("opener", {"heard_at": at, "summary": "s"}),
            "decided": ("decider", _DECIDED),
            "served": ("opener", {"served_at": at}),
            "appealed": ("lead", {"received_at": at, "grounds": "g"}),
            "appeal_decided": ("judge", _UPHELD),
        }
        what = "opened" if state is None else choose.choice(list(steps))
        yield self.told(what, stream, *steps[what])

    def _facts(self):
        streams = ("unit/gouzhao", *(f"commitment/{key}" for key in KEYS), *CASES)
        chosen = self.random.sample(streams, k=self.random.choice((1, 1, 2)))
        return [
            {"stream": stream, "version": self.random.choice((1, 1, 2, 4))}
            for stream in chosen
        ]

    def hotline(self):
        """Let another system tell of a call; each source is a stream of its own."""
        self._number += 1
        source = self.random.choice(("urn:test:hotline", "urn:test:sensor"))
        yield scenario.external(self._number, source=source)

    def rules(self):
        """Publish a version of the rules, and let another person activate it."""
        days = self.random.choice((0, 1, 4))
        yield from self.ruleset(self.next_version(), self.now + days * scenario.DAY)

    def next_version(self):
        """Return the number of the next version; the first is the one as shipped."""
        state = self.state(RULESET)
        return 2 if state is None else state.latest + 1

    def ruleset(self, version, valid_from):
        """Yield the publication and the activation of a changed version."""
        content = msgspec.to_builtins(rulesets.built_in()["demo-2017"])
        content |= {"version": version, **self.random.choice(_CHANGES)}
        digest = hashlib.sha256(canonical.encode(content)).hexdigest()
        named = {"version": version, "content_sha256": digest}
        yield self.event(
            "published",
            RULESET,
            "first",
            {**named, "content": content, "valid_from": rfc3339(valid_from)},
        )
        yield self.event("activated", RULESET, "second", named)

    def freeze(self, cut, digest):
        """Freeze the bulletin of the first week at a cut; its answer."""
        data = {
            "name": "weekly_bulletin",
            "period": "2017-W46",
            "cut": {
                "position": cut.position,
                "root": b64encode(cut.root).decode(),
                "ruleset": "demo-2017/1",
                "calendar": "cn/2026.1",
                "template": "weekly_bulletin@2",
                "instant": rfc3339(cut.now),
            },
            "files": [{"format": "json", "sha256": digest}],
        }
        return self.submit(self.event("frozen", FROZEN, "office", data))


_SEAL = {
    "kind": "seal",
    "title": "封土行动（模拟数据）",
    "start": "2017-11-15",
    "base_end": SEAL_END,
    "scope": "建成区内停止土石方作业（模拟数据）",
    "units": ["gouzhao"],
}
_WEIGHTS = {"commitment": 8, "case": 2, "issue": 2, "rules": 0.2, "seal": 2}
#: What may happen, by name.
AREAS = {
    "case": History.case,
    "commitment": History.commitment,
    "hotline": History.hotline,
    "issue": History.issue,
    "rules": History.rules,
    "seal": History.seal,
}


@contextmanager
def on_disk(seed, **more):
    """Yield a history whose log and read models are in one SQLite file, with these."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        store, views = SqliteStore.open(path), SqliteViews(path)
        try:
            yield History(seed, store=store, **more), views
        finally:
            views.close()
            store.close()


@contextmanager
def projected(reader):
    """Yield read models that have folded a whole log."""
    with tempfile.TemporaryDirectory() as folder:
        views = SqliteViews(Path(folder) / "views.db")
        try:
            runner_of(reader, views).catch_up()
            yield views
        finally:
            views.close()


def runner_of(reader, views, **more):
    """Return a runner of all read models."""
    return Runner(
        reader=reader,
        views=views,
        projector=Board(),
        wake=threading.Event(),
        **more,
    )


def cut_at(history, position=None, *, now=None, as_at=None):
    """Return a cut of the log, judged now unless told."""
    return cut_of(
        history.store,
        position=position,
        now=history.now if now is None else now,
        as_at=as_at,
    )
