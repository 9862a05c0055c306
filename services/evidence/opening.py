"""Which store of evidence the settings mean.

Rules of this file: the choice only.
"""

from __future__ import annotations

from pathlib import Path

from services.evidence.local import LocalStore
from services.evidence.s3 import S3Store, bucket_of
from services.evidence.store import EvidenceStore
from services.settings import Settings


def open_evidence(settings: Settings) -> EvidenceStore:
    """Open the store that the settings name: a bucket, or else a folder.

    ``Malformed('evidence_s3_url_invalid')``, ``Unavailable('evidence_s3_not_installed'
    or 'evidence_store_unavailable')``.
    """
    folder = Path(settings.evidence_dir or settings.data_dir / "evidence")
    if settings.evidence_s3_url:
        return S3Store(bucket_of(settings.evidence_s3_url), staging=folder / "incoming")
    return LocalStore(folder)
