"""The finance service as a process of its own, on real Kafka and a real store, over HTTP alone."""

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from chassis.auth import Role, issue
from chassis.decider import derived
from chassis.settings import LOCAL_ISSUER
from chassis.topics import create_topics
from contracts.channels import FINANCE, FINANCE_CONFIDENTIAL, FINANCE_REGISTER
from contracts.fact import Fact, Recorded, decode, encode, write_position
from contracts.finance import BillingEventDue, InvoiceIssued, InvoiceNumbered, PaymentOverdue
from local import places
from local.processes import Process
from tests.component.department import until
from tests.infrastructure import KafkaServer, StoreServer, unique_name
from tests.unit.finance import life

SECRET = "aHJtZ2xzbXR3cXV5eGJ2Y2prZnBkb2luZXphcmxr"
NOW = datetime.now(UTC)
TODAY = NOW.date()
SIGNED = TODAY - timedelta(days=40)
SOW = life.SOW.model_copy(
    update={
        "billing_schedule": (
            *life.SOW.billing_schedule[:3],
            life.SOW.billing_schedule[3].model_copy(update={"due_on": TODAY - timedelta(days=2)}),
        ),
        "payment_terms_days": 14,
    }
)
SOW_SIGNED = life.SOW_SIGNED.model_copy(update={"signed_on": SIGNED})
ACCOUNTANT: tuple[Role, ...] = ("project-accountant",)
CONTROLLER: tuple[Role, ...] = ("controller",)


@dataclass
class World:
    """The service, and everybody around it: those who ask, and those who speak on Kafka."""

    client: httpx.AsyncClient
    producer: AIOKafkaProducer
    consumer: AIOKafkaConsumer
    prefix: str
    engagement: str
    said: dict[tuple[str, str], int] = field(default_factory=dict)
    read: list[Recorded[Fact]] = field(default_factory=list)

    async def say(self, *facts: Fact, about: str | None = None) -> None:
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
                heard={},
            )
            topic = fact.channel.topic(self.prefix)
            await self.producer.send_and_wait(topic, encode(recorded), about.encode())

    def heard(self, about: str) -> str:
        return write_position({ch: n for (ch, who), n in self.said.items() if who == about})

    async def ask(
        self,
        command: str,
        body: dict[str, Any] | None = None,
        *,
        by: tuple[Role, ...] = ACCOUNTANT,
        about: str | None = None,
        at: str = "engagements",
        wait: int = 20,
        occurred_at: datetime | None = None,
    ) -> httpx.Response:
        about = about or self.engagement
        return await self.client.post(
            f"/{at}/{about}/{command}",
            json=body or {},
            headers={
                "Authorization": f"Bearer {token(by)}",
                "Idempotency-Key": secrets.token_hex(8),
                "Concord-After": self.heard(about),
                "Prefer": f"wait={wait}",
                **({"Occurred-At": occurred_at.isoformat()} if occurred_at else {}),
            },
        )

    async def view(
        self, about: str | None = None, *, by: tuple[Role, ...] = ACCOUNTANT
    ) -> dict[str, Any]:
        about = about or self.engagement
        answer = await self.client.get(
            f"/engagements/{about}",
            headers={
                "Authorization": f"Bearer {token(by)}",
                "Concord-After": self.heard(about),
                "Prefer": "wait=20",
            },
        )
        return ok(answer)

    def has_invoice(self, invoice: str) -> Callable[[], Awaitable[bool]]:
        """Whether Finance has this invoice by now."""

        async def has() -> bool:
            return invoice in [one["invoice"] for one in (await self.view())["invoices"]]

        return has

    async def fact(self, kind: type[Fact], about: str | None = None) -> Recorded[Any]:
        """The first fact of a type that Finance says of an engagement on any of its topics."""
        about, seen = about or self.engagement, 0
        async with asyncio.timeout(20):
            while True:
                for recorded in self.read[seen:]:
                    if isinstance(recorded.fact, kind) and recorded.subject == about:
                        return recorded
                seen = len(self.read)
                self.read.append(decode((await self.consumer.getone()).value))


