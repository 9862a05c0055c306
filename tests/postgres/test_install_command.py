"""`henji install` as an operator types it: with the owner's secret in a file."""

from __future__ import annotations

import os
import subprocess
import sys

import psycopg


def install(*options, **environment):
    """Run the command with nothing of ours in the environment but this."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("HENJI_")}
    return subprocess.run(
        [sys.executable, "-m", "services", "install", *options],
        env={**own, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_owners_secret_comes_from_a_file(postgres_dsns, tmp_path):
    """HENJI_OWNER_URL_FILE names it; the roles are made and named in the answer."""
    owner, writer = postgres_dsns
    secret = tmp_path / "owner_url"
    secret.write_text(owner + "\n")
    role = psycopg.conninfo.conninfo_to_dict(writer)["user"]
    done = install("--writer", role, HENJI_OWNER_URL_FILE=str(secret))
    assert done.returncode == 0, done.stderr
    assert role in done.stdout
    again = install("--writer", role, HENJI_OWNER_URL=owner)
    assert again.returncode == 0, again.stderr


def test_without_an_owner_it_says_what_is_missing():
    """No connection is tried; the message names the variable."""
    done = install("--writer", "henji_writer")
    assert done.returncode == 2
    assert "HENJI_OWNER_URL" in done.stderr
