"""A case rests on facts of the log, and no two steps of power are in one hand."""

from __future__ import annotations

import pytest

from events.domain.access import ROLES
from events.domain.accountability import EVENT_TYPES, FORMS
from events.domain.accountability_payloads import Form
from events.entries import instant
from tests.support.governance import actor

CASE = "accountability/ZZ-1"
FACT = {"stream": "post/head", "version": 2}
OPENED = {
    "title": "逾期未整改",
    "unit": "gouzhao",
    "post": "head",
    "person_ref": "p:2",
    "fact_at": "2017-11-20T00:00:00Z",
    "facts": [FACT],
}
HEARD = {"heard_at": "2017-11-24T08:00:00Z", "summary": "s"}
DECIDED = {
    "form": "warning",
    "findings": "f",
    "basis": ["b"],
    "approving_body": "示例",
    "effective_from": "2017-11-25T00:00:00Z",
    "appeal_days": 30,
    "appeal_body": "示例",
}
SERVED = {"served_at": "2017-11-24T08:00:00Z"}
EXECUTED = {"executed_at": "2017-11-24T08:00:00Z", "result": "r"}
APPEALED = {"received_at": "2017-11-24T08:00:00Z", "grounds": "g"}
JUDGED = {"outcome": "upheld", "body": "示例", "reasons": "r"}
OPENER, DECIDER, JUDGE = actor("opener"), actor("decider"), actor("judge")
PARTY = actor("head", "gouzhao", roles={"lead"})

STEPS = (
    ("opened", OPENER, OPENED),
    ("statement_heard", OPENER, HEARD),
    ("decided", DECIDER, DECIDED),
    ("served", OPENER, SERVED),
    ("appealed", PARTY, APPEALED),
    ("appeal_decided", JUDGE, JUDGED),
)


def play(world, last, **changes):
    """Take the usual steps up to and including one; return the state."""
    for what, by, data in STEPS:
        state = world.send(
            f"accountability.{what}", CASE, by, **data, **changes.get(what, {})
        )
        if what == last:
            return state
    raise AssertionError(last)


def do(world, what, by=OPENER, **data):
    """Take one step."""
    return world.send(f"accountability.{what}", CASE, by, **data)


def refused(world, what, by=OPENER, **data):
    """Return the refusal of one step."""
    return world.refusal(f"accountability.{what}", CASE, by, **data)


def test_forms_are_named_in_both_languages():
    """The table of forms and the values that a decision accepts are the same."""
    assert tuple(FORMS) == Form.__args__
    assert all(en.isascii() and zh for en, zh in FORMS.values())


def test_only_discipline_and_headquarters_act():
    """Others only register clues, make outcomes known, and appeal (2.7)."""
    own = {"discipline", "headquarters"}
    wider = {
        row.name.split(".")[2]: row.roles - own
        for row in EVENT_TYPES
        if row.roles > own
    }
    assert wider == {
        "clue_registered": {"office", "system"},
        "published": {"office"},
        "appealed": {"lead", "support", "enterprise"},
    }
    assert all(own <= row.roles <= ROLES.keys() for row in EVENT_TYPES)


@pytest.mark.parametrize(
    ("stream", "version", "sound"),
    [
        ("post/head", 1, True),
        ("post/head", 2, True),
        ("post/head", 3, False),
        ("commitment/none", 1, False),
        (CASE, 1, False),
    ],
)
def test_a_case_is_opened_on_sealed_facts_only(world, stream, version, sound):
    """I10: each fact is an event of the log, sealed before the opening."""
    facts = {"facts": [FACT | {"version": 1}, {"stream": stream, "version": version}]}
    if (stream, version) == ("post/head", 1):
        expected = ("fact_repeated", "/data/facts/1")
    elif sound:
        assert do(world, "opened", **(OPENED | facts)).status == "open"
        return
    else:
        expected = ("fact_unknown", "/data/facts/1")
    assert refused(world, "opened", **(OPENED | facts)) == expected


