"""Stream keys and ids made from what a log holds."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.importing.keys import digest, stream_key

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
TEXT = st.text(min_size=1, max_size=90)
PLAIN = st.from_regex(KEY)


@pytest.mark.parametrize("text", ["case-10011", "A", "2017_0012.b", "x" * 64])
def test_a_key_that_is_one_already_stays(text):
    """People find their own case numbers again."""
    assert stream_key(text) == text


@given(TEXT | PLAIN)
def test_every_text_becomes_a_key(text):
    """Any characters and any length give a valid key."""
    assert KEY.match(stream_key(text))


@given(TEXT | PLAIN, TEXT | PLAIN)
def test_two_texts_never_share_a_key(one, other):
    """Different ids stay different, also when one looks like the key of another."""
    for left, right in ((one, other), (one, stream_key(one))):
        if left != right:
            assert stream_key(left) != stream_key(right)


def test_an_id_that_looks_escaped_is_escaped_again():
    """Nobody can name a case so that it lands in the stream of another."""
    key = stream_key("案件 1")
    assert stream_key(key) != key
    assert stream_key("a b") != stream_key("a-b")
    assert stream_key("general", {"general"}) != "general"


def test_a_digest_keeps_boundaries():
    """("ab", "c") and ("a", "bc") are two things."""
    assert digest("ab", "c") != digest("a", "bc")
