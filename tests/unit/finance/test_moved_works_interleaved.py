"""Check that each work is in one place, however processes interleave and wherever they are killed.

Two processes consume time and its reversal, bill it, void invoices, and book months. Works move to
the streams of their months, and return from there.
"""

import asyncio
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.application.command_handler import Answer
from chassis.domain.commands import Command, Refused
from contracts.delivery import TimeApproved
from contracts.event import Event, Recorded
from contracts.finance import InvoiceIssued, InvoiceVoided
from contracts.lines import BillingItem
from contracts.reference import NumberSeries
from finance.booked_works.state import BookedWorks
from finance.engagement import Engagement
from finance.invoices.decisions import ApproveInvoice, IssueCreditNote, VoidInvoice
from finance.number_series.requests import TakeNumber
from finance.periods.requests import BookPeriod
from finance.service import BOOKED_WORKS, ENGAGEMENT, LEDGER, LEDGER_GROUP, NUMBER_SERIES
from finance.time_billing.decisions import BillTime
from finance.work.works import Work
from testkit.matchers import recorded_as
from tests.amounts import eur
from tests.invoices import CUSTOMER, NO_TAX, SELLER, UNTAXED
from tests.unit.chassis.requests_in_memory import Process, Shared, all_turns, take_turns
from tests.unit.finance.builders import (
    COSTS,
    ESTIMATE,
    ID,
    OPENED,
    PROPOSED,
    SOW_SIGNED,
    WON,
    allocate,
    hourly_line,
    sow_of,
    time,
    time_reversed,
)

NOW = datetime(2026, 8, 3, 9, tzinfo=UTC)
JUNE_30 = date(2026, 6, 30)
"""Day of documents: works leave once the month before it is booked."""
STREAM = f"engagement:{ID}"
MONTHS = ("2026-04", "2026-05")
ITEM = BillingItem(item="time", kind="time", amount=eur(50_000))
SOW = sow_of(hourly_line(ITEM, price=eur(50_000)))

APPROVES = st.tuples(st.just("approve"), st.sampled_from([4, 5]), st.integers(1, 8))
REVERSES = st.tuples(st.just("reverse"), st.integers(0, 20))
GIVES = st.sampled_from([("bill",), ("send",), ("void",)])
BOOKS = st.tuples(st.just("book"), st.sampled_from(MONTHS))
OTHERS = st.sampled_from([("kill",), ("kill",), ("dispatch",)])
TURNS = st.sampled_from([0, 1, 2, 3, 5, 8, 400])
"""Reads and writes that are done before the next action."""
ACTIONS = st.lists(
    st.tuples(st.integers(0, 1), st.one_of(APPROVES, REVERSES, GIVES, GIVES, BOOKS, OTHERS), TURNS),
    min_size=5,
    max_size=30,
)


class World:
    """The events that the engagement consumes, and the processes."""

    def __init__(self) -> None:
        self.shared = Shared(ENGAGEMENT, BOOKED_WORKS, LEDGER, LEDGER_GROUP, NUMBER_SERIES)
        self.told: list[Recorded[Event]] = []
        self.approved: dict[str, TimeApproved] = {}
        self.commands = 0
        for event in (OPENED, ESTIMATE, PROPOSED, WON, SOW, SOW_SIGNED):
            self.tell(event)

    def process(self) -> Process:
        process = Process(self.shared, *UNTAXED, COSTS, now=NOW)
        process.begin(process.dispatcher._carry_out_own())
        return process

    def tell(self, event: Event) -> None:
        channel = event.channel.name
        before = sum(each.channel.name == channel for each in self.told)
        self.told.append(recorded_as(event, ID, before + 1, "ann", NOW, {}))

    def approve(self, month: int, hours: int) -> None:
        name = f"T{len(self.told)}"
        self.approved[name] = time(name, hours=hours, day=date(2026, month, 6))
        self.tell(self.approved[name])

    def reverse(self, number: int) -> None:
        names = sorted(self.approved)
        if names:
            self.tell(time_reversed(self.approved.pop(names[number % len(names)])))

    async def consume(self, process: Process) -> None:
        await process.events.handle_events(STREAM, [*self.told])

    async def give(self, process: Process, command: Command) -> None:
        self.commands += 1
        with suppress(Refused):
            answer = await process.commands.command(
                "engagement", ID, command, actor="cora", key=f"key-{self.commands}"
            )
            await process.dispatcher.settle(answer)

    def command(self, action: str, *options: str) -> Command:
        invoices = self.state.billing.invoices.values()
        stage = {"send": "drafted", "void": "issued"}.get(action)
        names = [each.invoice for each in invoices if each.stage == stage] or ["none"]
        if action == "bill":
            return BillTime(month=MONTHS[-1])
        if action == "send":
            return ApproveInvoice(invoice=names[0], issue_on=JUNE_30)
        if action == "void":
            return VoidInvoice(invoice=names[0], why="Wrong.", voided_on=JUNE_30)
        return BookPeriod(company="us", month=options[0], accepted="Late.")

    @property
    def state(self) -> Engagement:
        state = self.shared.known("engagement", ID).stream.state
        assert isinstance(state, Engagement)
        return state

    async def finish(self, process: Process) -> None:
        for _ in range(12):
            await process.dispatcher.finish(STREAM)

    def month(self, month: str) -> dict[str, Work]:
        state = self.shared.known("booked-works", f"{ID}.{month}").stream.state
        assert isinstance(state, BookedWorks)
        return state.works


