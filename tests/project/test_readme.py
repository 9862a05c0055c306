"""Both READMEs name what a reader can type."""

from __future__ import annotations

import re

import msgspec
import pytest
import typer.main

from events.domain.access import ROLES, SCOPES
from services.cli import app
from services.settings import Settings

READMES = ["README.md", "README.zh-CN.md"]
#: A default that would break the table is shown by its first word.
LONG = 40
PARTS = ["events/README.md", "projections/README.md"]


@pytest.fixture(params=READMES)
def readme(request, root):
    """Return the text of one README."""
    return (root / request.param).read_text("utf-8")


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
    group = typer.main.get_command(app)
    assert not [line for line in commands(group) if line not in readme]


def test_the_readme_has_every_setting(readme):
    """Each setting has a row in the table, with the default it really has."""
    shown = dict(
        re.findall(r"^\| `HENJI_(\w+)` \| `?([^|`]*)`? \|", readme, re.MULTILINE)
    )
    assert shown == {
        field.name.upper(): default_text(field.default)
        for field in msgspec.structs.fields(Settings)
    }


def default_text(default):
    """Return a default as somebody would type it; a dash for nothing."""
    text = str(default).lower() if isinstance(default, bool) else str(default)
    if len(text) > LONG:
        return f"{text.split()[0]} …"
    return text or "–"


def test_the_readme_has_every_role_and_scope(readme):
    """Whatever a key can be given is in the table."""
    assert not [name for name in (*ROLES, *SCOPES) if f"`{name}`" not in readme]


@pytest.mark.parametrize("name", [*READMES, *PARTS])
def test_what_a_readme_points_to_is_there(root, name):
    """Links lead to files of the repository; files named in backticks exist."""
    path = root / name
    text = path.read_text("utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    missing = [link for link in links if not (path.parent / link).exists()]
    named = re.findall(r"`((?:tests|events|projections|services)/[\w./-]+)`", text)
    missing += [file for file in named if not (root / file).exists()]
    assert not missing


def test_both_languages_type_the_same(root):
    """The commands are the same in both READMEs, but for comments."""
    english, chinese = (typed((root / name).read_text("utf-8")) for name in READMES)
    assert english == chinese


def typed(text):
    """Return the lines of all shell blocks without comments."""
    blocks = re.findall(r"^```sh.*?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).splitlines()
    return [re.sub(r"\s*#.*", "", line) for line in lines]
