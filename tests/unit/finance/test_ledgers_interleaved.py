"""Check that each entry is booked once, by its day, however streams and processes interleave.

Three engagements of a company, in two groups, consume time and its reversal while a controller
closes months. Two processes carry this out, and are killed between the halves of requests.
"""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.domain.commands import Command
from contracts.delivery import TimeApproved, TimeReversed
from contracts.event import Event, Recorded
from contracts.finance import CostAccrued, CostReversed, PeriodBooked, PeriodCosted
from finance.calendar_months import end_of
from finance.engagement import Engagement
from finance.ledger_groups.state import LedgerGroup
from finance.ledgers.decisions import ClosePeriod, ReopenPeriod, StartClosing
from finance.ledgers.state import Ledger
from finance.service import ENGAGEMENT, LEDGER, LEDGER_GROUP, NUMBER_SERIES
from testkit.matchers import recorded_as
from tests.unit.chassis.requests_in_memory import Process, Shared, take_turns
from tests.unit.finance.builders import COSTS, OPENED, WON, time, time_reversed

NOW = datetime(2026, 8, 3, 9, tzinfo=UTC)
NAMES = tuple(f"E-{number:013}" for number in range(1, 4))
GROUPS = ("us.1", "us.2")
STREAMS = (
    "ledger:us",
    *(f"ledger-group:{each}" for each in GROUPS),
    *(f"engagement:{each}" for each in NAMES),
)
MONTHS = ("2026-04", "2026-05", "2026-06")

APPROVES = st.tuples(
    st.just("approve"), st.sampled_from(NAMES), st.integers(4, 6), st.sampled_from([1, 8])
)
REVERSES = st.tuples(st.just("reverse"), st.sampled_from(NAMES))
CLOSES = st.sampled_from([("start",), ("close", None), ("close", "Why."), ("withdraw",)])
MONTH = st.tuples(st.just("month"), st.sampled_from([None, "Why."]))
"""Start to close a month, and close it, with turns in between."""
OTHERS = st.sampled_from([("kill",), ("dispatch",)])
TURNS = st.sampled_from([0, 3, 20, 400])
"""Reads and writes that are done before the next action; all of a closing needs some hundred."""
ACTIONS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.one_of(APPROVES, APPROVES, REVERSES, CLOSES, MONTH, MONTH, OTHERS),
        TURNS,
    ),
    min_size=4,
    max_size=25,
)


class Company:
    """The events that the engagements consume, and the processes."""

    def __init__(self) -> None:
        self.shared = Shared(ENGAGEMENT, LEDGER, LEDGER_GROUP, NUMBER_SERIES)
        self.told: dict[str, list[Recorded[Event]]] = {name: [] for name in NAMES}
        self.approved: dict[str, list[Any]] = {name: [] for name in NAMES}
        self.commands = 0
        for name in NAMES:
            self.tell(name, OPENED)
            self.tell(name, WON)

    def process(self) -> Process:
        process = Process(self.shared, COSTS, now=NOW)
        process.begin(process.dispatcher._carry_out_own())
        return process

    def tell(self, name: str, event: Event) -> None:
        channel = event.channel.name
        before = sum(each.channel.name == channel for each in self.told[name])
        self.told[name].append(recorded_as(event, name, before + 1, "ann", NOW, {}))

    def approve(self, name: str, month: int, hours: int) -> None:
        number = len(self.told[name])
        # A wizard has no cost rate, so the month misses something.
        role = "developer" if number % 5 else "wizard"
        event = time(f"T{number}", role, hours, date(2026, month, 6))
        self.approved[name].append(event)
        self.tell(name, event)

    def reverse(self, name: str) -> None:
        if self.approved[name]:
            self.tell(name, time_reversed(self.approved[name].pop(0)))

    async def consume(self, process: Process, name: str) -> None:
        await process.events.handle_events(f"engagement:{name}", [*self.told[name]])

    async def give(self, process: Process, command: Command) -> None:
        self.commands += 1
        answer = await process.commands.command(
            "ledger", "us", command, actor="cora", key=f"key-{self.commands}"
        )
        await process.dispatcher.settle(answer)

    def next_month(self) -> str:
        state = self.ledger()
        return MONTHS[min(len(state.closed), len(MONTHS) - 1)]

    def ledger(self) -> Ledger:
        state = self.shared.known("ledger", "us").stream.state
        assert isinstance(state, Ledger)
        return state

    async def finish(self, process: Process) -> None:
        for _ in range(6):
            for stream in STREAMS:
                await process.dispatcher.finish(stream)


@contextmanager
def small_groups() -> Iterator[None]:
    with patch("finance.ledgers.decisions.MOST_ENGAGEMENTS", 2):
        yield


@settings(max_examples=25, deadline=None)
@given(ACTIONS, st.randoms(use_true_random=False))
def test_each_entry_is_booked_once(actions: list[tuple[int, Any, int]], random: Any) -> None:
    with small_groups():
        asyncio.run(_interleaved(actions, random))


