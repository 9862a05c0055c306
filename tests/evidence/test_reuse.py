"""The same content behind two claims: found from the log, recorded once, and shown."""

from __future__ import annotations

import inspect
import json

import pytest

from events import draft
from events.domain import evidence as domain
from events.store import Selection
from projections import board
from services.evidence import reuse
from services.evidence.reuse import DETECTED, detect_reuse
from tests.evidence.conftest import sha256
from tests.support import scenario

PICTURE = b"a heap of earth, covered (fictional)"
DIGEST = sha256(PICTURE)


@pytest.fixture(autouse=True)
def facts(monkeypatch):
    """Let facts be cited as long as the append path does not tell versions."""
    if "version_of" not in inspect.getsource(draft):
        monkeypatch.setattr(domain, "check_fact", lambda *_args, **_named: None)


@pytest.fixture
def working(desk):
    """A service with units and three commitments that are being worked on."""
    for event in scenario.groundwork():
        desk.service.ledger.submit_as_operator(event)
    for key in "ABC":
        desk.submit(scenario.delegated(scenario.loop(key)[:4]))
    return desk


def progress(key, number, content=DIGEST):
    """Return a report of progress that refers to a content."""
    data = {"percent": number, "text": "Some.", "evidence": [{"sha256": content}]}
    at = scenario.START + (10 + number) * scenario.DAY
    event = scenario.commitment("progress_reported", key, data, time=at, number=number)
    return scenario.acting("lead", event)


def step(desk, **options):
    """Run one step of the worker once the read models have come up to the log."""
    service = desk.service
    reach(service, desk.size)
    return detect_reuse(service.ledger, service.views, **options)


def reach(service, position):
    """Wait for the read models; new ones are live only once they have caught up."""
    service.reach(position, seconds=20)
    while not any(g.state == "live" for g in service.views.generations(board.NAME)):
        pass


def findings(desk):
    """Return the payloads of all findings, oldest first."""
    rows = desk.service.ledger.store.select(Selection(types=(DETECTED,)), limit=100)
    return [json.loads(row.entry)["data"] for row in rows]


def fact(stream, version):
    """Return a citation."""
    return {"stream": f"commitment/{stream}", "version": version}


def test_content_of_two_commitments_is_found_once(working):
    """One event cites the first claim and the other stream's first; no step repeats it."""
    working.submit([progress("A", 1), progress("B", 1), progress("B", 2)])
    first = step(working)
    assert (first.looked, first.found) == (3, 1)
    assert findings(working) == [
        {"sha256": DIGEST, "first": fact("A", 5), "second": fact("B", 5)}
    ]
    again = step(working)
    assert (again.looked, again.found) == (0, 0)
    working.submit([progress("B", 3), progress("A", 2)])
    assert step(working).found == 0
    assert len(findings(working)) == 1


def test_a_third_commitment_is_compared_with_the_first(working):
    """Each stream that uses it again is one finding, in whatever steps they come."""
    working.submit([progress("A", 1), progress("B", 1)])
    assert step(working).found == 1
    working.submit([progress("C", 1)])
    assert step(working).found == 1
    assert [found["second"] for found in findings(working)] == [
        fact("B", 5),
        fact("C", 5),
    ]
    assert {found["first"]["stream"] for found in findings(working)} == {"commitment/A"}


def test_the_same_commitment_may_use_its_content_again(working):
    """Progress and completion of one promise may rest on one picture."""
    working.submit([progress("A", 1), progress("A", 2)])
    assert step(working).found == 0


def test_different_contents_are_no_reuse(working):
    """Each its own."""
    working.submit([progress("A", 1, "1" * 64), progress("B", 1, "2" * 64)])
    assert step(working).found == 0


def test_a_lost_position_finds_nothing_twice(working, monkeypatch):
    """Whether a crash or a rebuild took it: the findings have the ids of then."""
    working.submit([progress("A", 1), progress("B", 1)])
    monkeypatch.setattr(reuse, "_remember", lambda *_args: None)
    assert step(working).found == 1
    done = step(working)
    assert (done.looked, done.found) == (2, 0)
    assert len(findings(working)) == 1


def test_two_workers_at_once_find_it_once(working):
    """The slower one's position is behind; its findings are known."""
    working.submit([progress("A", 1), progress("B", 1)])
    service = working.service
    reach(service, working.size)
    start = service.views.max_tracking_id(reuse.TRACKED_AS)
    assert start is None
    step(working)
    with service.views.snapshot(board.NAME) as snapshot:
        page = reuse.evidence.claims(snapshot, after=0, limit=10)
        pairs = list(reuse._findings(snapshot, page.uses))
    assert len(pairs) == 1
    assert reuse._record(service.ledger, *pairs[0]) is False
    reuse._remember(service.views, 1)
    assert service.views.max_tracking_id(reuse.TRACKED_AS) > 1


def test_small_steps_find_the_same(working):
    """A step that cannot take everything goes on where it was."""
    working.submit([progress("A", n) for n in range(1, 4)])
    working.submit([progress("B", n) for n in range(1, 4)])
    found, looked = 0, 0
    while (done := step(working, most=2)).looked:
        found, looked = found + done.found, looked + done.looked
    assert (found, looked) == (1, 6)


def test_uses_name_every_event_that_refers_to_it(working):
    """Oldest first, in pages, as of any position; with what became of the content."""
    working.put(PICTURE)
    items = working.submit(
        [progress("A", 1), progress("B", 1), progress("C", 1, "3" * 64)]
    )
    positions = [item["position"] for item in items]
    page = working.get(f"{DIGEST}/uses", min_position=working.size).json()
    assert page["status"] == "stored"
    assert [use["position"] for use in page["data"]] == positions[:2]
    assert page["data"][0]["stream"] == "commitment/A"
    assert page["data"][0]["unit"] == "gouzhao"
    assert page["data"][0]["is_claim"] is True
    then = working.get(f"{DIGEST}/uses", as_of=positions[0]).json()
    assert [use["position"] for use in then["data"]] == positions[:1]
    first = working.get(f"{DIGEST}/uses", limit=1).json()
    assert first["has_more"] is True
    rest = working.get(f"{DIGEST}/uses", limit=1, cursor=first["next_cursor"]).json()
    assert [use["position"] for use in rest["data"]] == positions[1:2]
    assert rest["has_more"] is False


def test_uses_of_content_that_is_nowhere_are_none(working):
    """Nothing is known of it, and that is an answer."""
    page = working.get(f"{'4' * 64}/uses").json()
    assert (page["status"], page["data"]) == ("unknown", [])
    assert working.get(f"{DIGEST}/uses", as_of=10**6).json()["code"] == "position_ahead"
