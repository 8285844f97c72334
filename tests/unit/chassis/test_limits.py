"""Limits of requests and the closing of connections, byte by byte and without a network."""

import asyncio
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from uvicorn.server import ServerState

from chassis.runtime.service import server_config
from chassis.web.limits import MAX_OVERHEAD, LimitedHttpProtocol
from tests.component.sample_app import settings

LINE = b"POST /live HTTP/1.1\r\nHost: x\r\n"


class FakeTransport(asyncio.Transport):
    """A transport that keeps what the server wrote, and whether it closed the connection."""

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


async def sent(*pieces: bytes) -> FakeTransport:
    transport = FakeTransport()
    protocol = LimitedHttpProtocol(
        uvicorn.Config(app, ws="none", log_config=None), ServerState(), {}
    )
    protocol.connection_made(transport)
    for piece in pieces:
        if transport.closed:
            break
        protocol.data_received(piece)
        await asyncio.sleep(0)
    for _ in range(10):
        await asyncio.sleep(0)
    closed = transport.closed
    protocol.connection_lost(None)  # which closes it in any case
    transport.closed = closed
    return transport


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
async def test_a_request_without_an_end_is_refused(pieces: list[bytes]) -> None:
    transport = await sent(*pieces)
    assert transport.closed
    assert transport.written.startswith(b"HTTP/1.1 400 ")


async def test_a_large_body_and_many_requests_on_one_connection_are_accepted() -> None:
    size = 40 * MAX_OVERHEAD
    body = [b"b" * 1_000] * (size // 1_000) + [b"b" * (size % 1_000)]
    headers = b"x: " + b"a" * 10_000 + b"\r\n"
    one = [LINE + headers + b"Content-Length: %d\r\n\r\n" % size + body[0], *body[1:]]
    transport = await sent(*one, *[LINE + headers + b"Content-Length: 0\r\n\r\n"] * 20)
    assert not transport.closed
    assert transport.written.count(b"HTTP/1.1 204") == 21


class Connection:
    """A connection to a server that is told to stop as by `chassis.runtime.service`."""

    def __init__(self, app: Any = app) -> None:
        self.transport, self.server = FakeTransport(), ServerState()
        config = uvicorn.Config(app, ws="none", log_config=None)
        self.protocol = LimitedHttpProtocol(config, self.server, {})
        self.protocol.connection_made(self.transport)

    async def ask(self) -> str:
        """Send a request and return its answer in lower case."""
        self.transport.written = b""
        self.protocol.data_received(LINE + b"Content-Length: 0\r\n\r\n")
        return await self.answer()

    async def answer(self) -> str:
        for _ in range(10):
            await asyncio.sleep(0)
        return self.transport.written.decode().lower()

    def stop(self) -> None:
        self.server.default_headers = [(b"connection", b"close")]
        self.protocol.shutdown()


async def test_a_connection_closes_with_its_next_answer_after_the_service_is_told_to_stop() -> None:
    connection = Connection()
    assert "connection: close" not in await connection.ask()
    connection.stop()
    assert not connection.transport.closed
    assert "connection: close" in await connection.ask()
    assert connection.transport.closed


async def test_an_idle_connection_closes_by_itself_after_the_service_is_told_to_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chassis.web.limits.CLOSE_IDLE_AFTER", 0.01)
    used, unused = Connection(), Connection()
    await used.ask()
    used.stop()
    unused.stop()
    async with asyncio.timeout(10):
        while not (used.transport.closed and unused.transport.closed):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_an_open_request_is_answered_with_connection_close() -> None:
    proceed = asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await proceed.wait()
        await app(scope, receive, send)

    connection = Connection(slow)
    assert await connection.ask() == ""
    connection.stop()
    assert not connection.transport.closed
    proceed.set()
    answer = await connection.answer()
    assert answer.startswith("http/1.1 204")
    assert "connection: close" in answer
    assert connection.transport.closed


def test_the_services_use_the_limited_protocol() -> None:
    assert server_config(FastAPI(), settings()).http is LimitedHttpProtocol
