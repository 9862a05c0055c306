"""Both READMEs name what a reader can type."""

from __future__ import annotations

import importlib.util
import re

import pytest
import typer.main

READMES = ["README.md", "README.zh-CN.md"]


@pytest.fixture(params=READMES)
def readme(request, root):
    """Return the text of one README."""
    path = root / request.param
    if not path.exists():
        pytest.skip(f"{request.param} is not written yet")
    return path.read_text()


def commands(group, prefix="henji"):
    """Yield each command line without its arguments, as `henji keys create`."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{prefix} {name}")
        elif not command.hidden:
            yield f"{prefix} {name}"


def test_the_readme_names_every_make_target(root, readme):
    """Each target that `make help` shows is in the README."""
    makefile = (root / "Makefile").read_text()
    targets = re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE)
    assert "demo" in targets
    shown = [t for t in targets if t != "help"]
    assert not [t for t in shown if f"make {t}" not in readme]


def test_the_readme_names_every_command(readme):
    """Each command of `henji` is in the README."""
    if importlib.util.find_spec("services.cli") is None:
        pytest.skip("there is no command line yet")
    cli = importlib.import_module("services.cli")
    group = typer.main.get_command(cli.app)
    assert not [line for line in commands(group) if line not in readme]
