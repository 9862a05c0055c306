"""Canonical JSON: what is refused and why, and equality with an independent peer."""

from __future__ import annotations

import contextlib
import json
import math

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from events import canonical
from events.errors import Malformed

REFUSED = [
    (b'"\xff"', "invalid_utf8"),
    (b'"\xc0\xa0"', "invalid_utf8"),
    (b'"\xed\xa0\x80"', "invalid_utf8"),
    (b'\xff\xfe"\x00a\x00"\x00', "invalid_utf8"),
    (b"\xef\xbb\xbf{}", "byte_order_mark"),
    ("\ufeff{}", "byte_order_mark"),
    (b"", "json_syntax"),
    (b"{} {}", "json_syntax"),
    (b"[1,]", "json_syntax"),
    (b"01", "json_syntax"),
    (b"'a'", "json_syntax"),
    (b'{"a":1 /* no */}', "json_syntax"),
    (b'{"a":1,"a":1}', "duplicate_key"),
    (b'{"a":1,"\\u0061":2}', "duplicate_key"),
    (b'{"\\"":1,"\\u0022":2}', "duplicate_key"),
    (b'{"x":{"\\\\":1,"\\u005c":[{}]}}', "duplicate_key"),
    (b'{"a":{"b":"c"},"a":{"b":"c","d":"e"}}', "duplicate_key"),
    (b'[{"k":"\\\\"},{"k":"\\\\\\"","k":0}]', "duplicate_key"),
    (b"NaN", "not_a_number"),
    (b"[-Infinity]", "not_a_number"),
    (b"1e400", "number_overflow"),
    (b'{"a":-1e309}', "number_overflow"),
    (b"9007199254740992", "unsafe_integer"),
    (b"[-9007199254740992]", "unsafe_integer"),
    (b"1e20", "unsafe_integer"),
    (b"9007199254740991.5", "unsafe_integer"),
    (b"123456789012345678901234567890", "unsafe_integer"),
    (b"9" * 5000, "unsafe_integer"),
    (b'"\\ud800"', "lone_surrogate"),
    (b'"\\ud800\\u0041"', "lone_surrogate"),
    (b'{"\\udc00":1}', "lone_surrogate"),
    ('"\ud800"', "lone_surrogate"),
    (b'"a\nb"', "control_character"),
    (b'"\x1b[31m"', "control_character"),
    (b'"\\u0000"', "control_character"),
    (b'"\\b"', "control_character"),
    (b'"\\f"', "control_character"),
    (b'"\x7f"', "control_character"),
    (b'"\\u0085"', "control_character"),
    ('"\x9b"', "control_character"),
    (b'{"\\u001f":1}', "control_character"),
    ('"\ufdd0"', "noncharacter"),
    ('{"\uffff":1}', "noncharacter"),
    ('"\U0010fffe"', "noncharacter"),
    (b'"\\ud83f\\udffe"', "noncharacter"),
    (b"[" * 65 + b"]" * 65, "json_too_deep"),
    (b'{"a":' * 65 + b"1" + b"}" * 65, "json_too_deep"),
    (b"[" * 100_000, "json_too_deep"),
]


@pytest.mark.parametrize(("raw", "code"), REFUSED)
def test_each_forbidden_text_is_refused_with_its_own_code(raw, code):
    """A text that is not strict JSON is refused, and the code says which rule it broke."""
    with pytest.raises(Malformed) as caught:
        canonical.parse(raw)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("raw", "value", "text"),
    [
        (b"-0", 0, b"0"),
        (b'{"\\u005c":"\\u005c"}', {"\\": "\\"}, b'{"\\\\":"\\\\"}'),
        (b"-0.0", 0, b"0"),
        (b"1.0", 1, b"1"),
        (b"1E2", 100, b"100"),
        (b"1e-7", 1e-7, b"1e-7"),
        (b"0.000001", 1e-6, b"0.000001"),
        (b"1.5e-6", 1.5e-6, b"0.0000015"),
        (b"9007199254740991", 2**53 - 1, b"9007199254740991"),
        (b"-9007199254740991.0", 1 - 2**53, b"-9007199254740991"),
        (b"4503599627370495.5", 4503599627370495.5, b"4503599627370495.5"),
        (b"5e-324", 5e-324, b"5e-324"),
        (b"1e-400", 0, b"0"),
        (b'"\\t\\r\\n\\/\\u00e9"', "\t\r\n/é", '"\\t\\r\\n/é"'.encode()),
        (b'"\\ud83d\\ude00"', "😀", '"😀"'.encode()),
        (b'"\\\\u0000\\\\b"', "\\u0000\\b", b'"\\\\u0000\\\\b"'),
        ('"\u3000\u200b"', "\u3000\u200b", '"\u3000\u200b"'.encode()),
        (b' { "b" : [ ] , "a" : { } } ', {"a": {}, "b": []}, b'{"a":{},"b":[]}'),
        ('{"\ue000":1,"😀":2}', {"😀": 2, "\ue000": 1}, '{"😀":2,"\ue000":1}'.encode()),
        (b'["[[[[","{{{{"]' + b" " * 99, ["[[[[", "{{{{"], b'["[[[[","{{{{"]'),
    ],
)
def test_each_accepted_text_has_one_value_and_one_form(raw, value, text):
    """Spellings that ECMAScript holds equal give the same value and the same bytes."""
    parsed = canonical.parse(raw)
    assert parsed == value
    assert type(parsed) is type(value)
    assert canonical.encode(parsed) == text
    assert canonical.is_canonical(text)


