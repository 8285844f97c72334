"""Test the finance service as a process, over HTTP, on a real Kafka and a real store."""

import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from contracts.finance import (
    BillingEventDue,
    InvoiceIssued,
    PaymentOverdue,
    PeriodBooked,
    PeriodCosted,
)
from contracts.reference import LedgerPublished
from contracts.roles import Role
from tests.amounts import eur
from tests.component.harness import (
    Running,
    World,
    accepted,
    asked_until,
    bearer,
    engagement_id,
    refused,
    running,
    token,
)
from tests.infrastructure import KafkaServer, StoreServer
from tests.invoices import CUSTOMER, NO_TAX, SELLER
from tests.unit.finance import builders
from tests.weeks import approved, reversal, submitted

# Today where the company is: in UTC, it is the next day in the evening already.
TODAY = datetime.now(ZoneInfo(SELLER.time_zone)).date()
SIGNED = TODAY - timedelta(days=40)

SOW = builders.SOW.model_copy(
    update={
        "lines": (
            builders.fixed_line(
                *builders.SCHEDULE[:3],
                builders.SCHEDULE[3].model_copy(update={"due_on": TODAY - timedelta(days=2)}),
            ),
        ),
        "payment_terms_days": 14,
    }
)
SOW_SIGNED = builders.SOW_SIGNED.model_copy(update={"signed_on": SIGNED})
ACCOUNTANT = token("cora", "project-accountant")
CONTROLLER = token("cora", "controller")
CONFIDANT = token("cora", "project-accountant", "confidential")
EXECUTIVE = token("cora", "executive")
OTHERS: tuple[Role, ...] = ("account-executive", "counsel", "customer", "confidential")