@settings(max_examples=15, deadline=None)
@given(ACTIONS, st.randoms(use_true_random=False))
def test_each_work_is_in_one_place(actions: list[tuple[int, Any, int]], random: Any) -> None:
    asyncio.run(_interleaved(actions, random))


async def _interleaved(actions: list[tuple[int, Any, int]], random: Any) -> None:
    world = World()
    processes = [world.process(), world.process()]
    processes[0].begin(world.consume(processes[0]))
    await take_turns(world.shared, random, 10_000)
    for place, (action, *options), turns in actions:
        process = processes[place]
        if action == "kill":
            await process.kill()
            processes[place] = world.process()
        elif action == "dispatch":
            process.begin(world.finish(process))
        elif action in {"approve", "reverse"}:
            getattr(world, action)(*options)
            process.begin(world.consume(process))
        else:
            process.begin(world.give(process, world.command(action, *options)))
        await take_turns(world.shared, random, turns)
    for process in processes:
        await process.kill()
    await _completed(world, random)
    _check(world)


async def _completed(world: World, random: Any) -> None:
    """Let another process consume and carry out all that is left."""
    last = world.process()
    last.begin(world.consume(last))
    await take_turns(world.shared, random, 10_000)
    last.begin(world.finish(last))
    await take_turns(world.shared, random, 100_000)
    await last.kill()


def test_each_work_is_in_one_place_wherever_a_process_is_killed() -> None:
    """Book two months, reverse an entry, void the invoice; kill after each read and write."""
    asyncio.run(_killed_everywhere())


async def _killed_everywhere() -> None:
    billed = await _billed()
    voided = set()
    for turns in count():
        world = World()
        world.shared.documents = [*billed.shared.documents]
        world.told, world.approved = [*billed.told], dict(billed.approved)
        world.commands = billed.commands
        process = world.process()
        process.begin(_corrected(world, process))
        await take_turns(world.shared, Random(turns), turns)
        is_done = process.tasks[-1].done()
        assert not is_done or process.tasks[-1].exception() is None
        await process.kill()
        await _completed(world, Random(turns))
        _check(world)
        voided |= {each.stage for each in world.state.billing.invoices.values()}
        if is_done:
            break
    assert turns > 20
    assert "voided" in voided


@pytest.mark.parametrize("is_waiting", [False, True])
def test_who_voids_an_invoice_is_told_what_prevents_it_when_its_works_are_back(
    is_waiting: bool,
) -> None:
    """Let a payment come in between; with `is_waiting`, while another one waits for the works."""
    asyncio.run(_prevented(is_waiting))


