"""Test that a department shows which events of an engagement an operator decided to skip."""

from typing import Any

from chassis.kafka.topics import create_topics
from delivery.service import SERVICE
from tests.component.consumer_harness import said, topics
from tests.component.sample_app import running, settings_at, token, until
from tests.infrastructure import KafkaServer, StoreServer
from tests.unit.delivery.builders import OPENED, WON

ENGAGEMENT = "E-0000000000001"
OSCAR = token("oscar", "operator")
PAT = token("pat", "pmo-director")


async def test_missing_events_that_were_passed_over_are_shown_with_who_and_why(
    kafka: KafkaServer, store: StoreServer, isolation: str
) -> None:
    await create_topics(kafka.bootstrap, isolation)
    given = settings_at(kafka, store, isolation)
    async with topics(kafka.bootstrap, isolation) as spoken, running(SERVICE, given) as client:
        await spoken.say(
            said(ENGAGEMENT, 1, event=OPENED), said(ENGAGEMENT, 3, event=WON), said(ENGAGEMENT, 4)
        )

        async def parked() -> Any:
            return (await client.get(f"/operations/parked/{ENGAGEMENT}", headers=OSCAR)).json()

        async def both_are_parked() -> bool:
            return len(await parked()) == 2 and "code" not in await parked()

        await until(both_are_parked)
        (first, _) = await parked()
        assert (first["code"], first["expected"]) == ("gap", 2)
        body = {"record": first["id"], "why": "It was lost when a disk failed.", "published": 4}
        path = f"/operations/parked/{ENGAGEMENT}/skip"
        answer = await client.post(path, json=body, headers=OSCAR)
        assert (answer.status_code, answer.json()["code"]) == (200, None), answer.text

        view = (await client.get(f"/engagements/{ENGAGEMENT}", headers=PAT)).json()
        (passed,) = view["passed_over"]
        assert (passed["channel"], passed["first"], passed["last"]) == ("sales", 2, 2)
        assert (passed["by"], passed["why"]) == ("oscar", body["why"])
        assert view["title"]
