"""``henji doctor``: every check in one table, or as JSON.

Rules of this file: parse → call → print. What a check needs is loaded by the command.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from events import messages
from services.options import AsJson, DataDir, Language, settings_in
from services.texts import speaker

if TYPE_CHECKING:
    from services.doctor.finding import Finding

_STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red"}
_COLUMNS = ("doctor_check", "doctor_state", "doctor_found")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(
    data_dir: DataDir = None,
    as_json: AsJson = False,  # noqa: FBT002
    language: Language = "en",
) -> None:
    """Look at database, files and brokers; say what is wrong and what to do.

    Exit code 0: nothing has failed. 1: something has.
    """
    from services.doctor.examining import examine  # noqa: PLC0415 - see the rules
    from services.wiring import clock  # noqa: PLC0415

    found = examine(settings_in(data_dir), clock=clock)
    sound = all(one.state != "failed" for one in found)
    tongue: messages.Language = "zh" if language == "zh" else "en"
    if as_json:
        checks = [_as_json(one, tongue) for one in found]
        typer.echo(json.dumps({"ok": sound, "checks": checks}, ensure_ascii=False))
    else:
        Console().print(_table(found, tongue))
    raise typer.Exit(0 if sound else 1)


def _as_json(one: Finding, language: messages.Language) -> dict[str, Any]:
    body: dict[str, Any] = {
        "check": one.check,
        "state": one.state,
        "code": one.code,
        "detail": one.detail,
    }
    if one.code:
        told = messages.text(one.code, language, one.parameters)
        body |= {"title": told.title, "fix": told.fix}
    return body


def _table(found: Sequence[Finding], language: messages.Language) -> Table:
    say = speaker(language)
    table = Table(*(say(column) for column in _COLUMNS))
    for one in found:
        table.add_row(
            say(f"check_{one.check}"),
            Text(say(f"state_{one.state}"), style=_STYLES[one.state]),
            Text("\n".join(_lines(one, language))),
        )
    return table


def _lines(one: Finding, language: messages.Language) -> list[str]:
    if not one.code:
        return [one.detail]
    told = messages.text(one.code, language, one.parameters)
    return [line for line in (f"{told.title} {one.detail}".strip(), told.fix) if line]
