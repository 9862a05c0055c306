"""The command ``henji``: each command is parse → call → print.

Rules of this file: no behaviour of its own. Heavy parts are imported by the command
that needs them, so that ``henji verify`` does not load a web server.
"""

from __future__ import annotations

import json
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from events import errors, messages
from services import install_command, reports_command
from services.demo.campaign import command as campaigning
from services.doctor import command as examining
from services.evidence import command as evidence
from services.exports import command as exports
from services.ingest import command as ingesting
from services.options import LOCAL_URL, AsJson, DataDir, Key, Language, Url, settings_in
from services.relay import command as relaying
from services.remote import command as projecting
from services.scheduling import command as scheduling
from services.settings import further_ledgers, variable
from services.texts import Say, speaker

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Henji 痕迹",
)

keys = typer.Typer(
    no_args_is_help=True, help="API keys: create, list, revoke; signing keys: rotate."
)
app.add_typer(keys, name="keys")
for _command in (
    evidence,
    exports,
    reports_command,
    install_command,
    campaigning,
    examining,
):
    _command.register(app)
work = typer.Typer(no_args_is_help=True, help="Workers beside the HTTP service.")
app.add_typer(work, name="work")
scheduling.register(work)
ingesting.register(work)
relaying.register(work)
projecting.register(app, work)

#: Exit codes: what was asked for is not so; the input or the surroundings are wrong.
EXIT_NOT_SOUND, EXIT_ERROR = 1, 2

_KEY_COLUMNS = ("id", "name", "usable", "unit", "roles", "scopes", "sources")


def main() -> None:
    """Run the command line; errors of ours are told in words, with their code."""
    try:
        app()
    except errors.HenjiError as error:
        # The settings themselves may be what is wrong.
        language: messages.Language = "zh" if variable("HENJI_LANG") == "zh" else "en"
        message = messages.text(error.code, language, error.parameters)
        typer.echo(f"{error.code}: {message.title} {error.detail}".rstrip(), err=True)
        typer.echo(message.fix, err=True)
        sys.exit(EXIT_ERROR)
    except OSError as error:
        typer.echo(f"{error.strerror}: {error.filename}", err=True)
        sys.exit(EXIT_ERROR)


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _print(body: Any) -> None:
    typer.echo(json.dumps(body, ensure_ascii=False))


@contextmanager
def _ledger(data_dir: Path | None) -> Iterator[Any]:
    from services.wiring import open_ledger

    with open_ledger(settings_in(data_dir)) as ledger:
        yield ledger


@app.command()
def serve(data_dir: DataDir = None, language: Language = "en") -> None:
    """Serve the HTTP interface on the ledgers of the settings."""
    from services.ledgers import addressed
    from services.running import running
    from services.scheduling.opening import beside
    from services.scheduling.worker import publish
    from services.serving import serve_forever

    settings = settings_in(data_dir)
    where = settings.projection or ("off" if settings.views_url else "process")
    settings = msgspec.structs.replace(settings, projection=where)
    with ExitStack() as stack:
        services = [
            stack.enter_context(running(one))
            for one in (settings, *further_ledgers(settings).values())
        ]
        for service in services if settings.scheduler == "thread" else ():
            worker = stack.enter_context(beside(service.ledger, service.views))
            publish(service.metrics, worker)
        url = f"http://{settings.host}:{settings.port}"
        for base, service in addressed(services):
            origin = service.ledger.settings.origin
            typer.echo(speaker(language)("serving", origin=origin, url=url + base))
        serve_forever(*services)


