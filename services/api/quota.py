"""What a ledger takes in a minute: events and bytes, counted where they come in.

Rules of this file: counting and wording. A count is this process's own: a ledger served
by several takes as many times as much. Headers follow the IETF draft "RateLimit header
fields for HTTP" (draft-ietf-httpapi-ratelimit-headers-11).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from events import errors
from services.settings import Settings

_SECONDS = 60
_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class _Limit:
    name: str
    unit: str
    item: RateLimitItem

    @property
    def policy(self) -> str:
        """Return it as the header states a policy."""
        return f'"{self.name}";q={self.item.amount};w={_SECONDS};qu="{self.unit}"'


class Quota:
    """The limits of one ledger; ``clock`` gives µs. No limit costs one comparison."""

    def __init__(self, settings: Settings, *, clock: Callable[[], int]) -> None:
        self._clock = clock
        given = (
            ("events", "requests", settings.events_per_minute),
            ("bytes", "content-bytes", settings.bytes_per_minute),
        )
        self._limits = tuple(
            _Limit(name, unit, RateLimitItemPerMinute(most))
            for name, unit, most in given
            if most
        )
        self._counter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def spend(self, *, events: int, size: int) -> Mapping[str, str]:
        """Count a submission; return the headers that tell what is left.

        ``Unavailable('quota_exceeded')`` with ``seconds`` to wait: the limit that it
        exceeds has not counted it.
        """
        if not self._limits:
            return _NOTHING
        costs = {"events": events, "bytes": size}
        for limit in self._limits:
            if not self._counter.hit(limit.item, limit.name, cost=costs[limit.name]):
                _, seconds = self._left(limit)
                raise errors.Unavailable(
                    "quota_exceeded",
                    limit=limit.item.amount,
                    unit=limit.name,
                    seconds=max(1, seconds),
                )
        return self._told()

    def _told(self) -> dict[str, str]:
        parts = []
        for limit in self._limits:
            left, seconds = self._left(limit)
            parts.append(f'"{limit.name}";r={left};t={seconds}')
        policies = ", ".join(limit.policy for limit in self._limits)
        return {"RateLimit-Policy": policies, "RateLimit": ", ".join(parts)}

    def _left(self, limit: _Limit) -> tuple[int, int]:
        """Return what is left of a limit, and the seconds until it grows again."""
        stats = self._counter.get_window_stats(limit.item, limit.name)
        seconds = ceil(stats.reset_time - self._clock() / 1_000_000)
        return stats.remaining, max(0, seconds)
