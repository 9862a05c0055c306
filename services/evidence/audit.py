"""Whether the evidence that a log names is there: looked up, hashed again, by the log.

Rules of this file: it reads and compares, it repairs nothing. The log is verified
before, by ``services.verifying``; a digest is worth no more than the log it stands in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from events import entries
from events.errors import Malformed
from events.store import Row
from services import auditing
from services.evidence.local import LocalStore
from services.evidence.opening import open_evidence
from services.evidence.store import EvidenceStore
from services.settings import Settings
from services.texts import Say
from services.wiring import open_store

#: In place of a folder: the store that the settings name.
STORE: Final = "store"
_STORED: Final = "henji.evidence.stored.v1"
_ERASED: Final = "henji.evidence.erased.v1"
_MARK: Final = b'"henji.evidence.'


class Finding(NamedTuple):
    """One content that is not as the log says, and the position that says so.

    ``code``: evidence_missing, evidence_differs or evidence_not_erased.
    """

    position: int
    sha256: str
    code: str


@dataclass(frozen=True, slots=True)
class Audit:
    """How many contents were hashed again and how many are gone by law, and what is
    wrong, by position.
    """

    checked: int
    erased: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Tell whether all is as the log says."""
        return not self.findings


class _Said(NamedTuple):
    """The last thing that the log says of a content."""

    position: int
    erased: bool


def audit_evidence(
    target: str, where: str, settings: Settings, *, key: str = "", size: int
) -> Audit:
    """Compare a log that was verified at a size with a folder of evidence, or a store.

    ``target`` is what ``henji verify`` verified: a URL, a folder of tiles, or (empty)
    the own store; ``where`` a folder, or ``STORE``. Content that is erased while this
    runs may be found missing. ``Malformed('evidence_folder_unknown')``, and what
    ``open_evidence`` raises.
    """
    kept = _kept(where, settings)
    if target:
        with auditing.published(target, key=key) as fetch:
            return audit(auditing.entries_of(fetch, size), kept)
    with closing(open_store(settings)) as store:
        return audit(_own(store.iter_entries(), size), kept)


def audit(log: Iterable[bytes], store: EvidenceStore) -> Audit:
    """Look up and hash again every content that the entries of a log name.

    ``log`` has the entries from position 1 on. Memory grows with the number of
    contents; the content itself is read in pieces.
    """
    said = _said(log)
    found = [
        Finding(last.position, sha256, code)
        for sha256, last in said.items()
        if (code := _fault(store, sha256, last)) is not None
    ]
    erased = sum(last.erased for last in said.values())
    return Audit(len(said) - erased, erased, tuple(sorted(found)))


def sentences(found: Audit, say: Say) -> Iterator[str]:
    """Yield the outcome: one sentence, and one for each finding."""
    yield say("evidence_audited", checked=found.checked, erased=found.erased)
    for one in found.findings:
        yield say(one.code, position=one.position, sha256=one.sha256)


def as_json(found: Audit) -> dict[str, Any]:
    """Return the outcome as one JSON object."""
    return {
        "checked": found.checked,
        "erased": found.erased,
        "findings": [one._asdict() for one in found.findings],
    }


def _kept(where: str, settings: Settings) -> EvidenceStore:
    if where == STORE:
        return open_evidence(settings)
    if not Path(where).is_dir():
        raise Malformed("evidence_folder_unknown", where)
    return LocalStore.to_read(Path(where))


def _own(rows: Iterable[Row], size: int) -> Iterator[bytes]:
    return (row.entry for row in rows if row.position <= size)


def _said(log: Iterable[bytes]) -> dict[str, _Said]:
    said: dict[str, _Said] = {}
    for position, raw in enumerate(log, start=1):
        if _MARK not in raw:  # Most entries are about something else: unread.
            continue
        entry = entries.envelope(raw)
        if entry.type in {_STORED, _ERASED}:
            sha256 = entry.stream.partition("/")[2]
            said[sha256] = _Said(position, entry.type == _ERASED)
    return said


def _fault(store: EvidenceStore, sha256: str, last: _Said) -> str | None:
    size = store.size(sha256)
    if last.erased:
        return None if size is None else "evidence_not_erased"
    if size is None:
        return "evidence_missing"
    state = hashlib.sha256()
    for piece in store.read(sha256, start=0, end=size):
        state.update(piece)
    return None if state.hexdigest() == sha256 else "evidence_differs"
