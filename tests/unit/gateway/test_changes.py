"""The live stream of the API ends with the token that it was asked for with."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI

from chassis import problems
from chassis.auth import Caller, Tokens
from gateway import api
from tests.in_memory import SETTINGS, InMemory, token
from tests.life import Life
from tests.lives import named


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110 - the parts under test give no signal
            await asyncio.sleep(0.001)


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
    real, now, asked_for = tokens.caller, token("eve", "executive"), 0

    def caller(_: object) -> Caller:
        nonlocal asked_for
        asked_for += 1
        return real(now)

    monkeypatch.setattr(tokens, "caller", caller)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://gateway"
    ) as client:
        asked = asyncio.ensure_future(client.get("/changes", headers=eve))
        await until(lambda: bool(gateway._watchers))
        gateway.hear(Life(named(1)).opened().facts)
        await until(lambda: all(each.empty() for each in gateway._watchers))
        # Before each event the token is looked at: when it is again, the first one is on its way.
        before = asked_for
        await until(lambda: asked_for >= before + 2)
        assert not asked.done()

        now = gone
        gateway.hear(Life(named(2)).opened().facts)

        told = (await asyncio.wait_for(asked, 30)).text
    assert named(1) in told
    assert named(2) not in told
    assert not gateway._watchers