async def _interleaved(actions: list[tuple[int, Any, int]], random: Any) -> None:
    company = Company()
    processes = [company.process(), company.process()]
    for name in NAMES:
        processes[0].begin(company.consume(processes[0], name))
    await take_turns(company.shared, random, 10_000)
    processes[0].begin(company.finish(processes[0]))
    await take_turns(company.shared, random, 10_000)
    for place, (action, *options), turns in actions:
        process = processes[place]
        if action == "kill":
            await process.kill()
            processes[place] = company.process()
        elif action == "dispatch":
            process.begin(company.finish(process))
        elif action in {"approve", "reverse"}:
            if action == "approve":
                company.approve(*options)
            else:
                company.reverse(*options)
            process.begin(company.consume(process, options[0]))
        elif action == "month":
            process.begin(company.give(process, _command(company, "start")))
            await take_turns(company.shared, random, 400)
            process.begin(company.give(process, _command(company, "close", *options)))
        else:
            process.begin(company.give(process, _command(company, action, *options)))
        await take_turns(company.shared, random, turns)
    for process in processes:
        await process.kill()

    last = company.process()
    for name in NAMES:
        last.begin(company.consume(last, name))
    await take_turns(company.shared, random, 10_000)
    last.begin(company.finish(last))
    await take_turns(company.shared, random, 100_000)
    _check(company)
    await last.kill()


def _command(company: Company, action: str, accept: str | None = None) -> Command:
    month = company.next_month()
    if action == "start":
        return StartClosing(month=month)
    if action == "close":
        return ClosePeriod(month=month, accept=accept)
    return ReopenPeriod(month=month, why="Why.")


def _check(company: Company) -> None:
    ledger = company.ledger()
    assert ledger.engagements == len(NAMES)
    assert tuple(ledger.closed) == MONTHS[: len(ledger.closed)]
    assert ledger.closing is None or not ledger.closing.waiting, "a group has not answered"
    members = [name for each in GROUPS for name in _group(company, each).engagements]
    assert sorted(members) == sorted(NAMES)
    months = dict.fromkeys(MONTHS, Decimal(0))
    bookings = dict.fromkeys(MONTHS, 0)
    for name in NAMES:
        for event in _engagement(company, name):
            months[event.month] += event.hours
            bookings[event.month] += 1
    for month, each in ledger.closed.items():
        assert each.booked == bookings[month] == len(NAMES)
        totals = each.totals["EUR"]
        assert (totals.bookings, totals.hours) == (each.booked, months[month])
    for stream in STREAMS:
        assert company.shared.known(*stream.split(":")).stream.requests == {}


def _group(company: Company, name: str) -> LedgerGroup:
    state = company.shared.known("ledger-group", name).stream.state
    assert isinstance(state, LedgerGroup)
    return state


def _engagement(company: Company, name: str) -> list[PeriodBooked]:
    """Return the bookings of an engagement, after a check that they contain each entry once."""
    commits = company.shared.commits(f"engagement:{name}")
    recorded = [each.event for commit in commits for each in commit.recorded()]
    _require_cut_off(recorded)
    booked = [each for each in recorded if isinstance(each, PeriodBooked)]
    costed = [each for each in recorded if isinstance(each, PeriodCosted)]
    months = [each.month for each in booked]
    assert months == sorted({*months}) == [each.month for each in costed]
    state = company.shared.known("engagement", name).stream.state
    assert isinstance(state, Engagement)
    assert [*state.periods.booked.values()] == booked
    left = state.periods.unbooked_to()
    hours = sum((_hours(each) for each in company.approved[name]), Decimal(0))
    assert sum((each.hours for each in booked), left.hours) == hours
    cost = state.work.cost_to_date.amount if state.work.cost_to_date else Decimal(0)
    assert sum((each.cost.amount for each in costed), left.cost) == cost
    return booked


def _require_cut_off(recorded: Iterable[Event]) -> None:
    """Require that each booking contains what came before it and is of its days, or of earlier."""
    hours, costs = list[tuple[date, Decimal]](), list[tuple[date, Decimal]]()
    for event in recorded:
        if isinstance(event, TimeApproved | TimeReversed):
            sign = 1 if isinstance(event, TimeApproved) else -1
            hours += ((each.day, sign * each.hours) for each in event.entries)
        elif isinstance(event, CostAccrued | CostReversed):
            sign = 1 if isinstance(event, CostAccrued) else -1
            costs += ((each.day, sign * each.cost.amount) for each in event.entries)
        elif isinstance(event, PeriodBooked):
            assert event.hours == _taken_to(end_of(event.month), hours)
        elif isinstance(event, PeriodCosted):
            assert event.cost.amount == _taken_to(end_of(event.month), costs)


def _taken_to(day: date, entries: list[tuple[date, Decimal]]) -> Decimal:
    """Take entries to a day away, and return their sum."""
    taken = sum((amount for on, amount in entries if on <= day), Decimal(0))
    entries[:] = [each for each in entries if each[0] > day]
    return taken


def _hours(approved: Any) -> Decimal:
    return sum((each.hours for each in approved.entries), Decimal(0))
