"""A file system of a few hundred MB, to be filled: needs root and Linux."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MEGABYTES = 320


class NoSmallDisk(Exception):
    """It cannot be mounted here; the message says why."""


@contextmanager
def small_disk() -> Iterator[Path]:
    """Mount one in memory; unmount it afterwards. NoSmallDisk where that cannot be."""
    if os.geteuid() != 0:
        raise NoSmallDisk("only root may mount a small disk")
    folder = Path(tempfile.mkdtemp(prefix="henji-disk-", dir="/tmp"))
    options = f"size={_MEGABYTES}m,mode=0755"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "henji", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        folder.rmdir()
        raise NoSmallDisk(f"mount: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        # Lazily: a server that is on its way out may still hold a file.
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()
