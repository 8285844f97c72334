"""The sales service as a process, on a real Kafka and a real store, through HTTP."""

import asyncio
import csv
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from uuid_utils import uuid7

from chassis.auth import Role, issue
from chassis.journal import kafka_key
from chassis.settings import LOCAL_ISSUER
from chassis.topics import create_topics
from contracts.channels import SALES, SALES_REFERENCE, Channel
from contracts.fact import Fact, Recorded, decode, encode
from contracts.sales import OpportunityImported
from local import places
from local.processes import Process
from tests.infrastructure import KafkaServer, StoreServer, unique_name
from tests.unit.sales.examples import DRAFT, ENDORSED, ESTIMATE, MANAGER, OPEN, PRICED, WIN

SECRET = "pU7z-Qm2vK9sXw4tRb6yLh3eNc8aGd5f"
CRM = Path(__file__).parents[1] / "data" / "crm_pipeline.csv"
PIPELINE = Path("/work/shared/data/crm/sales_pipeline.csv")


def token(*roles: Role, actor: str = "ann", valid: float = 60) -> str:
    return issue(
        SECRET,
        actor,
        roles,
        issuer=LOCAL_ISSUER,
        now=datetime.now(UTC),
        valid=timedelta(minutes=valid),
    )


SELLER = token("account-executive")
MANAGER_OF_SALES = token("sales-manager", actor="sam")