def test_sixty_four_levels_are_accepted():
    """The deepest nesting allowed is 64, whatever the brackets inside strings say."""
    raw = b"[" * 64 + b'"' + b"[" * 99 + b'"' + b"]" * 64
    assert canonical.is_canonical(raw)


def test_an_error_points_at_the_string():
    """A forbidden character is reported with the JSON pointer of its string."""
    with pytest.raises(Malformed) as caught:
        canonical.parse(b'{"data":{"a/b":["x","\\u0007"]}}')
    (fault,) = caught.value.faults
    assert (fault.pointer, fault.detail) == ("/data/a~1b/1", "U+0007")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (math.nan, "not_a_number"),
        ([math.inf], "not_a_number"),
        (2**53, "unsafe_integer"),
        ({"a": 1e20}, "unsafe_integer"),
        ("\ud800", "lone_surrogate"),
        ({"a": "\x00"}, "control_character"),
        ({"\uffff": 1}, "noncharacter"),
        (json.loads("[" * 65 + "]" * 65), "json_too_deep"),
    ],
)
def test_encode_writes_nothing_that_parse_refuses(value, code):
    """Strictness holds in both directions."""
    with pytest.raises(Malformed) as caught:
        canonical.encode(value)
    assert caught.value.code == code


@pytest.mark.parametrize("value", [{1: 2}, {"a": b"x"}, {"a": {1}}, [object()]])
def test_encode_refuses_what_is_not_json(value):
    """A Python value without a JSON type is a programming error, not a bad input."""
    with pytest.raises(TypeError):
        canonical.encode(value)


@pytest.mark.parametrize(
    "raw", [b'{"b":1,"a":2}', b'{"a": 1}', b"1.0", b'"\\u0061"', b'"\\/"', b"[1", b" 1"]
)
def test_other_spellings_are_not_canonical(raw):
    """Only the canonical bytes themselves are called canonical."""
    assert not canonical.is_canonical(raw)


INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
FLOATS = st.floats(-(2**53) + 1, 2**53 - 1).filter(lambda f: abs(f) < 2**53 - 1)
TEXTS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cn"))
    | st.sampled_from('\t\r\n"\\/'),
    max_size=12,
)
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | FLOATS | TEXTS,
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(TEXTS, children, max_size=5)
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=400)
@given(VALUES)
def test_the_bytes_equal_an_independent_implementation(value):
    """Fast path and fallback together are RFC 8785, and what is written is read back."""
    text = canonical.encode(value)
    assert text == rfc8785.dumps(value)
    assert canonical.parse(text) == value
    assert canonical.encode(canonical.parse(text)) == text


@settings(deadline=None, max_examples=600)
@given(FLOATS.filter(lambda f: not f.is_integer()) | st.floats(-1e-2, 1e-2))
def test_numbers_equal_an_independent_implementation(number):
    """Every double that is accepted is spelt as ECMAScript spells it."""
    assert canonical.encode([number]) == rfc8785.dumps([number])


@settings(deadline=None, max_examples=300)
@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_reading_agrees_with_the_standard_library(value, ascii_only, indent):
    """However a value is spelt (escapes, spaces), the same value is read."""
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert canonical.parse(text) == value


@settings(deadline=None, max_examples=300)
@given(VALUES, st.data())
def test_a_repeated_key_is_always_found(value, data):
    """A duplicate is found at any depth, with any escapes around it."""
    key = data.draw(TEXTS)
    spelt = [json.dumps(key), json.dumps(key, ensure_ascii=False)]
    one, two = (json.dumps(data.draw(VALUES), ensure_ascii=False) for _ in range(2))
    twice = f"{{{spelt[0]}:{one},{spelt[1]}:{two}}}"
    raw = f'[{json.dumps(value)},{{"x":{twice}}}]'
    with pytest.raises(Malformed) as caught:
        canonical.parse(raw)
    assert caught.value.code == "duplicate_key"


@settings(deadline=None, max_examples=500)
@given(VALUES, st.data())
def test_damaged_bytes_raise_nothing_but_malformed(value, data):
    """No input, however damaged, escapes with another exception."""
    raw = bytearray(canonical.encode(value))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    with contextlib.suppress(Malformed):
        parsed = canonical.parse(bytes(raw))
        assert canonical.parse(canonical.encode(parsed)) == parsed


@given(VALUES)
def test_what_was_parsed_needs_no_second_look(value):
    """Encoding a parsed value without checks gives the canonical bytes."""
    parsed = canonical.parse(canonical.encode(value))
    assert canonical.encode_parsed(parsed) == canonical.encode(parsed)


@pytest.mark.parametrize("literal", ["1e-7", "0.0005", "-0.00099", "1.5e-10", "0.5"])
def test_small_fractions_are_spelt_canonically_without_checks(literal):
    """A fraction that msgspec may spell in another way is spelt as RFC 8785 says."""
    parsed = canonical.parse(f'{{"e-9":[{literal}],"text":"e-1 0.000"}}')
    assert canonical.encode_parsed(parsed) == canonical.encode(parsed)
