"""What can go wrong, as data: a few exception classes, each raised with a stable code.

Rules of this file: no HTTP, no I/O, no text for people. A code is written once, here;
its English and Chinese texts live in ``events/messages.toml`` and its HTTP status in
``services/problems.py``. A code, once released, never changes its meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """One finding inside a refused input.

    ``pointer`` is an RFC 6901 JSON pointer into the submitted event ("" is the whole).
    """

    code: str
    detail: str
    pointer: str = ""


class HenjiError(Exception):
    """The root of all errors that Henji raises on purpose."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        faults: tuple[Fault, ...] = (),
        **parameters: Any,
    ) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
        self.faults = faults
        self.parameters = parameters


class Malformed(HenjiError):
    """The bytes break their format: nothing was read from them."""


class Refused(HenjiError):
    """A well-formed submission breaks a rule of the domain; the log is unchanged."""


class Denied(HenjiError):
    """This principal may not do that."""


class Conflict(HenjiError):
    """The submission contradicts what the log already holds."""


class NotFound(HenjiError):
    """There is no such thing, or the asker may not know of it."""


class Unavailable(HenjiError):
    """It could not be done now; the same submission may be sent again safely."""


class Corrupt(HenjiError):
    """The log contradicts itself; the process must not go on writing."""
