"""The demonstration step by step: import, board, late list, replay, verify, tamper.

Between the replay of the real log and the verification of the whole one, a simulated
campaign is loaded beside it, its answers are checked and its reports are written;
figures of the real log stay those of the real log.

Rules of this file: everything goes through the doors that users have (HTTP, reports,
receipts, the verifier); what is found is returned as data, what is shown goes to
``Stage``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2

from events.verify import Report, Trust
from services.auditing import trust_from, verify_receipt_text, verify_store
from services.demo import reports, tamper
from services.demo.campaign import command
from services.demo.campaign.doors import Within
from services.demo.campaign.record import LANES, SOURCE
from services.demo.campaign.script import FIRST_EVENT
from services.demo.stage import Stage
from services.importing.command import import_log, named_mapping, shipped_log
from services.importing.report import Report as ImportReport
from services.running import Service

ROLES = ("adapter", "admin", "auditor")
SCOPES = ("events:write", "events:read", "backfill", "delegate", "verify")
_PAGE = 1_000
#: The kind of the real log's commitments; the campaign has none of it.
_KIND = "permit"


@dataclass(frozen=True, slots=True)
class Demo:
    """What the steps share. ``wait`` and ``seconds`` are the edge's clock."""

    service: Service
    url: str
    key: str
    stage: Stage
    wait: Any
    seconds: Any


def run(
    demo: Demo, *, folder: Path, campaign: Callable[[], dict[str, str]] | None = None
) -> dict[str, Any]:
    """Run every step; return the figures that ``henji demo --json`` prints.

    ``campaign`` gives the keys of the systems that submit it; None: without it.
    """
    began = demo.seconds()
    imported = import_receipts(demo)
    with _client(demo) as client:
        size, root = _imported(demo, client)
        board = list(_commitments(client, min_position=size))
        _show_board(demo, board)
        late = [row for row in board if _is_late(row)]
        demo.stage.late(late)
        _replay(demo, client, late)
        added = {} if campaign is None else _campaign(demo, folder, campaign())
        sound = _verify(demo, client)
    found = _tamper(demo, folder, position=size // 2)
    return {
        "entries": size,
        "commitments": len(board),
        "finished": sum(row["status"] == "closed" for row in board),
        "late": len(late),
        "root": root,
        "verified": sound,
        "tamper_found_at": found,
        "imported": imported.accepted,
        "already_there": imported.duplicates,
        "seconds": round(demo.seconds() - began, 2),
        **added,
    }


def _imported(demo: Demo, client: httpx2.Client) -> tuple[int, str]:
    """Return size and root of the log before the campaign, also in a later run.

    The keys of the systems that submit the campaign come between the two.
    """
    store = demo.service.ledger.store
    head = store.head()
    size = head.size if head else 0
    first = f"/v1/events/{quote(FIRST_EVENT, safe='')}"
    answer = client.get(first, params={"source": SOURCE})
    if answer.is_success:
        size = int(answer.headers["Henji-Position"]) - 1 - len(LANES)
    root = store.root_at(size)
    return size, "" if root is None else root.root.hex()


def _campaign(demo: Demo, folder: Path, keys: dict[str, str]) -> dict[str, Any]:
    """Load the simulated campaign, check what the service says of it, and report it."""
    demo.stage.heading("demo_campaign")
    figures = command.run(
        demo.url,
        keys,
        console=demo.stage.console,
        wait=demo.wait,
        door=Within(demo.service),
    )
    demo.stage.campaign(figures)
    return {**figures, **_reports(demo, folder / "reports")}


def _reports(demo: Demo, folder: Path) -> dict[str, Any]:
    """Write every report of the campaign; return how many files, and where."""
    demo.stage.heading("demo_reports")
    count = reports.write_all(demo.service, folder)
    demo.stage.reports(count, folder / reports.INDEX)
    return {"reports": count, "reports_folder": str(folder)}


def import_receipts(demo: Demo) -> ImportReport:
    """Import the log that ships with the package, over HTTP."""
    demo.stage.heading("demo_import")
    report = import_log(
        shipped_log(),
        named_mapping("receipt"),
        url=demo.url,
        key=demo.key,
        console=demo.stage.console,
        wait=demo.wait,
        clock=demo.seconds,
    )
    demo.stage.imported(report)
    return report


@contextmanager
def _client(demo: Demo) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Bearer {demo.key}"}
    with httpx2.Client(base_url=demo.url, headers=headers, timeout=60) as client:
        yield client


def _commitments(
    client: httpx2.Client, *, min_position: int
) -> Iterator[dict[str, Any]]:
    """Yield the board of the real log, page by page, once it has what was imported."""
    parameters: dict[str, Any] = {
        "kind": _KIND,
        "limit": _PAGE,
        "min_position": min_position,
    }
    while True:
        page = _get(client, "/v1/commitments", parameters)
        yield from page["data"]
        if not page["has_more"]:
            return
        parameters["cursor"] = page["next_cursor"]


def _get(client: httpx2.Client, path: str, parameters: dict[str, Any]) -> Any:
    answer = client.get(path, params=parameters)
    answer.raise_for_status()
    return answer.json()


def _is_late(row: dict[str, Any]) -> bool:
    return str(row["schedule"]["by_original_due"]) == "finished_late"


def _show_board(demo: Demo, board: list[dict[str, Any]]) -> None:
    counts = Counter((row["lead_unit"], row["status_text"]) for row in board)
    demo.stage.board(counts)


def _replay(demo: Demo, client: httpx2.Client, late: list[dict[str, Any]]) -> None:
    """Show every event of the commitment that was late the longest."""
    if not late:
        return
    key = max(late, key=lambda row: int(row["schedule"]["overdue_days"]))["key"]
    history = _get(client, f"/v1/commitments/{key}/history", {"limit": _PAGE})
    demo.stage.replay(key, history["data"])


def _verify(demo: Demo, client: httpx2.Client) -> bool:
    """Verify the log in the store, and the newest entry's receipt without it."""
    demo.stage.heading("demo_verify")
    report = verify_store(demo.service.ledger.store, _trust(demo))
    demo.stage.verified(report)
    newest = client.get("/v1/events", params={"limit": 1}).json()["data"][0]["entry"]
    named = {"source": newest["source"]}
    entry = client.get(f"/v1/events/{newest['id']}", params=named).content
    receipt = client.get(f"/v1/events/{newest['id']}/proof", params=named).text
    checkpoint = verify_receipt_text(
        receipt, entry=entry, vkeys=demo.service.ledger.keys.vkeys
    )
    demo.stage.receipt(report.size, checkpoint.size)
    return report.ok


def _trust(demo: Demo) -> Trust:
    ledger = demo.service.ledger
    return trust_from(
        origin=ledger.settings.origin,
        vkeys=ledger.keys.vkeys,
        notes=[ledger.prover.checkpoint()],
    )


def _tamper(demo: Demo, folder: Path, *, position: int) -> int | None:
    """Change one bit in a copy and return where verification finds it."""
    demo.stage.heading("demo_tamper")
    copy = folder / "tampered-copy.db"
    copy.unlink(missing_ok=True)
    tamper.flip_one_bit(folder / "ledger.db", copy, position=position)
    report: Report = tamper.verify_copy(copy, _trust(demo))
    demo.stage.tampered(report)
    return report.first_bad
