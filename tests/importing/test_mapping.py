"""The mapping file: what is accepted, and how a mistake in it is told."""

from __future__ import annotations

import pytest

from events.errors import Malformed
from services.importing.mapping import (
    IGNORE,
    REPORT,
    Rule,
    parse_mapping,
    read_mapping,
    rule_of,
    wanted_columns,
)

SMALL = """
henji_mapping = 1
source = "urn:example:log"
kind = "permit"
title = "Case {case}"
time = { zone = "UTC", formats = ["iso", "%d-%m-%Y %H:%M:%S"] }
columns = { case = "case", activity = "what", time = "when" }
activities = { "Seen" = "org.example.seen.v1", "Noise" = "ignore" }
"""


def test_a_small_mapping_is_enough():
    """Three columns and one activity make a mapping."""
    mapping = parse_mapping(SMALL)
    assert rule_of(mapping, "Seen") == Rule(type="org.example.seen.v1")
    assert rule_of(mapping, "Noise") == IGNORE
    assert rule_of(mapping, "Never heard of") == REPORT
    assert wanted_columns(mapping) == {
        "case": "columns.case",
        "what": "columns.activity",
        "when": "columns.time",
    }


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("henji_mapping = 1", "", "henji_mapping"),
        ("henji_mapping = 1", "henji_mapping = 2", "henji_mapping"),
        ("kind =", "knid =", "knid"),
        ('what", time', 'what", tmie = "x", time', "columns.tmie"),
        ('time = "when" }', 'when = "when" }', "columns.when"),
        ('case = "case"', "case = 3", "columns.case"),
        ('zone = "UTC"', 'zone = "Mars/Base"', "time.zone"),
        ('"%d-%m-%Y %H:%M:%S"', '"%H:%M"', "time.formats[1]"),
        ("Case {case}", "Case {case", "title"),
        ("Case {case}", "Case {@cases}", "title"),
        ('"org.example.seen.v1"', '"seen"', 'activities."Seen"'),
        ('"org.example.seen.v1"', '{ typ = "a.b" }', 'activities."Seen".typ'),
        ('"org.example.seen.v1"', "7", 'activities."Seen"'),
        (
            '"org.example.seen.v1"',
            '{ type = "a.b", data = { n = "no {n|int}" } }',
            'activities."Seen".data',
        ),
        (
            '"org.example.seen.v1"',
            '{ type = "a.b", data = { n = "{n|float}" } }',
            'activities."Seen".data',
        ),
        ("kind =", 'key = "one"\nkind =', "key"),
        ("kind =", 'due = "soon"\nkind =', "due"),
        ("kind =", 'format = { encoding = "utf-80" }\nkind =', "format.encoding"),
        ("kind =", 'format = { delimiter = ";;" }\nkind =', "format.delimiter"),
        (
            "kind =",
            'units = { names = { A = { id = "u/1" } } }\nkind =',
            'units.names."A".id',
        ),
        (
            "kind =",
            'units = { names = { A = { id = "u" }, B = { id = "u" } } }\nkind =',
            'units.names."B"',
        ),
    ],
)
def test_a_mistake_is_told_with_its_key(old, new, key):
    """Whatever is wrong in a mapping, the error names the key to correct."""
    assert old in SMALL
    text = SMALL.replace(old, new, 1)
    with pytest.raises(Malformed) as caught:
        parse_mapping(text)
    assert caught.value.code == "mapping_invalid"
    assert caught.value.parameters["key"] == key
    assert key in caught.value.detail


def test_what_is_no_toml_or_no_file_is_told(tmp_path):
    """Broken TOML names its line; a missing file its name."""
    with pytest.raises(Malformed, match="line 1"):
        parse_mapping("a = \n")
    with pytest.raises(Malformed, match=r"none\.toml"):
        read_mapping(tmp_path / "none.toml")


def test_the_shipped_mapping_covers_the_receipt_log(mapping):
    """The mapping for the receipt log names all of its 27 activities."""
    assert len(mapping.activities) == 27
    assert mapping.other_activities == REPORT
