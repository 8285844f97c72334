"""An answer without an end ends with its source, with its reader and with the service."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from starlette.responses import StreamingResponse
from starlette.types import Message

from chassis.streaming import events


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


async def test_it_ends_when_the_service_stops() -> None:
    stopping, closed = asyncio.Event(), list[str]()
    body = chunks(events(ticking(closed), stopping))
    assert [await anext(body), await anext(body)] == [b"data: 1\n\n", b"data: 2\n\n"]
    waiting = asyncio.ensure_future(anext(body, None))
    await asyncio.sleep(0)
    assert not waiting.done()
    stopping.set()
    assert await asyncio.wait_for(waiting, 1) is None
    assert closed == ["closed"]


async def test_it_ends_with_its_source() -> None:
    async def short() -> AsyncGenerator[bytes]:
        yield b"data: 1\n\n"

    assert [each async for each in chunks(events(short(), asyncio.Event()))] == [b"data: 1\n\n"]


async def test_a_reader_who_leaves_ends_it() -> None:
    closed = list[str]()
    body = chunks(events(ticking(closed), asyncio.Event()))
    await anext(body)
    await body.aclose()
    assert closed == ["closed"]


async def test_a_reader_whose_connection_breaks_ends_it() -> None:
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

    await events(slow(), asyncio.Event())({"type": "http"}, receive, send)
    async with asyncio.timeout(1):
        while not closed:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)


async def test_what_goes_wrong_is_not_hidden() -> None:
    async def broken() -> AsyncGenerator[bytes]:
        yield b"data: 1\n\n"
        raise ConnectionError("gone")

    body = chunks(events(broken(), asyncio.Event()))
    await anext(body)
    with pytest.raises(ConnectionError, match="gone"):
        await anext(body)
