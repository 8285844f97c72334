"""A connection on which a request never ends, byte by byte and with no network."""

import asyncio
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from uvicorn.server import ServerState

from chassis.service import server_config
from chassis.wire import MOST_BESIDE, Bounded
from tests.component.miniature import settings

LINE = b"POST /live HTTP/1.1\r\nHost: x\r\n"


class Wire(asyncio.Transport):
    """What the server wrote, and whether it hung up."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


async def app(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def sent(*pieces: bytes) -> Wire:
    wire = Wire()
    protocol = Bounded(uvicorn.Config(app, ws="none", log_config=None), ServerState(), {})
    protocol.connection_made(wire)
    for piece in pieces:
        if wire.closed:
            break
        protocol.data_received(piece)
        await asyncio.sleep(0)
    for _ in range(10):
        await asyncio.sleep(0)
    hung_up = wire.closed
    protocol.connection_lost(None)  # which closes it, whoever ended it
    wire.closed = hung_up
    return wire


@pytest.mark.parametrize(
    "pieces",
    [
        [LINE, *[b"x: " + b"a" * 1_000 + b"\r\n"] * 70],
        [LINE + b"x: ", *[b"a" * 1_000] * 70],
        [b"GET /", *[b"a" * 1_000] * 70],
        [LINE + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", *[b"x: " + b"a" * 999 + b"\r\n"] * 70],
        [LINE + b"Transfer-Encoding: chunked\r\n\r\n1;", *[b"a" * 1_000] * 70],
    ],
    ids=["headers", "a header", "an address", "trailers", "an extension"],
)
async def test_what_has_no_end_is_ended(pieces: list[bytes]) -> None:
    wire = await sent(*pieces)
    assert wire.closed
    assert wire.written.startswith(b"HTTP/1.1 400 ")


async def test_a_large_body_and_many_requests_on_one_connection_are_taken() -> None:
    size = 40 * MOST_BESIDE
    body = [b"b" * 1_000] * (size // 1_000) + [b"b" * (size % 1_000)]
    headers = b"x: " + b"a" * 10_000 + b"\r\n"
    one = [LINE + headers + b"Content-Length: %d\r\n\r\n" % size + body[0], *body[1:]]
    wire = await sent(*one, *[LINE + headers + b"Content-Length: 0\r\n\r\n"] * 20)
    assert not wire.closed
    assert wire.written.count(b"HTTP/1.1 204") == 21


def test_the_services_listen_so() -> None:
    assert server_config(FastAPI(), settings()).http is Bounded
