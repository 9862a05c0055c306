"""``henji campaign``: load the fictional campaign into a service, check its answers.

Rules of this file: arguments, one call, exit. What the campaign is stands beside it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import httpx2
import typer
from rich.console import Console

from services.demo.campaign.checking import check, check_figures, is_beside_another
from services.demo.campaign.doors import Door, OverHttp
from services.demo.campaign.key import key_of
from services.demo.campaign.record import DISCIPLINE, GRID, OFFICE, Log
from services.demo.campaign.script import SEED, answer_key, build, sent
from services.demo.campaign.sending import Sending, submit
from services.importing.client import Wait
from services.importing.progress import progress_bar
from services.options import LOCAL_URL, AsJson, Url

_EXIT_DIFFERS: Final = 1
_SECONDS: Final = 60.0
#: Roughly, for the progress bar: how many events one copy has.
_EVENTS: Final = 25_000


def register(app: typer.Typer) -> None:
    """Add the command ``campaign`` to the command line."""
    app.command("campaign")(campaign)


def campaign(  # noqa: PLR0913, PLR0917 - one an option
    key: Annotated[
        str,
        typer.Option(
            envvar="HENJI_KEY",
            help="Roles office, headquarters, lead, support, verifier, lookback, "
            "adapter; scopes events:write, events:read, backfill, delegate.",
        ),
    ],
    url: Url = LOCAL_URL,
    factor: Annotated[int, typer.Option(min=1, help="How many copies.")] = 1,
    seed: Annotated[str, typer.Option(help="Another one gives other data.")] = SEED,
    grid_key: Annotated[
        str, typer.Option(help="Role grid_worker; default: the same key.")
    ] = "",
    discipline_key: Annotated[
        str, typer.Option(help="Role discipline; default: the same key.")
    ] = "",
    answers: Annotated[
        Path | None, typer.Option(help="Write the answer key to this file.")
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Load the simulated campaign over HTTP; with one copy, check the answers too."""
    keys = {
        OFFICE: key,
        GRID: grid_key or key,
        DISCIPLINE: discipline_key or key,
    }
    console = Console(stderr=as_json)
    figures = run(url, keys, seed=seed, factor=factor, console=console, wait=time.sleep)
    if answers is not None:
        text = json.dumps(answer_key(seed, factor), ensure_ascii=False, indent=1)
        answers.write_text(text + "\n", "utf-8")
    typer.echo(json.dumps(figures, ensure_ascii=False, indent=None if as_json else 1))
    sound = not figures["campaign_refused"] and not figures["answer_key_mismatches"]
    raise typer.Exit(0 if sound else _EXIT_DIFFERS)


def run(  # noqa: PLR0913 - what reaches a load from the edge
    url: str,
    keys: Mapping[str, str],
    *,
    seed: str = SEED,
    factor: int = 1,
    console: Console,
    wait: Wait,
    door: Door | None = None,
) -> dict[str, Any]:
    """Load so many copies; check the answers of one; return the figures of both.

    ``door``: where reports are from, if not over HTTP as all else.
    """
    with progress_bar(console) as told:
        total = _EVENTS * factor
        done = load(
            url,
            keys,
            seed=seed,
            factor=factor,
            wait=wait,
            progress=lambda count: told("sending", count, max(count, total)),
        )
    figures = {
        "campaign_entries": done.accepted + done.already_there,
        "campaign_refused": len(done.refusals),
        "answer_key_checks": 0,
        "answer_key_mismatches": 0,
    }
    if factor == 1:
        figures |= compare(url, keys[OFFICE], build(seed), door)
    return figures


def load(
    url: str,
    keys: Mapping[str, str],
    *,
    seed: str = SEED,
    factor: int = 1,
    wait: Wait,
    progress: Callable[[int], None],
) -> Sending:
    """Load the campaign into the service at ``url``; a second time adds nothing."""
    events = sent(seed, factor)
    return submit(events, url=url, keys=keys, wait=wait, progress=progress)


def compare(url: str, key: str, log: Log, door: Door | None = None) -> dict[str, Any]:
    """Compare the answers of the service at ``url`` with those of the generator.

    Every number that differs is in ``answer_key_differences``, if any does.
    """
    headers = {"Authorization": f"Bearer {key}"}
    with httpx2.Client(base_url=url, headers=headers, timeout=_SECONDS) as client:
        checked = check(client, key_of(log))
        beside = is_beside_another(client)
        check_figures(door or OverHttp(client), checked, log, beside=beside)
    figures: dict[str, Any] = {
        "answer_key_checks": checked.checks,
        "answer_key_mismatches": len(checked.mismatches),
    }
    if checked.mismatches:
        figures["answer_key_differences"] = checked.mismatches
    return figures
