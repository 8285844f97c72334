"""The legal service as a process of its own, on real Kafka and a real store, over HTTP alone."""

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from chassis.auth import Role, issue
from chassis.decider import derived
from chassis.settings import LOCAL_ISSUER
from chassis.topics import create_topics
from contracts import delivery, finance
from contracts.channels import LEGAL
from contracts.documents import STATEMENT_OF_WORK, content_hash
from contracts.fact import Fact, Recorded, decode, encode, write_position
from contracts.legal import AmendmentDrafted, EarlyStartExpired, SowDrafted
from local import places
from local.processes import Process
from tests.infrastructure import KafkaServer, StoreServer, unique_name
from tests.unit.legal.papers import OPENED, WON, agreed, assessed, priced, requested

SECRET = "aHJtZ2xzbXR3cXV5eGJ2Y2prZnBkb2luZXphcmxr"
NOW = datetime.now(UTC)
TYPES = [
    "file-opened",
    "sow-drafted",
    "sow-approved",
    "sow-sent-for-signature",
    "sow-signature-recorded",
    "sow-signature-recorded",
    "sow-signed",
    "amendment-drafted",
    "amendment-signed",
    "engagement-terminated",
]


@dataclass
class World:
    """The service, and everybody around it: those who ask, and those who speak on Kafka."""

    client: httpx.AsyncClient
    producer: AIOKafkaProducer
    consumer: AIOKafkaConsumer
    prefix: str
    engagement: str
    said: dict[tuple[str, str], int] = field(default_factory=dict)

    async def say(self, *facts: Fact, about: str | None = None, delivery: int = 0) -> None:
        about = about or self.engagement
        for fact in facts:
            place = (fact.channel.name, about)
            self.said[place] = self.said.get(place, 0) + 1
            recorded = Recorded(
                id=f"{about}-{fact.channel.name}-{self.said[place]}",
                subject=about,
                sequence=self.said[place],
                fact=fact,
                actor="ann",
                cause="test",
                occurred_at=NOW,
                recorded_at=NOW,
                heard={"delivery": delivery} if delivery else {},
            )
            topic = fact.channel.topic(self.prefix)
            await self.producer.send_and_wait(topic, encode(recorded), about.encode())

    def heard(self, about: str) -> str:
        """All that was said of an engagement, as a position to wait for."""
        return write_position({ch: n for (ch, who), n in self.said.items() if who == about})

    async def ask(
        self,
        command: str,
        body: dict[str, Any] | None = None,
        *,
        by: tuple[Role, ...] = ("counsel",),
        about: str | None = None,
        wait: int = 20,
        after: str | None = None,
        occurred_at: datetime | None = None,
    ) -> httpx.Response:
        about = about or self.engagement
        return await self.client.post(
            f"/engagements/{about}/{command}",
            json=body or {},
            headers={
                "Authorization": f"Bearer {token(by)}",
                "Idempotency-Key": secrets.token_hex(8),
                "Concord-After": self.heard(about) if after is None else after,
                "Prefer": f"wait={wait}",
                **({"Occurred-At": occurred_at.isoformat()} if occurred_at else {}),
            },
        )

    async def listed(self, **filters: str) -> list[dict[str, Any]]:
        answer = await self.client.get(
            "/engagements",
            params=filters,
            headers={"Authorization": f"Bearer {token(('executive',))}"},
        )
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["rows"]
        return rows

    async def view(self, about: str | None = None) -> dict[str, Any]:
        about = about or self.engagement
        answer = await self.client.get(
            f"/engagements/{about}",
            headers={
                "Authorization": f"Bearer {token(('counsel',))}",
                "Concord-After": self.heard(about),
                "Prefer": "wait=20",
            },
        )
        assert answer.status_code == 200, answer.text
        view: dict[str, Any] = answer.json()
        return view

    async def listed_with(self, *engagements: str) -> None:
        """Wait until these engagements are listed: lists are written behind."""
        for _ in range(400):
            if {row["id"] for row in await self.listed(limit="200")} >= {*engagements}:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{', '.join(engagements)}: not listed after 20 s")

    async def facts(self, count: int, about: str | None = None) -> list[Recorded[Fact]]:
        """The first `count` facts of an engagement from Legal's own topic."""
        about, found = about or self.engagement, list[Recorded[Fact]]()
        async with asyncio.timeout(20):
            while len(found) < count:
                record = await self.consumer.getone()
                recorded = decode(record.value)
                if recorded.subject == about:
                    assert record.key == about.encode()
                    found.append(recorded)
        return found


