"""The live stream of the API ends when the token of its request expires."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from starlette.types import Message

from chassis.web import problems
from chassis.web.auth import Tokens
from gateway import api
from tests.builders import Life
from tests.in_process_gateway import SETTINGS, InMemory, token
from tests.portfolio_builder import named


async def test_the_stream_ends_with_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = InMemory()
    app = FastAPI()
    app.state.tokens = tokens = Tokens(SETTINGS)
    app.state.container = SimpleNamespace(waits_for=None, stopping=asyncio.Event())
    problems.install(app)
    app.include_router(api.router)
    monkeypatch.setattr(api, "get_queries", lambda _: gateway)
    monkeypatch.setattr(api, "_HEARTBEAT", 0.01)
    eve = f"Bearer {token('eve', 'executive')}"
    gone = token("eve", "executive", ago=timedelta(hours=9))
    told = b""

    request = iter([{"type": "http.request"}])

    async def receive() -> Message:
        for message in request:
            return message
        await asyncio.Event().wait()  # the client never disconnects
        raise AssertionError

    async def send(message: Message) -> None:
        nonlocal told
        told += message.get("body", b"")

    async def until_told(what: str) -> None:
        async with asyncio.timeout(30):
            while what.encode() not in told:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/changes",
        "query_string": b"",
        "headers": [(b"authorization", eve.encode())],
    }
    asked = asyncio.create_task(app(scope, receive, send))
    await until_told(": here")
    gateway.handle_events(Life(named(1)).opened().events)
    await until_told(named(1))
    assert not asked.done()

    real = tokens.caller
    monkeypatch.setattr(tokens, "caller", lambda _: real(gone))
    gateway.handle_events(Life(named(2)).opened().events)

    await asyncio.wait_for(asked, 30)
    assert named(2).encode() not in told
    assert not gateway._watchers