@keys.command("create")
def keys_create(  # noqa: PLR0913, PLR0917 - one an option
    name: Annotated[str, typer.Option(help="What the key is for.")],
    role: Annotated[list[str], typer.Option(help="Repeat for several.")],
    scope: Annotated[
        list[str] | None, typer.Option(help="Default: events:write and events:read.")
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option(help="Exact, or `prefix*`. Default: any.")
    ] = None,
    type_: Annotated[
        list[str] | None,
        typer.Option("--type", help="Event type, or `prefix*`. Default: any."),
    ] = None,
    unit: Annotated[str | None, typer.Option(help="It submits for this unit.")] = None,
    post: Annotated[str | None, typer.Option(help="And in this post.")] = None,
    expires: Annotated[str | None, typer.Option(help="RFC 3339.")] = None,
    data_dir: DataDir = None,
    language: Language = "en",
) -> None:
    """Create a key; it is shown once, the ledger keeps only a hash of its secret."""
    from services.keyring import KeySpec, create_key

    spec = KeySpec(
        name=name,
        roles=role,
        scopes=scope or ["events:write", "events:read"],
        sources=source or ["*"],
        types=type_ or [],
        unit=unit,
        post=post,
        expires=expires,
    )
    with _ledger(data_dir) as ledger:
        key_id, shown = create_key(ledger, spec, random_bytes=secrets.token_bytes)
    typer.echo(speaker(language)("key_created", id=key_id), err=True)
    typer.echo(shown)


@keys.command("list")
def keys_list(data_dir: DataDir = None, as_json: AsJson = False) -> None:  # noqa: FBT002
    """List every key: what it is bound to, and whether it counts."""
    from services.keyring import list_keys
    from services.wiring import clock

    with _ledger(data_dir) as ledger:
        found = list_keys(ledger)
    rows = [
        {
            "id": key.key_id,
            "name": key.name,
            "usable": key.usable(clock()),
            "unit": key.unit,
            "post": key.post,
            "roles": sorted(key.roles),
            "scopes": sorted(key.scopes),
            "sources": list(key.sources),
        }
        for key in found
    ]
    if as_json:
        _print(rows)
        return
    table = Table(*_KEY_COLUMNS)
    for row in rows:
        table.add_row(*(Text(_cell(row[column])) for column in _KEY_COLUMNS))
    Console().print(table)


@keys.command("revoke")
def keys_revoke(
    key_id: str,
    reason: Annotated[str, typer.Option(help="Recorded with the event.")],
    data_dir: DataDir = None,
    language: Language = "en",
) -> None:
    """Revoke a key at once; what it submitted before stays valid."""
    from services.keyring import revoke_key

    with _ledger(data_dir) as ledger:
        revoke_key(ledger, key_id, reason)
    typer.echo(speaker(language)("key_revoked", id=key_id))


@keys.command("rotate-signing")
def keys_rotate_signing(
    reason: Annotated[str, typer.Option(help="Recorded with the event.")],
    data_dir: DataDir = None,
    language: Language = "en",
) -> None:
    """Sign with new keys from now on; then start every process of the ledger again."""
    from services.keyring import rotate_signing_keys

    with _ledger(data_dir) as ledger:
        vkeys, vouched = rotate_signing_keys(
            ledger, reason, random_bytes=secrets.token_bytes
        )
    typer.echo(speaker(language)("keys_rotated", path=vouched or "-"), err=True)
    typer.echo("\n".join(vkeys))


