"""What a client asks of a submission beside its content: query, preferences, digest.

Rules of this file: parsing only. It is on the hot path: a request that asks for nothing
costs one look at its headers.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256, sha512
from typing import Any
from urllib.parse import parse_qs

from events import errors
from events.cloudevents import Headers

_ASKING = frozenset({b"prefer", b"if-match", b"content-digest", b"content-encoding"})
_VERSION = re.compile(r'"v(0|[1-9]\d{0,17})"')
_QUERY: Mapping[str, frozenset[str]] = {
    "on_error": frozenset({"abort", "continue"}),
    "dry_run": frozenset({"true", "false"}),
}
#: RFC 9530 section 2: a dictionary of byte sequences.
_DIGEST = re.compile(r"([a-z*][a-z0-9_*.-]*)=:([A-Za-z0-9+/]*={0,2}):")
_ALGORITHMS: Mapping[str, Callable[[bytes], Any]] = {
    "sha-256": sha256,
    "sha-512": sha512,
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """How to treat a submission. ``applied`` are the preferences that are honoured."""

    atomic: bool = True
    dry_run: bool = False
    minimal: bool = False
    expected: int | None = None
    digest: str | None = None
    applied: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """Return what the answer says of the preferences (RFC 7240 section 3)."""
        return {"Preference-Applied": self.applied} if self.applied else {}


NONE = Wishes()


def wishes_of(headers: Headers, query_string: bytes) -> Wishes:
    """Return what a request asks for.

    ``Malformed``: invalid_parameter, unsupported_content_encoding.
    """
    given = [(name, value) for name, value in headers if name in _ASKING]
    if not given and not query_string:
        return NONE
    asked = _joined(given)
    query = _query(query_string)
    if asked.get("content-encoding", "identity").strip().lower() != "identity":
        raise errors.Malformed("unsupported_content_encoding", accept="identity")
    on_error = query.get("on_error")
    applied = _preferences(asked.get("prefer", ""), on_error)
    lenient = on_error == "continue" or "handling=lenient" in applied
    return Wishes(
        atomic=not lenient,
        dry_run=query.get("dry_run") == "true",
        minimal="return=minimal" in applied,
        expected=_expected(asked.get("if-match")),
        digest=asked.get("content-digest"),
        applied=", ".join(applied),
    )


def check_digest(field: str, body: bytes) -> None:
    """Return if the body has the digest of its ``Content-Digest`` header (RFC 9530).

    ``Malformed``: content_digest_mismatch, or content_digest_unsupported where the
    header cannot be read or has no algorithm that is known here.
    """
    members = [_DIGEST.fullmatch(member.strip()) for member in field.split(",")]
    read = [(found[1], found[2]) for found in members if found is not None]
    known = [(name, text) for name, text in read if name in _ALGORITHMS]
    if len(read) < len(members) or not known:
        raise errors.Malformed("content_digest_unsupported", field[:100])
    for name, text in known:
        wanted = _ALGORITHMS[name](body).digest()
        if not hmac.compare_digest(text, b64encode(wanted).decode()):
            raise errors.Malformed("content_digest_mismatch", algorithm=name)


def _joined(given: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return each header once; repeats are one list (RFC 9110 section 5.3)."""
    joined: dict[str, str] = {}
    for key, value in given:
        name, text = key.decode("latin-1"), value.decode("latin-1")
        joined[name] = f"{joined[name]}, {text}" if name in joined else text
    return joined


def _query(query_string: bytes) -> dict[str, str]:
    """Return the parameters; each is known, has a known value and stands once."""
    parsed = parse_qs(query_string.decode("latin-1"), keep_blank_values=True)
    for name, values in parsed.items():
        if len(values) > 1 or values[0] not in _QUERY.get(name, frozenset()):
            raise errors.Malformed("invalid_parameter", parameter=name)
    return {name: values[0] for name, values in parsed.items()}


def _preferences(prefer: str, on_error: str | None) -> list[str]:
    """Return the preferences that are honoured; the others are free to be ignored.

    The query parameter is the stricter wish: with it ``handling`` does not count.
    """
    found = {
        wish.partition(";")[0].strip().lower().replace(" ", "").replace('"', "")
        for wish in prefer.split(",")
    }
    honoured = ["return=minimal"] if "return=minimal" in found else []
    if "handling=lenient" in found and on_error != "abort":
        honoured.append("handling=lenient")
    return honoured


def _expected(if_match: str | None) -> int | None:
    if if_match is None:
        return None
    found = _VERSION.fullmatch(if_match.strip())
    if found is None:
        raise errors.Malformed("invalid_parameter", parameter="If-Match")
    return int(found[1])
