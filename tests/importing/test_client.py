"""Sending: batches, retries, what is refused, and a second run that adds nothing."""

from __future__ import annotations

import json

import httpx2
import msgspec
import pytest

from events.errors import Denied, Malformed, Unavailable
from services.importing import client
from services.importing.report import (
    EXIT_CONFLICTS,
    EXIT_DONE,
    EXIT_NOTHING,
    EXIT_STOPPED,
    as_json,
    exit_code,
)
from tests.importing.fake_log import FakeLog


def problem(status, code="x", **headers):
    """Give an answer with a problem document."""
    body = {"status": status, "code": code, "title": code}
    return httpx2.Response(status, json=body, headers=headers)


def staged(count, size=1):
    """Give events to send."""
    body = json.dumps({"source": "s", "id": "x" * size}).encode()
    return [client.Staged(n, creates_unit=False, body=body) for n in range(count)]


def test_a_second_run_adds_nothing(sample, mapping, import_into):
    """The first run is new in the log, the second one is known to the last event."""
    log = FakeLog()
    first = import_into(log, sample, mapping)
    assert (first.accepted, first.duplicates) == (first.events, 0)
    assert exit_code(first) == EXIT_DONE
    second = import_into(log, sample, mapping)
    assert (second.accepted, second.duplicates) == (0, first.events)
    assert exit_code(second) == EXIT_DONE
    assert second.checkpoint == f"checkpoint {first.events}"


def test_the_request_is_the_documented_one(sample, mapping, import_into):
    """NDJSON to /v1/events with the key, item by item, receipts not asked for."""
    log = FakeLog()
    import_into(log, sample, mapping)
    request = log.requests[0]
    assert request.url == "http://log.test/v1/events?on_error=continue"
    assert request.headers["Authorization"] == "Bearer hj_test_key"
    assert request.headers["Content-Type"] == "application/x-ndjson"
    assert request.headers["Prefer"] == "return=minimal"


@pytest.mark.parametrize(
    ("failures", "pauses"),
    [
        ([problem(429, **{"Retry-After": "3"}), problem(503)], [3.0, 0.5]),
        ([httpx2.ConnectError("refused"), httpx2.ReadTimeout("slow")], [0.25, 0.5]),
        ([problem(503, **{"Retry-After": "9999"})], [30.0]),
        ([problem(502), problem(504)], [0.25, 0.5]),
    ],
)
def test_what_passes_is_tried_again(sample, mapping, import_into, failures, pauses):
    """Busy, away or cut off: the same body goes again after the pause asked for."""
    log, waits = FakeLog(failures=list(failures)), []
    report = import_into(log, sample, mapping, waits)
    assert report.accepted == report.events
    assert waits == pauses
    tries = log.requests[: len(failures) + 1]
    assert len({request.content for request in tries}) == 1


def test_a_lost_answer_doubles_nothing(sample, mapping, import_into):
    """Taken but not acknowledged: sent again, and counted as known."""
    log = FakeLog(lose_answers=1)
    report = import_into(log, sample, mapping)
    assert len(log.events) == report.events == report.accepted + report.duplicates
    assert report.duplicates == len(log.requests[0].content.splitlines())
    assert exit_code(report) == EXIT_DONE


def test_items_that_could_not_be_judged_go_again(sample, mapping, import_into):
    """A 503 on some items of a mixed answer sends the batch again; counts stay true."""
    # 7 units and the dry run of 15 registrations come before the rows.
    turns = iter([None] * 40 + ["busy"])

    def busy_once(event):
        return next(turns, None)

    log = FakeLog(refuse=busy_once)
    answer = log._answer

    def as_busy(items):
        for item in items:
            if item.get("problem", {}).get("code") == "busy":
                item["status"] = 503
        return answer(items)

    log._answer = as_busy
    report = import_into(log, sample, mapping)
    assert report.accepted == report.events == len(log.events)
    assert (report.duplicates, report.rejected) == (0, 0)


def test_it_gives_up_after_bounded_tries(sample, mapping, import_into):
    """A service that stays away stops the import, and the report says so."""
    log, waits = FakeLog(failures=[problem(503)] * 100), []
    report = import_into(log, sample, mapping, waits)
    assert report.stopped["code"] == "import_service_unavailable"
    assert len(log.requests) == 8
    assert len(waits) == 7
    assert exit_code(report) == EXIT_NOTHING


