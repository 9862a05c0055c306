"""Evidence in a bucket of an S3-compatible service, through boto3 (``henji[s3]``).

Rules of this file: objects. An object appears whole when its upload is complete, never
in part. Who may read the bucket, and where credentials come from, is boto3's and the
operator's business; nothing of it is read or kept here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from events import errors
from services.evidence.store import CHUNK, Kept

_DIGEST = re.compile(r"[0-9a-f]{64}")
#: Query of the URL -> argument of the client.
_OPTIONS: Mapping[str, str] = {"endpoint": "endpoint_url", "region": "region_name"}
_ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where in S3: the bucket, the prefix of all names, and options of the client."""

    name: str
    prefix: str
    options: Mapping[str, str]


def bucket_of(url: str) -> Bucket:
    """Return what an ``s3://bucket/prefix?endpoint=…&region=…`` URL says.

    ``Malformed('evidence_s3_url_invalid')``.
    """
    parts = urlsplit(url)
    given = parse_qsl(parts.query, keep_blank_values=True)
    wrong = [name for name, value in given if name not in _OPTIONS or not value]
    if parts.scheme != "s3" or not parts.netloc or parts.fragment or wrong:
        raise errors.Malformed("evidence_s3_url_invalid", url[:200])
    prefix = parts.path.strip("/")
    options = {_OPTIONS[name]: value for name, value in given}
    return Bucket(parts.netloc, f"{prefix}/" if prefix else "", options)


class S3Store:
    """An ``EvidenceStore`` in a bucket; ``staging`` is a folder of this machine."""

    def __init__(self, bucket: Bucket, *, staging: Path) -> None:
        """Make a client; nothing is asked of the service yet.

        ``Unavailable('evidence_s3_not_installed')``: boto3 is not there.
        """
        try:
            boto3 = import_module("boto3")
            self._core = import_module("botocore.exceptions")
            above = import_module("boto3.exceptions")
            transfer = import_module("boto3.s3.transfer")
        except ModuleNotFoundError as cause:
            raise errors.Unavailable("evidence_s3_not_installed") from cause
        core = (self._core.ClientError, self._core.BotoCoreError)
        self._failures: tuple[type[Exception], ...] = (*core, above.Boto3Error)
        self._bucket = bucket
        self._staging = staging
        staging.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Few threads a transfer: uploads come in parallel already.
        self._transfer = transfer.TransferConfig(max_concurrency=2)
        with self._translated():
            self._client: Any = boto3.client("s3", **bucket.options)

    @property
    def staging(self) -> Path:
        """Return the folder for what is being received."""
        return self._staging

    def keep(self, staged: Path, sha256: str) -> None:
        """Upload a staged file; done when the service has it whole."""
        with self._translated():
            self._client.upload_file(
                str(staged),
                self._bucket.name,
                self._key(sha256),
                # Named by its content, typed by the log: a bucket that is opened to
                # browsers by mistake must not make a page of it.
                ExtraArgs={"ContentType": "application/octet-stream"},
                Config=self._transfer,
            )

    def size(self, sha256: str) -> int | None:
        """Return the size of an object; None: there is none."""
        with self._translated():
            try:
                found = self._client.head_object(**self._at(sha256))
            except self._core.ClientError as error:
                if _code(error) in _ABSENT:
                    return None
                raise
            return int(found["ContentLength"])

    def read(self, sha256: str, *, start: int, end: int) -> Iterator[bytes]:
        """Yield a part of an object."""
        if start >= end:
            return
        with self._translated():
            try:
                found = self._client.get_object(
                    **self._at(sha256), Range=f"bytes={start}-{end - 1}"
                )
            except self._core.ClientError as error:
                if _code(error) in _ABSENT:
                    code = "evidence_bytes_missing"
                    raise errors.Unavailable(code, sha256=sha256) from error
                raise
            with closing(found["Body"]) as body:
                yield from body.iter_chunks(CHUNK)

    def erase(self, sha256: str) -> bool:
        """Delete an object with all its versions: a marker over it erases nothing."""
        key = self._key(sha256)
        erased = False
        with self._translated():
            pages = self._client.get_paginator("list_object_versions").paginate(
                Bucket=self._bucket.name, Prefix=key
            )
            for page in pages:
                for found in (
                    *page.get("Versions", ()),
                    *page.get("DeleteMarkers", ()),
                ):
                    self._client.delete_object(
                        **self._at(sha256), VersionId=found["VersionId"]
                    )
                    erased = True
        return erased

    def kept(self) -> Iterator[Kept]:
        """Yield every object that is named by a digest."""
        with self._translated():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket.name, Prefix=self._bucket.prefix
            )
            for page in pages:
                for found in page.get("Contents", ()):
                    digest = found["Key"].rpartition("/")[2]
                    if _DIGEST.fullmatch(digest) and found["Key"] == self._key(digest):
                        since = int(found["LastModified"].timestamp() * 1_000_000)
                        yield Kept(digest, found["Size"], since)

    def _key(self, sha256: str) -> str:
        if not _DIGEST.fullmatch(sha256):
            raise ValueError(sha256)  # Never a name of somebody's making.
        return f"{self._bucket.prefix}{sha256[:2]}/{sha256[2:4]}/{sha256}"

    def _at(self, sha256: str) -> dict[str, str]:
        return {"Bucket": self._bucket.name, "Key": self._key(sha256)}

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what the client raises into ours."""
        try:
            yield
        except self._failures as error:
            detail = str(error)[:300]
            raise errors.Unavailable("evidence_store_unavailable", detail) from error


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
