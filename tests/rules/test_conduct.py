"""Inaction and slow action: one row a case, by dates that a person can count."""

from __future__ import annotations

import pytest

from projections.rules import conduct
from projections.rules.courses import courses
from tests.rules.diary import end, us

SIGNED = ("signed_for", "2017-11-15 10:00")
PROGRESS = {"text": "示例", "percent": 10}
FAIL = {"result": "fail", "method": "document", "findings": ["示例"]}

SILENT = [
    # what, the last events, from which instant it is inaction
    ("never signed", (), end("2017-11-21")),
    ("signed, then nothing", (SIGNED,), end("2017-11-22")),
    (
        "progress on a Monday",
        (SIGNED, ("progress_reported", "2017-11-20 10:00", PROGRESS)),
        end("2017-11-27"),
    ),
    (
        "over New Year",
        (SIGNED, ("progress_reported", "2017-12-28 10:00", PROGRESS)),
        end("2018-01-05"),
    ),
    (
        "over a worked Saturday",
        (SIGNED, ("progress_reported", "2018-02-13 10:00", PROGRESS)),
        end("2018-02-26"),
    ),
    (
        "returned: asked anew",
        (
            SIGNED,
            ("completion_claimed", "2017-11-20 10:00", {"text": "示例"}),
            ("verification_recorded", "2017-11-24 10:00", FAIL),
        ),
        end("2017-12-01"),
    ),
    (
        "urged, and still silent",
        (SIGNED, ("urged", "2017-11-21 10:00", {"level": "reminder"})),
        end("2017-11-22"),
    ),
    (
        "resumed: counted anew",
        (
            SIGNED,
            (
                "suspended",
                "2017-11-16 10:00",
                {"reason_class": "alert", "reason": "示例"},
            ),
            ("resumed", "2017-11-24 10:00"),
        ),
        end("2017-12-01"),
    ),
]


@pytest.mark.parametrize(
    ("notes", "since"), [row[1:] for row in SILENT], ids=[row[0] for row in SILENT]
)
def test_five_silent_working_days_are_inaction(diary, rules, notes, since):
    """Five whole working days after the last event of the owner, not one moment less."""
    diary.commitment("C-1", *notes, due="2018-03-01")
    (course,) = courses(diary.world("2018-03-31"))
    before = conduct.inaction(course, since - 1, rules)
    found = conduct.inaction(course, since, rules)
    assert (before.value, found.value) == (False, True)
    assert found.rule == "inaction@demo-2017/1"
    assert found.reason["since"] == since


def test_inaction_names_the_last_event(diary, rules):
    """The explanation is the event after which nothing came."""
    made = diary.commitment("C-1", SIGNED)
    (course,) = courses(diary.world("2017-12-01"))
    assert conduct.inaction(course, us("2017-12-01"), rules).events == (made[-1],)


@pytest.mark.parametrize(
    "last",
    [
        ("completion_claimed", "2017-11-20 10:00", {"text": "示例"}),
        (
            "suspended",
            "2017-11-20 10:00",
            {"reason_class": "weather", "reason": "示例"},
        ),
        ("closed", "2017-11-20 10:00"),
    ],
    ids=["claimed", "suspended", "closed"],
)
def test_who_is_not_to_act_is_not_idle(diary, rules, last):
    """Nothing is said of what waits for others, is stopped or has ended."""
    diary.commitment("C-1", SIGNED, last)
    (course,) = courses(diary.world("2018-03-01"))
    assert conduct.inaction(course, us("2018-03-01"), rules) is None


def brief(diary, day, what=None, at=None):
    """Note a daily brief that is owed on a day, and what came of it."""
    stream = f"obligation/daily_brief/gouzhao/{day}"
    data = {
        "kind": "daily_brief",
        "unit": "gouzhao",
        "period": day,
        "due": f"{day}T18:00:00+08:00",
    }
    diary.note("obligation.scheduled", stream, day, data)
    if what == "met":
        met = {"met_at": f"{day}T17:00:00+08:00", "evidence": ["ab" * 32]}
        return diary.note("obligation.met", stream, f"{day} 17:00", met)
    if what == "waived":
        reason = {"reason_class": "weather", "reason": "3 °C（模拟数据）"}
        return diary.note("obligation.waived", stream, f"{day} 08:00", reason)
    return None