def engagement_id() -> str:
    return f"E-{derived(secrets.token_hex())}"


def token(roles: tuple[Role, ...]) -> str:
    return issue(SECRET, "cora", roles, issuer=LOCAL_ISSUER, now=NOW, valid=timedelta(hours=1))


def ok(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem: dict[str, Any] = answer.json()
    return problem


@pytest.fixture(scope="module")
def finance(
    kafka: KafkaServer, store: StoreServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """The service, running, with rates published: its address, and the prefix of its topics."""
    prefix, port = unique_name("finance"), places.free_port()
    asyncio.run(create_topics(kafka.bootstrap, prefix))
    service = Process(
        "finance",
        [sys.executable, "-m", "finance.app"],
        log=tmp_path_factory.mktemp("finance") / "finance.log",
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
async def world(kafka: KafkaServer, finance: tuple[str, str]) -> AsyncIterator[World]:
    address, prefix = finance
    async with (
        AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer,
        AIOKafkaConsumer(
            *(one.topic(prefix) for one in (FINANCE, FINANCE_CONFIDENTIAL, FINANCE_REGISTER)),
            bootstrap_servers=kafka.bootstrap,
            auto_offset_reset="earliest",
        ) as consumer,
        httpx.AsyncClient(base_url=address, timeout=40) as client,
    ):
        world = World(client, producer, consumer, prefix, engagement_id())
        await publish_rates(world)
        yield world


async def publish_rates(world: World) -> None:
    """Publish the rates, and wait until the service itself has heard of them."""
    for at, command, record in (
        ("rate-cards", "publish-rate-card", life.CARD),
        ("cost-rates", "publish-cost-rates", life.COSTS),
    ):
        body = record.model_dump(mode="json", include={"currency", "rates"})
        body["effective_from"] = "2020-01-01"
        answer = await world.ask(command, body, by=CONTROLLER, about="standard-EUR", at=at)
        assert ("rates" in ok(answer)["state"]) == (at == "rate-cards")
    probe = engagement_id()
    await world.say(life.OPENED, life.ESTIMATE, about=probe)
    async with asyncio.timeout(20):
        while True:
            view = await world.view(probe, by=(*ACCOUNTANT, "confidential"))
            if view["estimate_costs"] and view["estimates"][0]["price"]:
                return
            await world.ask("catch-up", about=probe, wait=0)
            await asyncio.sleep(0.05)


async def test_money_flows_from_the_signed_paper_to_a_settled_account(world: World):
    refused(await world.ask("settle-account", about=engagement_id(), wait=0), 404, "unknown-stream")
    await world.say(life.OPENED, life.ESTIMATE, life.PROPOSED, SOW)
    ok(await world.ask("review-sow", {"version": 1, "verdict": "approved"}))
    await world.say(SOW_SIGNED)
    view = await world.view()
    assert view["budget"]["price"] == {"amount": "20000", "currency": "EUR"}
    due = await world.fact(BillingEventDue)
    assert (due.fact.item, due.fact.due_on) == ("start", SIGNED)

    issue_on = (TODAY - timedelta(days=20)).isoformat()
    approve = {"invoice": "invoice-start", "issue_on": issue_on}
    refused(await world.ask("approve-invoice", approve), 403, "not-allowed")
    ok(await world.ask("approve-invoice", approve, by=CONTROLLER))
    numbered = await world.fact(InvoiceNumbered)
    assert numbered.fact.number.startswith(issue_on[:4])
    sent = await world.fact(InvoiceIssued)
    assert sent.fact.number == numbered.fact.number

    # Its date came two days ago, and it was due six days ago: the clock says both by itself.
    late = await world.fact(PaymentOverdue)
    assert late.occurred_at == datetime.combine(TODAY - timedelta(days=5), time(), UTC)
    await until(world.has_invoice("invoice-care"))

    await world.say(life.BASELINED, life.time("a", role="architect", hours=50))
    await world.say(life.progress("t1", 100), life.report(life.MONDAY + timedelta(days=14)))
    await world.say(life.accepted("design", TODAY), life.accepted("portal", TODAY))
    await world.view()
    problem = refused(await world.ask("settle-account", wait=0), 409, "not-settled")
    assert {one["code"] for one in problem["missing"]} == {"draft-open", "invoice-unpaid"}

    items = ("design", "portal", "care")
    for item in items:
        ok(await world.ask("approve-invoice", {"invoice": f"invoice-{item}"}, by=CONTROLLER))
    for item, amount in zip(("start", *items), ("5000", "6000", "7000", "2000"), strict=True):
        money = {"invoice": f"invoice-{item}", "amount": {"amount": amount, "currency": "EUR"}}
        ok(await world.ask("record-payment", money))
    settled = ok(await world.ask("settle-account"))["state"]
    assert (settled["stage"], settled["overdue"], settled["open_points"]) == ("settled", False, [])
    assert settled["paid"] == {"amount": "20000", "currency": "EUR"}
    numbers = sorted(one["number"] for one in settled["invoices"])
    assert len(set(numbers)) == 4

    assert "margins" not in settled
    confidential = await world.view(by=(*ACCOUNTANT, "confidential"))
    assert confidential["margins"]["margin_forecast"]["cost"]["amount"] == "11480.00"
    assert confidential["earned_value"]["cost_variance"]["amount"] == "-800.00"


async def test_what_is_asked_wrongly_changes_nothing(world: World):
    await world.say(life.OPENED, life.ESTIMATE, life.PROPOSED, SOW, SOW_SIGNED)
    before = await world.view()
    pay = {"invoice": "invoice-start", "amount": {"amount": "1", "currency": "EUR"}}
    for by in (("account-executive",), ("counsel",), ("customer",), ("confidential",)):
        refused(await world.ask("record-payment", pay, by=by), 403, "not-allowed")
    for amount in ("NaN", "-1", "0", "1" + 30 * "0", "1e400"):
        wrong = pay | {"amount": {"amount": amount, "currency": "EUR"}}
        refused(await world.ask("record-payment", wrong), 422, "invalid-input")
    for extra in ({"amount": {"amount": "1", "currency": "EUX"}}, {"paid": True}):
        refused(await world.ask("record-payment", pay | extra), 422, "invalid-input")
    refused(await world.ask("record-payment", pay, wait=0), 409, "invoice-not-issued")
    refused(await world.ask("recognise-revenue", {"month": "2026-13"}), 422, "invalid-input")
    refused(await world.ask("bill-time", {"month": "9999-12"}, wait=0), 409, "month-not-begun")
    rates = {"currency": "EUR", "rates": [{"role": "pilot", "rate": {"amount": "1"}}]}
    rejected = await world.ask(
        "publish-cost-rates", rates, by=CONTROLLER, about="standard-EUR", at="cost-rates"
    )
    refused(rejected, 422, "invalid-input")
    assert await world.view() == before


async def test_engagements_are_listed_by_how_far_their_money_is(world: World):
    await world.say(life.OPENED)
    other = engagement_id()
    await world.say(life.OPENED, life.ESTIMATE, life.PROPOSED, SOW, SOW_SIGNED, about=other)
    await world.view()
    await world.view(other)

    async def are_listed() -> bool:
        answer = await world.client.get(
            "/engagements",
            params={"currency": "EUR", "limit": "200"},
            headers={"Authorization": f"Bearer {token(('executive',))}"},
        )
        rows = {row["id"]: (row["stage"], row["billed"]) for row in ok(answer)["rows"]}
        return (rows.get(world.engagement), rows.get(other)) == (
            ("open", "0.00"),
            ("budgeted", "0.00"),
        )

    await until(are_listed)  # lists are written behind
