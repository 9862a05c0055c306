"""The repository as data: its root, its tracked files, its parsed modules."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("events", "projections", "services")


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def tracked() -> list[Path]:
    """Return the files that git tracks and that are there, relative to the root."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    # The checkout may belong to another user than the one who runs the tests.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    names = listing.stdout.decode().rstrip("\0").split("\0")
    return [Path(name) for name in names if (ROOT / name).is_file()]


@pytest.fixture(scope="session")
def modules() -> Mapping[Path, ast.Module]:
    """Return the syntax tree of each module of the three packages."""
    return {
        path.relative_to(ROOT): ast.parse(path.read_bytes())
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }
