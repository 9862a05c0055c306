"""``henji demo``: a service of its own on an embedded ledger, and the steps on it.

Rules of this file: setting up and tearing down; the steps are in ``script``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from services.demo.campaign import sending
from services.demo.script import ROLES, SCOPES, Demo, run
from services.demo.stage import Stage
from services.keyring import KeySpec, create_key
from services.running import Service, running
from services.serving import served
from services.settings import Settings
from services.texts import speaker

_HOST = "127.0.0.1"
_ORIGIN = "henji.example/demo"
_OWN = KeySpec(name="demo", roles=ROLES, scopes=SCOPES)
_CITATION = (
    "J.C.A.M. Buijs, Receipt phase of an environmental permit application process "
    "(WABO), CoSeLoG project, 4TU.ResearchData, 2014"
)


@dataclass(frozen=True, slots=True)
class Options:
    """Where the demonstration keeps its ledger, and whether it goes on serving.

    ``campaign``: load the simulated campaign beside the real log, and check it.
    """

    folder: Path
    port: int
    stay: bool
    language: str
    campaign: bool = True


def demonstrate(
    options: Options,
    console: Console,
    *,
    wait: Callable[[float], None],
    seconds: Callable[[], float],
) -> dict[str, Any]:
    """Run the demonstration; return its figures."""
    stage = Stage(console, speaker(options.language))
    stage.line("demo_data", citation=_CITATION)
    settings = Settings(data_dir=options.folder, origin=_ORIGIN)
    with (
        running(settings) as service,
        served(service, host=_HOST, port=options.port) as url,
    ):
        key = _key(service, options.folder, _OWN)
        demo = Demo(service, url, key, stage, wait, seconds)
        campaign = partial(_campaign_keys, service, options.folder)
        figures = run(
            demo, folder=options.folder, campaign=campaign if options.campaign else None
        )
        if options.stay:
            stage.line("demo_serving", url=url, key=key)
            _until_interrupted(wait)
    return figures


def _campaign_keys(service: Service, folder: Path) -> dict[str, str]:
    """Return a key for each system that submits the campaign."""
    return {
        lane: _key(
            service,
            folder,
            KeySpec(name=f"demo-{lane}", roles=roles, scopes=sending.SCOPES),
        )
        for lane, roles in sending.ROLES.items()
    }


def _key(service: Service, folder: Path, spec: KeySpec) -> str:
    """Return a key of the demonstration, made at its first run (mode 0600).

    Kept, so that a second run adds nothing to the log.
    """
    file = folder / f"{spec.name}.key"
    if not file.exists():
        _, shown = create_key(service.ledger, spec, random_bytes=secrets.token_bytes)
        file.touch(mode=0o600)
        file.write_text(shown, "utf-8")
    return file.read_text("utf-8")


def _until_interrupted(wait: Callable[[float], None]) -> None:
    try:
        while True:
            wait(3600)
    except KeyboardInterrupt:
        return
