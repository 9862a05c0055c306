"""The file of a subject: its class, plans, exemptions, orders, status and merger."""

from __future__ import annotations

import pytest

SITE = "subject/S-1"
FIRM = "subject/E-1"
PLAN = {"title": "一企一策", "measures": [{"code": "M1", "text": "x"}]}
CLASS = {"categories": ["scattered"], "handling": "ban", "basis": "x"}
SEAL = {"order": "seal", "start": "2017-11-15", "end": "2018-03-15"}


@pytest.fixture
def files(world):
    """Return a world with a site and an enterprise on file."""
    world.send("subject.registered", SITE, kind="site", name="示例工地")
    world.send("subject.registered", FIRM, kind="enterprise", name="示例厂")
    return world


def test_a_position_has_two_numbers(world):
    """A longitude alone is no position; the missing member is pointed at."""
    data = {"kind": "site", "name": "x", "longitude": 113.5}
    refused = world.refusal("subject.registered", SITE, **data)
    assert refused == ("position_incomplete", "/data/latitude")


def test_categories_are_fixed(files):
    """Only 散, 乱 and 污 exist, each at most once."""
    unknown = files.refusal(
        "subject.classified", FIRM, **(CLASS | {"categories": ["x"]})
    )
    assert unknown == ("schema_violation", "/data/categories/0")
    twice = files.refusal(
        "subject.classified", FIRM, **(CLASS | {"categories": ["scattered"] * 2})
    )
    assert twice == ("category_repeated", "/data/categories")
    files.send("subject.classified", FIRM, **CLASS)
    assert files.states[FIRM].categories == {"scattered"}


def test_a_relocation_has_a_time_limit(files):
    """Relocation without a deadline is refused."""
    moved = CLASS | {"handling": "relocate"}
    refused = files.refusal("subject.classified", FIRM, **moved)
    assert refused == ("relocation_needs_deadline", "/data/deadline")
    files.send("subject.classified", FIRM, **moved, deadline="2017-12-10")


def test_plan_versions_have_no_gaps(files):
    """Versions are 1, 2, 3 ...: no gap, no repeat."""
    for version in (1, 2):
        for wrong in (version - 1 or 5, version + 1):
            refused = files.refusal(
                "subject.plan_approved", FIRM, version=wrong, **PLAN
            )
            assert refused == ("plan_version_not_next", "/data/version")
        files.send("subject.plan_approved", FIRM, version=version, **PLAN)
    assert files.states[FIRM].plan_version == 2


def test_measures_of_a_plan_have_codes_of_their_own(files):
    """A code is used once in a plan."""
    plan = PLAN | {"measures": PLAN["measures"] * 2}
    refused = files.refusal("subject.plan_approved", FIRM, version=1, **plan)
    assert refused == ("measure_repeated", "/data/measures/1/code")


def test_windows_are_not_inverted(files):
    """Neither a schedule nor a seal ends before it starts."""
    schedule = {"start": "2018-03-15", "end": "2017-11-15", "limit_percent": 0}
    refused = files.refusal("subject.schedule_set", FIRM, **schedule, basis="x")
    assert refused == ("window_ends_before_start", "/data/end")
    refused = files.refusal(
        "subject.seal_applied", SITE, **(SEAL | {"end": "2017-11-14"})
    )
    assert refused == ("window_ends_before_start", "/data/end")


def test_only_a_site_is_sealed_once_an_order(files):
    """A sealing order applies to sites, and once to each."""
    refused = files.refusal("subject.seal_applied", FIRM, **SEAL)
    assert refused == ("seal_needs_site", "/subject")
    files.send("subject.seal_applied", SITE, **SEAL)
    refused = files.refusal("subject.seal_applied", SITE, **SEAL)
    assert refused == ("seal_applied_already", "/data/order")


def test_exemptions_begin_and_end(files):
    """An exemption is granted once, ended once, and may be granted again."""
    unknown = files.refusal("subject.exemption_ended", SITE, exemption="E", reason="x")
    assert unknown == ("exemption_unknown", "/data/exemption")
    files.send("subject.exemption_granted", SITE, exemption="E", basis="x")
    twice = files.refusal("subject.exemption_granted", SITE, exemption="E", basis="x")
    assert twice == ("exemption_granted_already", "/data/exemption")
    files.send("subject.exemption_ended", SITE, exemption="E", reason="x")
    assert not files.states[SITE].exemptions
    files.send("subject.exemption_granted", SITE, exemption="E", basis="x")


def test_a_closed_subject_takes_only_a_change_of_status(files):
    """After a ban nothing is filed but a relapse, which opens the file again."""
    files.send("subject.status_changed", FIRM, status="closed", reason="x")
    refused = files.refusal("subject.plan_approved", FIRM, version=1, **PLAN)
    assert refused == ("not_allowed_in_state", "/type")
    same = files.refusal("subject.status_changed", FIRM, status="closed", reason="x")
    assert same == ("subject_status_unchanged", "/data/status")
    files.send("subject.status_changed", FIRM, status="operating", reason="relapse")
    files.send("subject.plan_approved", FIRM, version=1, **PLAN)


def test_a_file_is_merged_into_another_one_that_goes_on(files):
    """A merger needs another file that is not merged itself, and is final."""

    def merge(into):
        return files.refusal("subject.merged", FIRM, into=into, reason="x")

    assert merge("E-1") == ("subject_merged_into_itself", "/data/into")
    assert merge("E-9") == ("subject_unknown", "/data/into")
    files.send("subject.merged", SITE, into="E-1", reason="x")
    assert merge("S-1") == ("subject_merged_already", "/data/into")
    refused = files.refusal("subject.status_changed", SITE, status="closed", reason="x")
    assert refused == ("not_allowed_in_state", "/type")


def test_a_subject_lies_in_a_cell_in_use(units):
    """A cell that nobody drew, or that was given up, holds no subject."""
    data = {"kind": "site", "name": "示例工地", "grid": "zone-1"}
    where = ("grid_unknown", "/data/grid")
    assert units.refusal("subject.registered", SITE, **data) == where
    units.send("grid.drawn", "grid/zone-1", name="示例网格", level=1, unit="zone")
    units.send("subject.registered", SITE, **data)
    units.send("grid.ended", "grid/zone-1", reason="x")
    assert units.refusal("subject.registered", "subject/S-2", **data) == where
