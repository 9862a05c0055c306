"""A draw is its population and seed: it can be made again, by anybody."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.domain import sampling

MEMBERS = st.lists(
    st.text(st.characters(min_codepoint=33, max_codepoint=0x4E20), min_size=1),
    unique=True,
    max_size=30,
).filter(lambda rows: all("\n" not in row for row in rows))
SEEDS = st.from_regex(r"[!-~]{1,20}", fullmatch=True)


def by_hand(population, size, seed):
    """Return the sample as the documentation says it, written a second time."""
    keyed = []
    for member in population:
        text = "henji-draw/1\n" + seed + "\n" + member
        keyed.append((hashlib.sha256(text.encode("utf-8")).hexdigest(), member))
    keyed.sort()
    return tuple(member for _, member in keyed[:size])


@settings(deadline=None, max_examples=100)
@given(population=MEMBERS, seed=SEEDS, data=st.data())
def test_a_draw_can_be_made_again(population, seed, data):
    """Whoever has population and seed gets the same sample, in any order of listing."""
    size = data.draw(st.integers(0, len(population)))
    drawn = sampling.draw(population, size, seed)
    assert drawn == by_hand(population, size, seed)
    assert drawn == sampling.draw(data.draw(st.permutations(population)), size, seed)
    assert len(set(drawn)) == size
    assert set(drawn) <= set(population)


@settings(deadline=None, max_examples=100)
@given(population=MEMBERS, seed=SEEDS)
def test_a_larger_sample_begins_with_the_smaller(population, seed):
    """Looking at one more does not exchange those that were drawn."""
    whole = sampling.draw(population, len(population), seed)
    for size in range(len(population)):
        assert sampling.draw(population, size, seed) == whole[:size]
        assert sampling.ranked(whole[:size], seed)


def test_the_method_is_fixed_by_a_vector():
    """Version 1 gives this sample for ever: recorded samples rest on it."""
    population = [f"commitment/GX-2017-{number:04}" for number in range(1, 101)]
    assert sampling.draw(population, 3, "2017-12-11") == (
        "commitment/GX-2017-0026",
        "commitment/GX-2017-0066",
        "commitment/GX-2017-0013",
    )
    assert sampling.digest(["b", "a"]) == hashlib.sha256(b"a\nb\n").hexdigest()


def test_another_seed_gives_another_sample():
    """The seed decides, not the list."""
    population = [str(number) for number in range(200)]
    assert sampling.draw(population, 20, "a") != sampling.draw(population, 20, "b")


def test_an_order_that_no_draw_gives_is_seen():
    """Of a sample alone at least the order can be checked."""
    drawn = sampling.draw(["a", "b", "c"], 3, "s")
    assert sampling.ranked(drawn, "s")
    assert not sampling.ranked(drawn[::-1], "s")
    assert not sampling.ranked((drawn[0], drawn[0]), "s")


@pytest.mark.parametrize(
    ("population", "size", "seed"),
    [
        (["a", "a"], 1, "s"),
        (["a\nb"], 1, "s"),
        (["a"], 1, "s\n"),
        (["a"], 2, "s"),
        (["a"], -1, "s"),
    ],
)
def test_what_could_be_read_two_ways_is_refused(population, size, seed):
    """No member twice, no line feeds, no more than there are."""
    with pytest.raises(ValueError, match=r"twice|one line|cannot draw"):
        sampling.draw(population, size, seed)