def test_an_opening_names_a_fact(world):
    """Without any fact there is no case."""
    assert refused(world, "opened", **(OPENED | {"facts": []}))[0] == "schema_violation"


def test_a_clue_becomes_a_case_and_lends_it_its_facts(world):
    """What the clue cited stays a fact of the case."""
    clue = {"origin": "urging", "title": "t", "summary": "s", "unit": "gouzhao"}
    world.send("accountability.clue_registered", CASE, **clue, facts=[FACT])
    other = {"stream": "unit/gouzhao", "version": 1}
    state = do(world, "opened", **(OPENED | {"facts": [other]}))
    assert state.facts == {("post/head", 2), ("unit/gouzhao", 1)}
    assert state.clue_at == state.opened_at == world.now


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"unit": "none"}, "unit_unknown", "/data/unit"),
        (
            {"unit": "none", "facts": [], "title": "t"},
            "schema_violation",
            "/data/facts",
        ),
        ({"person_ref": "p:1"}, "post_not_held_then", "/data/person_ref"),
        ({"fact_at": "2016-01-01T00:00:00Z"}, "post_not_held_then", "/data/person_ref"),
        ({"post": "none"}, "post_not_held_then", "/data/person_ref"),
        ({"unit": "shifo"}, "post_of_other_unit", "/data/post"),
        ({"fact_at": "2017-11-25T00:00:00Z"}, "instant_in_future", "/data/fact_at"),
        ({"ruleset": "none"}, "ruleset_unknown", "/data/ruleset"),
    ],
)
def test_the_person_held_the_post_when_it_happened(world, change, code, pointer):
    """The chain of responsibility is that of the instant of the fact."""
    assert refused(world, "opened", **(OPENED | change)) == (code, pointer)


def test_the_earlier_holder_answers_for_the_earlier_fact(world):
    """Appointments are read as of the fact, not as of now."""
    earlier = {"fact_at": "2017-10-31T23:59:59Z", "person_ref": "p:1"}
    assert do(world, "opened", **(OPENED | earlier)).person_ref == "p:1"


@pytest.mark.parametrize("missing", ["post", "person_ref"])
def test_post_and_person_go_together(world, missing):
    """One without the other is refused; a case against a unit has neither."""
    data = {name: value for name, value in OPENED.items() if name != missing}
    assert refused(world, "opened", **data) == (
        "accountable_incomplete",
        f"/data/{missing}",
    )
    unit = {n: v for n, v in OPENED.items() if n not in {"post", "person_ref"}}
    assert do(world, "opened", **unit).person_ref is None


def test_the_opener_does_not_decide(world):
    """Opening and deciding are two persons' work; another key of the post is the same."""
    play(world, "statement_heard")
    twin = actor("opener", "other", roles={"headquarters"})
    assert refused(world, "decided", twin, **DECIDED) == ("decider_is_opener", "/type")
    state = do(world, "decided", DECIDER, **DECIDED)
    assert (state.decider, state.form) == ("post:decider", "warning")


def test_nobody_is_judged_unheard(world):
    """A decision needs a statement, or that it was declined."""
    play(world, "opened")
    assert refused(world, "decided", DECIDER, **DECIDED) == (
        "statement_not_heard",
        "/type",
    )
    do(world, "statement_heard", **HEARD, declined=True)
    assert do(world, "decided", DECIDER, **DECIDED).status == "decided"


def test_a_decision_leaves_the_time_to_appeal_that_the_rules_say(world):
    """The least window is a number of the ruleset in force."""
    play(world, "statement_heard")
    short = DECIDED | {"appeal_days": 29}
    code = ("appeal_window_too_short", "/data/appeal_days")
    assert refused(world, "decided", DECIDER, **short) == code