def engagement_id() -> str:
    return f"E-{derived(secrets.token_hex())}"


def token(roles: tuple[Role, ...]) -> str:
    return issue(SECRET, "carl", roles, issuer=LOCAL_ISSUER, now=NOW, valid=timedelta(hours=1))


@pytest.fixture(scope="module")
def legal(
    kafka: KafkaServer, store: StoreServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """The service, running: its address, and the prefix of its topics."""
    prefix, port = unique_name("legal"), places.free_port()
    asyncio.run(create_topics(kafka.bootstrap, prefix))
    service = Process(
        "legal",
        [sys.executable, "-m", "legal.app"],
        log=tmp_path_factory.mktemp("legal") / "legal.log",
        environment={
            "CONCORD_SERVICE_PORT": str(port),
            "CONCORD_KAFKA_BOOTSTRAP": kafka.bootstrap,
            "CONCORD_TOPIC_PREFIX": prefix,
            "CONCORD_STORE_URL": store.url,
            "CONCORD_STORE_DATABASE": prefix,
            "CONCORD_TOKEN_SECRET": SECRET,
        },
    )
    address = f"http://127.0.0.1:{port}"

    def is_ready() -> bool:
        try:
            return httpx.get(f"{address}/ready", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    service.start()
    try:
        service.wait_ready(is_ready)
        yield address, prefix
    finally:
        service.stop()


@pytest.fixture
async def world(kafka: KafkaServer, legal: tuple[str, str]) -> AsyncIterator[World]:
    address, prefix = legal
    async with (
        AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer,
        AIOKafkaConsumer(
            LEGAL.topic(prefix),
            bootstrap_servers=kafka.bootstrap,
            auto_offset_reset="earliest",
        ) as consumer,
        httpx.AsyncClient(base_url=address, timeout=40) as client,
    ):
        yield World(client, producer, consumer, prefix, engagement_id())


def accepted(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem: dict[str, Any] = answer.json()
    return problem


async def test_a_contract_lives_from_the_won_deal_to_its_end(world: World):
    refused(await world.ask("open-file", about=engagement_id(), wait=0), 404, "unknown-stream")

    await world.say(OPENED, WON)
    assert (await world.view())["stage"] == "filed"

    drafted = accepted(await world.ask("draft-sow", {"scope": "An order desk."}))
    sow = drafted["state"]["statements_of_work"][0]
    problem = refused(
        await world.ask("approve-sow", {"version": 1}, wait=0), 409, "sow-not-approved"
    )
    assert {item["code"]: item["owed_by"] for item in problem["missing"]} == {
        "delivery-review-missing": "delivery",
        "finance-review-missing": "finance",
    }

    review = {"version": 1, "content_hash": sow["content_hash"], "verdict": "approved"}
    # Asked for too early, the command is decided again when what it waits for has been heard.
    approving = asyncio.create_task(world.ask("approve-sow", {"version": 1}, after=""))
    await world.say(
        delivery.SowReviewed.model_validate(review), finance.SowReviewed.model_validate(review)
    )
    accepted(await approving)
    accepted(await world.ask("send-sow", {"version": 1}))
    signature = {"content_hash": sow["content_hash"], "person": "carl", "party": "company"}
    other = signature | {"content_hash": "sha256:" + "0" * 64}
    refused(await world.ask("record-signature", other, wait=0), 409, "signed-content-differs")
    accepted(await world.ask("record-signature", signature))
    signed = accepted(await world.ask("record-signature", signature | {"party": "customer"}))
    assert signed["state"]["contract"]["price"] == {"amount": "100000", "currency": "EUR"}

    await world.say(requested(), assessed(days=10), agreed())
    await world.say(priced(), delivery=world.said["delivery", world.engagement])
    amendment = (await world.view())["changes"][0]["amendment"]
    assert amendment["content"]["finishes_on"] == "2026-10-10"
    today = datetime.now(UTC).date().isoformat()
    accepted(
        await world.ask(
            "sign-amendment",
            {
                "amendment": amendment["amendment"],
                "content_hash": amendment["content_hash"],
                "signatories": [
                    {"party": party, "person": "carl", "signed_on": today}
                    for party in ("company", "customer")
                ],
            },
        )
    )
    view = await world.view()
    assert view["contract"]["price"]["amount"] == "103000"
    assert view["contract"]["finishes_on"] == "2026-10-10"

    ended = await world.ask("terminate-engagement", {"reason": "mutual"})
    assert accepted(ended)["state"]["stage"] == "terminated"
    again = await world.ask("draft-sow", {"scope": "More."}, wait=0)
    refused(again, 409, "engagement-over")

    facts = await world.facts(len(TYPES))
    assert [fact.fact.type for fact in facts] == [f"concord.legal.{name}.v1" for name in TYPES]
    assert [fact.sequence for fact in facts] == list(range(1, len(TYPES) + 1))
    assert [fact.actor for fact in facts if isinstance(fact.fact, AmendmentDrafted)] == ["legal"]
    paper = facts[1].fact
    assert isinstance(paper, SowDrafted)
    assert content_hash(STATEMENT_OF_WORK, paper) == paper.content_hash == sow["content_hash"]


async def test_what_is_asked_wrongly_changes_nothing(world: World):
    await world.say(OPENED, WON)
    before = await world.view()
    draft = {"scope": "An order desk."}
    for by in (("account-executive",), ("engagement-manager",), ("customer",), ("controller",)):
        refused(await world.ask("draft-sow", draft, by=by), 403, "not-allowed")
    refused(
        await world.ask("approve-sow", {"version": 1}, by=("contract-manager",)), 403, "not-allowed"
    )
    for wrong in (
        {},
        {"scope": ""},
        draft | {"scop": "x"},
        draft | {"starts_on": "2026-05-02", "finishes_on": "2026-05-01"},
        draft | {"price": {"amount": "NaN", "currency": "EUR"}},
        draft | {"price": {"amount": "1" + 30 * "0", "currency": "EUR"}},
        draft | {"price": {"amount": "1", "currency": "EUX"}},
        draft | {"payment_terms_days": -1},
    ):
        refused(await world.ask("draft-sow", wrong), 422, "invalid-input")
    early = {"cap_hours": "40", "expires_on": "9999-12-31", "reason": "Licences end."}
    for wrong in ({"cap_hours": "0"}, {"cap_hours": "1e400"}, {"expires_on": "2026-02-30"}):
        refused(await world.ask("authorise-early-start", early | wrong), 422, "invalid-input")
    past = early | {"expires_on": date(2020, 1, 1).isoformat()}
    refused(await world.ask("authorise-early-start", past, wait=0), 409, "expiry-not-in-future")
    accepted(await world.ask("authorise-early-start", early))
    after = await world.view()
    assert after.pop("early_start")["expires_on"] == "9999-12-31"
    assert after == {name: value for name, value in before.items() if name != "early_start"}


async def test_an_early_start_runs_out_by_itself_and_lists_keep_up(world: World):
    other, last = engagement_id(), NOW.date() - timedelta(days=10)
    await world.say(OPENED, WON)
    await world.say(OPENED, about=other)
    early = {"cap_hours": "40", "expires_on": last.isoformat(), "reason": "Licences end."}
    then = NOW - timedelta(days=40)
    refused(await world.ask("authorise-early-start", early, occurred_at=then), 403, "not-allowed")
    historian: tuple[Role, ...] = ("counsel", "historian")
    accepted(await world.ask("authorise-early-start", early, by=historian, occurred_at=then))

    expired = (await world.facts(3))[2]
    assert expired.fact == EarlyStartExpired(expired_on=last)
    assert expired.occurred_at == datetime.combine(last + timedelta(days=1), time(), UTC)
    assert (expired.actor, expired.sequence) == ("legal", 3)
    assert (await world.view())["early_start"]["status"] == "expired"

    await world.view(other)
    await world.listed_with(world.engagement, other)
    filed = [row["id"] for row in await world.listed(stage="filed", account="acme")]
    assert world.engagement in filed
    assert other not in filed
    assert other in [row["id"] for row in await world.listed(stage="unfiled")]