def test_a_stop_half_way_is_told_and_resumed(shipped, mapping, import_into):
    """What is in the log stays; the next run adds the rest."""
    log = FakeLog()
    handle, served = log.handle, []

    def three_batches(request):
        served.append(request)
        # The units, three dry runs over the 1,434 registrations, three batches.
        return handle(request) if len(served) <= 7 else problem(503)

    log.handle = three_batches
    report = import_into(log, shipped, mapping)
    assert (report.accepted, exit_code(report)) == (1512, EXIT_STOPPED)
    log.handle = handle
    again = import_into(log, shipped, mapping)
    assert (again.accepted, again.duplicates) == (again.events - 1512, 1512)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (problem(401, "credentials_invalid"), "import_key_refused"),
        (problem(403, "scope_missing"), "import_key_refused"),
        (problem(415, "unsupported_media_type"), "import_answer_unusable"),
        (httpx2.Response(200, text="<html>hello</html>"), "import_answer_unusable"),
        (
            httpx2.Response(200, json={"accepted": 1, "duplicates": 0, "rejected": 0}),
            "import_answer_unusable",
        ),
    ],
)
def test_an_answer_to_the_whole_request_stops(
    sample, mapping, import_into, answer, code
):
    """A bad key, a wrong address, an answer that counts otherwise: no silent loss."""
    report = import_into(FakeLog(failures=[answer]), sample, mapping)
    assert report.stopped["code"] == code
    assert report.accepted == 0


def test_a_changed_cell_is_a_conflict(sample, mapping, import_into, tmp_path):
    """An edited row is neither added nor passed over: it is named, and the exit code says so."""
    log = FakeLog()
    import_into(log, sample, mapping)
    text = sample.read_text()
    assert text.count("Group 4,Resource10,2011-10-12 08:26:25.398000+02:00") == 1
    edited = tmp_path / "edited.csv"
    edited.write_text(
        text.replace(
            "Group 4,Resource10,2011-10-12 08:26:25.398000+02:00",
            "Group 4,Resource10,2011-10-12 08:26:26.398000+02:00",
        )
    )
    report = import_into(log, edited, mapping)
    (example,) = report.conflicts.examples
    assert (example.place, example.detail) == (3, "case/case-10011/event/task-42935")
    assert (report.accepted, report.rejected) == (0, 0)
    assert exit_code(report) == EXIT_CONFLICTS


def test_refused_events_are_grouped_by_code(sample, mapping, import_into):
    """What the log refuses is counted under its code with the first lines."""

    def no_units(event):
        return "role_missing" if event["type"].endswith("unit.created.v1") else None

    report = import_into(FakeLog(refuse=no_units), sample, mapping)
    assert report.refused["role_missing"].count == report.rejected > 0
    assert report.accepted == report.events - report.rejected
    assert as_json(report)["refused"]["role_missing"]["examples"]
    json.dumps(as_json(report))


def test_a_unit_that_is_there_already_is_no_failure(sample, mapping, import_into):
    """Another import created the unit: it is left as it is, and counted."""

    def known(event):
        is_unit = event["type"].endswith("unit.created.v1")
        return "stream_already_started" if is_unit else None

    report = import_into(FakeLog(refuse=known), sample, mapping)
    assert report.units_known > 0
    assert (report.rejected, report.conflicts.count) == (0, 0)


def test_batches_keep_the_limits_of_the_api():
    """At most 500 events and 4 MiB a body, in order, none left out."""
    many = list(client.batches(staged(1203)))
    assert [len(batch) for batch in many] == [500, 500, 203]
    assert [one.place for batch in many for one in batch] == list(range(1203))
    large = list(client.batches(staged(200, size=60_000)))
    assert all(sum(len(one.body) + 1 for one in b) <= 4 * 2**20 for b in large)
    assert sum(map(len, large)) == 200
    assert [len(b) for b in client.batches(staged(2, size=5 * 2**20))] == [1, 1]


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Denied), (400, Malformed), (503, Unavailable)]
)
def test_errors_have_their_class(status, kind):
    """Who calls the client alone can tell a bad key from a service that is away."""

    def post(_body):
        return client.Reply(status, b"{}")

    with pytest.raises(kind):
        client.send(staged(1), post, lambda _seconds: None)


def test_the_same_case_number_of_another_log_is_left_out(
    sample, mapping, import_into, tmp_path
):
    """A case that another source registered gets none of our rows; the rest goes in."""
    log = FakeLog()
    lines = sample.read_text().splitlines(keepends=True)
    theirs = tmp_path / "theirs.csv"
    theirs.write_text("".join(x for x in lines if "case-10011" in x or x is lines[0]))
    import_into(log, theirs, msgspec.structs.replace(mapping, source="urn:other:log"))
    before = len(log.events)
    report = import_into(log, sample, mapping)
    (example,) = report.findings["case_of_another_source"].examples
    assert example.detail == "case/case-10011/registered"
    assert report.accepted == report.events == len(log.events) - before
    ours = [e for e in log.events.values() if e["source"] == mapping.source]
    assert not any(e["subject"].endswith("case-10011") for e in ours)
    assert report.cases == 15
    again = import_into(log, sample, mapping)
    assert (again.accepted, again.rejected) == (0, 0)


def test_a_key_template_keeps_two_logs_apart(sample, mapping, import_into):
    """With a prefix the same case numbers are other commitments."""
    log = FakeLog()
    import_into(log, sample, mapping)
    other = msgspec.structs.replace(mapping, source="urn:b", key="b-{@case}")
    report = import_into(log, sample, other)
    assert "case_of_another_source" not in report.findings
    assert report.accepted == report.events
