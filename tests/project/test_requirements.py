"""The pinned files serve everybody: complete, hashed, free of any index's address."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FILES = ["runtime", "dev", "bench"]
#: The group that each file adds to the dependencies of the distribution.
GROUPS = {"runtime": "build", "dev": "dev", "bench": "bench"}


def pins(root, name):
    """Return what a file pins: normalised name to version."""
    text = (root / "requirements" / f"{name}.txt").read_text()
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^ ]+)", text, re.MULTILINE)
    return {canonicalize_name(project): version for project, version in found}


def wanted(root, name):
    """Return the requirements that a file must satisfy, groups expanded."""
    project = tomllib.loads((root / "pyproject.toml").read_text())

    def expand(group):
        for item in project["dependency-groups"][group]:
            if isinstance(item, str):
                yield item
            else:
                yield from expand(item["include-group"])

    lines = [*project["project"]["dependencies"], *expand(GROUPS[name])]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("name", FILES)
def test_what_the_project_asks_for_is_pinned(root, name):
    """Each requirement of pyproject.toml is pinned to a version that satisfies it."""
    pinned = pins(root, name)
    for requirement in wanted(root, name):
        project = canonicalize_name(requirement.name)
        assert project in pinned, f"{project}: run `make lock`"
        assert requirement.specifier.contains(pinned[project]), project


@pytest.mark.parametrize("name", FILES)
def test_every_pin_has_hashes_and_no_address(root, name):
    """A pin is checked by content, wherever it is downloaded from."""
    text = (root / "requirements" / f"{name}.txt").read_text()
    requirements = re.split(r"\n(?=\S)", text.replace("\\\n", " ").strip())
    assert all("--hash=sha256:" in line for line in requirements)
    assert "://" not in text
    assert " @ " not in text


def test_the_files_agree(root):
    """What one environment runs is what the others test."""
    runtime, dev, bench = (pins(root, name) for name in FILES)
    assert runtime.items() <= dev.items() <= bench.items()


@pytest.mark.parametrize("name", FILES)
def test_no_package_takes_our_import_names(root, name):
    """Nothing installed is called like one of our packages; `Events` is a real one."""
    assert not {"events", "projections", "services"} & pins(root, name).keys()


def imported(tree):
    """Yield the root of each absolute import, type-checking ones included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]


def test_what_the_packages_import_is_declared(root, modules):
    """A third-party import is a dependency of ours, not only of a dependency."""
    requirements = wanted(root, "runtime")
    declared = {canonicalize_name(r.name) for r in requirements}
    # psycopg[pool] is the distribution psycopg-pool.
    declared |= {f"{r.name}-{extra}" for r in requirements for extra in r.extras}
    distributions = packages_distributions()
    ours = {"events", "projections", "services"} | set(sys.stdlib_module_names)
    undeclared = {
        f"{path}: {name}"
        for path, tree in modules.items()
        for name in set(imported(tree)) - ours
        if not declared & set(map(canonicalize_name, distributions.get(name, [])))
    }
    assert not undeclared
