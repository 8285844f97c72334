"""Test that a command whose whole effect another stream refuses is answered as refused."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date

import pytest

from chassis.application.command_handler import Answer
from chassis.domain.commands import Command, Refused
from contracts.finance import InvoiceIssued
from contracts.reference import BankAccount, NumberSeries
from finance.engagement import Engagement
from finance.invoices.decisions import ApproveInvoice, IssueCreditNote
from finance.number_series.requests import TakeNumber
from finance.payments.decisions import (
    AllocatePayment,
    AssignAccount,
    MatchPayment,
    RecordPayment,
)
from finance.payments.state import Payment
from finance.service import (
    BANK_ACCOUNT,
    ENGAGEMENT,
    LEDGER,
    LEDGER_GROUP,
    NUMBER_SERIES,
    PAYMENT,
)
from testkit.matchers import recorded_as
from tests.amounts import eur
from tests.invoices import CUSTOMER, NO_TAX, SELLER
from tests.unit.chassis.requests_in_memory import Process, Shared
from tests.unit.finance.builders import (
    CARD,
    COSTS,
    ESTIMATE,
    ID,
    OPENED,
    PROPOSED,
    SIGNED,
    SOW,
    SOW_SIGNED,
    WON,
)
from tests.unit.finance.test_payments_interleaved import DAY, INVOICE, MOMENT

ORDERED = NumberSeries(follow_days=True)
SELLS = SELLER.model_copy(
    update={
        "bank_accounts": (BankAccount(bank_account="main", currency="EUR", number="1"),),
        "invoice_numbers": ORDERED,
        "credit_note_numbers": ORDERED.model_copy(update={"prefix": "CN-"}),
    }
)
PAID, TWIN = "P-0000000000001", "P-0000000000002"
RECORDED = RecordPayment(bank_account="us.main", amount=eur(3_000), received_on=DAY)


class Documents(Shared):
    """The documents of a journal that answers at once."""

    async def turn(self) -> None: ...


class Accounts:
    """One engagement with a draft, and two payments; each command is given to a new process."""

    def __init__(self) -> None:
        self.shared = Documents(
            ENGAGEMENT, PAYMENT, BANK_ACCOUNT, NUMBER_SERIES, LEDGER, LEDGER_GROUP
        )

    def process(self) -> Process:
        return Process(self.shared, SELLS, CUSTOMER, NO_TAX, CARD, COSTS, now=MOMENT)

    async def open(self) -> None:
        numbers: dict[str, int] = {}
        process = self.process()
        for event in (OPENED, ESTIMATE, PROPOSED, WON, SOW, SOW_SIGNED):
            name = event.channel.name
            numbers[name] = numbers.get(name, 0) + 1
            recorded = recorded_as(event, ID, numbers[name], "ann", MOMENT, {})
            await process.events.handle_events(f"engagement:{ID}", [recorded])
        for name in (PAID, TWIN):
            await self.give("payment", name, RECORDED)
            await self.give("payment", name, AssignAccount(account="acme"))

    async def ask(self, kind: str, subject: str, command: Command, key: str) -> Answer:
        """Commit a command, and leave its requests to others."""
        handler = self.process().commands
        return await handler.command(kind, subject, command, actor="cora", key=key)

    async def give(
        self, kind: str, subject: str, command: Command, key: str | None = None
    ) -> Answer:
        given = await self.ask(kind, subject, command, key or f"{subject}-{command!r}")
        return await self.process().dispatcher.settle(given)

    async def refused(self, code: str, kind: str, subject: str, command: Command) -> Refused:
        """Give a command whose first process is killed, then again; it has one refusal."""
        await self.ask(kind, subject, command, "twice")
        found = []
        written = 0
        for _ in range(3):
            with pytest.raises(Refused) as refused:
                await self.give(kind, subject, command, "twice")
            found.append((refused.value.code, refused.value.sentence))
            assert written in {0, len(self.shared.documents)}
            written = len(self.shared.documents)
        assert found == [(code, found[0][1])] * 3
        return refused.value

    @property
    def engagement(self) -> Engagement:
        state = self.shared.known("engagement", ID).stream.state
        assert isinstance(state, Engagement)
        return state

    def payment(self, name: str = PAID) -> Payment:
        state = self.shared.known("payment", name).stream.state
        assert isinstance(state, Payment)
        return state


def run(test: Callable[[Accounts], Awaitable[None]]) -> None:
    async def opened() -> None:
        accounts = Accounts()
        await accounts.open()
        await test(accounts)

    asyncio.run(opened())


def credit(on: date, why: str = "Late.") -> IssueCreditNote:
    return IssueCreditNote(
        invoice=INVOICE, intent="give-back", amount=eur(10), why=why, issued_on=on
    )


def pay(*amounts: tuple[str, int]) -> AllocatePayment:
    items = [{"engagement": ID, "invoice": name, "amount": eur(each)} for name, each in amounts]
    return AllocatePayment.model_validate({"items": items})


APPROVE = ApproveInvoice(invoice=INVOICE, issue_on=SIGNED)


def test_a_credit_note_before_the_last_of_its_series_is_refused_and_withdrawn() -> None:
    async def test(accounts: Accounts) -> None:
        await accounts.give("engagement", ID, APPROVE)
        await accounts.give("engagement", ID, credit(DAY))
        early = credit(SIGNED, "Late again.")
        refused = await accounts.refused("date-before-known", "engagement", ID, early)
        assert f"the last is of {DAY}" in refused.sentence
        invoice = accounts.engagement.billing.invoices[INVOICE]
        assert [each.number for each in invoice.credits] == ["CN-2026-00001"]
        assert invoice.credits_approved == ()

    run(test)


def test_an_invoice_before_the_last_of_its_series_is_refused_and_a_draft_again() -> None:
    async def test(accounts: Accounts) -> None:
        await accounts.give("number-series", "us.invoice.2026", TakeNumber(on=DAY))
        refused = await accounts.refused("date-before-known", "engagement", ID, APPROVE)
        assert "an invoice stays a draft" in refused.sentence
        assert accounts.engagement.billing.invoices[INVOICE].stage == "drafted"
        answer = await accounts.give("engagement", ID, APPROVE.model_copy(update={"issue_on": DAY}))
        [issued] = (e.event for e in answer.events if isinstance(e.event, InvoiceIssued))
        assert issued.number == "2026-00002"

    run(test)


def test_a_payment_that_no_invoice_takes_is_refused_and_is_free_again() -> None:
    async def test(accounts: Accounts) -> None:
        refused = await accounts.refused(
            "invoice-unknown", "payment", PAID, pay(("none", 10), ("nil", 10))
        )
        assert "none" in refused.sentence
        assert "nil" in refused.sentence
        assert accounts.payment().unallocated == eur(3_000)

    run(test)


def test_a_payment_of_which_an_invoice_takes_a_part_is_answered_with_both_outcomes() -> None:
    async def test(accounts: Accounts) -> None:
        await accounts.give("engagement", ID, APPROVE)
        answer = await accounts.give("payment", PAID, pay(("none", 10), (INVOICE, 20)))
        codes = [each.refusal.code if each.refusal else None for each in answer.outcomes]
        assert sorted(codes, key=str) == [None, "invoice-unknown"]
        assert accounts.payment().allocated == eur(20)

    run(test)


def test_a_payment_that_does_not_give_way_is_named_in_the_refusal() -> None:
    async def test(accounts: Accounts) -> None:
        match = MatchPayment(payment=TWIN)
        refused = await accounts.refused("payment-differs", "payment", PAID, match)
        assert TWIN in refused.sentence
        unknown = MatchPayment(payment="P-0000000000009")
        with pytest.raises(Refused) as refusal:
            await accounts.give("payment", PAID, unknown)
        code: str = refusal.value.code
        assert code == "unknown-stream"
        assert accounts.payment().matching is None

    run(test)
