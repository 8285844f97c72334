"""Test that payments, invoices and the gateway agree, however processes interleave and die.

Two processes work on one journal in memory, as in tests/unit/chassis/test_requests_interleaved.py:
the bank sends statements that overlap and come again, an accountant allocates, takes back, returns
and refunds, a controller credits, and processes are killed between the two halves of what they do.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from types import MappingProxyType
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.application.repository import Unknown
from chassis.domain.commands import Command, Refused
from chassis.eventstore.mongo import StoreAway
from contracts.event import Event
from contracts.finance import PaymentAllocated, PaymentDeallocated
from contracts.money import Money
from contracts.reference import BankAccount as AccountRecord
from finance.bank_accounts.decisions import TakeStatement
from finance.bank_accounts.state import BankAccount
from finance.engagement import Engagement
from finance.invoices.decisions import ApproveInvoice, IssueCreditNote
from finance.payments.decisions import (
    AllocatePayment,
    AssignAccount,
    DeallocatePayment,
    RefundPayment,
    ReturnPayment,
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
from finance.write_offs.decisions import ReverseWriteOff, WriteOffInvoice
from gateway.view.engagement_view import View, apply_event
from testkit.matchers import recorded_as
from tests.amounts import eur
from tests.invoices import CUSTOMER, NO_TAX, SELLER
from tests.unit.chassis.requests_in_memory import NOW, Process, Shared, interleave, take_turns
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

MOMENT = datetime(2026, 4, 1, 9, tzinfo=NOW.tzinfo)
DAY = date(2026, 4, 1)
INVOICE = "invoice-start"
RECORDS = (
    SELLER.model_copy(
        update={"bank_accounts": (AccountRecord(bank_account="main", currency="EUR", number="1"),)}
    ),
    CUSTOMER,
    NO_TAX,
    CARD,
    COSTS,
)
DECIDERS = (ENGAGEMENT, PAYMENT, BANK_ACCOUNT, NUMBER_SERIES, LEDGER, LEDGER_GROUP)
AMOUNTS = (3_000, 1_500, -700, 3_000, 4_000, 20)
"""Amounts that the bank books, in this order; the first and the fourth entry are equal."""
STATEMENTS = st.tuples(st.just("state"), st.integers(0, 5), st.integers(1, 6))
PAYING = st.tuples(
    st.sampled_from(["allocate", "allocate", "round_off", "deallocate", "refund", "give_up"]),
    st.integers(0, 4),
    st.sampled_from([20, 500, 1_500, 3_000, 5_000]),
)
CREDITS = st.tuples(st.just("credit"), st.sampled_from([100, 1_000, 2_500]))
DEBTS = st.sampled_from([("write_off", 300), ("write_off", 2_000), ("pay_after_all",)])
FAULTS = st.sampled_from([("kill",), ("away",), ("dispatch",)])
TURNS = st.sampled_from([200, 200, 0, 2, 5, 10, 20, 40])
"""Reads and writes that are done before the next action begins; 200 are enough for any action."""
ACTIONS = st.lists(
    st.tuples(
        st.integers(0, 1),
        TURNS,
        st.one_of(STATEMENTS, PAYING, PAYING, PAYING, CREDITS, DEBTS, FAULTS),
    ),
    min_size=8,
    max_size=25,
)


class Accounting(Process):
    """A process of Finance."""

    def __init__(self, shared: Shared, keys: "count[int]") -> None:
        super().__init__(shared, *RECORDS, now=MOMENT)
        self._shared = shared
        self._keys = keys

    async def give(self, kind: str, subject: str, command: Command) -> None:
        """Give a command, which may be refused, as an HTTP request does."""
        with suppress(Refused, Unknown, StoreAway):
            answer = await self.commands.command(
                kind, subject, command, actor="cora", key=f"key-{next(self._keys)}"
            )
            await self.dispatcher.settle(answer)

    async def open(self) -> None:
        """Process the events of a contract, and issue the first invoice, of 5,000 EUR."""
        numbers: Counter[str] = Counter()
        for event in (OPENED, ESTIMATE, PROPOSED, WON, SOW, SOW_SIGNED):
            channel = event.channel.name
            numbers[channel] += 1
            recorded = recorded_as(event, ID, numbers[channel], "ann", MOMENT, {})
            await self.events.handle_events(f"engagement:{ID}", [recorded])
        await self.give("engagement", ID, ApproveInvoice(invoice=INVOICE, issue_on=SIGNED))

    async def state(self, start: int, length: int) -> None:
        """Take a statement of some of the bank's entries."""
        booked = AMOUNTS[start : start + length]
        opening = sum(AMOUNTS[:start])
        entries = [
            {
                "entry": "E" if each == 3_000 else f"E{each}",
                "booked_on": DAY,
                "value_on": DAY,
                "details": [{"amount": eur(each)}],
            }
            for each in booked
        ]
        command = TakeStatement.model_validate(
            {
                "statement": f"S-{start}-{length}",
                "opening": eur(opening),
                "closing": eur(opening + sum(booked)),
                "entries": entries,
            }
        )
        await self.give("bank-account", "us.main", command)

    async def allocate(
        self, place: int, amount: int, beside: Mapping[str, Money] = MappingProxyType({})
    ) -> None:
        if name := self._payment(place):
            await self.give("payment", name, AssignAccount(account="acme"))
            part = {"engagement": ID, "invoice": INVOICE, "amount": eur(amount), **beside}
            command = AllocatePayment.model_validate({"items": [part]})
            await self.give("payment", name, command)

    async def round_off(self, place: int, amount: int) -> None:
        """Allocate with a bank charge and a write-off beside."""
        beside = {"bank_charge": eur(15), "written_off": eur(5)}
        await self.allocate(place, amount, beside)

    async def deallocate(self, place: int, _: int) -> None:
        if name := self._payment(place):
            with suppress(Unknown, StoreAway):
                stream = await self.commands.read("payment", name)
                if parts := tuple(stream.state.parts):
                    command = DeallocatePayment(allocations=parts[:1], why="Wrong.")
                    await self.give("payment", name, command)

    async def refund(self, place: int, amount: int) -> None:
        if name := self._payment(place):
            await self.give("payment", name, RefundPayment(amount=eur(amount)))

    async def give_up(self, place: int, _: int) -> None:
        if name := self._payment(place):
            await self.give("payment", name, ReturnPayment(why="No cover."))

    async def credit(self, amount: int) -> None:
        command = IssueCreditNote(
            intent="give-back", invoice=INVOICE, amount=eur(amount), why="Late."
        )
        await self.give("engagement", ID, command)

    async def write_off(self, amount: int) -> None:
        command = WriteOffInvoice(invoice=INVOICE, amount=eur(amount), why="Insolvent.")
        await self.give("engagement", ID, command)

    async def pay_after_all(self) -> None:
        """Reverse the oldest write-off."""
        with suppress(Unknown, StoreAway):
            stream = await self.commands.read("engagement", ID)
            known = stream.state.billing.invoices[INVOICE].write_offs
            for name in [*known][:1]:
                command = ReverseWriteOff(write_off=name, why="Paid.")
                await self.give("engagement", ID, command)

    async def dispatch(self) -> None:
        """Carry out what is pending, as the follower of the journal does."""
        for stream in _streams(self._shared):
            await self.dispatcher.finish(stream)

    def _payment(self, place: int) -> str | None:
        names = _payments(self._shared)
        return names[place % len(names)] if names else None


