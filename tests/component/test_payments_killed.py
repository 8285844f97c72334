"""Test that money is in one place, once, wherever Finance is killed between payment and invoice.

The process is killed at its first write, at its second, and so on until there are no more. Another
one has to complete what was begun within 15 seconds, and the person sends the command again.
"""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import pytest

from chassis.domain.commands import Command
from contracts.event import Event, Recorded
from contracts.finance import PaymentAllocated, PaymentDeallocated
from contracts.money import Money
from contracts.reference import BankAccount
from finance.bank_accounts.decisions import TakeStatement
from finance.billing.state import Invoice
from finance.engagement import Engagement
from finance.invoices.decisions import ApproveInvoice
from finance.payments.decisions import AllocatePayment, AssignAccount, DeallocatePayment
from finance.payments.state import Payment
from finance.service import SERVICE as FINANCE
from testkit.matchers import RecordsOf
from tests.amounts import eur
from tests.component.killable_store import Life
from tests.component.sample_department import Process, until
from tests.component.test_requests_killed import (
    WITHIN,
    contracted,
    dispatcher_of,
    dispatching,
    until_killed,
    with_store,
)
from tests.infrastructure import StoreServer
from tests.invoices import CUSTOMER, NO_TAX, SELLER
from tests.unit.finance.builders import APRIL_1, CARD, COSTS, ID

pytestmark = pytest.mark.long

INVOICE = "invoice-start"
OURS = SELLER.model_copy(
    update={"bank_accounts": (BankAccount(bank_account="main", currency="EUR", number="1"),)}
)
RECORDS = RecordsOf([OURS, CUSTOMER, NO_TAX, CARD, COSTS])
ACCOUNT = ("bank-account", "us.main")


class Accounting:
    """The process that survives, and the commands that a killed one was given before."""

    def __init__(self, url: str, database: str) -> None:
        self._at = url, database
        self.process = self._new()
        self._names = count(1)

    def _new(self) -> Process:
        moment = contracted(ID)[0].recorded_at.replace(year=2026, month=4, day=2)
        return Process(*self._at, deciders=FINANCE.all_deciders, records=RECORDS, moment=moment)

    async def give(self, kind: str, subject: str, command: Command, *, writes: int | None) -> bool:
        """Let a process decide that is killed after this number of writes, then repeat the command.

        Return whether it was killed.
        """
        key, life = f"key-{next(self._names)}", Life(writes)
        mortal = with_store(self._new(), *self._at, life)

        async def act() -> None:
            answer = await mortal.engine.command(kind, subject, command, actor="cora", key=key)
            await dispatcher_of(mortal).settle(answer)

        killed = await until_killed(act(), life)
        await mortal.store.close()
        await self.process.engine.command(kind, subject, command, actor="cora", key=key)
        await until(lambda: self._is_settled(f"{kind}:{subject}"), WITHIN)
        return killed

    async def _is_settled(self, stream: str) -> bool:
        return (await self.process.repository.current(stream)).stream.requests == {}

    async def invoice(self) -> Invoice:
        state = (await self.process.repository.current(f"engagement:{ID}")).stream.state
        assert isinstance(state, Engagement)
        return state.billing.invoices[INVOICE]

    async def payment(self, name: str) -> Payment:
        state = (await self.process.repository.current(f"payment:{name}")).stream.state
        assert isinstance(state, Payment)
        return state

    async def statement(self, opening: int, amount: int) -> TakeStatement:
        """Return a statement of one entry."""
        entry = {
            "entry": "NONREF",
            "booked_on": APRIL_1,
            "value_on": APRIL_1,
            "details": [{"amount": eur(amount)}],
        }
        terms = {"opening": eur(opening), "closing": eur(opening + amount)}
        number = opening // amount + 1
        return TakeStatement.model_validate(
            {"statement": f"S-{number}", "number": number, "entries": [entry], **terms}
        )

    async def payments(self) -> list[str]:
        """Return the payments of the last statement."""
        view = self.process.engine.read(*ACCOUNT)
        stream = await view
        last = stream.state.last
        assert last is not None
        return [each.payment for each in last.payments]

    async def allocations(self) -> Counter[str]:
        """Return how often the journal has each allocation, less how often it was taken back."""
        found: Counter[str] = Counter()
        async for commit in self.process.journal.read(f"engagement:{ID}"):
            for recorded in commit.new_events():
                event: Event = recorded.event
                if isinstance(event, PaymentAllocated):
                    found[event.allocation] += 1
                if isinstance(event, PaymentDeallocated):
                    found[event.allocation] -= 1
        return found


@asynccontextmanager
async def accounting(store: StoreServer, database: str) -> AsyncIterator[Accounting]:
    """Issue an invoice of 5,000 EUR, and take a statement with a payment of as much for Acme."""
    survivor = Accounting(store.url, database)
    async with survivor.process as process, dispatching(process):
        told: list[Recorded[Event]] = contracted(ID)
        await process.event_handler.handle_events(f"engagement:{ID}", told)
        approve = ApproveInvoice(invoice=INVOICE, issue_on=APRIL_1)
        await survivor.give("engagement", ID, approve, writes=None)
        await survivor.give(*ACCOUNT, await survivor.statement(0, 5_000), writes=None)
        yield survivor


def part(amount: int) -> AllocatePayment:
    items = [{"engagement": ID, "invoice": INVOICE, "amount": eur(amount)}]
    return AllocatePayment.model_validate({"items": items})


async def test_a_part_of_a_payment_is_on_the_invoice_once_and_given_back_once(
    store: StoreServer, isolation: str
) -> None:
    async with accounting(store, isolation) as survivor:
        [name] = await survivor.payments()
        await survivor.give("payment", name, AssignAccount(account="acme"), writes=None)
        for writes in count():
            killed = await survivor.give("payment", name, part(10), writes=writes)
            await check(survivor, name, eur(10 * (writes + 1)))
            if not killed:
                break
        assert writes >= 3  # the payment asks, the invoice takes, the payment notes the answer
        parts = [*(await survivor.payment(name)).parts]
        left = len(parts)
        for writes in count():
            back = DeallocatePayment(allocations=(parts[left - 1],), why="Wrong invoice.")
            killed = await survivor.give("payment", name, back, writes=writes)
            left -= 1
            await check(survivor, name, eur(10 * left))
            if not killed or not left:
                break
        assert writes >= 3


async def check(survivor: Accounting, name: str, paid: Money) -> None:
    """Check that payment and invoice have the same, each allocation once."""
    payment, invoice = await survivor.payment(name), await survivor.invoice()
    assert (payment.allocated, invoice.paid) == (paid, paid)
    assert payment.unallocated + paid == eur(5_000)
    found = await survivor.allocations()
    assert {*found.values()} <= {0, 1}
    assert {each for each, times in found.items() if times} == {*payment.parts}


async def test_each_entry_of_a_statement_becomes_one_payment(
    store: StoreServer, isolation: str
) -> None:
    async with accounting(store, isolation) as survivor:
        found = [*await survivor.payments()]
        for writes in count():
            opening = 5_000 * len(found)
            killed = await survivor.give(
                *ACCOUNT, await survivor.statement(opening, 5_000), writes=writes
            )
            [name] = await survivor.payments()
            assert (await survivor.payment(name)).known.amount == eur(5_000)
            found.append(name)
            if not killed:
                break
        assert writes >= 3
        assert len({*found}) == len(found)
