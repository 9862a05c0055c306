"""Checklists and code lists: whole, dated, and fixed once they are published."""

from __future__ import annotations

import hashlib
from datetime import date
from importlib.resources import files

import pytest

from events.domain import codelists

COUNTS = {
    "dust-100/2015": 6,
    "dust-100/2017-11": 7,
    "dust-100/2018": 8,
    "two_cuts_three_clears/2017": 5,
    "restaurant_purifier/2017": 4,
}

#: A published version never changes: old visits are read by it.
DIGESTS = {
    "alert-measure_2017-11.toml": "4e48b8171a648d32",
    "alert-plan_2016-10.toml": "bb8f922e93953ad3",
    "alert-plan_2017-09.toml": "b670a959b38a1b0c",
    "dust-100_2015.toml": "958ce0c809a2f04e",
    "dust-100_2017-11.toml": "c57f4ccdf2cfb6c6",
    "dust-100_2018.toml": "7e92ee3e3c5c0421",
    "issue-category_2017-11.toml": "69639a7598796930",
    "restaurant_purifier_2017.toml": "06d2c13d836943a4",
    "two_cuts_three_clears_2017.toml": "c82841e5ef93b3e8",
}


def _digests():
    found = {}
    for folder in ("checklists", "codelists"):
        for entry in files("events.domain").joinpath(folder).iterdir():
            found[entry.name] = hashlib.sha256(entry.read_bytes()).hexdigest()[:16]
    return found


def test_published_lists_have_not_changed():
    """Each list is byte for byte what it was when it was published."""
    assert _digests() == DIGESTS


def test_checklists_have_their_items():
    """六、七、八个百分之百, 两断三清 and the purifier's have as many items as said."""
    for ref, count in COUNTS.items():
        assert len(codelists.published()[ref].items) == count


def test_codes_are_distinct_and_worded():
    """A code occurs once in its list and has a Chinese text; a file is named for it."""
    for ref, row in codelists.published().items():
        assert len(set(row.codes)) == len(row.codes)
        assert all(
            any("\u4e00" <= c <= "\u9fff" for c in item.zh) for item in row.items
        )
        names = {
            entry for entry in _digests() if entry == ref.replace("/", "_") + ".toml"
        }
        assert names, ref


def test_only_the_seventh_item_is_unconfirmed():
    """What could not be established is marked, in both languages, and nothing else."""
    marked = [
        (ref, item.id)
        for ref, row in codelists.published().items()
        for item in row.items
        if item.unconfirmed
    ]
    assert marked == [("dust-100/2017-11", "video_monitoring")]
    item = codelists.published()["dust-100/2017-11"].items[6]
    assert item.note_en
    assert item.note_zh


@pytest.mark.parametrize(
    ("day", "ref"),
    [
        ("2015-11-30", None),
        ("2015-12-01", "dust-100/2015"),
        ("2017-10-31", "dust-100/2015"),
        ("2017-11-01", "dust-100/2017-11"),
        ("2018-10-31", "dust-100/2017-11"),
        ("2018-11-01", "dust-100/2018"),
        ("2026-11-23", "dust-100/2018"),
    ],
)
def test_a_day_has_its_version(day, ref):
    """The version in force is the last one that had begun."""
    found = codelists.in_force("dust-100", date.fromisoformat(day))
    assert (found and found.ref) == ref


def test_there_is_no_list_of_another_name():
    """An unknown name or version is none, not the nearest one."""
    assert codelists.find("dust-100/2016") is None
    assert codelists.in_force("dust", date(2020, 1, 1)) is None
