"""Which stores the settings mean: of evidence, and of the files of frozen reports.

Rules of this file: the choice only.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from services.evidence.local import LocalStore
from services.evidence.s3 import S3Store, bucket_of
from services.evidence.store import EvidenceStore
from services.settings import Settings

_REPORTS = "reports"


def open_evidence(settings: Settings) -> EvidenceStore:
    """Open the store that the settings name: a bucket, or else a folder.

    ``Malformed('evidence_s3_url_invalid')``, ``Unavailable('evidence_s3_not_installed'
    or 'evidence_store_unavailable')``.
    """
    folder = folder_of(settings)
    if settings.evidence_s3_url:
        return S3Store(bucket_of(settings.evidence_s3_url), staging=folder / "incoming")
    return LocalStore(folder)


def open_reports(settings: Settings) -> EvidenceStore:
    """Open the store of frozen reports: a folder, or prefix, ``reports`` of that one.

    Its files are promised by ``henji.report.frozen.v1``, not by an event each: they lie
    apart from evidence so that no sweep of that takes them for orphans. Raises as
    ``open_evidence``.
    """
    folder = folder_of(settings) / _REPORTS
    if settings.evidence_s3_url:
        bucket = bucket_of(settings.evidence_s3_url)
        below = replace(bucket, prefix=f"{bucket.prefix}{_REPORTS}/")
        return S3Store(below, staging=folder / "incoming")
    return LocalStore(folder)


def folder_of(settings: Settings) -> Path:
    """Return the folder of evidence, or that where it is staged for a bucket."""
    return Path(settings.evidence_dir or settings.data_dir / "evidence")