@settings(max_examples=100)
@given(ACTIONS, st.randoms(use_true_random=False))
def test_payments_invoices_and_gateway_agree_on_every_cent(
    actions: list[tuple[int, int, tuple[Any, ...]]], random: Any
) -> None:
    asyncio.run(_interleaved(actions, random))


async def _interleaved(actions: list[tuple[int, int, tuple[Any, ...]]], random: Any) -> None:
    shared, keys = Shared(*DECIDERS), count(1)
    opening = Accounting(shared, keys)
    opening.begin(opening.open())
    await take_turns(shared, random, 10_000)
    await opening.kill()
    # An outcome may lead to a request, such as that of a credit note.
    await interleave(shared, lambda: Accounting(shared, keys), actions, random, rounds=4)
    _check(shared)


def _check(shared: Shared) -> None:
    for stream in _streams(shared):
        kind, _, subject = stream.partition(":")
        assert shared.known(kind, subject).stream.requests == {}, stream
    account = shared.known("bank-account", "us.main").stream.state
    assert isinstance(account, BankAccount)
    payments = [_payment(shared, name) for name in _payments(shared)]
    _check_arrivals(account, payments)
    allocated: Counter[str] = Counter()
    for payment in payments:
        places = (payment.allocated, payment.unallocated, payment.refunds, payment.returned)
        assert Money.total(places, "EUR") == payment.known.amount
        assert all(each.amount >= 0 for each in places)
        assert not payment.awaits_answer
        if payment.returning:
            assert payment.is_returned
            assert payment.parts == {}
        for name, part in payment.parts.items():
            allocated[name] += part.left.amount  # type: ignore[assignment]
    engagement = shared.known("engagement", ID).stream.state
    assert isinstance(engagement, Engagement)
    invoice = engagement.billing.invoices[INVOICE]
    held = {name: each.used.amount for name, each in invoice.allocations.items()}
    assert held == {name: each for name, each in allocated.items() if each}
    charges = (each.bank_charge for each in invoice.allocations.values() if each.bank_charge)
    banks = Money.total(charges, "EUR")
    assert (invoice.paid - banks).amount == sum(allocated.values(), Decimal(0))
    beside = {each.allocation for each in invoice.write_offs.values()} - {None}
    assert beside <= {*invoice.allocations}
    assert invoice.overpaid.amount <= 0
    _check_events(shared, engagement)


