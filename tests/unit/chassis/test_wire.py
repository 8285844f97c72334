"""A connection on which a request never ends, byte by byte and with no network."""

import asyncio
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from uvicorn.server import ServerState

from chassis.runtime.service import server_config
from chassis.web.limits import MOST_BESIDE, LimitedHttpProtocol
from tests.component.sample_app import settings

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
    protocol = LimitedHttpProtocol(
        uvicorn.Config(app, ws="none", log_config=None), ServerState(), {}
    )
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


class Connection:
    """A connection to a server that can be told to stop, as `chassis.runtime.service` tells it."""

    def __init__(self, app: Any = app) -> None:
        self.wire, self.server = Wire(), ServerState()
        config = uvicorn.Config(app, ws="none", log_config=None)
        self.protocol = LimitedHttpProtocol(config, self.server, {})
        self.protocol.connection_made(self.wire)

    async def ask(self) -> str:
        """What a request is answered, once there is an answer."""
        self.wire.written = b""
        self.protocol.data_received(LINE + b"Content-Length: 0\r\n\r\n")
        return await self.answer()

    async def answer(self) -> str:
        for _ in range(10):
            await asyncio.sleep(0)
        return self.wire.written.decode().lower()

    def stop(self) -> None:
        self.server.default_headers = [(b"connection", b"close")]
        self.protocol.shutdown()


async def test_a_connection_in_use_ends_with_its_next_answer_once_the_service_stops() -> None:
    connection = Connection()
    assert "connection: close" not in await connection.ask()
    connection.stop()
    assert not connection.wire.closed
    assert "connection: close" in await connection.ask()
    assert connection.wire.closed


async def test_an_idle_connection_ends_by_itself_once_the_service_stops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chassis.web.limits.LAST_CALL", 0.01)
    used, unused = Connection(), Connection()
    await used.ask()
    used.stop()
    unused.stop()
    async with asyncio.timeout(10):
        while not (used.wire.closed and unused.wire.closed):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_an_answer_under_way_is_finished_and_says_that_the_connection_ends() -> None:
    go_on = asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await go_on.wait()
        await app(scope, receive, send)

    connection = Connection(slow)
    assert await connection.ask() == ""
    connection.stop()
    assert not connection.wire.closed
    go_on.set()
    answer = await connection.answer()
    assert answer.startswith("http/1.1 204")
    assert "connection: close" in answer
    assert connection.wire.closed


def test_the_services_listen_so() -> None:
    assert server_config(FastAPI(), settings()).http is LimitedHttpProtocol
