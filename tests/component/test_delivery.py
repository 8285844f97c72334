"""The delivery service as a process of its own, on real Kafka and a real store, over HTTP alone."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from chassis.auth import Role, issue
from chassis.decider import derived
from chassis.journal import kafka_key
from chassis.settings import LOCAL_ISSUER
from chassis.topics import create_topics
from contracts.channels import DELIVERY, DELIVERY_REFERENCE, Channel
from contracts.delivery import ResourceReleased
from contracts.fact import Fact, Recorded, decode, encode, write_position
from contracts.finance import ChangePriced
from local import places
from local.processes import Process
from tests.infrastructure import KafkaServer, StoreServer, unique_name
from tests.unit.delivery import test_changes
from tests.unit.delivery.life import (
    BUDGET,
    OPENED,
    PRICED,
    PROPOSED,
    REQUESTED,
    SETTLED,
    SOW,
    SOW_SIGNED,
    TEMPLATE,
    TERMINATED,
    WON,
)

SECRET = "bWF5IHRoZSB3b3JrIGJlIGRvbmUgaW4gdGltZSE9"
NOW = datetime.now(UTC)
TODAY = NOW.date()
MONDAY = TODAY - timedelta(days=TODAY.weekday())
PAST = TODAY - timedelta(days=30)
PEOPLE: dict[str, tuple[Role, ...]] = {
    "pat": ("pmo-director", "operator"),
    "mara": ("engagement-manager",),
    "dev": ("consultant",),
}
TYPES = [
    "manager-assigned",
    "estimate-submitted",
    "estimate-endorsed",
    "sow-reviewed",
    "plan-drafted",
    "brd-submitted",
    "brd-signed-off",
    "plan-baselined",
    "kickoff-held",
    "time-submitted",
    "time-approved",
    "time-submitted",
    "time-rejected",
    "task-progressed",
    "change-requested",
    "change-assessed",
    "change-approved",
    "plan-drafted",
    "plan-baselined",
    "change-implemented",
    "deliverable-submitted",
    "deliverable-rejected",
    "deliverable-submitted",
    "deliverable-accepted",
    "deliverable-submitted",
    "deliverable-accepted",
    "solution-went-live",
    "survey-sent",
    "survey-answered",
    "pir-held",
    "engagement-closed",
]


@dataclass
class World:
    """The service, and everybody around it: those who ask, and those who speak on Kafka."""

    client: httpx.AsyncClient
    producer: AIOKafkaProducer
    prefix: str
    kafka: str
    engagement: str
    said: dict[str, int] = field(default_factory=dict)
    keys: int = 0

    async def say(
        self,
        *facts: Fact,
        knowing: Mapping[str, int] | None = None,
    ) -> None:
        for fact in facts:
            channel = fact.channel.name
            self.said[channel] = self.said.get(channel, 0) + 1
            recorded = Recorded(
                id=f"{self.engagement}-{channel}-{self.said[channel]}",
                subject=self.engagement,
                sequence=self.said[channel],
                fact=fact,
                actor="ann",
                cause="test",
                occurred_at=NOW,
                recorded_at=NOW,
                heard=knowing or {},
            )
            topic = fact.channel.topic(self.prefix)
            await self.producer.send_and_wait(topic, encode(recorded), kafka_key(recorded).encode())

    def heard(self, path: str) -> dict[str, str]:
        """Headers of a request that waits until all that was said has been heard."""
        if f"/{self.engagement}/" not in f"{path}/":
            return {}
        return {"Concord-After": write_position(self.said), "Prefer": "wait=20"}

    async def ask(
        self, at: str, body: dict[str, Any] | None = None, *, by: str = "mara", **headers: str
    ) -> httpx.Response:
        self.keys += 1
        path = at if "/" in at else f"/engagements/{self.engagement}/{at}"
        return await self.client.post(
            path,
            json=body or {},
            headers={
                "Authorization": f"Bearer {token(by)}",
                "Idempotency-Key": f"{self.engagement}-{self.keys}",
                **self.heard(path),
                **headers,
            },
        )

    async def do(self, at: str, body: dict[str, Any] | None = None, *, by: str = "mara") -> Any:
        answer = await self.ask(at, body, by=by)
        assert answer.status_code == 200, f"{at}: {answer.text}"
        return answer.json()

    async def until_done(self, at: str, body: dict[str, Any], *, by: str) -> Any:
        """Ask until reference data that was just published has come round."""
        await self.view()
        ends = time.monotonic() + 20
        answer = await self.ask(at, body, by=by, Prefer="wait=0")
        while answer.status_code == 409 and time.monotonic() < ends:
            await asyncio.sleep(0.05)
            answer = await self.ask(at, body, by=by, Prefer="wait=0")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def view(self) -> Any:
        path = f"/engagements/{self.engagement}"
        headers = {"Authorization": f"Bearer {token('mara')}", **self.heard(path)}
        answer = await self.client.get(path, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    @asynccontextmanager
    async def reading(self, channel: Channel) -> AsyncIterator[AIOKafkaConsumer]:
        """One of the service's own topics, from its beginning, for some seconds."""
        topic = channel.topic(self.prefix)
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=self.kafka, auto_offset_reset="earliest"
        )
        async with consumer, asyncio.timeout(20):
            yield consumer

    async def facts(self, count: int) -> list[Recorded[Fact]]:
        """The first `count` facts that the service said of the engagement."""
        found: list[Recorded[Fact]] = []
        async with self.reading(DELIVERY) as records:
            while len(found) < count:
                record = await records.getone()
                if record.key == self.engagement.encode():
                    found.append(decode(record.value))
        return found

    async def erased(self, record: str) -> None:
        """Wait until the topic of reference data has the record's tombstone behind it."""
        values: list[bool] = []
        async with self.reading(DELIVERY_REFERENCE) as records:
            while values != [True, False]:
                each = await records.getone()
                if each.key == record.encode():
                    values.append(each.value is not None)