@pytest.fixture(scope="module")
def finance(
    kafka: KafkaServer, store: StoreServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    with running("finance", kafka, store, tmp_path_factory.mktemp("finance")) as service:
        yield service


@pytest.fixture
async def world(finance: Running) -> AsyncIterator[World]:
    async with finance.world(by=ACCOUNTANT) as world:
        await publish_rates(world)
        yield world


async def publish_rates(world: World) -> None:
    """Publish the rates, and wait until the service itself has consumed them."""
    for command, record in (
        ("/rate-cards/standard-EUR/publish-rate-card", builders.CARD),
        ("/cost-rates/standard-EUR/publish-cost-rates", builders.COSTS),
    ):
        rates = record.model_dump(mode="json", include={"currency", "rates"})
        rates["effective_from"] = "2020-01-01"
        published = await world.do(command, rates, by=CONTROLLER)
        assert ("newest" in published["state"]) == command.startswith("/rate-cards/")
    await world.say(CUSTOMER, about=CUSTOMER.account)
    for command, untaxed in (
        ("/companies/us/publish-company", SELLER),
        ("/tax-rates/US-none/publish-tax-rate", NO_TAX),
    ):
        body = untaxed.model_dump(mode="json", exclude={"company", "tax_rate", "effective_from"})
        await world.do(command, {**body, "effective_from": "2020-01-01"}, by=CONTROLLER)
    probe = engagement_id()
    await world.say(builders.OPENED, builders.ESTIMATE, about=probe)

    async def caught_up() -> dict[str, Any]:
        await world.ask("catch-up", about=probe, wait=0)
        return await world.view(probe, by=CONFIDANT)

    await asked_until(
        caught_up, lambda view: bool(view["estimate_costs"] and view["estimates"][0]["price"])
    )


async def arrived(world: World, amount: str) -> str:
    """Take a statement with one payment, after the last one, and return the id of the payment."""
    account = "/bank-accounts/us.main"
    record = SELLER.model_dump(mode="json", exclude={"company"}) | {
        "bank_accounts": [{"bank_account": "main", "currency": "EUR", "number": "1"}]
    }
    await world.do("/companies/us/publish-company", record, by=CONTROLLER)
    seen = await world.client.get(account, headers=bearer(ACCOUNTANT))
    known: dict[str, Any] = seen.json() if seen.is_success else {"closing": None, "number": 0}
    opening = known["closing"] or {"amount": "0", "currency": "EUR"}
    number = known["number"] + 1
    entry = {
        "entry": f"E-{number}",
        "booked_on": TODAY.isoformat(),
        "value_on": TODAY.isoformat(),
        "details": [{"amount": {"amount": amount, "currency": "EUR"}}],
    }
    closing = {"amount": str(Decimal(opening["amount"]) + Decimal(amount)), "currency": "EUR"}
    statement = {
        "statement": f"S-{number}",
        "number": number,
        "opening": opening,
        "closing": closing,
        "entries": [entry],
    }
    answer = await world.do(f"{account}/take-statement", statement)
    [payment] = answer["state"]["payments"]
    return str(payment["payment"])


async def pay(world: World, invoice: str, amount: str) -> None:
    """Let the customer pay an invoice."""
    payment = await arrived(world, amount)
    await world.do(f"/payments/{payment}/assign-account", {"account": "acme"})
    part = {
        "engagement": world.engagement,
        "invoice": invoice,
        "amount": {"amount": amount, "currency": "EUR"},
    }
    await world.do(f"/payments/{payment}/allocate-payment", {"items": [part]})


async def test_a_signed_contract_is_billed_paid_and_settled(world: World):
    refused(await world.ask("settle-account", about=engagement_id(), wait=0), 404, "unknown-stream")
    await world.say(builders.OPENED, builders.ESTIMATE, builders.PROPOSED, builders.WON, SOW)
    await world.do("review-sow", {"version": 1, "verdict": "approved"})
    await world.say(SOW_SIGNED)
    view = await world.view()
    assert view["budget"]["price"] == {"amount": "20000", "currency": "EUR"}
    [due] = await world.events(of=BillingEventDue)
    assert (due.event.item, due.event.due_on) == ("start", SIGNED)

    issue_on = (TODAY - timedelta(days=20)).isoformat()
    approve = {"invoice": "invoice-start", "issue_on": issue_on}
    refused(await world.ask("approve-invoice", approve), 403, "not-allowed")
    answer = await world.do("approve-invoice", approve, by=CONTROLLER)
    [sent] = await world.events(of=InvoiceIssued)
    assert sent.event.number == f"{issue_on[:4]}-00001"
    assert next(each["number"] for each in answer["state"]["invoices"]) == sent.event.number
    assert answer["state"]["requests"] == []

    # The payment was due six days ago, the billing item two days ago: the deadline scheduler
    # records both without a command.
    [late] = await world.events(of=PaymentOverdue)
    assert late.occurred_at == datetime.combine(TODAY - timedelta(days=5), time(), UTC)
    await asked_until(
        world.view, lambda view: "invoice-care" in [one["invoice"] for one in view["invoices"]]
    )

    await world.say(builders.BASELINED, builders.time("a", role="architect", hours=50))
    await world.say(
        builders.progress("t1", 100), builders.report(builders.MONDAY + timedelta(days=14))
    )
    await world.say(builders.accepted("design", TODAY), builders.accepted("portal", TODAY))
    await world.view()
    problem = refused(await world.ask("settle-account", wait=0), 409, "account-not-settled")
    assert {one["code"] for one in problem["missing"]} == {"invoice-not-issued", "invoice-unpaid"}

    items = ("design", "portal", "care")
    for item in items:
        await world.do("approve-invoice", {"invoice": f"invoice-{item}"}, by=CONTROLLER)
    for item, amount in zip(("start", *items), ("5000", "6000", "7000", "2000"), strict=True):
        await pay(world, f"invoice-{item}", amount)
    settled = (await world.do("settle-account"))["state"]
    assert (settled["stage"], settled["overdue"], settled["open_points"]) == ("settled", False, [])
    assert settled["paid"] == {"amount": "20000", "currency": "EUR"}
    numbers = sorted(one["number"] for one in settled["invoices"])
    assert len(set(numbers)) == 4

    assert "margins" not in settled
    confidential = await world.view(by=CONFIDANT)
    assert confidential["margins"]["margin_forecast"]["cost"]["amount"] == "11480"
    assert confidential["earned_value"]["cost_variance"]["amount"] == "-800"


async def test_commands_that_are_refused_change_nothing(world: World):
    await world.say(builders.OPENED, builders.ESTIMATE, builders.PROPOSED, SOW, SOW_SIGNED)
    before = await asked_until(  # the scheduler drafts the invoice that fell due by its date
        world.view, lambda view: any(one["item"] == "care" for one in view["invoices"])
    )
    payment = await arrived(world, "1000")
    allocate = f"/payments/{payment}/allocate-payment"
    part = {
        "engagement": world.engagement,
        "invoice": "invoice-start",
        "amount": {"amount": "1", "currency": "EUR"},
    }
    items = {"items": [part]}
    for role in OTHERS:
        refused(await world.ask(allocate, items, by=token("cora", role)), 403, "not-allowed")
    for amount in ("NaN", "-1", "0", "1" + 30 * "0", "1e400"):
        wrong = part | {"amount": {"amount": amount, "currency": "EUR"}}
        refused(await world.ask(allocate, {"items": [wrong]}), 422, "invalid-input")
    for extra in ({"amount": {"amount": "1", "currency": "EUX"}}, {"paid": True}):
        refused(await world.ask(allocate, {"items": [part | extra]}), 422, "invalid-input")
    refused(await world.ask(allocate, items, wait=0), 409, "payment-unassigned")
    refused(await world.ask("recognise-revenue", {"month": "2026-13"}), 422, "invalid-input")
    refused(await world.ask("bill-time", {"month": "2999-12"}, wait=0), 409, "month-not-begun")
    rates = {"currency": "EUR", "rates": [{"role": "pilot", "rate": {"amount": "1"}}]}
    rejected = await world.ask("/cost-rates/standard-EUR/publish-cost-rates", rates, by=CONTROLLER)
    refused(rejected, 422, "invalid-input")
    assert await world.view() == before


async def test_engagements_are_listed_with_stage_and_billed_amount(world: World):
    await world.say(builders.OPENED)
    other = engagement_id()
    await world.say(
        builders.OPENED, builders.ESTIMATE, builders.PROPOSED, SOW, SOW_SIGNED, about=other
    )
    await world.view()
    await world.view(other)

    ours = (world.engagement, other)
    await asked_until(
        lambda: world.listed(by=EXECUTIVE, currency="EUR", limit="200"),
        lambda rows: (
            [(rows[one]["stage"], rows[one]["billed"]) for one in ours if one in rows]
            == [("open", "0"), ("budgeted", "0")]
        ),
    )


def month_before(day: date) -> date:
    """Return the first day of the month before that of a day."""
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


async def test_a_company_closes_its_months(world: World):
    later = month_before(TODAY)
    first = month_before(later)
    months = f"{first:%Y-%m}", f"{later:%Y-%m}"
    company, other = f"c-{secrets.token_hex(4)}", engagement_id()
    ledger = f"/ledgers/{company}"
    won = builders.WON.model_copy(update={"company": company})
    week = first + timedelta(days=-first.weekday() % 7)
    # No contract is signed, so that no work can be billed.
    waiting = submitted("w", week, 6, person="dev", role="developer", billable=False)
    approval = approved("w", week, 6, person="dev", role="developer", billable=False)
    internal = builders.time("a", hours=8, day=first, billable=False)
    await world.say(builders.OPENED, won, internal)
    await world.say(builders.OPENED, won, waiting, about=other)
    await world.view()
    await world.view(other)

    async def last(expected: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async def ask() -> dict[str, Any]:
            state: dict[str, Any] = (await world.get(ledger, by=CONTROLLER)).json()
            return state

        return await asked_until(ask, expected)

    def has_answered(state: dict[str, Any]) -> bool:
        return not state["months"][-1]["waiting"]

    async def give(command: str, **body: str) -> dict[str, Any]:
        await world.do(f"{ledger}/{command}", body, by=CONTROLLER)
        month: dict[str, Any] = (await last(has_answered))["months"][-1]
        return month

    await last(lambda state: state.get("engagements") == 2)
    refused(await world.ask(f"{ledger}/start-closing", {"month": months[0]}), 403, "not-allowed")
    # Without a record, the company's days are those of UTC.
    this_month = {"month": f"{datetime.now(UTC):%Y-%m}"}
    early = await world.ask(f"{ledger}/start-closing", this_month, by=CONTROLLER, wait=0)
    refused(early, 409, "month-not-over")
    assert (await give("start-closing", month=months[0]))["open"] == {"1": 1}
    group = accepted(await world.get(f"/ledger-groups/{company}.1", by=CONTROLLER))
    friday = week + timedelta(days=4)
    sentence = f"6 h of dev up to {friday} wait for approval"
    waits = {"code": "time-waiting", "sentence": sentence, "owed_by": "delivery"}
    assert {name: each["items"] for name, each in group["open_items"].items()} == {other: [waits]}
    close = await world.ask(f"{ledger}/close-period", {"month": months[0]}, by=CONTROLLER, wait=0)
    refused(close, 409, "month-items-open")

    await world.say(approval, about=other)
    await world.view(other)
    assert (await give("start-closing", month=months[0]))["open"] == {}
    closed = await give("close-period", month=months[0])
    assert (closed["status"], closed["booked"], closed["accepted"]) == ("closed", 2, [])
    assert [(each["bookings"], each["hours"]) for each in closed["totals"]] == [(2, "14")]
    [booking] = await world.events(of=PeriodBooked, about=other)
    assert (booking.event.month, booking.event.hours) == (months[0], 6)
    [cost] = await world.events(of=PeriodCosted)
    assert cost.event.cost == eur(400)

    # What is reversed, and what comes late, is in the next month.
    await world.say(reversal(approval, "Another engagement.", TODAY), about=other)
    await world.say(builders.time("late", hours=1, day=first, billable=False))
    await world.view()
    await world.view(other)
    await give("start-closing", month=months[1])
    after = await give("close-period", month=months[1], accept="As it is.")
    assert [each["hours"] for each in after["totals"]] == ["-5"]
    assert (await last(has_answered))["months"] == [closed, after]
    published = await world.events(4, of=LedgerPublished, about=company)
    # The versions of a record are on several partitions.
    assert {each.sequence: (each.event.closed_to, each.event.closing) for each in published} == {
        1: (None, months[0]),
        2: (months[0], None),
        3: (months[0], months[1]),
        4: (months[1], None),
    }


async def test_an_unknown_ledger_is_answered_with_how_it_begins(world: World) -> None:
    ledger, month = "/ledgers/idle", {"month": "2026-01"}
    headers = bearer(CONTROLLER) | {"Idempotency-Key": "start"}
    read = await world.client.get(ledger, headers=headers)
    started = await world.client.post(f"{ledger}/start-closing", json=month, headers=headers)
    for answer in (read, started):
        assert answer.status_code == 404
        assert answer.json()["detail"] == (
            "no ledger idle is known to this department: it begins when the first engagement of"
            " the company is registered"
        )
