"""What is shown of alerts, of cases of accountability, and of sealed sites.

Rules of this file: counting events and what the generator noted of violations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.demo.campaign.expected.answer import Answer, Figures, Row, rows
from services.demo.campaign.expected.instants import us
from services.demo.campaign.expected.known import Event, Known
from services.demo.campaign.expected.thresholds import counted_in_month
from services.demo.campaign.expected.words import FORMS
from services.demo.campaign.moments import DAY, day_of, later

_STAGES: Final = {
    "clues": "clue_registered",
    "opened": "opened",
    "decided": "decided",
    "served": "served",
    "executed": "executed",
    "published": "published",
    "appealed": "appealed",
    "closed": "closed",
}
_OUTCOMES: Final = ("upheld", "changed", "revoked")


def accountability(known: Known) -> Answer:
    """Every case, its form in force and its appeal; and the month's counts."""
    cases = [_Case(key, known) for key in known.streams_of("accountability")]
    totals = {
        name: sum(case.has(what) for case in cases) for name, what in _STAGES.items()
    }
    outcomes = Counter(case.note.get("appeal") for case in cases)
    forms = Counter(case.note.get("form") for case in cases)
    appealed = [case for case in cases if case.has("appealed")]
    return {
        "totals": Figures(totals | {name: outcomes[name] for name in _OUTCOMES}),
        "forms": rows(
            "form",
            [
                # Every case of the campaign is against a post.
                {"form": word, "cases": forms[form], "posts": forms[form], "units": 0}
                for form, word in FORMS.items()
                if forms[form]
            ],
        ),
        "cases": rows("key", [case.line() for case in cases]),
        "appeals": rows("key", [case.appeal() for case in appealed]),
        "thresholds": rows("what unit", counted_in_month(known)),
    }


class _Case:
    """One case as it is known."""

    def __init__(self, key: str, known: Known) -> None:
        self.key = key
        self.note = known.table["case"][key]
        self._events: dict[str, list[Event]] = {}
        for event in known.streams[f"accountability/{key}"]:
            self._events.setdefault(event.what.partition(".")[2], []).append(event)

        judged = self._events.get("appeal_decided", ())
        if judged and judged[-1].data["outcome"] != "upheld":
            self._begin_again(judged[-1].occurred)

    def _begin_again(self, judged: int) -> None:
        """Forget what was done of a decision that an appeal has replaced."""
        for what in ("executed", "published"):
            found = self._events.pop(what, [])
            again = [event for event in found if event.occurred > judged]
            self._events |= {what: again} if again else {}

    def has(self, what: str) -> bool:
        """Tell whether it has come so far."""
        return what in self._events

    def line(self) -> Row:
        """Return its row of the ledger of cases."""
        return {
            "key": self.key,
            "facts": 1,
            "clue": self._at("clue_registered"),
            "opened": self._at("opened"),
            "opening": self._days("clue_registered", "opened"),
            "heard": len(self._events.get("statement_heard", ())),
            "decided": self._at("decided"),
            "deciding": self._days("opened", "decided"),
            "served": self._said("served", "served_at"),
            "until": self._appeal_until(),
            "executed": self._said("executed", "executed_at"),
            "published": self._at("published"),
            "influence": None,
        }

    def appeal(self) -> Row:
        """Return its row of the appeals."""
        received = self._said("appealed", "received_at")
        decided = self._at("appeal_decided")
        return {
            "key": self.key,
            "received": received,
            "until": self._appeal_until(),
            "decided": decided,
            "days": _whole_days(received, decided),
        }

    def _at(self, what: str) -> int | None:
        return self._events[what][-1].occurred if what in self._events else None

    def _said(self, what: str, name: str) -> int | None:
        """Return an instant that the last event of a kind states."""
        found = self._events.get(what)
        return us(found[-1].data[name]) if found else None

    def _days(self, start: str, end: str) -> int | None:
        return _whole_days(self._at(start), self._at(end))

    def _appeal_until(self) -> str | None:
        """Return the last day of the window, which begins the day after service."""
        served = self._said("served", "served_at")
        if served is None:
            return None
        window = self._events["decided"][-1].data["appeal_days"]
        return later(day_of(served), window).isoformat()


def _whole_days(start: int | None, end: int | None) -> int | None:
    return None if start is None or end is None else (end - start) // DAY


def seals(known: Known) -> Answer:
    """Every site until when it is sealed; the violations; the exemptions."""
    violations = _violations(known)
    sites = known.table["seal"]
    counting = Counter(row["site"] for row in violations if row["days"])
    revoked = Counter(row["site"] for row in violations if row["revoked"])
    exempted = {event.data["site"]: event for event in known.of("order.exempted")}
    ends = {event.key: event.data["base_end"] for event in known.of("order.issued")}
    base_end = next(iter(ends.values()), None)
    return {
        "totals": Figures(
            {
                "sites": len(sites),
                "exempted": len(exempted),
                "recorded": len(violations),
                "counting": sum(counting.values()),
                "revoked": sum(revoked.values()),
                "extended": len(counting),
            }
        ),
        "sites": rows(
            "site",
            [
                {
                    "site": site,
                    "base_end": base_end,
                    "violations": counting[site],
                    "revoked": revoked[site],
                    "added": _DAYS_EACH * counting[site],
                    "seal_until": note["until"],
                    "up_to": _up_to(exempted.get(site)),
                }
                for site, note in sorted(sites.items())
            ],
        ),
        "violations": rows(
            "violation",
            [{k: v for k, v in row.items() if k != "site"} for row in violations],
        ),
        "decisions": rows(
            "at", [{"at": e.occurred, "until": None} for e in exempted.values()]
        ),
    }


_DAYS_EACH: Final = 15


def _violations(known: Known) -> list[dict[str, Any]]:
    confirmed = _by_violation(known.of("order.violation_confirmed"))
    revoked = _by_violation(known.of("order.violation_revoked"))
    found = []
    for event in known.of("order.violation_recorded"):
        name = event.data["violation"]
        counts = known.table["violation"][name]["status"] == "confirmed"
        found.append(
            {
                "violation": name,
                "site": event.data["site"],
                "found": event.occurred,
                "confirmed": confirmed.get(name),
                "revoked": revoked.get(name),
                "days": _DAYS_EACH if counts else 0,
            }
        )
    return found


def _by_violation(events: Sequence[Event]) -> Mapping[str, int]:
    return {event.data["violation"]: event.occurred for event in events}


def _up_to(exempted: Event | None) -> str | None:
    return None if exempted is None else str(exempted.data["up_to"])
