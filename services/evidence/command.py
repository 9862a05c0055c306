"""``henji evidence put`` and ``henji evidence get``: a client of the HTTP interface.

Rules of this file: arguments, transfer, exit. It trusts the service with nothing that
can be computed here: what is sent and what comes is hashed on this side.
"""

from __future__ import annotations

import hashlib
import mimetypes
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx2
import msgspec
import typer

from events import errors
from services.evidence.store import CHUNK
from services.options import LOCAL_URL, Key, Output, Url

_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Service:
    """Where the interface is, and with which key; ``transport`` is for tests."""

    url: str
    key: str
    transport: httpx2.BaseTransport | None = None


def register(app: typer.Typer) -> None:
    """Add the group ``evidence`` to the command line."""
    group = typer.Typer(no_args_is_help=True, help="Evidence: put, get.")
    group.command("put")(put)
    group.command("get")(get)
    app.add_typer(group, name="evidence")


def put(  # noqa: PLR0913, PLR0917 - one an option
    file: Path,
    key: Key,
    media_type: Annotated[str, typer.Option(help="Default: by the name.")] = "",
    name: Annotated[str, typer.Option(help="Default: the file's.")] = "",
    captured_at: Annotated[str, typer.Option(help="RFC 3339.")] = "",
    personal: Annotated[bool, typer.Option(help="It shows persons.")] = False,  # noqa: FBT002
    url: Url = LOCAL_URL,
) -> None:
    """Upload a file as evidence; print the answer with its receipt as JSON."""
    query = {"name": name or file.name, "captured_at": captured_at}
    query = {known: value for known, value in query.items() if value}
    if personal:
        query["personal"] = "true"
    kind = media_type or mimetypes.guess_type(file.name)[0] or ""
    answer = upload(Service(url, key), file, media_type=kind, query=query)
    typer.echo(msgspec.json.encode(answer).decode())


def get(
    sha256: str,
    output: Output,
    key: Key,
    url: Url = LOCAL_URL,
) -> None:
    """Download evidence; nothing is written unless it has the digest asked for."""
    size = download(Service(url, key), sha256, output)
    typer.echo(f"{output}: {size} B, sha256:{sha256}")


def upload(
    service: Service, file: Path, *, media_type: str, query: dict[str, str]
) -> dict[str, Any]:
    """Send a file under its own digest, in pieces; return the answer.

    ``Malformed('evidence_answer_unusable')`` where the service refuses it (its words
    are the detail), ``Unavailable('evidence_transfer_failed')``.
    """
    digest = _digest(file)
    declared = b64encode(digest).decode()
    headers = {
        "Content-Type": media_type,
        "Content-Digest": f"sha-256=:{declared}:",
        "Content-Length": str(file.stat().st_size),
    }
    with _client(service) as client:
        answer = client.put(
            f"/v1/evidence/{digest.hex()}",
            params=query,
            content=_pieces(file),
            headers=headers,
        )
        body = _body(answer.status_code, answer.content)
    if body.get("sha256") != digest.hex():
        raise errors.Malformed("evidence_answer_unusable", "another digest")
    return body


def download(service: Service, sha256: str, output: Path) -> int:
    """Write content to a file that appears whole or not at all; return its size.

    Raises as ``upload``, or ``Corrupt('evidence_digest_differs')``.
    """
    state, size = hashlib.sha256(), 0
    with (
        _client(service) as client,
        _appearing(output) as file,
        client.stream("GET", f"/v1/evidence/{sha256}") as answer,
    ):
        if answer.status_code != 200:
            _body(answer.status_code, answer.read())
        for piece in answer.iter_bytes(CHUNK):
            state.update(piece)
            size += file.write(piece)
        if state.hexdigest() != sha256:
            raise errors.Corrupt("evidence_digest_differs", sha256=sha256)
    return size


@contextmanager
def _client(service: Service) -> Iterator[httpx2.Client]:
    try:
        with httpx2.Client(
            base_url=service.url,
            headers={"Authorization": f"Bearer {service.key}"},
            timeout=_SECONDS,
            transport=service.transport,
        ) as client:
            yield client
    except httpx2.TransportError as error:
        detail = str(error) or type(error).__name__
        raise errors.Unavailable("evidence_transfer_failed", detail) from error


@contextmanager
def _appearing(output: Path) -> Iterator[Any]:
    """Open a file beside the output that takes its name only where all went well."""
    with tempfile.NamedTemporaryFile(dir=output.parent, delete=False) as file:
        beside = Path(file.name)
        try:
            yield file
            file.flush()
            beside.replace(output)
        finally:
            beside.unlink(missing_ok=True)


def _body(status: int, content: bytes) -> dict[str, Any]:
    """Return the answer of a service that did what it was asked."""
    try:
        body = msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError:
        body = {}
    if status in {200, 201} and body:
        return body
    said = body.get("title", "no problem document")
    detail = f"HTTP {status} {body.get('code', '')}: {said}"
    raise errors.Malformed("evidence_answer_unusable", detail, status=status)


def _digest(file: Path) -> bytes:
    state = hashlib.sha256()
    for piece in _pieces(file):
        state.update(piece)
    return state.digest()


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        while piece := source.read(CHUNK):
            yield piece
