"""A log in memory behind the HTTP contract of POST /v1/events, for tests of the import.

It decides nothing but (source, id): new, duplicate, or conflict; what it shall refuse or
how it shall fail is told to it. The real service is tested elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx2

Refuse = Callable[[dict], str | None]


@dataclass
class FakeLog:
    """Answers as the service does; ``failures`` are answered first, one a request."""

    refuse: Refuse = lambda event: None
    failures: list[httpx2.Response | Exception] = field(default_factory=list)
    lose_answers: int = 0
    events: dict[tuple[str, str], dict] = field(default_factory=dict)
    registered: set[str] = field(default_factory=set)
    requests: list[httpx2.Request] = field(default_factory=list)

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        """Answer one request."""
        self.requests.append(request)
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, Exception):
                raise failure
            return failure
        lines = request.content.decode().splitlines()
        dry = request.url.params.get("dry_run") == "true"
        kept = dict(self.events), set(self.registered)
        items = [self._take(i, json.loads(line)) for i, line in enumerate(lines)]
        if dry:
            self.events, self.registered = kept
        elif self.lose_answers:
            self.lose_answers -= 1
            raise httpx2.ReadError("connection reset")
        return self._answer(items)

    def _take(self, index: int, event: dict) -> dict:
        key = (event["source"], event["id"])
        item = {"index": index, "id": event["id"]}
        code = self.refuse(event) or self._rule_broken(event)
        if code is not None and key not in self.events:
            return item | {"status": 422, "problem": {"code": code, "detail": "no"}}
        if key not in self.events:
            self.events[key] = event
            if event["type"].endswith("commitment.registered.v1"):
                self.registered.add(event["subject"])
            return item | {"status": 201, "position": len(self.events)}
        if self.events[key] != event:
            problem = {"code": "event_id_conflict", "title": "Other content"}
            return item | {"status": 409, "problem": problem}
        return item | {"status": 200, "position": 1}

    def _rule_broken(self, event: dict) -> str | None:
        if not event["type"].endswith("commitment.registered.v1"):
            return None
        return "commitment_exists" if event["subject"] in self.registered else None

    def _answer(self, items: list[dict]) -> httpx2.Response:
        counts = {
            "accepted": sum(item["status"] == 201 for item in items),
            "duplicates": sum(item["status"] == 200 for item in items),
            "rejected": sum(item["status"] >= 400 for item in items),
        }
        statuses = {item["status"] for item in items}
        status = statuses.pop() if len(statuses) == 1 else 207
        if status >= 400:
            status = 422
        body = counts | {"items": items, "checkpoint": f"checkpoint {len(self.events)}"}
        return httpx2.Response(status, json=body)

    @property
    def transport(self) -> httpx2.MockTransport:
        """Give the transport for an HTTP client."""
        return httpx2.MockTransport(self.handle)
