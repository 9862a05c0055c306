"""Selections on every store against the plainest possible reading of their meaning."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events import postgres_statements, sqlite
from events.store import Row, Selection
from tests.store.batches import Draft, put
from tests.store.conftest import NAMES

TYPES = ("a.b", "a.b.c", "a.bc", "a/b", "z", "a", "ä.b", "a.b~", "a.b𝄞")
SOURCES = ("urn:a", "urn:b", "urn:ab")
STREAMS = ("s/1", "s/2", "s/10", "S/1")
BATCHES = 12


@pytest.fixture(scope="session", params=NAMES)
def filled(request, open_shared_store):
    """Return a store of 12 batches; two of them are sealed at one and the same instant."""
    store = open_shared_store(request.param)
    for batch in range(BATCHES):
        drafts = [
            Draft(
                stream=STREAMS[(batch * 7 + n) % len(STREAMS)],
                id=f"{batch}-{n}",
                type=TYPES[(batch * 5 + n * n) % len(TYPES)],
                source=SOURCES[(batch + n) % len(SOURCES)],
                occurred=(batch * 37 + n * 11) % 50,
            )
            for n in range(batch % 4 + 1)
        ]
        put(store, drafts, ingested=100 + 10 * (batch - (batch == 6)))
    return store, list(store.iter_entries())


def chosen(values):
    return st.lists(st.sampled_from(values), min_size=1, max_size=3).map(tuple)


#: The instants of the batches, and the ones right after them.
INSTANTS = sorted({100 + 10 * n + by for n in range(-1, BATCHES + 1) for by in (0, 1)})

FIELDS = {
    "after": st.integers(-1, 35),
    "until": st.integers(0, 40),
    "types": chosen((*TYPES, "*", "a*", "a.*", "a.b*", "ä*", "none*", "none")),
    "sources": chosen((*SOURCES, "none")),
    "streams": chosen((*STREAMS, "none")),
    "without": chosen(("s", "S", "none")),
    "occurred_from": st.integers(-1, 51),
    "occurred_before": st.integers(-1, 51),
    "ingested_from": st.sampled_from(INSTANTS),
    "ingested_before": st.sampled_from(INSTANTS),
}

#: Few fields at a time: a row must be able to fail, or pass, by one of them alone.
selections = (
    st.sets(st.sampled_from(sorted(FIELDS)), max_size=3)
    .flatmap(lambda names: st.fixed_dictionaries({n: FIELDS[n] for n in names}))
    .map(lambda fields: Selection(**fields))
)


def within(value: int, low: int | None, high: int | None) -> bool:
    return (low is None or value >= low) and (high is None or value < high)


def matches(want: Selection, row: Row) -> bool:
    """Say whether a row is meant, one sentence of the contract a line."""
    by_type = [
        row.type.startswith(one[:-1]) if one.endswith("*") else row.type == one
        for one in want.types
    ]
    return (
        row.position > want.after
        and (want.until is None or row.position <= want.until)
        and (not want.types or any(by_type))
        and (not want.sources or row.source in want.sources)
        and (not want.streams or row.stream in want.streams)
        and row.stream.split("/")[0] not in want.without
        and within(row.occurred, want.occurred_from, want.occurred_before)
        and within(row.ingested, want.ingested_from, want.ingested_before)
    )


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(want=selections, limit=st.integers(1, 40), newest_first=st.booleans())
def test_select_is_what_the_selection_says(filled, want, limit, newest_first):
    """A selection gives exactly the matching rows, ordered, up to the limit."""
    store, rows = filled
    expected = [row for row in rows if matches(want, row)]
    ordered = expected[::-1] if newest_first else expected
    assert store.select(want, limit=limit, newest_first=newest_first) == ordered[:limit]


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(want=selections, few=st.sampled_from([0, 3, 1_000]), limit=st.integers(1, 40))
def test_however_many_happened_then_the_answer_is_the_same(filled, want, few, limit):
    """Found by when they happened, or on a walk through the log."""
    store, rows = filled
    expected = [row for row in rows if matches(want, row)][::-1]
    with pytest.MonkeyPatch.context() as patch:
        for module in (sqlite, postgres_statements):
            patch.setattr(module, "FEW", few)
        assert store.select(want, limit=limit, newest_first=True) == expected[:limit]


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(instant=st.integers(90, 230))
def test_position_at_is_the_last_sealed(filled, instant):
    """The position of any instant is that of the last row sealed at or before it."""
    store, rows = filled
    expected = max((r.position for r in rows if r.ingested <= instant), default=0)
    assert store.position_at(instant) == expected


@pytest.mark.parametrize("text", ["'; DROP TABLE log_entry; --", "%", "%s", '"', "\\"])
def test_text_in_a_selection_is_only_text(filled, text):
    """SQL and format characters in a filter match nothing and break nothing."""
    store, rows = filled
    for field in ("types", "sources", "streams"):
        for value in (text, text + "*"):
            assert store.select(Selection(**{field: (value,)}), limit=5) == []
    assert store.find(text, text) is None
    assert store.head().size == len(rows)
