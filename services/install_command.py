"""``henji install``: a ledger's tables in PostgreSQL, made or migrated by their owner.

Rules of this file: parse → call → print. The service never runs any of this.
"""

from __future__ import annotations

from typing import Annotated

import typer

from events.postgres_roles import Duty
from services.options import Language
from services.settings import from_environment, variable
from services.texts import speaker

_Role = str | None


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(install)


def install(
    writer: Annotated[str, typer.Option(help="Role the service connects as.")],
    owner_url: Annotated[
        str | None,
        typer.Option(help="As owner of the tables. Default: HENJI_OWNER_URL."),
    ] = None,
    projector: Annotated[
        _Role, typer.Option(help="Role of `henji work project`. Default: the writer.")
    ] = None,
    reader: Annotated[
        _Role, typer.Option(help="Role of reports, exports and verification.")
    ] = None,
    partition: Annotated[  # noqa: FBT002
        bool,
        typer.Option(
            "--partition",
            help="Partition the log of a ledger that release 1 made: stop it first.",
        ),
    ] = False,
    language: Language = "en",
) -> None:
    """Create or migrate a ledger's tables in PostgreSQL, as their owner."""
    from services import wiring  # noqa: PLC0415 - databases are loaded when needed

    owner = owner_url or variable("HENJI_OWNER_URL")
    if not owner:
        raise typer.BadParameter("--owner-url or HENJI_OWNER_URL is needed")
    schema = from_environment().database_schema
    given: dict[Duty, str | None] = {"projector": projector, "reader": reader}
    others = {duty: role for duty, role in given.items() if role}
    wiring.install_postgres(owner, schema=schema, writer_role=writer, others=others)
    if partition:
        wiring.partition_postgres(owner, schema=schema)
    roles = ", ".join(f"{duty}: {role}" for duty, role in others.items())
    say = speaker(language)
    typer.echo(say("installed", schema=schema, role=writer))
    if roles:
        typer.echo(say("installed_roles", roles=roles))