async def _prevented(is_waiting: bool) -> None:
    world = await _billed()
    turns = asyncio.create_task(all_turns(world.shared))
    process = Process(world.shared, *UNTAXED, COSTS, now=NOW)
    for month in MONTHS:
        await world.give(process, world.command("book", month))
    assert all(world.month(month) for month in MONTHS)
    [invoice] = world.state.billing.invoices
    void = VoidInvoice(invoice=invoice, why="Wrong.")
    if is_waiting:
        world.reverse(0)
        await world.consume(process)
        assert len(world.state.moved_works.pending) == 1

    async def give(command: Command, key: str) -> Answer:
        return await process.commands.command("engagement", ID, command, actor="cora", key=key)

    answer = await give(void, "void")
    await give(allocate(invoice, eur(100)), "pay")
    for _ in range(2):  # with the same key, the answer is the same
        with pytest.raises(Refused) as refused:
            await process.dispatcher.settle(answer)
        assert refused.value.code == "invoice-settled-in-part"
        answer = await give(void, "void")
        assert answer.repeated
    assert world.state.billing.invoices[invoice].stage == "issued"
    turns.cancel()


def test_who_credits_moved_works_is_told_that_the_credit_note_gets_no_number() -> None:
    asyncio.run(_without_number())


async def _without_number() -> None:
    world = await _billed()
    turns = asyncio.create_task(all_turns(world.shared))
    series = NumberSeries(prefix="CN-", follow_days=True)
    seller = SELLER.model_copy(update={"credit_note_numbers": series})
    process = Process(world.shared, seller, CUSTOMER, NO_TAX, COSTS, now=NOW)
    for month in MONTHS:
        await world.give(process, world.command("book", month))
    [invoice] = world.state.billing.invoices
    later = TakeNumber(on=JUNE_30 + timedelta(days=1))
    await process.commands.command(
        "number-series", "us.credit-note.2026", later, actor="cora", key="taken"
    )
    credit = IssueCreditNote(
        invoice=invoice, intent="cancel-and-rebill", why="Wrong.", issued_on=JUNE_30
    )
    for _ in range(2):
        answer = await process.commands.command(
            "engagement", ID, credit, actor="cora", key="credit"
        )
        with pytest.raises(Refused) as refused:
            await process.dispatcher.settle(answer)
        assert refused.value.code == "date-before-known"
    assert world.state.billing.invoices[invoice].notes == ()
    turns.cancel()


async def _billed() -> World:
    """Return a world in which one invoice bills work of two months."""
    world, random = World(), Random(1)
    process = world.process()
    for month in (4, 4, 5):
        world.approve(month, 8)
    process.begin(world.consume(process))
    await take_turns(world.shared, random, 10_000)
    process.begin(_sent(world, process))
    await take_turns(world.shared, random, 10_000)
    await process.kill()
    assert [each.stage for each in world.state.billing.invoices.values()] == ["issued"]
    return world


async def _sent(world: World, process: Process) -> None:
    await world.give(process, world.command("bill"))
    await world.give(process, world.command("send"))


async def _corrected(world: World, process: Process) -> None:
    for month in MONTHS:
        await world.give(process, world.command("book", month))
    world.reverse(0)
    await world.consume(process)
    await world.give(process, world.command("void"))


def _check(world: World) -> None:
    state = world.state
    assert world.shared.known("engagement", ID).stream.requests == {}
    every = [*state.work.every, *(w for month in MONTHS for w in world.month(month).values())]
    assert sorted(each.entry for each in every) == sorted(world.approved)
    moved = {month for month in MONTHS if world.month(month)}
    assert moved <= state.moved_works.months.keys()
    hours = sum((_hours(each) for each in world.approved.values()), Decimal(0))
    assert (state.work.cost_to_date or eur(0)) == eur(hours * 50)
    assert state.work.totals.worth_of("work") == hours * 100
    assert state.work.totals.cost_to(date.max) == hours * 50
    for invoice in state.billing.live:
        billed = [*every, *state.work.reversed.values()]
        parts = [b.amount.amount for w in billed for b in w.bills if b.invoice == invoice.invoice]
        assert invoice.amount.amount == sum(parts), "an invoice bills what its works say"
    _published(world)


def _hours(approved: TimeApproved) -> Decimal:
    return sum((each.hours for each in approved.entries), Decimal(0))


def _published(world: World) -> None:
    """Check that an invoice was voided with the works that it was issued with."""
    issued: dict[str, set[str]] = {}
    for commit in world.shared.commits(STREAM):
        for event in (each.event for each in commit.own_events()):
            if isinstance(event, InvoiceIssued):
                issued[event.invoice] = {w.key for line in event.lines for w in line.works}
            if isinstance(event, InvoiceVoided):
                assert {each.key for each in event.works} == issued[event.invoice]
