"""The passwords of docker-compose.yml, once: run this file with a folder's name.

Rules of this file: the standard library only, for it runs before anything is installed.
What exists is left alone: a database keeps the passwords it was made with.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

_ROLES = ("owner", "writer", "projector", "reader")
_BYTES = 24


def make(folder: Path) -> list[str]:
    """Write each missing secret, name them. ``folder`` keeps others out (0700).

    The files themselves are 0644: a container reads them as a user of its own."""
    folder.mkdir(mode=0o700, exist_ok=True)
    wanted = {"postgres_password": secrets.token_urlsafe(_BYTES)} | {
        f"{role}_url": f"postgresql://henji_{role}:{secrets.token_urlsafe(_BYTES)}"
        "@postgres/henji"
        for role in _ROLES
    }
    made = [name for name in wanted if not (folder / name).exists()]
    for name in made:
        path = folder / name
        path.touch(mode=0o644)
        path.write_text(wanted[name])
    return made


if __name__ == "__main__":
    print("made:", ", ".join(make(Path(sys.argv[1]))) or "nothing, all are there")  # noqa: T201
