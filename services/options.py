"""What commands share: options that mean the same in each of them, and the stop signal.

Rules of this file: no command, and nothing heavy: `henji verify` loads every command.
"""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from services.settings import Settings, from_environment

DataDir = Annotated[Path | None, typer.Option(help="Folder of the ledger.")]
Language = Annotated[str, typer.Option(help="en or zh", envvar="HENJI_LANG")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]
Output = Annotated[Path, typer.Option("-o", "--output", help="Where to.")]
Key = Annotated[str, typer.Option(envvar="HENJI_KEY", help="API key.")]
Url = Annotated[str, typer.Option(envvar="HENJI_URL", help="Of the service.")]
LOCAL_URL: Final = "http://127.0.0.1:8080"


def settings_in(data_dir: Path | None) -> Settings:
    """Return the settings in force, with the data folder that is named, if any."""
    settings = from_environment()
    if data_dir is None:
        return settings
    return msgspec.structs.replace(settings, data_dir=data_dir)


def stop_signal() -> threading.Event:
    """Return what SIGINT and SIGTERM set from now on: a worker then ends in order."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop
