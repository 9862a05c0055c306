"""ZIP archives whose bytes depend on their content alone.

Rules of this file: no clock, no file system, one way of packing.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

#: The first instant that a ZIP archive can name.
_TIME = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_MODE = 0o644 << 16


def archive(files: Mapping[str, bytes]) -> bytes:
    """Return an archive of these files, in the order given."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as target:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, _TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system, info.external_attr = _UNIX, _MODE
            target.writestr(info, content, compresslevel=6)
    return sink.getvalue()


def repacked(content: bytes, instead: Mapping[str, bytes]) -> bytes:
    """Return an archive with the same files in the same order, without their times.

    ``instead`` replaces the content of files by name.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        files = {name: source.read(name) for name in source.namelist()}
    return archive({name: instead.get(name, files[name]) for name in files})
