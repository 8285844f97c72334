"""Confidential data are hidden from other readers: in waivers, positions, numbers and streams."""

import asyncio
import json
from types import SimpleNamespace
from typing import cast

import httpx
import pytest
from fastapi import FastAPI

from chassis.web import problems
from chassis.web.auth import Tokens
from contracts import delivery, gateway
from gateway import api
from gateway.decider import (
    ENGAGEMENT,
    EngagementDisconnects,
    PublishDisconnects,
    WaiveDisconnect,
    detected,
)
from gateway.queries import Queries
from testkit.scenario import Scenario, given
from tests.builders import Life
from tests.in_process_gateway import SETTINGS, InMemory, token
from tests.portfolio_builder import green_in_the_red, named
from tests.unit.gateway.test_disconnects import UNTIL, findings

EVE = token("eve", "executive")
VERA = token("vera", "executive", "confidential")
SECRET = "forecast-margin-below-sold"
UP_TO_DATE = SimpleNamespace(of_lists=lambda: None, of_engagement=lambda _: None)


def published() -> Scenario[EngagementDisconnects]:
    life = green_in_the_red(Life(named(1)))
    found = tuple(detected(each) for each in findings(life).values())
    assert {each.finding for each in found if each.channel.confidential} >= {SECRET}
    outcome = given(ENGAGEMENT, life.engagement).when(PublishDisconnects(disconnects=found))
    return outcome.then(*outcome.events)


def test_a_waiver_of_a_hidden_disconnect_is_refused_as_if_it_did_not_exist() -> None:
    waiver = WaiveDisconnect(finding=SECRET, why="So be it.", until=UNTIL)
    nowhere = given(ENGAGEMENT, named(1)).when(waiver.given_by(confidential=False), by="eve")
    hidden = published().when(waiver.given_by(confidential=False), by="eve")

    hidden.then_refused("disconnect-unknown")
    assert str(hidden.refusal) == str(nowhere.refusal)
    assert published().when(waiver, by="eve").refusal, "the default must be the lower permission"


def test_a_caller_with_the_role_waives_a_confidential_disconnect() -> None:
    waiver = WaiveDisconnect(finding=SECRET, why="So be it.", until=UNTIL).given_by(
        confidential=True
    )

    (waived,) = published().when(waiver, by="vera").events

    assert isinstance(waived, gateway.ConfidentialDisconnectWaived)


# ---- positions, numbers and streams ----------------------------------------------------------


@pytest.fixture
def life() -> Life:
    """Return an engagement with confidential and other disconnects."""
    life = green_in_the_red(Life(named(1)))
    return life.say(106, life.report(10, 106, finish=180))


@pytest.fixture
def folded(life: Life, monkeypatch: pytest.MonkeyPatch) -> InMemory:
    gateway = InMemory(*life.events)
    monkeypatch.setattr(api, "get_queries", lambda _: gateway)
    return gateway


async def answer(path: str, who: str, **headers: str) -> httpx.Response:
    app = FastAPI()
    app.state.tokens = Tokens(SETTINGS)
    app.state.wait_limit = SETTINGS.wait_limit
    app.state.container = SimpleNamespace(waits_for=None, as_of=UP_TO_DATE)
    problems.install(app)
    app.include_router(api.router)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://gateway"
    ) as client:
        return await client.get(path, headers={"Authorization": f"Bearer {who}", **headers})


@pytest.mark.parametrize(
    "path", [f"/engagements/{named(1)}", f"/engagements/{named(1)}/timeline", "/disconnects"]
)
async def test_the_number_of_confidential_events_is_hidden(folded: InMemory, path: str) -> None:
    known, hidden = await answer(path, VERA), await answer(path, EVE)

    assert hidden.status_code == known.status_code == 200
    assert "finance.confidential" in known.text
    for channel in ("finance.confidential", "gateway.confidential"):
        assert channel not in hidden.text
        assert channel not in hidden.headers.get("Concord-Position", "")


async def test_positions_of_open_channels_remain_in_heard(folded: InMemory) -> None:
    found = json.loads((await answer("/disconnects", EVE)).text)["items"]
    assert any("legal" in each["heard"] for one in found for each in one["evidence"])
    timeline = json.loads((await answer(f"/engagements/{named(1)}/timeline", EVE)).text)
    assert any(each["heard"].keys() >= {"sales", "finance"} for each in timeline)


async def test_a_request_does_not_wait_for_confidential_events(folded: InMemory) -> None:
    after = {"Concord-After": "finance.confidential=9999", "Prefer": "wait=1"}
    assert (await answer(f"/engagements/{named(1)}", EVE, **after)).status_code == 200
    assert (await answer(f"/engagements/{named(1)}", VERA, **after)).status_code == 504


async def here() -> bool:
    return True


async def test_a_confidential_event_changes_nothing_for_other_readers(
    folded: InMemory, life: Life
) -> None:
    path = f"/engagements/{named(1)}"
    before = {who: await answer(path, who) for who in (EVE, VERA)}
    said = next(each.event for each in life.events if each.event.channel.confidential)

    folded.handle_events(life.say(106, said).events[-1:])

    for who, same in ((EVE, True), (VERA, False)):
        after = await answer(path, who)
        assert (after.headers["ETag"] == before[who].headers["ETag"]) is same
        assert (after.text == before[who].text) is same


async def test_a_stream_sends_only_changes_that_its_reader_may_see(
    folded: InMemory, life: Life
) -> None:
    said = next(each.event for each in life.events if each.event.channel.confidential)
    open_event = delivery.RaidItemClosed(item="R-1", resolution="Done.", closed_on=life.day(106))

    for event, by in ((said, [VERA]), (open_event, [EVE, VERA])):
        streams = {
            who: api._events(cast(Queries, folded), None, here, confidential=who is VERA)
            for who in (EVE, VERA)
        }
        for stream in streams.values():
            assert b"here" in await anext(stream)
        waiting = {who: asyncio.ensure_future(anext(stream)) for who, stream in streams.items()}
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(folded._watchers) == len(streams)
        folded.handle_events(life.say(106, event).events[-1:])
        await asyncio.wait([waiting[who] for who in by], timeout=5)
        await asyncio.sleep(0.02)  # long enough for an event to another reader
        assert [who for who, heard in waiting.items() if heard.done()] == by
        for heard in waiting.values():
            heard.cancel()
        await asyncio.wait(waiting.values())
        for stream in streams.values():
            await stream.aclose()


async def test_disconnects_of_a_rule_that_does_not_exist_are_refused(folded: InMemory) -> None:
    found = await answer("/disconnects?rule=bad", EVE)
    assert found.status_code == 422
    (error,) = found.json()["errors"]
    assert error["field"] == "rule"
    assert "sow-price-differs" in found.text
