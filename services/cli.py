"""The command ``henji``: each command is parse → call → print.

Rules of this file: no behaviour of its own. Heavy parts are imported by the command
that needs them, so that ``henji verify`` does not load a web server.
"""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Henji 痕迹")


@app.command()
def serve() -> None:
    """Serve the HTTP interface on the ledger of the settings."""
    import uvicorn

    from services.app import create_app
    from services.running import running
    from services.settings import from_environment

    settings = from_environment()
    with running(settings) as service:
        uvicorn.run(
            create_app(service),
            host=settings.host,
            port=settings.port,
            log_level="warning",
            access_log=False,
        )


def main() -> None:
    """Run the command line."""
    app()
