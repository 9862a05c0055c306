"""Pass rates of checklists: by item, by visit, by the version of the list."""

from __future__ import annotations

from events.domain import codelists
from events.domain.periods import span
from projections.rules.checklists import pass_rates

REF = "dust-100/2017-11"
CODES = codelists.published()[REF].codes


def visit(diary, number, results, *, ref=REF, at="2017-11-20 09:00"):
    """Note a visit with results by item; return the positions of the items."""
    stream = f"inspection/X-{number}"
    start = {"kind": "inspection", "unit": "zone", "targets": ["subject/S-1"]}
    diary.note("inspection.started", stream, at, start)
    return [
        diary.note(
            "inspection.item_checked",
            stream,
            at,
            {"checklist": ref, "item": item, "result": result},
        )
        for item, result in results
    ]


def test_a_visit_passes_with_all_seven(diary, rules):
    """One visit passes, one fails an item, one leaves an item out."""
    good = visit(diary, 1, [(code, "pass") for code in CODES])
    bad = visit(
        diary, 2, [(code, "pass") for code in CODES[:-1]] + [(CODES[-1], "fail")]
    )
    short = visit(diary, 3, [(code, "pass") for code in CODES[1:]])
    (found,) = pass_rates(diary.world("2017-12-01"), span("2017-11"), rules=rules)
    assert (found.value.checklist, len(CODES)) == (REF, 7)
    assert found.value.visits.hits == (good[-1],)
    assert found.value.visits.base == (good[-1], bad[-1], short[-1])
    items = dict(found.value.items)
    assert (items[CODES[0]].numerator, items[CODES[0]].denominator) == (2, 2)
    assert (items[CODES[-1]].numerator, items[CODES[-1]].denominator) == (2, 3)
    assert found.rule == "checklist_pass_rate@demo-2017/1"
    assert found.events == (*good, *bad, *short)


def test_what_does_not_apply_is_no_case(diary, rules):
    """It neither fails the visit nor counts for the item."""
    results = [(code, "pass") for code in CODES[:-1]] + [(CODES[-1], "not_applicable")]
    visit(diary, 1, results)
    (found,) = pass_rates(diary.world("2017-12-01"), span("2017-11"), rules=rules)
    assert found.value.visits.value == 1.0
    assert dict(found.value.items)[CODES[-1]].value is None


def test_the_last_look_at_an_item_counts(diary, rules):
    """Checked again on the same visit: put right while the inspector waited."""
    visit(diary, 1, [(CODES[0], "fail"), *((code, "pass") for code in CODES)])
    (found,) = pass_rates(diary.world("2017-12-01"), span("2017-11"), rules=rules)
    assert found.value.visits.value == 1.0


def test_each_version_of_a_list_is_told_apart(diary, rules):
    """Visits by the list of 2015 are not judged by that of 2017."""
    old = codelists.published()["dust-100/2015"].codes
    visit(diary, 1, [(code, "pass") for code in old], ref="dust-100/2015")
    visit(diary, 2, [(code, "pass") for code in CODES])
    found = pass_rates(diary.world("2017-12-01"), span("2017-11"), rules=rules)
    assert [(row.value.checklist, row.value.visits.value) for row in found] == [
        ("dust-100/2015", 1.0),
        (REF, 1.0),
    ]
    assert len(found[0].value.items) == 6


def test_visits_of_another_period_do_not_count(diary, rules):
    """The period is that of the visit."""
    visit(diary, 1, [(CODES[0], "pass")], at="2017-12-01 00:00")
    assert pass_rates(diary.world("2017-12-31"), span("2017-11"), rules=rules) == ()