@dataclass(frozen=True)
class Running:
    """The service, and where it says and hears."""

    url: str
    kafka: str
    prefix: str

    @asynccontextmanager
    async def asked(self, bearer: str = SELLER) -> AsyncIterator[httpx.AsyncClient]:
        headers = {"Authorization": f"Bearer {bearer}"}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30) as client:
            yield client

    async def say(self, subject: str, *facts: Fact) -> None:
        """Speak as other departments do, on their topics, from their first fact about a subject."""
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka, acks="all")
        await producer.start()
        counts: dict[Channel, int] = {}
        try:
            for fact in facts:
                counts[fact.channel] = counts.get(fact.channel, 0) + 1
                now = datetime.now(UTC)
                said = Recorded(
                    id=str(uuid7()),
                    subject=subject,
                    sequence=counts[fact.channel],
                    fact=fact,
                    actor="emma",
                    cause="test",
                    occurred_at=now,
                    recorded_at=now,
                    heard={},
                )
                topic = fact.channel.topic(self.prefix)
                await producer.send_and_wait(topic, encode(said), kafka_key(said).encode())
        finally:
            await producer.stop()

    def run_import(
        self, file: Path, bearer: str = MANAGER_OF_SALES, source: str = "old-crm"
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [
                *(sys.executable, "-m", "sales.importing", str(file)),
                *("--url", self.url, "--token", bearer),
                *("--source", source, "--currency", "EUR"),
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={"COLUMNS": "120", "PATH": ""},
        )

    async def heard_from(
        self, channel: Channel, count: int, about: str = ""
    ) -> list[Recorded[Fact]]:
        """What the service said there, of one subject or of all, once there is as much of it."""
        consumer = AIOKafkaConsumer(
            channel.topic(self.prefix), bootstrap_servers=self.kafka, auto_offset_reset="earliest"
        )
        said: list[Recorded[Fact]] = []
        await consumer.start()
        try:
            async with asyncio.timeout(20):
                async for record in consumer:
                    recorded = decode(record.value or b"")
                    if about in {"", recorded.subject}:
                        said.append(recorded)
                    if len(said) == count:
                        break
        finally:
            await consumer.stop()
        return said


@pytest.fixture(scope="module")
def sales(
    kafka: KafkaServer, store: StoreServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    prefix, port = unique_name("sales"), places.free_port()
    asyncio.run(create_topics(kafka.bootstrap, prefix))
    process = Process(
        "sales",
        [sys.executable, "-m", "sales.app"],
        log=tmp_path_factory.mktemp("sales") / "log",
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
            return httpx.get(f"{url}/ready").status_code == 200
        except httpx.HTTPError:
            return False

    process.start()
    try:
        process.wait_ready(is_ready, limit=60)
        yield Running(url, kafka.bootstrap, prefix)
    finally:
        process.stop()


async def until(
    attempt: Callable[[], Awaitable[httpx.Response]],
    is_so: Callable[[httpx.Response], bool],
    limit: float = 20,
) -> httpx.Response:
    """Repeat a request until it is answered so, or the time is over."""
    ends = time.monotonic() + limit
    answer = await attempt()
    while not is_so(answer):
        assert time.monotonic() < ends, answer.text
        await asyncio.sleep(0.05)
        answer = await attempt()
    return answer


def real_pipeline() -> tuple[str, list[str]]:
    """A company's export, and the names of its products as they should be."""
    with PIPELINE.with_name("products.csv").open() as listed:
        return PIPELINE.read_text(), [line["product"] for line in csv.DictReader(listed)]


def eur(amount: int | str) -> dict[str, int | str]:
    return {"amount": amount, "currency": "EUR"}


def key(name: str) -> dict[str, str]:
    return {"Idempotency-Key": name}


async def opened(client: httpx.AsyncClient, name: str) -> str:
    """An opportunity of the account Acme, whose record is published first."""
    published = await client.post(
        "/accounts/acme/publish-account", json={"name": "Acme"}, headers=key("acme")
    )
    assert published.status_code == 200, published.text
    today = datetime.now(UTC).date()
    body = OPEN.model_dump(mode="json") | {"expected_close": str(today + timedelta(days=60))}
    answer = await until(
        lambda: client.post("/engagements", json=body, headers=key(name)),
        lambda answer: answer.status_code == 201,
    )
    assert answer.headers["Location"] == f"/engagements/{answer.json()['id']}"
    return str(answer.json()["id"])


async def test_a_sale_from_the_first_call_to_the_customers_yes(sales: Running) -> None:
    async with sales.asked() as client:
        engagement = await opened(client, "first-call")
        at = f"/engagements/{engagement}"

        async def give(command: str, body: dict[str, Any], **headers: str) -> httpx.Response:
            return await client.post(f"{at}/{command}", json=body, headers=key(command) | headers)

        qualified = await give(
            "qualify-opportunity",
            {"budget": True, "authority": True, "need": True, "timing": True, "score": 80},
        )
        assert qualified.status_code == 200, qualified.text
        drafted = await give("draft-proposal", DRAFT.model_dump(mode="json"))
        assert drafted.status_code == 200, drafted.text

        early = await give("submit-proposal", {"version": 1})
        assert (early.status_code, early.json()["code"]) == (409, "proposal-not-ready")
        assert {item["code"]: item["owed_by"] for item in early.json()["missing"]} == {
            "manager-not-assigned": "delivery",
            "estimate-not-endorsed": "delivery",
            "estimate-not-priced": "finance",
        }

        waiting = asyncio.create_task(give("submit-proposal", {"version": 1}, Prefer="wait=20"))
        await sales.say(engagement, PRICED, MANAGER, ESTIMATE, ENDORSED)
        submitted = await waiting
        assert submitted.status_code == 200, submitted.text
        assert submitted.headers["Concord-Position"] == "delivery=3,finance=1,sales=4"

        won = await give("win-deal", WIN.model_dump(mode="json"))
        assert won.status_code == 200, won.text
        again = await give("win-deal", WIN.model_dump(mode="json"))
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.json() == won.json()

        view = (await client.get(at)).json()
        assert (view["stage"], view["delivery"]["manager"]) == ("won", "emma")
        assert view["won"]["price"] == {"amount": "17000", "currency": "EUR"}

    said = await sales.heard_from(SALES, 5, about=engagement)
    assert [(each.sequence, type(each.fact).__name__, each.actor) for each in said] == [
        (1, "OpportunityOpened", "ann"),
        (2, "OpportunityQualified", "ann"),
        (3, "ProposalDrafted", "ann"),
        (4, "ProposalSubmitted", "ann"),
        (5, "DealWon", "ann"),
    ]
    assert said[3].heard == {"delivery": 3, "finance": 1}


async def test_a_crms_export_is_taken_over_once(sales: Running, tmp_path: Path) -> None:
    first = await asyncio.to_thread(sales.run_import, CRM)
    assert first.returncode == 0, first.stderr
    assert "18 rows read" in first.stdout
    assert "6 taken, 0 unchanged, 12 refused; 3 accounts published" in first.stdout
    assert "is before the engage_date" in first.stdout

    again = await asyncio.to_thread(sales.run_import, CRM)
    assert again.returncode == 0
    assert "0 taken, 6 unchanged, 12 refused; 0 accounts published" in again.stdout

    changed = tmp_path / "later.csv"
    changed.write_text(CRM.read_text().replace("4,821.50", "4,900"))
    later = await asyncio.to_thread(sales.run_import, changed)
    assert "0 taken, 5 unchanged, 13 refused" in later.stdout
    assert "was imported as 4,821.50 EUR" in later.stdout

    said = [
        each
        for each in await sales.heard_from(SALES, 6 + 5)
        if isinstance(each.fact, OpportunityImported)
    ]
    assert len({each.subject for each in said}) == 6
    won = next(each for each in said if each.fact.external_id == "OPP-1001")  # type: ignore[attr-defined]
    assert won.occurred_at == datetime(2017, 3, 1, tzinfo=UTC)
    assert won.recorded_at > won.occurred_at + timedelta(days=365)

    nonsense = tmp_path / "nonsense.csv"
    nonsense.write_text("a;b;c\n1;2;3\n")
    refused = await asyncio.to_thread(sales.run_import, nonsense)
    assert refused.returncode == 2
    assert "the first line must name the columns" in refused.stderr
    assert (await asyncio.to_thread(sales.run_import, tmp_path / "nowhere.csv")).returncode == 2
    denied = await asyncio.to_thread(sales.run_import, CRM, SELLER)
    assert denied.returncode == 1
    assert "sales-manager" in denied.stderr


@pytest.mark.skipif(not PIPELINE.exists(), reason="the sample pipeline is not on this machine")
async def test_a_real_pipeline_is_taken_whole_and_then_unchanged(sales: Running) -> None:
    export, products = real_pipeline()
    async with sales.asked(MANAGER_OF_SALES) as client:
        answer = await client.post(
            "/imports",
            content=export,
            params={"source": "hardware", "currency": "EUR", "product": products},
            headers={"Content-Type": "text/csv"},
        )
        assert answer.status_code == 200, answer.text
        report = answer.json()
        assert (report["taken"], report["unchanged"], report["refused"]) == (200, 0, 0)

        again = await asyncio.to_thread(sales.run_import, PIPELINE, source="hardware")
        assert again.returncode == 0, again.stderr
        assert "Names of products are held against" in again.stdout
        assert "0 taken, 200 unchanged, 0 refused; 0 accounts published" in again.stdout

        listed = await until(
            lambda: client.get(
                "/engagements?imported=true&stage=won&currency=EUR&sort=-expected_value&limit=3"
            ),
            lambda answer: (
                [row["expected_value"] for row in answer.json()["rows"]] == [5710, 5621, 5614]
            ),
        )
        assert listed.json()["rows"][0]["title"] == "GTX Plus Pro for Ganjaflex"
        account = await client.get("/accounts/golddex")
        assert account.json()["record"]["name"] == "Golddex"
    assert len(await sales.heard_from(SALES_REFERENCE, 1, about="golddex")) == 1


async def test_input_that_is_wrong_is_told_by_field_and_stores_nothing(sales: Running) -> None:
    draft = DRAFT.model_dump(mode="json")
    opening = OPEN.model_dump(mode="json")
    advance = {"pipeline_stage": "proposing", "probability": 50}
    async with sales.asked() as client:
        engagement = await opened(client, "wrong-input")
        at = f"/engagements/{engagement}"
        before = (await client.get(at)).headers["ETag"]
        worth = "expected_value"
        for command, body, field in (
            ("", opening | {"surprise": 1}, "surprise"),
            ("", opening | {worth: eur(-1)}, worth),
            ("", opening | {worth: eur("NaN")}, f"{worth}.amount"),
            ("", opening | {worth: eur("9" * 30)}, f"{worth}.amount"),
            ("", opening | {worth: {"amount": 1, "currency": "XXX"}}, f"{worth}.currency"),
            ("", opening | {"expected_close": "soon"}, "expected_close"),
            ("draft-proposal", draft | {"promised_finish": "2020-01-01"}, "promised_finish"),
            ("draft-proposal", draft | {"price": eur(1)}, "price"),
            ("advance-opportunity", advance | {"probability": 101}, "probability"),
            ("lose-deal", {"reason": "bored"}, "reason"),
        ):
            place = f"{at}/{command}" if command else "/engagements"
            answer = await client.post(place, json=body, headers=key(f"{command}-{field}"))
            assert answer.headers["content-type"].startswith("application/problem+json")
            problem = answer.json()
            assert (answer.status_code, problem["code"]) == (422, "invalid-input"), problem
            assert [error["field"] for error in problem["errors"]] == [field]
        assert (await client.get(at)).headers["ETag"] == before

        for bearer, status in (
            (token("counsel"), 403),
            (token("account-executive", valid=-5), 401),
            ("nonsense", 401),
        ):
            answer = await client.post(
                f"{at}/lose-deal",
                json={"reason": "price"},
                headers=key("stranger") | {"Authorization": f"Bearer {bearer}"},
            )
            assert answer.status_code == status, answer.text
        assert (await client.get(at)).json()["stage"] == "prospecting"

    async with sales.asked(MANAGER_OF_SALES) as client:
        for content, headers, params, status in (
            (b"\xff\xfe", {"Content-Type": "text/csv"}, {}, 422),
            (CRM.read_bytes(), {"Content-Type": "application/json"}, {}, 415),
            (CRM.read_bytes(), {"Content-Type": "text/csv"}, {"currency": "XXX"}, 422),
            (CRM.read_bytes(), {"Content-Type": "text/csv"}, {"sauce": "crm"}, 422),
            (b"x" * (4 * 1024 * 1024 + 1), {"Content-Type": "text/csv"}, {}, 413),
        ):
            answer = await client.post("/imports", content=content, headers=headers, params=params)
            assert answer.status_code == status, answer.text
            assert answer.headers["content-type"].startswith("application/problem+json")
