"""Test that a decision to pass over missing events takes effect once, wherever a process is killed.

The process is killed before it stores the decision, before it carries it out, and at each write
that follows. The next process completes the decision, or shows the operator that it is still open.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any

import httpx
import pytest

from chassis.eventstore.mongo import Store
from chassis.kafka.acls import group
from chassis.kafka.topics import create_topics
from chassis.runtime.service import Service
from contracts.channels import DELIVERY
from contracts.event import Event, Recorded
from delivery.service import SERVICE as DELIVERS
from finance.service import SERVICE as FINANCE
from gateway.service import SERVICE as GATEWAY
from legal.service import SERVICE as LEGAL
from sales.service import SERVICE as SELLS
from tests.component.consumer_harness import offsets, said, topics
from tests.component.killable_store import Life, MortalListener, mortal
from tests.component.sample_app import running, settings_at, token, until
from tests.infrastructure import KafkaServer, StoreServer
from tests.portfolio_builder import named
from tests.unit.delivery.builders import OPENED, WON

OSCAR = token("oscar", "operator")
VERA = token("vera", "vp-engagement-management", "confidential")
WHY = "It was lost when a disk failed."


def with_a_gap(engagement: str, service: Service) -> Sequence[Recorded[Event]]:
    """Return events that the service consumes, without the second one."""
    if service is SELLS:
        return [said(engagement, number, DELIVERY) for number in (1, 3, 4)]
    return [
        said(engagement, 1, event=OPENED),
        said(engagement, 3, event=WON),
        said(engagement, 4),
    ]


async def parked(client: httpx.AsyncClient, engagement: str) -> list[Any]:
    answer = await client.get(f"/operations/parked/{engagement}", headers=OSCAR)
    if answer.status_code == 404:
        return []
    found: list[Any] = answer.json()
    return found


async def flows(client: httpx.AsyncClient, engagement: str) -> bool:
    return await parked(client, engagement) == []


async def skip(client: httpx.AsyncClient, engagement: str, record: str) -> httpx.Response:
    body = {"record": record, "why": WHY, "published": 4}
    return await client.post(f"/operations/parked/{engagement}/skip", json=body, headers=OSCAR)


async def told(store: Store, engagement: str) -> tuple[bool, bool]:
    """Return whether the decision is stored, and whether the engagement contains it."""
    kept = await store.parked.find_one({"state": "passed-over", "engagement": engagement})
    stream = {"stream": f"engagement:{engagement}", "command": "pass-over"}
    view = {"_id": engagement, "passed_over": {"$ne": []}}
    found = await store.commits.find_one(stream), await store.database["unified"].find_one(view)
    return kept is not None, found != (None, None)


async def taken_in(store: Store, engagement: str) -> Mapping[str, Any]:
    """Return the stored events and decisions of an engagement; each must be there once."""
    commits = await store.commits.find({"stream": f"engagement:{engagement}"}).to_list(None)
    runs = await store.database["timeline"].find({"engagement": engagement}).to_list(None)
    consumed = [
        each["event"] for commit in commits for each in commit["entries"] if not each["said"]
    ]
    return {
        "events": sorted([*consumed, *(each for run in runs for each in run["events"])]),
        "decisions": [each["passed_over"] for each in commits if each["passed_over"]],
    }


@pytest.mark.long
@pytest.mark.parametrize(
    "service", [SELLS, LEGAL, DELIVERS, FINANCE, GATEWAY], ids=lambda each: str(each.name)
)
async def test_a_decision_is_carried_out_once_or_still_open_wherever_its_process_was_killed(
    kafka: KafkaServer, store: StoreServer, isolation: str, service: Service
) -> None:
    await create_topics(kafka.bootstrap, isolation)
    given = settings_at(kafka, store, isolation)
    published: list[Recorded[Event]] = []
    states: list[tuple[bool, bool]] = []
    async with (
        topics(kafka.bootstrap, isolation) as publisher,
        offsets(kafka.bootstrap, isolation, group(service.name, isolation)) as is_behind,
    ):
        for writes in count():
            engagement = named(writes + 1)
            life = Life(None)
            async with mortal(service, given, life) as container:
                published += (events := with_a_gap(engagement, service))
                await publisher.say(*events)
                listener = container.consumer
                assert isinstance(listener, MortalListener)
                await until(partial(is_behind, published))
                record, _ = await listener.parked_records.look(engagement)
                life.allow(writes)
                asked = listener.skip(engagement, record.id, "oscar", WHY, published=4)
                skipping = asyncio.create_task(asked)
                ended = asyncio.create_task(life.until_ended())
                await asyncio.wait({skipping, ended}, return_when=asyncio.FIRST_COMPLETED)
                killed = life.ended
                for task in (skipping, ended):
                    task.cancel()
            documents = Store(store.url, isolation)
            states.append(await told(documents, engagement))
            where = f"killed before write {writes + 1}"

            async with running(service, given) as client:
                if states[-1] == (False, False):
                    head, behind = await parked(client, engagement)
                    assert (head["code"], behind["code"]) == ("gap", "waiting"), where
                    answer = await skip(client, engagement, record.id)
                    assert (answer.status_code, answer.json()["code"]) == (200, None), answer.text

                await until(partial(flows, client, engagement))
                path = f"/engagements/{engagement}"
                shown = await client.get(path, headers=VERA)
                (passed,) = shown.json()["passed_over"]
                channel = "delivery" if service is SELLS else "sales"
                assert (passed["channel"], passed["first"], passed["last"]) == (channel, 2, 2)
                assert (passed["by"], passed["why"]) == ("oscar", WHY), where
                assert f"{channel}=4" in shown.headers["Concord-Position"].split(","), where

                again = await skip(client, engagement, record.id)
                assert (again.status_code, again.json()["code"]) == (404, "not-parked"), where
                after = await client.get(path, headers=VERA)
                assert after.json()["passed_over"] == [passed], where
                assert after.headers["Concord-Position"] == shown.headers["Concord-Position"], where
            kept = await taken_in(documents, engagement)
            assert len({*kept["events"]}) == len(kept["events"]), where
            assert len(kept["decisions"]) == (service is not GATEWAY), where
            await documents.close()
            if not killed:
                break
    assert states[:2] == [(False, False), (True, False)]
    assert states[-1] == (True, True)
    assert writes > 3
