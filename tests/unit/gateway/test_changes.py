"""The live stream of the API ends with the token that it was asked for with."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI

from chassis import problems
from chassis.auth import Tokens
from gateway import api
from tests.in_memory import SETTINGS, InMemory, token
from tests.life import Life
from tests.lives import named


async def test_it_ends_with_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = InMemory()
    app = FastAPI()
    app.state.tokens = tokens = Tokens(SETTINGS)
    app.state.works = SimpleNamespace(waits_for=None, stopping=asyncio.Event())
    problems.install(app)
    app.include_router(api.router)
    monkeypatch.setattr(api, "reading_of", lambda _: gateway)
    monkeypatch.setattr(api, "_HEARTBEAT", 0.01)
    eve = {"Authorization": f"Bearer {token('eve', 'executive')}"}
    gone = token("eve", "executive", ago=timedelta(hours=9))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://gateway"
    ) as client:
        asked = asyncio.ensure_future(client.get("/changes", headers=eve))
        await asyncio.sleep(0.05)
        gateway.hear(Life(named(1)).opened().facts)
        await asyncio.sleep(0.05)
        assert not asked.done()

        real = tokens.caller
        monkeypatch.setattr(tokens, "caller", lambda _: real(gone))
        gateway.hear(Life(named(2)).opened().facts)

        told = (await asyncio.wait_for(asked, 1)).text
    assert named(1) in told
    assert named(2) not in told
    assert not gateway._watchers
