"""Sending events to the HTTP API: batches, retries, and what came of each event.

It knows the API and nothing of files or mappings. A batch may be sent again at any
time: the log counts an event (source, id) once, so a lost answer loses and doubles
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

import httpx2
import msgspec

from events.errors import Denied, HenjiError, Malformed, Unavailable

BATCH_EVENTS: Final = 500
BATCH_BYTES: Final = 4 * 1024 * 1024
_TRIES: Final = 8
_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 30.0
_AGAIN: Final = frozenset({429, 502, 503, 504})
_REFUSED: Final = 400
_CONFLICT: Final = 409


@dataclass(frozen=True, slots=True)
class Staged:
    """An event to send: its JSON, where it came from, and if it creates a unit."""

    place: int
    creates_unit: bool
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer; ``retry_after`` in seconds, where the server named some."""

    status: int
    body: bytes
    retry_after: float | None = None


class ConnectionLost(Exception):
    """No answer came: the batch may or may not be in the log."""


class Post(Protocol):
    """Sends one NDJSON body. Raises ``ConnectionLost`` when no answer came."""

    def __call__(self, body: bytes, *, dry_run: bool = False) -> Reply:
        """Send; with ``dry_run`` the log only says what it would do."""


Wait = Callable[[float], None]


class _Fault(msgspec.Struct, frozen=True):
    code: str = ""
    detail: str = ""
    pointer: str = ""


class _Problem(msgspec.Struct, frozen=True):
    code: str = ""
    title: str = ""
    detail: str = ""
    errors: tuple[_Fault, ...] = ()


class _Item(msgspec.Struct, frozen=True):
    index: int
    status: int
    id: str | None = None
    problem: _Problem = _Problem()


class _Answer(msgspec.Struct, frozen=True):
    """What the log says of a batch; only the refused items are of interest here."""

    accepted: int
    duplicates: int
    rejected: int
    items: tuple[_Item, ...] = ()
    checkpoint: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """One event that the log did not take."""

    staged: Staged
    id: str
    code: str
    detail: str
    is_conflict: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a batch: each of its events is counted once."""

    accepted: int
    duplicates: int
    refusals: list[Refusal]
    checkpoint: str | None


def batches(staged: Iterable[Staged]) -> Iterator[list[Staged]]:
    """Cut a sequence of events into batches within the API's limits, in order."""
    batch: list[Staged] = []
    size = 0
    for one in staged:
        if batch and (
            len(batch) == BATCH_EVENTS or size + len(one.body) >= BATCH_BYTES
        ):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += len(one.body) + 1
    if batch:
        yield batch


def preview(batch: list[Staged], post: Post, wait: Wait) -> list[Refusal]:
    """Ask which events of a batch the log would refuse, without adding any.

    Raises as ``send`` does.
    """
    reply = _post_until_answered(_body(batch), partial(post, dry_run=True), wait)
    refused = [i for i in _answer(reply, len(batch)).items if i.status >= _REFUSED]
    return [_refusal(batch[item.index], item) for item in refused]


def send(batch: list[Staged], post: Post, wait: Wait) -> Outcome:
    """Send a batch until the log has judged each event of it.

    Raises ``Unavailable`` when it stays unreachable or busy (8 tries, about a minute),
    ``Denied`` for a key that may not, ``Malformed`` for an answer that is none of ours.
    """
    body = _body(batch)
    accepted = 0
    for turn in range(_TRIES):
        answer = _answer(_post_until_answered(body, post, wait), len(batch))
        accepted += answer.accepted
        refused = [item for item in answer.items if item.status >= _REFUSED]
        if not any(item.status in _AGAIN for item in refused):
            break
        # Some could not be judged now. All go again, or what builds on them would be
        # refused for good; those that are in the log count as duplicates then.
        wait(_pause(turn, None))
    else:
        raise Unavailable("import_service_unavailable", f"busy, {_TRIES} times")
    return Outcome(
        accepted=accepted,
        duplicates=len(batch) - accepted - len(refused),
        refusals=[_refusal(batch[item.index], item) for item in refused],
        checkpoint=answer.checkpoint,
    )


@contextmanager
def http_post(
    url: str, key: str, *, transport: httpx2.BaseTransport | None = None
) -> Iterator[Post]:
    """Give a ``Post`` to the service at ``url``, over one kept connection."""
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/x-ndjson",
        "Prefer": "return=minimal",
    }
    target = url.rstrip("/") + "/v1/events"
    with httpx2.Client(headers=headers, timeout=120.0, transport=transport) as client:

        def post(body: bytes, *, dry_run: bool = False) -> Reply:
            asked = {"on_error": "continue"} | ({"dry_run": "true"} if dry_run else {})
            try:
                answer = client.post(target, params=asked, content=body)
            except httpx2.TransportError as error:
                raise ConnectionLost(str(error) or type(error).__name__) from error
            pause = answer.headers.get("Retry-After", "")
            return Reply(
                answer.status_code,
                answer.content,
                float(pause) if pause.isdecimal() else None,
            )

        yield post


def _post_until_answered(
    body: bytes, post: Callable[[bytes], Reply], wait: Wait
) -> Reply:
    said = ""
    for turn in range(_TRIES):
        asked: float | None = None
        try:
            reply = post(body)
        except ConnectionLost as error:
            said = f"no answer: {error}"
        else:
            if reply.status not in _AGAIN:
                return reply
            said, asked = f"HTTP {reply.status}", reply.retry_after
        if turn + 1 < _TRIES:
            wait(_pause(turn, asked))
    raise Unavailable("import_service_unavailable", f"{said}, {_TRIES} times")


def _body(batch: list[Staged]) -> bytes:
    return b"".join(one.body + b"\n" for one in batch)


def _pause(turn: int, asked: float | None) -> float:
    return min(_FIRST_PAUSE * 2**turn if asked is None else asked, _LONGEST_PAUSE)


def _answer(reply: Reply, size: int) -> _Answer:
    try:
        answer = msgspec.json.decode(reply.body, type=_Answer)
    except msgspec.DecodeError:
        raise _stop(reply) from None
    refused = sum(item.status >= _REFUSED for item in answer.items)
    counted = answer.accepted + answer.duplicates + answer.rejected
    if counted != size or refused != answer.rejected:
        detail = f"{size} events sent, but the answer counts others"
        raise Malformed("import_answer_unusable", detail, status=reply.status)
    return answer


def _stop(reply: Reply) -> HenjiError:
    """Make the error for an answer that judges the request, not its events."""
    try:
        problem = msgspec.json.decode(reply.body, type=_Problem)
    except msgspec.DecodeError:
        problem = _Problem()
    said = problem.detail or problem.title or "no problem document"
    detail = f"HTTP {reply.status} {problem.code}: {said}"
    if reply.status in {401, 403}:
        return Denied("import_key_refused", detail, status=reply.status)
    return Malformed("import_answer_unusable", detail, status=reply.status)


def _refusal(staged: Staged, item: _Item) -> Refusal:
    first = item.problem.errors[0] if item.problem.errors else _Fault()
    said = (item.problem.detail or item.problem.title, first.pointer, first.detail)
    return Refusal(
        staged=staged,
        id=item.id or "",
        code=item.problem.code or f"http_{item.status}",
        detail=" ".join(part for part in said if part),
        is_conflict=item.status == _CONFLICT,
    )
