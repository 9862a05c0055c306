"""What few may read: kinds of stream, and reports made of them, by the reader's roles.

Rules of this file: one table and its check. A refusal is noted in the security log.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from starlette.requests import Request

from events import errors
from services.api.desk import Desk

#: Kind of stream (and name of the report of it) -> the roles that may read it.
RESTRICTED: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "access": frozenset({"admin", "auditor"}),
        "accountability": frozenset({"discipline", "headquarters", "auditor"}),
    }
)


def admit(desk: Desk, request: Request, kind: str) -> None:
    """Return if the caller may read, and read this; ``Denied('restricted_kind')``."""
    caller = desk.caller(request, "events:read")
    needed = RESTRICTED.get(kind)
    if needed is not None and not needed & caller.roles:
        refusal = errors.Denied("restricted_kind", kind=kind, needed=sorted(needed))
        desk.note(request, "access_refused", refusal, key=caller.key)
        raise refusal
