"""What the clients of a run keep on disk: each step before or after it was taken.

One line of JSON a step, written through before the client goes on. Nothing is judged
here; a journal knows nothing of the ledger.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

Name = tuple[str, str]
"""(source, id): what an event is called for ever."""


class Told(NamedTuple):
    """What a client was told of an event that was accepted; ``leaf`` is hex."""

    name: Name
    position: int
    leaf: str
    receipt: str
    repeated: bool = False


@dataclass
class Account:
    """What all clients have kept, read back: by the names of events."""

    sent: dict[Name, Mapping[str, Any]] = field(default_factory=dict)
    #: Sent once more under a name that was used: other content, never to be accepted.
    contradicted: list[Mapping[str, Any]] = field(default_factory=list)
    accepted: list[Told] = field(default_factory=list)
    refused: dict[Name, str] = field(default_factory=dict)
    #: Handed to the broker and acknowledged by it; no answer of the ledger is due.
    produced: Counter[Name] = field(default_factory=Counter)
    #: Answers of 503, by their codes: what was sent is to be sent again.
    away: Counter[str] = field(default_factory=Counter)
    #: Answers that no client should get: (status, text).
    strange: list[tuple[int, str]] = field(default_factory=list)

    @property
    def unknown(self) -> set[Name]:
        """Return what was sent, and neither answered nor taken by the broker."""
        told = {one.name for one in self.accepted}
        return set(self.sent) - told - set(self.refused) - set(self.produced)


def name_of(event: Mapping[str, Any]) -> Name:
    """Return the name of an event."""
    return event["source"], event["id"]


class Journal:
    """The journal of a run; safe from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab", buffering=0)
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()

    def sending(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Keep what is about to be sent."""
        self._write([{"step": "sent", "event": event} for event in events])

    def contradicting(self, event: Mapping[str, Any]) -> None:
        """Keep what is about to be sent under a name that was used."""
        self._write([{"step": "contradicted", "event": event}])

    def accepted(self, items: Iterable[Mapping[str, Any]]) -> None:
        """Keep acknowledgements, as the ledger gave them."""
        self._write([{"step": "accepted", "item": item} for item in items])

    def refused(self, event: Mapping[str, Any], code: str) -> None:
        """Keep a refusal."""
        self._write([{"step": "refused", "name": name_of(event), "code": code}])

    def produced(self, name: Name) -> None:
        """Keep that the broker has acknowledged a record."""
        self._write([{"step": "produced", "name": name}])

    def turned_away(self, code: str) -> None:
        """Keep that it could not be done then."""
        self._write([{"step": "away", "code": code}])

    def strange(self, status: int, text: str) -> None:
        """Keep an answer that nobody should get."""
        self._write([{"step": "strange", "status": status, "text": text}])

    def read(self) -> Account:
        """Return all that was kept."""
        account = Account()
        with self._path.open("rb") as file:
            for line in file:
                step = json.loads(line)
                _STEPS[step["step"]](account, step)
        return account

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, steps: list[dict[str, Any]]) -> None:
        lines = "".join(json.dumps(step) + "\n" for step in steps)
        with self._lock:
            self._file.write(lines.encode())
            self.counts.update(step["step"] for step in steps)


def _sent(account: Account, step: Mapping[str, Any]) -> None:
    account.sent[name_of(step["event"])] = step["event"]


def _accepted(account: Account, step: Mapping[str, Any]) -> None:
    item = step["item"]
    account.accepted.append(
        Told(
            name_of(item),
            item["position"],
            item["leaf_hash"],
            item["receipt"],
            item.get("duplicate", False),
        )
    )


def _refused(account: Account, step: Mapping[str, Any]) -> None:
    account.refused[tuple(step["name"])] = step["code"]


#: What each step adds to an account.
_STEPS = {
    "sent": _sent,
    "contradicted": lambda account, step: account.contradicted.append(step["event"]),
    "accepted": _accepted,
    "refused": _refused,
    "produced": lambda account, step: account.produced.update([tuple(step["name"])]),
    "away": lambda account, step: account.away.update([step["code"]]),
    "strange": lambda account, step: account.strange.append(
        (step["status"], step["text"])
    ),
}
