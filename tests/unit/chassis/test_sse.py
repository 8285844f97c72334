"""An event stream ends with its source, its client or the service."""

import asyncio
from collections.abc import AsyncGenerator

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import StreamingResponse
from starlette.types import Message

from chassis.web import problems, sse
from chassis.web.sse import events

ANN = "ann"


async def ticking(closed: list[str]) -> AsyncGenerator[bytes]:
    try:
        yield b"data: 1\n\n"
        yield b"data: 2\n\n"
        await asyncio.Event().wait()
    finally:
        closed.append("closed")


def chunks(answer: StreamingResponse) -> AsyncGenerator[bytes]:
    body = answer.body_iterator
    assert isinstance(body, AsyncGenerator)
    return body


async def test_a_stream_ends_when_the_service_stops() -> None:
    stopping, closed = asyncio.Event(), list[str]()
    body = chunks(events(ticking(closed), stopping, ANN))
    assert [await anext(body), await anext(body)] == [b"data: 1\n\n", b"data: 2\n\n"]
    waiting = asyncio.ensure_future(anext(body, None))
    await asyncio.sleep(0)
    assert not waiting.done()
    stopping.set()
    assert await asyncio.wait_for(waiting, 1) is None
    assert closed == ["closed"]


async def test_a_stream_ends_with_its_source() -> None:
    async def short() -> AsyncGenerator[bytes]:
        yield b"data: 1\n\n"

    assert [each async for each in chunks(events(short(), asyncio.Event(), ANN))] == [
        b"data: 1\n\n"
    ]


async def test_a_client_that_closes_the_stream_ends_the_source() -> None:
    closed = list[str]()
    body = chunks(events(ticking(closed), asyncio.Event(), ANN))
    await anext(body)
    await body.aclose()
    assert closed == ["closed"]


async def test_a_broken_connection_ends_the_source() -> None:
    closed, gone = list[str](), asyncio.Event()

    async def slow() -> AsyncGenerator[bytes]:
        try:
            yield b"data: 1\n\n"
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            closed.append("closed")

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message.get("body"):
            asyncio.get_running_loop().call_later(0.01, gone.set)

    await events(slow(), asyncio.Event(), ANN)({"type": "http"}, receive, send)
    async with asyncio.timeout(1):
        while not closed:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)


async def test_an_error_of_the_source_is_raised() -> None:
    async def broken() -> AsyncGenerator[bytes]:
        yield b"data: 1\n\n"
        raise ConnectionError("gone")

    body = chunks(events(broken(), asyncio.Event(), ANN))
    await anext(body)
    with pytest.raises(ConnectionError, match="gone"):
        await anext(body)


async def test_the_number_of_open_streams_of_an_actor_is_limited() -> None:
    app, stopping, begun = FastAPI(), asyncio.Event(), list[str]()
    problems.install(app)

    @app.get("/{actor}")
    async def watch(actor: str) -> StreamingResponse:
        async def source() -> AsyncGenerator[bytes]:
            begun.append(actor)
            yield b"data: 1\n\n"
            await asyncio.Event().wait()

        return events(source(), stopping, actor)

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://service"
    ) as client:
        limit = sse.MOST_AT_ONCE
        requests = [asyncio.ensure_future(client.get("/ann")) for _ in range(limit + 3)]
        refused, accepted = await asyncio.wait(requests, timeout=0.2)
        other = asyncio.ensure_future(client.get("/ben"))
        await asyncio.sleep(0.05)
        assert begun == [ANN] * limit + ["ben"]
        assert {(each.result().status_code, each.result().json()["code"]) for each in refused} == {
            (429, "too-many-streams")
        }
        assert len(refused) == 3
        stopping.set()
        assert {(await each).status_code for each in (*accepted, other)} == {200}
    assert not sse._open
