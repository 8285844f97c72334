"""Test concurrent and repeated requests of two people and two processes: each has one effect."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import httpx
import pytest
import pytest_asyncio

from chassis.eventstore.journal import Commit, Journal
from local import paths as machine
from local.platform import Platform, is_healthy
from local.processes import Process
from sales.accounts.names import account_id
from tests.faults.checker import at_rest
from tests.faults.collected_state import Places, gather, opened, read_topics
from tests.faults.load import Persistent, begin_history, company

pytestmark = [pytest.mark.fault, pytest.mark.long, pytest.mark.asyncio(loop_scope="module")]

ROUNDS = 10
DUPLICATES = 20
TAKES_OVER_WITHIN = 30.0
"""Seconds until another process publishes; a relay's lease lasts two."""
HEARS_WITHIN = 90.0
"""Seconds until another process consumes; Kafka waits ten for a silent member of a group."""


@pytest.fixture(scope="module")
def second_sales(platform: Platform) -> Iterator[str]:
    """Start a second process of Sales on the same store, and yield its address."""
    yield from second_process(platform, "sales")


def second_process(platform: Platform, service: str) -> Iterator[str]:
    port = machine.free_port()
    url = f"http://{machine.HOST}:{port}"
    process = Process(
        f"{service}-2",
        platform.services[service].command,
        log=platform.layout.logs / f"{service}-2.log",
        environment={**platform.environment(service), "CONCORD_SERVICE_PORT": str(port)},
    )
    process.start()
    try:
        process.wait_ready(lambda: is_healthy(url), limit=60)
        yield url
    finally:
        process.kill()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(platform: Platform) -> AsyncIterator[Persistent]:
    async with Persistent(company(platform), "concurrency", clients=20) as made:
        await begin_history(made)
        yield made


class Sales:
    """People who send requests to one process of Sales, without retries."""

    def __init__(self, stage: Persistent, url: str) -> None:
        self._stage = stage
        self._http = httpx.AsyncClient(base_url=url, timeout=30)

    async def give(
        self, engagement: str, command: str, by: str, body: Mapping[str, Any], **headers: str
    ) -> httpx.Response:
        """Send a command once."""
        sent = {"Authorization": f"Bearer {self._stage._token(by)}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._http.post(
            f"/engagements/{engagement}/{command}", json=body, headers=sent
        )

    async def look(self, engagement: str, by: str) -> httpx.Response:
        """Read the engagement from this process."""
        token = {"Authorization": f"Bearer {self._stage._token(by)}"}
        return await self._http.get(f"/engagements/{engagement}", headers=token)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def processes(
    platform: Platform, stage: Persistent, second_sales: str
) -> tuple[Sales, Sales]:
    return Sales(stage, platform.layout.url("sales")), Sales(stage, second_sales)


async def an_opportunity(stage: Persistent, name: str) -> str:
    body = {
        "account": account_id("Novamed Clinics"),
        "title": name,
        "expected_value": {"amount": "1000", "currency": "EUR"},
        "expected_close": "2099-06-01",
        "owner": "ann",
    }
    answer = await stage.send("sales", "/engagements", body, "ann", key=name, headers={})
    return str(answer.json()["id"])


async def journal_of(places: Places, engagement: str) -> list[Commit]:
    async with opened(places, "sales") as store:
        return [each async for each in Journal(store).read(f"engagement:{engagement}")]


