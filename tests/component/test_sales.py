"""Test the sales service as a process, over HTTP, on a real Kafka and a real store."""

import asyncio
import csv
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.reference import AccountPublished
from contracts.sales import OpportunityImported, OpportunityImportUpdated
from sales.accounts.names import account_id
from tests.component.harness import (
    Running,
    World,
    accepted,
    asked_until,
    bearer,
    owed,
    refused,
    running,
    token,
)
from tests.infrastructure import KafkaServer, StoreServer
from tests.unit.sales.builders import (
    DRAFT,
    ENDORSED,
    ESTIMATE,
    MANAGER,
    OPEN,
    PRICED,
    SELLERS,
    WIN,
    reviewed,
)

CRM = Path(__file__).parents[1] / "data" / "crm_pipeline.csv"
PIPELINE = Path(__file__).resolve().parents[3] / "shared/data/crm/sales_pipeline.csv"
TODAY = datetime.now(UTC).date()
SELLER = token("ann", "account-executive")
MANAGER_OF_SALES = token("sam", "sales-manager")
STRANGER = token("ann", "counsel")
LATE_SELLER = token("ann", "account-executive", valid=-timedelta(minutes=5))


@pytest.fixture(scope="module")
def sales(
    kafka: KafkaServer, store: StoreServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    with running("sales", kafka, store, tmp_path_factory.mktemp("sales")) as service:
        yield service


@pytest.fixture
async def world(sales: Running) -> AsyncIterator[World]:
    async with sales.world(by=SELLER) as world:
        yield world


async def run_import(
    world: World,
    file: Path,
    *options: str,
    by: str = MANAGER_OF_SALES,
    source: str = "old-crm",
) -> "subprocess.CompletedProcess[str]":
    return await asyncio.to_thread(
        subprocess.run,
        [
            *(sys.executable, "-m", "sales.importing", str(file)),
            *("--url", world.service.url, "--token", by),
            *("--source", source, "--currency", "EUR", *options),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"COLUMNS": "120", "PATH": ""},
    )


def real_pipeline() -> tuple[str, list[str]]:
    """Return a company's export, and the correct names of its products."""
    with PIPELINE.with_name("products.csv").open() as listed:
        return PIPELINE.read_text(), [line["product"] for line in csv.DictReader(listed)]


def eur(amount: int | str) -> dict[str, int | str]:
    return {"amount": amount, "currency": "EUR"}


async def open_opportunity(world: World, name: str) -> None:
    """Publish the account Acme and its seller, and open an opportunity of it."""
    await world.say(SELLERS[0], about=SELLERS[0].person)
    recorded = await world.ask("/accounts", {"name": "Acme"}, key="acme")
    assert recorded.status_code == 201, recorded.text
    account = recorded.json()["id"]
    closes = TODAY + timedelta(days=60)
    body = OPEN.model_dump(mode="json") | {"account": account, "expected_close": str(closes)}
    answer = await asked_until(
        lambda: world.ask("/engagements", body, key=name, wait=0),
        lambda answer: answer.status_code == 201,
    )
    world.engagement = answer.json()["id"]
    assert answer.headers["Location"] == f"/engagements/{world.engagement}"


async def test_a_sale_goes_from_the_first_call_to_the_won_deal(world: World) -> None:
    await open_opportunity(world, "first-call")
    qualifying = {"budget": True, "authority": True, "need": True, "timing": True, "score": 80}
    await world.do("qualify-opportunity", qualifying)
    draft = DRAFT.model_dump(mode="json") | {"valid_until": str(TODAY + timedelta(days=30))}
    await world.do("draft-proposal", draft)

    early = await world.ask("submit-proposal", {"version": 1}, key="submit", wait=0)
    assert owed(refused(early, 409, "proposal-not-ready")) == {
        "manager-not-assigned": "delivery",
        "estimate-not-endorsed": "delivery",
        "estimate-not-priced": "finance",
        "proposal-not-reviewed": "finance",
    }

    # A command that comes too early is decided again when the events it needs are consumed.
    submitting = asyncio.create_task(
        world.ask("submit-proposal", {"version": 1}, key="submit", after="")
    )
    await world.say(PRICED, MANAGER, ESTIMATE, ENDORSED, reviewed())
    submitted = await submitting
    assert submitted.status_code == 200, submitted.text
    assert submitted.headers["Concord-Position"] == "delivery=3,finance=2,sales=4"

    won = await world.ask("win-deal", WIN.model_dump(mode="json"), key="win")
    assert won.status_code == 200, won.text
    again = await world.ask("win-deal", WIN.model_dump(mode="json"), key="win")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == won.json()

    view = await world.view()
    assert (view["stage"], view["delivery"]["manager"]) == ("won", "emma")
    assert view["won"]["price"] == {"amount": "17000", "currency": "EUR"}

    events = await world.events(5)
    assert [(each.sequence, type(each.event).__name__, each.actor) for each in events] == [
        (1, "OpportunityOpened", "ann"),
        (2, "OpportunityQualified", "ann"),
        (3, "ProposalDrafted", "ann"),
        (4, "ProposalSubmitted", "ann"),
        (5, "DealWon", "ann"),
    ]
    assert events[3].heard == {"delivery": 3, "finance": 2}


async def test_a_crm_export_is_imported_once(world: World, tmp_path: Path) -> None:
    tried = await run_import(world, CRM, "--dry-run")
    assert "nothing was recorded; an import would give:" in tried.stdout
    assert "6 taken, 0 updated, 0 unchanged, 12 refused; 3 accounts published" in tried.stdout
    first = await run_import(world, CRM)
    assert first.returncode == 0, first.stderr
    assert "18 rows read" in first.stdout
    assert "6 taken, 0 updated, 0 unchanged, 12 refused; 3 accounts published" in first.stdout
    assert "is before the engage_date" in first.stdout
    output = " ".join(first.stdout.split())
    owners = set(re.findall(r"is not a known person; the owner is (owner-\w{13}) ", output))

    again = await run_import(world, CRM)
    assert again.returncode == 0
    assert "0 taken, 0 updated, 6 unchanged, 12 refused; 0 accounts published" in again.stdout

    changed = tmp_path / "later.csv"
    changed.write_text(CRM.read_text().replace("4,821.50", "4,900.00"))
    later = await run_import(world, changed)
    assert "0 taken, 1 updated, 5 unchanged, 12 refused" in later.stdout
    assert "recorded as 4,821.50 EUR" in later.stdout
    [moved] = await world.events(1, of=OpportunityImportUpdated, about="")
    assert (moved.event.changed, moved.event.applied) == (("value",), True)

    events = await world.events(6, of=OpportunityImported, about="")
    assert len({each.subject for each in events}) == 6
    assert owners
    assert {each.event.owner for each in events} == owners
    won = next(each for each in events if each.event.external_id == "OPP-1001")
    assert won.occurred_at == datetime(2017, 3, 1, tzinfo=UTC)
    assert won.recorded_at > won.occurred_at + timedelta(days=365)

    nonsense = tmp_path / "nonsense.csv"
    nonsense.write_text("a;b;c\n1;2;3\n")
    unusable = await run_import(world, nonsense)
    assert unusable.returncode == 2
    assert "the first line must name the columns" in " ".join(unusable.stderr.split())
    assert (await run_import(world, tmp_path / "nowhere.csv")).returncode == 2
    denied = await run_import(world, CRM, by=SELLER)
    assert denied.returncode == 1
    assert "sales-manager" in denied.stderr


@pytest.mark.skipif(not PIPELINE.exists(), reason="the sample pipeline is not on this machine")
async def test_a_real_pipeline_is_imported_completely_and_then_unchanged(world: World) -> None:
    export, products = real_pipeline()
    answer = await world.client.post(
        "/imports",
        content=export,
        params={"source": "hardware", "currency": "EUR", "product": products},
        headers={**bearer(MANAGER_OF_SALES), "Content-Type": "text/csv"},
    )
    report = accepted(answer)
    assert (report["taken"], report["unchanged"], report["refused"]) == (200, 0, 0)

    again = await run_import(world, PIPELINE, source="hardware")
    assert again.returncode == 0, again.stderr
    assert "Product names are checked against" in again.stdout
    assert "0 taken, 0 updated, 200 unchanged, 0 refused; 0 accounts published" in again.stdout

    largest = {"imported": "true", "stage": "won", "currency": "EUR", "limit": "3"}
    listed = await asked_until(
        lambda: world.listed(by=MANAGER_OF_SALES, sort="-expected_value_rounded", **largest),
        lambda rows: [row["expected_value"] for row in rows.values()] == ["5710", "5621", "5614"],
    )
    assert next(iter(listed.values()))["title"] == "GTX Plus Pro for Ganjaflex"
    account = await world.get(f"/accounts/{account_id('Golddex')}", by=MANAGER_OF_SALES)
    assert account.json()["newest"]["record"]["name"] == "Golddex"
    [published] = await world.events(of=AccountPublished, about=account_id("Golddex"))
    assert published.event.name == "Golddex"


async def test_invalid_input_is_reported_by_field_and_stores_nothing(world: World) -> None:
    draft = DRAFT.model_dump(mode="json")
    opening = OPEN.model_dump(mode="json")
    advance = {"pipeline_stage": "proposing", "probability": 50}
    await open_opportunity(world, "wrong-input")
    at = f"/engagements/{world.engagement}"
    before = (await world.get(at)).headers["ETag"]
    worth = "expected_value"
    for command, body, field in (
        ("/engagements", opening | {"surprise": 1}, "surprise"),
        ("/engagements", opening | {worth: eur(-1)}, worth),
        ("/engagements", opening | {worth: eur("NaN")}, f"{worth}.amount"),
        ("/engagements", opening | {worth: eur("9" * 30)}, f"{worth}.amount"),
        ("/engagements", opening | {worth: {"amount": 1, "currency": "XXX"}}, f"{worth}.currency"),
        ("/engagements", opening | {"expected_close": "soon"}, "expected_close"),
        ("draft-proposal", draft | {"promised_finish": "2020-01-01"}, "promised_finish"),
        ("draft-proposal", draft | {"price": eur(1)}, "price"),
        ("advance-opportunity", advance | {"probability": 101}, "probability"),
        ("lose-deal", {"reason": "bored"}, "reason"),
    ):
        problem = refused(await world.ask(command, body), 422, "invalid-input")
        assert [error["field"] for error in problem["errors"]] == [field]
    assert (await world.get(at)).headers["ETag"] == before

    for by, status in ((STRANGER, 403), (LATE_SELLER, 401), ("nonsense", 401)):
        answer = await world.ask("lose-deal", {"reason": "price"}, by=by)
        assert answer.status_code == status, answer.text
    assert (await world.view())["stage"] == "prospecting"

    for content, headers, params, status in (
        (b"\xff\xfe", {"Content-Type": "text/csv"}, {}, 422),
        (CRM.read_bytes(), {"Content-Type": "application/json"}, {}, 415),
        (CRM.read_bytes(), {"Content-Type": "text/csv"}, {"currency": "XXX"}, 422),
        (CRM.read_bytes(), {"Content-Type": "text/csv"}, {"sauce": "crm"}, 422),
        (b"x" * (4 * 1024 * 1024 + 1), {"Content-Type": "text/csv"}, {}, 413),
    ):
        answer = await world.client.post(
            "/imports",
            content=content,
            params=params,
            headers={**bearer(MANAGER_OF_SALES), **headers},
        )
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"].startswith("application/problem+json")
