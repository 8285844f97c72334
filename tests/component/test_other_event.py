"""Test that each service notices a forged event with a number that its author uses later."""

import logging
from dataclasses import replace
from typing import Any

import httpx
import pytest

from chassis.kafka.topics import create_topics
from chassis.runtime.service import Service
from delivery.service import SERVICE as DELIVERY
from gateway.service import SERVICE as GATEWAY
from tests.component.consumer_harness import said, topics
from tests.component.sample_app import running, settings_at, token
from tests.infrastructure import KafkaServer, StoreServer
from tests.unit.delivery.builders import OPENED, WON

ENGAGEMENT = "E-0000000000001"
OSCAR = token("oscar", "operator")
READERS = token("pat", "pmo-director", "vp-engagement-management", "confidential")
HONEST = said(ENGAGEMENT, 3)
FORGED = replace(said(ENGAGEMENT, 3, event=WON), id="forged")


async def get(client: httpx.AsyncClient, path: str) -> Any:
    return (await client.get(path, headers=OSCAR)).json()


async def folded(client: httpx.AsyncClient, sequence: int) -> Any:
    """Return the engagement when it has consumed this many of Sales' events."""
    headers = {**READERS, "Concord-After": f"sales={sequence}", "Prefer": "wait=60"}
    answer = await client.get(f"/engagements/{ENGAGEMENT}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def aside(client: httpx.AsyncClient) -> list[tuple[str, int, str]]:
    found = await get(client, "/operations/set-aside")
    return [(each["code"], each["streamsequence"], each["sentence"]) for each in found["items"]]


@pytest.mark.parametrize("service", [DELIVERY, GATEWAY], ids=["delivery", "gateway"])
async def test_a_genuine_event_after_a_forged_one_of_its_number_is_set_aside(
    kafka: KafkaServer,
    store: StoreServer,
    isolation: str,
    service: Service,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await create_topics(kafka.bootstrap, isolation)
    given = settings_at(kafka, store, isolation)
    opened = said(ENGAGEMENT, 1, event=OPENED), said(ENGAGEMENT, 2)
    twin = ("other-event", 3, "another event, forged, was taken in as sales 3")
    async with topics(kafka.bootstrap, isolation) as publisher:
        with caplog.at_level(logging.ERROR):
            async with running(service, given) as client:
                await publisher.say(*opened, FORGED, *opened, FORGED, HONEST, said(ENGAGEMENT, 4))
                await folded(client, 4)
                assert await aside(client) == [twin]

        # Events that are delivered again, also to the next process, change nothing.
        again = [*opened, FORGED, said(ENGAGEMENT, 4)]
        with caplog.at_level(logging.ERROR):
            async with running(service, given) as client:
                await publisher.say(*again, said(ENGAGEMENT, 5))
                await folded(client, 5)
                assert await aside(client) == [twin]
                assert (await get(client, "/operations/parked"))["items"] == []

                path = f"/operations/parked/{ENGAGEMENT}/retry"
                retried = await client.post(path, headers=OSCAR)
                assert retried.status_code == 404, "a retry would take it for a repeat"
    (logged,) = [each for each in caplog.records if "is set aside" in each.getMessage()]
    assert (logged.levelno, twin[2] in logged.getMessage()) == (logging.ERROR, True)