@pytest.mark.parametrize(
    ("received", "taken"),
    [
        ("2017-12-24T15:59:59.999999Z", True),
        ("2017-12-24T16:00:00Z", False),
    ],
)
def test_an_appeal_is_in_time_to_the_end_of_the_last_day(world, received, taken):
    """30 calendar days after service on the 24th: 24:00 in Shanghai of 24 December."""
    state = play(world, "served")
    assert state.appeal_until == instant("2017-12-24T16:00:00Z")
    world.at("2018-02-01T00:00:00Z")
    appeal = APPEALED | {"received_at": received}
    if taken:
        assert do(world, "appealed", PARTY, **appeal).status == "appealed"
    else:
        where = ("appeal_too_late", "/data/received_at")
        assert refused(world, "appealed", PARTY, **appeal) == where


def test_only_the_party_or_discipline_brings_an_appeal(world):
    """Another unit has no say in the case."""
    play(world, "served")
    stranger = actor("head", "shifo", roles={"lead"})
    code = ("appeal_of_other_unit", "/type")
    assert refused(world, "appealed", stranger, **APPEALED) == code
    assert do(world, "appealed", OPENER, **APPEALED).status == "appealed"


def test_an_appeal_is_judged_by_another_than_the_decider(world):
    """Who decided does not review it."""
    play(world, "appealed")
    code = ("appeal_judge_is_decider", "/type")
    assert refused(world, "appeal_decided", DECIDER, **JUDGED) == code
    assert do(world, "appeal_decided", JUDGE, **JUDGED).status == "final"


def test_an_appeal_does_not_suspend_execution(world):
    """The decision may be carried out while it is appealed against, once."""
    play(world, "appealed")
    assert do(world, "executed", **EXECUTED).executed_at == world.now
    assert refused(world, "executed", **EXECUTED) == ("case_executed_already", "/type")


@pytest.mark.parametrize(
    ("outcome", "form", "code"),
    [
        ("upheld", "criticism", "appeal_form_only_on_change"),
        ("revoked", "criticism", "appeal_form_only_on_change"),
        ("changed", None, "appeal_form_only_on_change"),
        ("changed", "warning", "appeal_form_unchanged"),
    ],
)
def test_only_a_change_names_another_form(world, outcome, form, code):
    """The form of an appeal's outcome fits the outcome."""
    play(world, "appealed")
    data = JUDGED | {"outcome": outcome} | ({"form": form} if form else {})
    assert refused(world, "appeal_decided", JUDGE, **data) == (code, "/data/form")


def test_a_changed_decision_is_carried_out_anew(world):
    """What was executed before the change does not count for what is in force."""
    play(world, "appealed")
    do(world, "executed", **EXECUTED)
    changed = JUDGED | {"outcome": "changed", "form": "interview"}
    state = do(world, "appeal_decided", JUDGE, **changed)
    assert (state.form, state.decided_form) == ("interview", "warning")
    assert refused(world, "closed", summary="s") == ("case_not_executed", "/type")
    do(world, "executed", **EXECUTED)
    assert do(world, "closed", summary="s").outcome == "carried_out"


def test_a_revoked_decision_ends_as_revoked(world):
    """Nothing is left to execute; the revocation can be made known."""
    play(world, "appealed")
    do(world, "published", where="w")
    state = do(world, "appeal_decided", JUDGE, **(JUDGED | {"outcome": "revoked"}))
    assert (state.status, state.form) == ("revoked", None)
    assert refused(world, "executed", **EXECUTED)[0] == "not_allowed_in_state"
    do(world, "published", where="w")
    assert refused(world, "published", where="w") == ("case_published_already", "/type")
    assert do(world, "closed", summary="s").outcome == "revoked"


def test_a_case_closes_once_it_is_executed_and_final(world):
    """Not before execution, and not while an appeal may still come."""
    play(world, "served")
    assert refused(world, "closed", summary="s") == ("case_not_executed", "/type")
    do(world, "executed", **EXECUTED)
    assert refused(world, "closed", summary="s") == ("appeal_window_open", "/type")
    world.at("2017-12-24T16:00:00Z")
    assert do(world, "closed", summary="s").outcome == "carried_out"