@app.command("import")
def import_(
    file: Path,
    mapping: Annotated[str, typer.Option(help="TOML file, or a shipped one: receipt.")],
    key: Key,
    url: Url = LOCAL_URL,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Import a process log (CSV or XES, plain or gz) through the HTTP interface."""
    from services.importing.command import import_log, named_mapping
    from services.importing.report import as_json as report_json
    from services.importing.report import exit_code, print_report

    console = Console(stderr=as_json)
    report = import_log(
        file,
        named_mapping(mapping),
        url=url,
        key=key,
        console=console,
        wait=time.sleep,
        clock=time.monotonic,
    )
    if as_json:
        _print(report_json(report))
    else:
        print_report(report, console)
    raise typer.Exit(exit_code(report))


@app.command()
def verify(  # noqa: PLR0913, PLR0917 - one an option
    target: Annotated[
        str, typer.Argument(help="URL or folder of tiles; default: the own store.")
    ] = "",
    vkey: Annotated[list[str] | None, typer.Option(help="Trusted public key.")] = None,
    origin: Annotated[str | None, typer.Option(help="That the log must have.")] = None,
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="An earlier signed checkpoint.")
    ] = None,
    key: Annotated[
        str, typer.Option(envvar="HENJI_KEY", help="For a URL that wants one.")
    ] = "",
    receipt: Annotated[Path | None, typer.Option(help="With --entry: offline.")] = None,
    entry: Annotated[Path | None, typer.Option(help="The entry's exact bytes.")] = None,
    evidence: Annotated[
        str, typer.Option(help="Folder of evidence to hash again, or: store.")
    ] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,  # noqa: FBT002
    language: Language = "en",
) -> None:
    """Recompute everything from the bytes up; name the first bad position.

    Exit code 0: sound. 1: not sound. 2: it could not be checked.
    """
    from services import verifying

    say = speaker(language)
    trusted = verifying.Trusted(
        vkeys=tuple(vkey or ()),
        origin=origin,
        checkpoints=tuple(checkpoint or ()),
        key=key,
    )
    if receipt is not None or entry is not None:
        _verify_receipt(receipt, entry, trusted.vkeys, say)
        return
    settings = settings_in(data_dir)
    report = verifying.verify(target, trusted, settings)
    told, lines = verifying.as_json(report), [verifying.sentence(report, say)]
    sound = report.ok
    if evidence and sound:
        from services.evidence import audit

        found = audit.audit_evidence(
            target, evidence, settings, key=key, size=report.size
        )
        sound = found.ok
        told |= {"ok": sound, "evidence": audit.as_json(found)}
        lines += audit.sentences(found, say)
    if as_json:
        _print(told)
    else:
        typer.echo("\n".join(lines))
    raise typer.Exit(0 if sound else EXIT_NOT_SOUND)


def _verify_receipt(
    receipt: Path | None, entry: Path | None, vkeys: tuple[str, ...], say: Say
) -> None:
    from services.auditing import verify_receipt_file

    if receipt is None or entry is None or not vkeys:
        raise typer.BadParameter("--receipt, --entry and --vkey go together")
    checkpoint = verify_receipt_file(receipt, entry=entry, vkeys=vkeys)
    index = receipt.read_text().split("\n")[1].removeprefix("index ")
    typer.echo(say("receipt_verified", position=int(index) + 1, size=checkpoint.size))


@app.command()
def export(folder: Path, data_dir: DataDir = None, language: Language = "en") -> None:
    """Write the log as static tiles (C2SP tlog-tiles) that anybody can verify."""
    from services.auditing import export_tiles

    with _ledger(data_dir) as ledger:
        done = export_tiles(ledger.store, folder, ledger.prover.checkpoint())
    typer.echo(speaker(language)("exported", size=done.size, path=folder))


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Do not keep serving.")] = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
    data_dir: Annotated[Path, typer.Option(help="Where it keeps its ledger.")] = Path(
        "demo-data"
    ),
    port: Annotated[int, typer.Option(help="0: any free one.")] = 0,
    campaign: Annotated[  # noqa: FBT002
        bool, typer.Option(help="Load the simulated campaign too.")
    ] = True,
    language: Language = "en",
) -> None:
    """Import a real log, show the board, verify everything, tamper with a copy."""
    from services.demo.command import Options, demonstrate

    stay = not once and sys.stdin.isatty() and sys.stdout.isatty()
    options = Options(
        folder=data_dir, port=port, stay=stay, language=language, campaign=campaign
    )
    console = Console(stderr=as_json)
    figures = demonstrate(options, console, wait=time.sleep, seconds=time.monotonic)
    if as_json:
        _print(figures)
    wrong = figures.get("answer_key_mismatches") or figures.get("campaign_refused")
    sound = figures["verified"] and figures["tamper_found_at"] and not wrong
    raise typer.Exit(0 if sound else EXIT_NOT_SOUND)