def daily(diary, rules, at):
    """Return what the rule says of the brief at a local time."""
    world = diary.world(at)
    return conduct.daily_inaction(world.states("obligation"), world.cut.now, rules)


def test_two_silent_working_days_are_inaction_in_a_daily_duty(diary, rules):
    """Met on Tuesday 11-14, then nothing: inaction when Thursday 11-16 is over."""
    met = brief(diary, "2017-11-14", "met")
    for day in ("2017-11-15", "2017-11-16", "2017-11-17"):
        brief(diary, day)
    assert daily(diary, rules, "2017-11-16 23:59").value is False
    found = daily(diary, rules, "2017-11-17 00:00")
    assert (found.value, found.rule) == (True, "inaction.daily@demo-2017/1")
    assert found.events == (met, 3, 4)


def test_a_day_that_was_waived_is_no_silence(diary, rules):
    """A condition on record suspends a standing duty; counting begins after it."""
    brief(diary, "2017-11-14", "met")
    brief(diary, "2017-11-15", "waived")
    brief(diary, "2017-11-16")
    assert daily(diary, rules, "2017-11-17 09:00").value is False
    brief(diary, "2017-11-17")
    assert daily(diary, rules, "2017-11-18 00:00").value is True
    assert conduct.daily_inaction([], us("2017-11-18"), rules) is None


EXTENSION = {"new_due": "2017-12-29", "reason": "示例", "progress": "示例"}
SLOW = [
    # what, the events, asked at, the signs
    ("in time", (SIGNED,), "2017-12-15 23:59", ()),
    ("overdue", (SIGNED,), "2017-12-16 00:01", ("overdue",)),
    (
        "returned once",
        (SIGNED, ("verification_recorded", "2017-11-20 10:00", FAIL)),
        "2017-11-21",
        (),
    ),
    (
        "returned twice",
        (
            SIGNED,
            ("verification_recorded", "2017-11-20 10:00", FAIL),
            ("verification_recorded", "2017-11-24 10:00", FAIL),
        ),
        "2017-11-25",
        ("returns",),
    ),
    (
        "extended in time",
        (
            SIGNED,
            ("extension_requested", "2017-12-13 09:00", EXTENSION),
            ("extension_granted", "2017-12-14 09:00"),
        ),
        "2017-12-20",
        (),
    ),
    (
        "extended after the due",
        (
            SIGNED,
            ("extension_requested", "2017-12-13 09:00", EXTENSION),
            ("extension_granted", "2017-12-18 09:00"),
        ),
        "2017-12-20",
        ("extended_late",),
    ),
]


@pytest.mark.parametrize(
    ("notes", "at", "signs"), [row[1:] for row in SLOW], ids=[row[0] for row in SLOW]
)
def test_each_sign_of_slow_action(diary, rules, notes, at, signs):
    """Overdue, too many returns, an extension after the due; each with its events."""
    diary.commitment("C-1", *notes)
    (course,) = courses(diary.world("2018-01-31"))
    found = conduct.slow_action(course, us(at), rules)
    assert (found.value, found.reason["signs"]) == (bool(signs), signs)
    assert bool(found.events) == bool(signs)


def test_what_is_grey_is_not_slow(diary, rules):
    """Suspended past its due: nothing is demanded of anybody."""
    stop = {"reason_class": "litigation", "reason": "示例"}
    diary.commitment("C-1", SIGNED, ("suspended", "2017-12-01 09:00", stop))
    (course,) = courses(diary.world("2018-01-31"))
    assert conduct.slow_action(course, us("2018-01-31"), rules) is None