@pytest.mark.parametrize(
    ("last", "outcome"), [("clue_registered", "not_opened"), ("opened", "no_action")]
)
def test_a_case_may_end_without_a_decision(world, last, outcome):
    """How it ended follows from where it stood."""
    if last == "opened":
        play(world, last)
    else:
        do(world, last, origin="complaint", title="t", summary="s")
    assert do(world, "closed", summary="s").outcome == outcome
    assert refused(world, "influence_lifted") == ("influence_not_over", "/type")


def test_influence_ends_on_the_day_that_the_decision_names(world):
    """It is lifted from 24:00 of the last day on."""
    play(world, "appeal_decided", decided={"influence_until": "2018-05-24"})
    do(world, "executed", **EXECUTED)
    do(world, "closed", summary="s")
    world.at("2018-05-24T15:59:59Z")
    assert refused(world, "influence_lifted") == ("influence_not_over", "/type")
    world.at("2018-05-24T16:00:00Z")
    assert do(world, "influence_lifted").status == "lifted"


@pytest.mark.parametrize(
    ("before", "what", "member"),
    [
        ("decided", "served", "served_at"),
        ("served", "executed", "executed_at"),
        ("served", "appealed", "received_at"),
    ],
)
def test_steps_follow_each_other_in_time(world, before, what, member):
    """A step is neither before the one it follows nor in the future."""
    play(world, before)
    data = {"served": SERVED, "executed": EXECUTED, "appealed": APPEALED}[what]
    early = data | {member: "2017-11-24T07:59:59.999999Z"}
    assert refused(world, what, **early) == ("instant_too_early", f"/data/{member}")
    ahead = data | {member: "2017-11-24T08:00:00.000001Z"}
    assert refused(world, what, **ahead) == ("instant_in_future", f"/data/{member}")
    do(world, what, **data)


def test_a_statement_was_heard_before_it_is_recorded(world):
    """The hearing is not in the future."""
    play(world, "opened")
    ahead = HEARD | {"heard_at": "2017-11-24T08:00:00.000001Z"}
    where = ("instant_in_future", "/data/heard_at")
    assert refused(world, "statement_heard", **ahead) == where


def test_facts_are_attached_once(world):
    """A fact of the case is not attached again; another one is, if it exists."""
    play(world, "opened")
    assert refused(world, "fact_attached", facts=[FACT]) == (
        "fact_repeated",
        "/data/facts/0",
    )
    more = {"stream": "unit/gouzhao", "version": 1}
    assert len(do(world, "fact_attached", facts=[more]).facts) == 2
    unknown = more | {"version": 2}
    assert refused(world, "fact_attached", facts=[unknown])[0] == "fact_unknown"


def test_a_clue_cites_what_exists(world):
    """Its unit and its facts are known."""
    clue = {"origin": "urging", "title": "t", "summary": "s"}
    assert refused(world, "clue_registered", **clue, unit="none")[0] == "unit_unknown"
    unknown = {"stream": "commitment/none", "version": 1}
    code = refused(world, "clue_registered", **clue, facts=[unknown])[0]
    assert code == "fact_unknown"


def test_an_upheld_decision_stays_as_it_was(world):
    """Form and execution hold; the outcome of the appeal is on record."""
    play(world, "appealed")
    do(world, "executed", **EXECUTED)
    state = do(world, "appeal_decided", JUDGE, **JUDGED)
    assert (state.form, state.executed_at) == ("warning", world.now)
    assert (state.appealed_at, state.appeal_outcome) == (world.now, "upheld")
    assert do(world, "closed", summary="s").outcome == "carried_out"


def test_an_opening_says_whom_the_case_is_about(world):
    """The unit of the clue was a guess; that of the opening counts, at any instant."""
    clue = {"origin": "urging", "title": "t", "summary": "s", "unit": "shifo"}
    do(world, "clue_registered", **clue)
    state = do(world, "opened", **(OPENED | {"fact_at": "2017-11-24T08:00:00Z"}))
    assert (state.unit, state.post, state.person_ref) == ("gouzhao", "head", "p:2")