def _check_arrivals(account: BankAccount, payments: list[Payment]) -> None:
    """Check that the payments are the credits of the entries up to the last balance, each once."""
    balances = [Decimal(sum(AMOUNTS[:end])) for end in range(len(AMOUNTS) + 1)]
    closing = account.closing.amount if account.closing else None
    amounts = sorted(each.known.amount.amount for each in payments)
    possible = [
        sorted(each for each in AMOUNTS[start:end] if each > 0)
        for end in range(len(AMOUNTS) + 1)
        for start in range(end + 1)
        if closing is None or balances[end] == closing
    ]
    assert amounts in possible


def _check_events(shared: Shared, engagement: Engagement) -> None:
    """Check that no allocation was recorded twice, and that the gateway has the same figures."""
    view = View(ID)
    taken: Counter[str] = Counter()
    for commit in shared.commits(f"engagement:{ID}"):
        for recorded in commit.new_events():
            event: Event = recorded.event
            if isinstance(event, PaymentAllocated):
                taken[event.allocation] += 1
            if isinstance(event, PaymentDeallocated):
                assert taken[event.allocation] == 1
            if recorded.event.type.startswith("concord."):
                apply_event(view, recorded)
    assert {*taken.values()} <= {1}
    shown = view.finance.invoices[INVOICE]
    invoice = engagement.billing.invoices[INVOICE]
    assert (shown.paid, shown.outstanding) == (invoice.paid, invoice.outstanding)
    assert shown.written_off == invoice.written_off
    assert view.finance.paid("EUR") == engagement.billing.paid("EUR")


def _streams(shared: Shared) -> list[str]:
    return list(dict.fromkeys(each["stream"] for each in shared.documents))


def _payments(shared: Shared) -> list[str]:
    names = [each for each in _streams(shared) if each.startswith("payment:")]
    return sorted(each.partition(":")[2] for each in names if _is_open(shared, each))


def _is_open(shared: Shared, stream: str) -> bool:
    return _payment(shared, stream.partition(":")[2]).recorded is not None


def _payment(shared: Shared, name: str) -> Payment:
    state = shared.known("payment", name).stream.state
    assert isinstance(state, Payment)
    return state
