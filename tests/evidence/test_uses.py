"""The index of uses: which payloads refer to content, and its questions on both stores."""

from __future__ import annotations

import json

import msgspec
import pytest

from projections import evidence
from projections.board import NAME, Board
from projections.facts import Fact
from projections.postgres import PostgresViews
from projections.sqlite import SqliteViews

ONE, TWO = "1" * 64, "2" * 64


@pytest.fixture(params=["sqlite", "postgres"])
def views(request, tmp_path):
    """Yield an empty store of read models of each kind."""
    if request.param == "sqlite":
        store = SqliteViews(tmp_path / "views.db")
    else:
        store = PostgresViews(request.getfixturevalue("postgres_dsn"))
    yield store
    store.close()


def fact(position, stream, what, data):
    """Return an entry as the folds see it."""
    kind = stream.partition("/")[0]
    return Fact(
        position=position,
        stream=stream,
        version=position,
        type=f"henji.{kind}.{what}.v1",
        id=f"e{position}",
        source="urn:test:oa",
        occurred=position,
        recorded=position,
        ingested=position,
        key="k",
        unit=None,
        post=None,
        person=None,
        due_at=None,
        policy=None,
        data=msgspec.Raw(json.dumps(data, separators=(",", ":")).encode()),
    )


def refers(*digests):
    """Return a payload that refers to contents."""
    return {"evidence": [{"sha256": digest} for digest in digests]}


FACTS = [
    fact(1, "commitment/A", "progress_reported", refers(ONE, TWO)),
    fact(2, "issue/I", "found", refers(ONE)),
    fact(3, "commitment/A", "completion_claimed", refers(ONE)),
    fact(4, "commitment/B", "verification_recorded", refers(ONE)),
    fact(5, "commitment/B", "completion_claimed", refers(ONE)),
    fact(6, "commitment/B", "completion_claimed", refers(ONE)),
]


def rows_of(facts):
    """Return the uses that the fold makes of these."""
    return [evidence.Use._make(r) for r in evidence.fold(facts, {})["evidence_use"]]


@pytest.fixture
def snapshot(views):
    """Yield a read of the live index over ``FACTS``."""
    made = views.create(Board())
    changes = evidence.fold(FACTS, {})
    done = views.apply(made, Board().tables, position=6, changes=changes)
    assert views.switch(done)
    with views.snapshot(NAME) as opened:
        yield opened


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (refers(ONE, ONE, TWO), [ONE, TWO]),
        ({"evidence": [ONE, "no digest", {"note": "x"}, 5]}, [ONE]),
        ({"track": [{"sha256": TWO}], "distance_m": 5}, [TWO]),
        ({"answers": [{"finding": 1, **refers(ONE)}]}, [ONE]),
        ({"sha256": ONE}, []),
        ({"evidence": []}, []),
        ({"evidence": "1" * 64}, []),
        ([refers(ONE)], [ONE]),
        (None, []),
        ("evidence", []),
    ],
)
def test_references_are_found_wherever_they_stand(data, found):
    """Members `evidence` and `track` at any depth; each content once an event."""
    uses = rows_of([fact(1, "commitment/A", "progress_reported", data)])
    assert [use.sha256 for use in uses] == found


def test_only_claims_are_compared():
    """A verifier may look at what was claimed; an external event claims nothing."""
    claims = {use.position: use.claim for use in rows_of(FACTS)}
    assert claims == {
        1: "commitment",
        2: "issue",
        3: "commitment",
        4: "",
        5: "commitment",
        6: "commitment",
    }
    external = fact(7, "external/x", "found", refers(ONE))._replace(type="org.x.found")
    assert rows_of([external])[0].claim == ""


def test_uses_of_a_content_are_pages_in_order(snapshot):
    """By position, beyond a place and up to a moment."""
    page = evidence.uses(snapshot, ONE, limit=10)
    assert ([use.position for use in page.uses], page.position) == (
        [1, 2, 3, 4, 5, 6],
        6,
    )
    page = evidence.uses(snapshot, ONE, after=2, as_of=5, limit=2)
    assert ([use.position for use in page.uses], page.position) == ([3, 4], 5)
    assert evidence.uses(snapshot, "9" * 64, limit=10).uses == []


def test_claims_come_in_the_order_of_the_log(snapshot):
    """Those of all contents and kinds, without what is no claim."""
    page = evidence.claims(snapshot, after=1, limit=10)
    assert [use.position for use in page.uses] == [2, 3, 5, 6]


def test_the_first_claim_is_found_with_the_stream_s_own(snapshot):
    """Of the same kind, before the use; the stream's own says that it is known."""
    found = {
        use.position: [e.position for e in evidence.earlier_claims(snapshot, use)]
        for use in evidence.claims(snapshot, after=0, limit=10).uses
        if use.sha256 == ONE
    }
    assert found == {1: [], 2: [], 3: [1], 5: [1], 6: [1, 5]}
