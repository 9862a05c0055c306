"""Submitting the campaign through the HTTP API, each system with its own key.

Rules of this file: batches and their answers. Nothing is held but one batch and one
copy of the campaign, so a hundred copies need no more memory than one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

import msgspec

from services.demo.campaign.record import DISCIPLINE, GRID, LANES, OFFICE, Sent
from services.importing.client import Post, Refusal, Staged, Wait, batches, send
from services.importing.client import http_post as open_post

#: What the key of each system needs; each also delegates and records the past.
ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    OFFICE: (
        "office",
        "headquarters",
        "lead",
        "support",
        "verifier",
        "lookback",
        "adapter",
    ),
    GRID: ("grid_worker",),
    DISCIPLINE: ("discipline",),
}
SCOPES: Final = ("events:write", "events:read", "backfill", "delegate")


@dataclass(slots=True)
class Sending:
    """What came of it; ``refusals`` should be empty."""

    accepted: int = 0
    already_there: int = 0
    refusals: list[Refusal] = field(default_factory=list)

    @property
    def judged(self) -> int:
        """How many events the log has judged."""
        return self.accepted + self.already_there + len(self.refusals)


def submit(
    events: Iterable[Sent],
    *,
    url: str,
    keys: Mapping[str, str],
    wait: Wait,
    progress: Callable[[int], None],
) -> Sending:
    """Submit events in order; ``keys`` are by system, see ``ROLES``.

    Raises as ``client.send`` does; ``progress`` is told how many were judged.
    """
    done = Sending()
    with ExitStack() as stack:
        posts: dict[str, Post] = {
            lane: stack.enter_context(open_post(url, keys[lane])) for lane in LANES
        }
        for lane, run in groupby(events, key=lambda one: one.lane):
            for batch in batches(_staged(run)):
                outcome = send(batch, posts[lane], wait)
                done.accepted += outcome.accepted
                done.already_there += outcome.duplicates
                done.refusals += outcome.refusals
                progress(done.judged)
    return done


def _staged(run: Iterable[Sent]) -> Iterable[Staged]:
    for one in run:
        yield Staged(0, creates_unit=False, body=msgspec.json.encode(one.event))
