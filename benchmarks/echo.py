"""The baseline of HTTP: the same endpoint that only validates the event and echoes it.

Rules of this file: no store and no hash; FastAPI and uvicorn as the service uses them.
``python -m benchmarks.echo pydantic|msgspec PORT`` serves it.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec
import uvicorn
from fastapi import FastAPI
from pydantic import AwareDatetime, BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response


class Event(BaseModel):
    """A CloudEvent as a request body, the way FastAPI is used."""

    specversion: str = Field(pattern=r"^1\.0$")
    id: str = Field(min_length=1)
    source: str = Field(min_length=1)
    type: str = Field(min_length=1)
    subject: str | None = Field(default=None, min_length=1)
    time: AwareDatetime | None = None
    data: dict[str, Any]


class FastEvent(msgspec.Struct):
    """The same, decoded by the fastest decoder there is for Python."""

    specversion: str
    id: str
    source: str
    type: str
    data: dict[str, Any]
    subject: str | None = None
    time: str | None = None


def pydantic_app() -> FastAPI:
    """Return the echo whose body is a pydantic model."""
    app = FastAPI(openapi_url=None)

    @app.post("/v1/events", status_code=201)
    async def echo(event: Event) -> Event:
        return event

    return app


def msgspec_app() -> FastAPI:
    """Return the echo that decodes the raw body with msgspec."""
    app = FastAPI(openapi_url=None)
    decode = msgspec.json.Decoder(FastEvent).decode
    encode = msgspec.json.Encoder().encode

    @app.post("/v1/events")
    async def echo(request: Request) -> Response:
        event = decode(await request.body())
        return Response(encode(event), status_code=201, media_type="application/json")

    return app


def main(kind: str, port: str) -> None:
    """Serve one of them, with the options of the service."""
    uvicorn.run(
        {"pydantic": pydantic_app, "msgspec": msgspec_app}[kind](),
        host="127.0.0.1",
        port=int(port),
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
