"""The ledger itself: which origin it has, and which keys sign it from when on.

Rules of this file: only what is true of the log as a whole. That it is position 1 of
the log is kept by the sequencer, which alone knows positions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Final

from msgspec import Meta

from events.domain.fields import Reason, key_of
from events.domain.model import Context, Event, Payload
from events.domain.transitions import NEW, Rule, event_types, refuse

Origin = Annotated[
    str, Meta(min_length=1, max_length=190, pattern=r"^[A-Za-z0-9._~:@/-]+(?!\n)$")
]
VerifierKey = Annotated[
    str,
    Meta(
        max_length=4000,
        pattern=r"^[^+\s]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*(?!\n)$",
        description="A verifier key of C2SP signed-note: name+hash+base64.",
    ),
]


class Opened(Payload, frozen=True):
    """The ledger begins: its origin name and the public keys of its checkpoints."""

    origin: Origin
    vkeys: Annotated[tuple[VerifierKey, ...], Meta(min_length=1)]


class KeysRotated(Payload, frozen=True):
    """Other keys sign the ledger from the next checkpoint on; the former ones retire.

    This entry is covered by a checkpoint of the former keys: they vouch for the new.
    """

    vkeys: Annotated[tuple[VerifierKey, ...], Meta(min_length=1)]
    reason: Reason


@dataclass(frozen=True, slots=True)
class Ledger:
    """The state of the ledger: who it is and with which keys it signs now."""

    status: str
    origin: str
    vkeys: tuple[str, ...]


def _guard_opened(_state: None, event: Event, _context: Context) -> None:
    if event.data.origin != key_of(event):
        raise refuse("ledger_origin_mismatch", "/data/origin", stream=event.stream)


def _open(_state: None, event: Event) -> Ledger:
    return Ledger(status="open", origin=event.data.origin, vkeys=event.data.vkeys)


def _guard_rotated(state: Ledger, event: Event, _context: Context) -> None:
    for number, vkey in enumerate(event.data.vkeys):
        where = f"/data/vkeys/{number}"
        if vkey.partition("+")[0] != state.origin:
            raise refuse("signing_key_name", where, origin=state.origin)
        if vkey in state.vkeys:
            raise refuse("signing_key_reused", where)


def _rotate(state: Ledger, event: Event) -> Ledger:
    return replace(state, vkeys=event.data.vkeys)


EVENT_TYPES: Final = event_types(
    "ledger",
    (
        Rule(
            what="opened",
            data=Opened,
            en="Ledger opened",
            zh="启用账本",
            roles=frozenset({"system"}),
            when=frozenset({NEW}),
            guard=_guard_opened,
            apply=_open,
            examples=(
                {
                    "origin": "henji.example/demo",
                    "vkeys": [
                        "henji.example/demo+c2c0ffee+AWFub3RoZXIga2V5IGZvciBhIGRlbW8="
                    ],
                },
            ),
        ),
        Rule(
            what="keys_rotated",
            data=KeysRotated,
            en="Signing keys rotated",
            zh="更换签名密钥",
            roles=frozenset({"system"}),
            when=frozenset({"open"}),
            guard=_guard_rotated,
            apply=_rotate,
            examples=(
                {
                    "vkeys": [
                        "henji.example/demo+5eedba5e+YSBsYXRlciBrZXkgZm9yIGEgZGVtbw=="
                    ],
                    "reason": "Yearly rotation",
                },
            ),
        ),
    ),
)