def statuses(answers: Sequence[httpx.Response]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


@pytest.mark.parametrize("through", ["one process", "two processes"])
async def test_of_two_edits_of_the_same_state_one_is_refused_as_stale(
    stage: Persistent, processes: tuple[Sales, Sales], places: Places, through: str
) -> None:
    first, second = processes if through == "two processes" else (processes[0], processes[0])
    engagement = await an_opportunity(stage, f"seen through {through}")
    for number in range(ROUNDS):
        seen = (await first.look(engagement, "ann")).headers["etag"]
        answers = await asyncio.gather(
            *(
                at.give(
                    engagement,
                    "advance-opportunity",
                    by,
                    {"pipeline_stage": "qualifying", "probability": str(probability)},
                    Idempotency_Key=f"{engagement}-{number}",
                    If_Match=seen,
                )
                for at, by, probability in (
                    (first, "ann", 2 * number + 1),
                    (second, "bruno", 2 * number + 2),
                )
            )
        )
        assert statuses(answers) == [200, 412]
        (refused,) = [each for each in answers if each.status_code == 412]
        assert refused.json()["code"] == "stale"
        assert refused.headers["etag"] != seen
    assert len(await journal_of(places, engagement)) == 1 + ROUNDS


@pytest.mark.parametrize("through", ["one process", "two processes"])
async def test_of_two_contradictory_decisions_one_is_refused(
    stage: Persistent, processes: tuple[Sales, Sales], places: Places, through: str
) -> None:
    first, second = processes if through == "two processes" else (processes[0], processes[0])
    winners: set[str] = set()
    for number in range(ROUNDS):
        engagement = await an_opportunity(stage, f"lost through {through} {number}")
        # Both processes have it in memory, so that either may decide without a read of the store.
        await first.look(engagement, "ann")
        await second.look(engagement, "bruno")
        answers = await asyncio.gather(
            first.give(
                engagement, "lose-deal", "ann", {"reason": "price"}, Idempotency_Key=engagement
            ),
            second.give(
                engagement, "lose-deal", "bruno", {"reason": "scope"}, Idempotency_Key=engagement
            ),
        )
        assert statuses(answers) == [200, 409]
        events = [
            event.event
            for each in await journal_of(places, engagement)
            for event in each.own_events()
        ]
        assert [each.type for each in events].count("concord.sales.deal-lost.v1") == 1
        for at in processes:
            seen = (await at.look(engagement, "ann")).json()
            winners.add(seen["lost"]["reason"])
            assert seen["lost"]["reason"] == ("price" if answers[0].is_success else "scope")
    assert winners <= {"price", "scope"}


async def test_concurrent_commands_are_decided_one_after_the_other(
    stage: Persistent, processes: tuple[Sales, Sales], places: Places
) -> None:
    """Send commands without `If-Match`: all are accepted, each decided on the newest state."""
    engagement = await an_opportunity(stage, "many at once")
    answers = await asyncio.gather(
        *(
            processes[number % 2].give(
                engagement,
                "advance-opportunity",
                "ann",
                {"pipeline_stage": "qualifying", "probability": str(number + 1)},
                Idempotency_Key=f"many-{number}",
            )
            for number in range(DUPLICATES)
        )
    )
    assert set(statuses(answers)) == {200}
    assert sorted(answer.json()["number"] for answer in answers) == list(range(2, 2 + DUPLICATES))
    commits = await journal_of(places, engagement)
    assert [each.number for each in commits] == list(range(1, 2 + DUPLICATES))


async def test_one_request_sent_many_times_has_one_effect_and_one_answer(
    stage: Persistent, processes: tuple[Sales, Sales], places: Places
) -> None:
    for number in range(ROUNDS):
        engagement = await an_opportunity(stage, f"again {number}")
        answers = await asyncio.gather(
            *(
                processes[copy % 2].give(
                    engagement,
                    "qualify-opportunity",
                    "ann",
                    {
                        "budget": True,
                        "authority": True,
                        "need": True,
                        "timing": False,
                        "score": "7",
                    },
                    Idempotency_Key=engagement,
                )
                for copy in range(DUPLICATES)
            )
        )
        assert set(statuses(answers)) == {200}
        assert len({answer.content for answer in answers}) == 1
        assert [each.headers.get("idempotency-replayed") for each in answers].count(None) == 1
        assert len(await journal_of(places, engagement)) == 2
        other = await processes[1].give(
            engagement,
            "advance-opportunity",
            "ann",
            {"pipeline_stage": "qualifying", "probability": "1"},
            Idempotency_Key=engagement,
        )
        assert (other.status_code, other.json()["code"]) == (422, "key-reused")


async def test_a_second_process_takes_over_when_the_first_is_killed(
    platform: Platform, stage: Persistent, processes: tuple[Sales, Sales], places: Places
) -> None:
    engagement = await an_opportunity(stage, "taken over")
    await asyncio.to_thread(platform.services["sales"].kill)
    killed = time.monotonic()
    answer = await processes[1].give(
        engagement,
        "advance-opportunity",
        "ann",
        {"pipeline_stage": "proposing", "probability": "40"},
        Idempotency_Key="taken-over",
    )
    assert answer.status_code == 200
    (event,) = (each["id"] for each in answer.json()["events"])
    while event not in await _said(places):
        assert time.monotonic() - killed < TAKES_OVER_WITHIN, "no process took the relay over"
        await asyncio.sleep(0.1)

    # It also consumes in place of the killed one: a manager is assigned, and is shown here.
    path = f"/engagements/{engagement}/assign-manager"
    await stage.send("delivery", path, {"manager": "emma"}, "paul", key="manager", headers={})
    while (await processes[1].look(engagement, "ann")).json()["delivery"]["manager"] != "emma":
        assert time.monotonic() - killed < HEARS_WITHIN, "no process consumes in its place"
        await asyncio.sleep(0.2)
    await asyncio.to_thread(platform.services["sales"].start)
    await asyncio.to_thread(platform.wait_healthy, "sales")
    await at_rest(lambda: gather(places), stage.acknowledged)


async def _said(places: Places) -> set[str]:
    """Return the ids of all events on the topic of Sales."""
    records = (await read_topics(places.bootstrap, places.prefix)).topics["sales"]
    return {each.recorded.id for each in records if each.recorded is not None}
