"""A content is kept once by its digest; its reuse and its erasure are on record."""

from __future__ import annotations

import pytest

from events.domain.evidence import evidence_stream
from tests.support.governance import actor

DIGEST = "ab" * 32
STREAM = evidence_stream(DIGEST)
SERVICE = actor("service", roles={"system"})
STORED = {"sha256": DIGEST, "media_type": "image/jpeg", "size": 10}
REJECTED = {"sha256": DIGEST, "reason": "malware"}
FIRST = {"stream": "unit/gouzhao", "version": 1}
SECOND = {"stream": "post/head", "version": 1}
THIRD = {"stream": "post/head", "version": 2}
REUSE = {"sha256": DIGEST, "first": FIRST, "second": SECOND}
ERASED = {"reason": "r", "basis": "b", "approver_post": "records"}


def send(world, what, **data):
    """Send one event of the content."""
    return world.send(f"evidence.{what}", STREAM, SERVICE, **data)


def refused(world, what, by=SERVICE, **data):
    """Return the refusal of one event of the content."""
    return world.refusal(f"evidence.{what}", STREAM, by, **data)


@pytest.mark.parametrize(
    ("what", "data"),
    [("stored", STORED), ("rejected", REJECTED), ("reuse_detected", REUSE)],
)
def test_the_digest_is_that_of_the_stream(world, what, data):
    """What is said of another content is refused."""
    other = data | {"sha256": "cd" * 32}
    where = ("evidence_digest_mismatch", "/data/sha256")
    assert refused(world, what, **other) == where


def test_a_stream_of_evidence_is_a_digest(world):
    """Another key is no evidence stream."""
    code = world.refusal("evidence.stored", "evidence/AB", SERVICE, **STORED)
    assert code == ("subject_malformed", "/subject")


def test_content_is_stored_once(world):
    """After that it is kept; what was rejected before may be stored later."""
    assert not send(world, "rejected", **REJECTED).kept
    assert send(world, "stored", **STORED).kept
    assert refused(world, "stored", **STORED)[0] == "not_allowed_in_state"
    assert refused(world, "rejected", **REJECTED)[0] == "not_allowed_in_state"


def test_reuse_is_recorded_once_for_each_second_use(world):
    """Both uses are events of the log, and different; stored or not."""
    same = REUSE | {"second": FIRST}
    assert refused(world, "reuse_detected", **same) == (
        "evidence_reuse_of_itself",
        "/data/second",
    )
    for member in ("first", "second"):
        unknown = REUSE | {member: {"stream": "post/head", "version": 3}}
        where = ("fact_unknown", f"/data/{member}")
        assert refused(world, "reuse_detected", **unknown) == where
    assert send(world, "reuse_detected", **REUSE).status == "referred"
    assert refused(world, "reuse_detected", **REUSE)[0] == "evidence_reuse_known"
    send(world, "stored", **STORED)
    state = send(world, "reuse_detected", **(REUSE | {"second": THIRD}))
    assert state.kept
    assert state.reuses == {("post/head", 1), ("post/head", 2)}


def test_bytes_are_erased_by_two_and_never_come_back(world):
    """The approver is another; the digest and its reuses stay on record."""
    send(world, "stored", **STORED)
    send(world, "reuse_detected", **REUSE)
    own = actor("records", roles={"admin"})
    where = ("evidence_erasure_not_by_two", "/data/approver_post")
    assert refused(world, "erased", own, **ERASED) == where
    state = send(world, "erased", **ERASED)
    assert (state.kept, len(state.reuses)) == (False, 1)
    assert refused(world, "stored", **STORED)[0] == "not_allowed_in_state"
    assert refused(world, "erased", **ERASED)[0] == "not_allowed_in_state"
    send(world, "reuse_detected", **(REUSE | {"second": THIRD}))


def test_content_that_was_referred_to_may_be_rejected(world):
    """Its rejection shows, and the reuse stays on record."""
    send(world, "reuse_detected", **REUSE)
    state = send(world, "rejected", **REJECTED)
    assert (state.status, state.kept, len(state.reuses)) == ("rejected", False, 1)