def token(person: str) -> str:
    return issue(
        SECRET,
        person,
        PEOPLE[person],
        issuer=LOCAL_ISSUER,
        now=datetime.now(UTC),
        valid=timedelta(hours=1),
    )


@dataclass(frozen=True)
class Running:
    """The service: where it answers, and the Kafka and the prefix of its topics."""

    url: str
    kafka: str
    prefix: str


@pytest.fixture(scope="module")
def service(
    kafka: KafkaServer, store: StoreServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    prefix, port = unique_name("delivery"), places.free_port()
    asyncio.run(create_topics(kafka.bootstrap, prefix))
    process = Process(
        "delivery",
        [sys.executable, "-m", "delivery.app"],
        log=tmp_path_factory.mktemp("delivery") / "log",
        environment={
            "CONCORD_SERVICE_PORT": str(port),
            "CONCORD_KAFKA_BOOTSTRAP": kafka.bootstrap,
            "CONCORD_TOPIC_PREFIX": prefix,
            "CONCORD_STORE_URL": store.url,
            "CONCORD_STORE_DATABASE": prefix,
            "CONCORD_TOKEN_SECRET": SECRET,
        },
    )
    url = f"http://127.0.0.1:{port}"

    def is_ready() -> bool:
        try:
            return httpx.get(f"{url}/ready", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    process.start()
    try:
        process.wait_ready(is_ready, limit=60)
        yield Running(url, kafka.bootstrap, prefix)
    finally:
        process.stop()


@pytest.fixture(name="world")
async def _world(service: Running, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """An engagement of this test's own, and people around the service."""
    engagement = f"E-{derived(request.node.name)}"
    async with (
        AIOKafkaProducer(bootstrap_servers=service.kafka) as producer,
        httpx.AsyncClient(base_url=service.url, timeout=40) as client,
    ):
        yield World(client, producer, service.prefix, service.kafka, engagement)


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem: dict[str, Any] = answer.json()
    return problem


def owed(problem: dict[str, Any]) -> dict[str, str]:
    return {item["code"]: item["owed_by"] for item in problem["missing"]}


async def publish(world: World) -> None:
    """Two people, and a template."""
    for person, role in (("mara", "engagement-manager"), ("dev", "architect")):
        record = {"name": person.title(), "department": "delivery", "roles": [role]}
        await world.do(f"/people/{person}/publish-person", record, by="pat")
    web = TEMPLATE.model_dump(mode="json", exclude={"template", "effective_from"})
    await world.do("/templates/web/publish-template", web, by="pat")


def signed_on(day: date) -> Fact:
    return SOW_SIGNED.model_copy(update={"signed_on": day})


async def test_an_engagement_lives_from_its_manager_to_its_end(world: World) -> None:
    refused(await world.ask("/engagements/E-0000000000099/go-live"), 404, "unknown-stream")
    await publish(world)
    await world.say(OPENED, REQUESTED)
    await world.until_done("assign-manager", {"manager": "mara"}, by="pat")
    estimate = await world.until_done(
        "submit-estimate", {"template": "web", "duration_days": 100}, by="dev"
    )
    assert estimate["state"]["estimates"][0]["hours"] == "270.00"
    await world.do("endorse-estimate", {"version": 1})
    await world.say(PRICED, PROPOSED, WON, SOW)
    await world.do("review-sow", {"version": 1, "verdict": "approved"})

    kickoff = {"attendees": ["mara", "cleo"]}
    early = refused(await world.ask("hold-kickoff", kickoff, Prefer="wait=0"), 409, "not-released")
    assert owed(early) == {"sow-not-signed": "legal"}
    plan = {"template": "web", "starts_on": str(TODAY)}
    assert len((await world.do("draft-plan", plan))["state"]["plan"]["draft"]["tasks"]) == 5
    # Asked for too early, the command is decided again when what it waits for has been heard.
    begun = asyncio.create_task(world.ask("submit-brd", {"content": "Orders come in."}))
    assert (await begun).status_code == 200
    await world.do("sign-off-brd", {"version": 1, "signed_by": "cleo"})
    await world.do("baseline-plan", {"version": 1})
    beginning = asyncio.create_task(world.ask("hold-kickoff", kickoff))
    await world.say(signed_on(PAST), BUDGET)
    assert (await beginning).status_code == 200

    hours = {"role": "architect", "task": "1.1", "week": str(MONDAY), "hours": "38.5"}
    logged = await world.do("submit-time", hours, by="dev")
    entry = logged["state"]["time"]["waiting"][0]["entry"]
    await world.do("approve-time", {"entry": entry})
    own = await world.do("submit-time", hours | {"entry": "T-own"})
    assert len(own["state"]["time"]["waiting"]) == 1
    refused(await world.ask("approve-time", {"entry": "T-own"}, Prefer="wait=0"), 409, "own-time")
    await world.do("reject-time", {"entry": "T-own", "why": "Twice."}, by="pat")
    await world.do("progress-task", {"task": "2.2", "complete": 10, "remaining_hours": 180})

    await world.do("request-change", {"change": "CR-1", "requested_by": "cleo", "description": "."})
    assessed = await world.do(
        "assess-change",
        {"change": "CR-1", "lines": [], "days": 5, "risk": "Little."}
        | {"deliverables_descoped": ["design"]}
        | {"deliverables_added": [{"deliverable": "manual", "title": "The manual"}]},
    )
    await world.say(
        ChangePriced(change="CR-1", lines=(), price=test_changes.PRICED.price),
        knowing={"delivery": assessed["position"]["delivery"]},
    )
    await world.do("approve-change", {"change": "CR-1", "approved_by": "cleo"})
    unbuilt = await world.ask("implement-change", {"change": "CR-1"}, Prefer="wait=0")
    assert owed(refused(unbuilt, 409, "change-not-released")) == {
        "amendment-not-signed": "legal",
        "plan-not-rebaselined": "delivery",
        "budget-not-amended": "finance",
    }
    await world.say(
        test_changes.AMENDMENT_DRAFTED,
        test_changes.AMENDMENT_SIGNED.model_copy(update={"signed_on": PAST}),
        test_changes.AMENDED,
    )
    await world.do("draft-plan", plan)
    await world.do("baseline-plan", {"version": 2, "changes": ["CR-1"]})
    await world.do("implement-change", {"change": "CR-1"})

    await world.do("submit-deliverable", {"deliverable": "portal", "content": "1"}, by="dev")
    rejection = {"deliverable": "portal", "submission": 1, "rejected_by": "cleo", "why": "No."}
    await world.do("reject-deliverable", rejection)
    await world.do("submit-deliverable", {"deliverable": "portal", "content": "2"}, by="dev")
    accept = {"submission": 2, "accepted_by": "cleo"}
    await world.do("accept-deliverable", {"deliverable": "portal"} | accept)
    await world.do("submit-deliverable", {"deliverable": "manual", "content": "1"}, by="dev")
    await world.do("accept-deliverable", {"deliverable": "manual"} | accept | {"submission": 1})

    unfinished = await world.ask("close-engagement", Prefer="wait=0")
    assert set(owed(refused(unfinished, 409, "not-closable"))) == {
        "account-not-settled",
        "pir-not-held",
        "survey-not-sent",
    }
    await world.do("go-live")
    await world.do("send-survey", {"survey": "S-1"})
    answer = {"survey": "S-1", "answered_by": "cleo", "satisfaction": {"all": 5}, "recommend": 9}
    await world.do("answer-survey", answer)
    await world.do("hold-pir", {"went_well": ["The team"], "went_badly": []})
    closing = asyncio.create_task(world.ask("close-engagement"))
    await world.say(SETTLED)
    assert (await closing).json()["state"]["stage"] == "closed"

    view = await world.view()
    assert view["closed"]["sold_hours"] == "270.00"
    assert view["closed"]["delivered_hours"] == "38.5"
    said = await world.facts(len(TYPES))
    assert [each.fact.type for each in said] == [f"concord.delivery.{name}.v1" for name in TYPES]
    assert [each.sequence for each in said] == list(range(1, len(TYPES) + 1))


async def test_people_are_published_erased_and_released(world: World) -> None:
    await publish(world)
    await world.say(OPENED)
    await world.until_done("assign-manager", {"manager": "mara"}, by="pat")
    wanted = {"request": "RQ-1", "role": "architect", "hours": 40}
    await world.do(
        "request-resource", wanted | {"starts_on": str(TODAY), "finishes_on": str(TODAY)}
    )
    await world.until_done("allocate-resource", {"request": "RQ-1", "person": "dev"}, by="mara")
    await world.say(TERMINATED)
    assert (await world.view())["resources"][0]["allocated"] == []
    released = (await world.facts(4))[3]
    assert (released.fact.type, released.actor) == (ResourceReleased.type, "delivery")

    headers = {"Authorization": f"Bearer {token('pat')}", "Idempotency-Key": "erase"}
    assert (await world.client.delete("/people/dev", headers=headers)).status_code == 204
    gone = await world.client.get("/people/dev", headers=headers)
    assert gone.status_code == 404
    await world.erased("person:dev@1")


async def test_what_is_asked_wrongly_changes_nothing(world: World) -> None:
    await world.say(OPENED)
    before = await world.view()
    refused(await world.ask("assign-manager", {"manager": "mara"}), 403, "not-allowed")
    refused(await world.ask("approve-time", {"entry": "T-1"}, by="dev"), 403, "not-allowed")
    hours = {"role": "architect", "task": "initiation", "week": str(MONDAY), "hours": 8}
    for wrong in (
        {},
        hours | {"hours": -1},
        hours | {"hours": "NaN"},
        hours | {"hours": "1e400"},
        hours | {"hours": 101},
        hours | {"week": str(MONDAY + timedelta(days=1))},
        hours | {"hour": 8},
        hours | {"person": "a b"},
    ):
        refused(await world.ask("submit-time", wrong), 422, "invalid-input")
    request = {"role": "architect", "hours": 1, "starts_on": "2026-05-02"}
    backwards = request | {"finishes_on": "2026-05-01"}
    refused(await world.ask("request-resource", backwards), 422, "invalid-input")
    for unreleased in ("submit-time", "hold-kickoff"):
        body = hours if unreleased == "submit-time" else {"attendees": ["mara"]}
        refused(await world.ask(unreleased, body, Prefer="wait=0"), 409, "not-released")
    assert await world.view() == before
