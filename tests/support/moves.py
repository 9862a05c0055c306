"""What is usually submitted about commitments, and what comes next: for random walks.

Data only, as ``tests.support.scenario``: no store, no assertion. Failures are made up
(模拟数据).
"""

from __future__ import annotations

from tests.support import scenario

KEYS = ("P", "P.1", "P.2", "Q")
PROOF = scenario.PROOF
PASS = {"result": "pass", "method": "document", "evidence": PROOF}
CLAIM = {"text": "Done.", "evidence": PROOF}

#: Who usually submits what; each payload is allowed in some state.
MOVES = {
    "registered": (
        "drafter",
        [
            scenario.registered(due, kind=kind, **parent)
            for kind in ("supervision", "rectification")
            for due in ("2017-12-01", "WD10")
            for parent in ({}, {"parent": "P"})
        ],
    ),
    "issued": ("office", [{}]),
    "signed_for": ("lead", [{}]),
    "plan_filed": ("lead", [{"summary": "Three teams."}]),
    "decomposed": (
        "lead",
        [scenario.decomposed("P.1", "P.2"), scenario.decomposed("P.1")],
    ),
    "progress_reported": (
        "lead",
        [{"percent": n, "text": "On.", "evidence": PROOF} for n in (10, 60)],
    ),
    "extension_requested": (
        "lead",
        [{"new_due": "2017-12-24", "reason": "Late.", "progress": "Half."}],
    ),
    "extension_granted": ("office", [{}]),
    "completion_claimed": (
        "lead",
        [CLAIM, {**CLAIM, "answers": [{"finding": 1, "answer": "Done."}]}],
    ),
    "verification_recorded": (
        "verifier",
        [
            PASS,
            {**PASS, "result": "fail", "findings": ["One."], "new_due": "WD3"},
        ],
    ),
    "publicity_opened": (
        "office",
        [{"from": "2017-11-14", "until": "2017-11-16", "where": "Board"}],
    ),
    "publicity_closed": ("office", [{"objections": 0, "answered": 0}]),
    "closed": ("office", [{"approver_post": "director"}]),
    "lookback_recorded": (
        "lookback",
        [{"result": "relapsed", "team": ["looker"], "text": "Off again."}],
    ),
    "reopened": ("lookback", [{"new_due": "WD5", "reason": "Relapse."}]),
    "suspended": ("office", [{"reason_class": "weather", "reason": "Cold."}]),
    "resumed": ("office", [{}]),
    "cancelled": ("boss", [{"reason": "Revoked."}]),
}

#: What usually comes next, so that programs get far; the rest is tried at random.
NEXT = {
    None: ["registered"],
    "draft": ["issued"],
    "issued": ["signed_for"],
    "signed": ["plan_filed", "decomposed", "progress_reported"],
    "in_progress": ["completion_claimed", "extension_requested", "extension_granted"],
    "returned": ["completion_claimed"],
    "reopened": ["completion_claimed"],
    "claimed": ["verification_recorded"],
    "verified": ["publicity_opened", "publicity_closed", "closed"],
    "closed": ["lookback_recorded", "reopened"],
    "suspended": ["resumed"],
}
