"""Checks of what is around a ledger: files, disk, evidence, brokers.

Rules of this file: what is written to try something is removed at once; no folder is
made, for who looks may be another user than the service.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from services.doctor.finding import Patient, Seen, failed, warning
from services.evidence.opening import folder_of, open_evidence

_OTHERS = 0o077
_GIB = 2**30
#: Bytes that should be, and must be, free where the data folder is.
_DISK_WARNS, _DISK_FAILS = 5 * _GIB, _GIB // 4


def key_file(patient: Patient) -> Seen:
    """The signing keys are there, and nobody else may read them."""
    path = patient.settings.data_dir / "signing.keys"
    if not path.exists():
        return failed("key_file_missing", path)
    if path.stat().st_mode & _OTHERS:
        return failed("key_file_open", path)
    if path.parent.stat().st_mode & _OTHERS:
        return warning("data_folder_open", path.parent)
    return Seen(str(path))


def disk(patient: Patient) -> Seen:
    """There is room where the data folder is."""
    free = shutil.disk_usage(_nearest(patient.settings.data_dir)).free
    told = f"{free / _GIB:.1f} GiB"
    if free < _DISK_FAILS:
        return failed("disk_low", told)
    return warning("disk_low", told) if free < _DISK_WARNS else Seen(told)


def evidence(patient: Patient) -> Seen:
    """Evidence could be staged, and its store answers."""
    if not folder_of(patient.settings).exists():
        return Seen("not used yet")
    store = open_evidence(patient.settings)
    with tempfile.TemporaryFile(dir=store.staging) as file:
        file.write(b"doctor")
    store.size("0" * 64)
    return Seen(patient.settings.evidence_s3_url or str(store.staging.parent))


def kafka(patient: Patient) -> Seen:
    """The brokers answer, where there are any."""
    if not patient.settings.kafka:
        return Seen("not used")
    # Its client is loaded where there are brokers.
    from services.kafka.clients import open_admin  # noqa: PLC0415
    from services.kafka.connection import connection_of  # noqa: PLC0415

    with open_admin(connection_of(patient.settings), name="doctor") as admin:
        return Seen(f"{len(admin.list_topics())} topics")


def _nearest(folder: Path) -> Path:
    """Return the folder, or the next one above it that exists."""
    return next(
        one for one in (folder.absolute(), *folder.absolute().parents) if one.exists()
    )
