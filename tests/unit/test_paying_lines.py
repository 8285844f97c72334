"""Check which line pays for work that names none, while random amendments arrive in any order."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest

from chassis.domain.commands import Command
from contracts.delivery import ApprovedEntry, ExpenseApproved, TimeApproved
from contracts.event import Event, Recorded
from contracts.finance import (
    BudgetAmended,
    BudgetSet,
    InvoiceDrafted,
    WorkHeld,
    WorkWrittenDown,
)
from contracts.legal import AmendmentSigned
from contracts.lines import (
    HOURLY,
    BillingItem,
    ContractLine,
    ContractLineKind,
    LineChange,
    LineRate,
    NewLine,
)
from contracts.money import Money
from finance.calendar_months import month_of
from finance.engagement import Engagement
from finance.invoices.decisions import ApproveInvoice, VoidInvoice
from finance.number_series.events import NumberTaken
from finance.number_series.requests import TakeNumber
from finance.time_billing.decisions import BillTime
from finance.time_billing.unbilled import billable, worth_of_free
from finance.withholding.decisions import HoldWork, ReleaseWork, WriteDownWork
from gateway.view.engagement_view import View, apply_event
from testkit.matchers import recorded_as
from testkit.scenario import Outcome, Scenario
from tests.amounts import eur, per_hour
from tests.unit.finance.builders import (
    ID,
    MONDAY,
    amendment,
    assessed,
    contracted,
    expense,
    fixed_line,
    hourly_line,
    line_change,
    line_rates,
    scope,
    sow_of,
    time,
)
from tests.unit.test_approved_work import in_finance, in_gateway

ROLES = ("architect", "developer", "tester")
PRICE = 1_000_000
"""Price of a line in EUR that no work of a test uses up."""
LAST_DAY = date(2026, 12, 31)


@dataclass(frozen=True)
class Agreed:
    """A rate that is agreed for a role on a line, from a day on, or the expenses of a line."""

    line: str
    role: str | None
    first_day: date


@dataclass
class Story:
    """A contract in Finance and in the gateway, and what its amendments agree.

    `drafted` has the published drafts by invoice; their lines name days, also once Finance's state
    leaves them to the works. `placed` has the lines of drafted or withheld hours that name no line,
    by role and day. Work is drafted or withheld up to the day `decided`. `late` are days on which
    an amendment is in force, from and to, that were decided before it came. `judged` counts the
    lines that were the only one.
    """

    random: Random
    finance: Scenario[Engagement]
    view: View
    counts: Counter[str] = field(default_factory=Counter)
    approved: list[ApprovedEntry] = field(default_factory=list)
    signed: dict[str, AmendmentSigned] = field(default_factory=dict)
    agreed: set[Agreed] = field(default_factory=set)
    cut: dict[str, list[tuple[date, bool]]] = field(default_factory=dict)
    drafted: dict[str, InvoiceDrafted] = field(default_factory=dict)
    placed: dict[tuple[str, date], str] = field(default_factory=dict)
    days: list[date] = field(default_factory=list)
    spent: Money = field(default_factory=lambda: eur(0))
    decided: date = date.min
    late: list[tuple[date, date]] = field(default_factory=list)
    judged: int = 0

    @property
    def lines(self) -> tuple[ContractLine, ...]:
        assert self.finance.state.budget
        return self.finance.state.budget.lines

    def take(self, outcome: Outcome[Engagement], *consumed: Event) -> None:
        """Go on after an outcome, and show the gateway what it consumed and published."""
        if outcome.refusal:
            return
        for event in consumed:
            self.counts[event.channel.name] += 1
            number = self.counts[event.channel.name]
            apply_event(self.view, recorded_as(event, ID, number, "x", self.finance.moment, {}))
        for recorded in outcome.published:
            apply_event(self.view, recorded)
            if isinstance(recorded.event, InvoiceDrafted):
                self.drafted[recorded.event.invoice] = recorded.event
        self.finance = outcome.after
        self.judge(outcome.published)

    def consume(self, event: Event) -> None:
        if isinstance(event, TimeApproved):
            self.approved.extend(event.entries)
            self.days.extend(each.day for each in event.entries)
        if isinstance(event, ExpenseApproved):
            self.days.append(event.spent_on)
            self.spent = self.spent + event.amount
        if isinstance(event, AmendmentSigned):
            self.signed[event.change] = event
        self.take(self.finance.when_consumed(event), event)

    def agree(self, signed: AmendmentSigned) -> None:
        """Note what an amendment agrees, from which day."""
        if signed.signed_on <= self.decided:
            self.late.append((signed.signed_on, self.decided))
        for change in signed.changes:
            if change.new and change.new.pricing in HOURLY:
                self.agreed.add(Agreed(change.line, None, signed.signed_on))
            for each in change.rates:
                first_day = max(signed.signed_on, each.from_day or date.min)
                self.agreed.add(Agreed(change.line, each.role, first_day))
            if change.price_delta.amount:
                gone = change.price_delta.amount < 0
                self.cut.setdefault(change.line, []).append((signed.signed_on, gone))

    def judge(self, published: Iterable[Recorded[Event]]) -> None:
        """Check the lines and rates of the hours that Finance drafts or withholds."""
        for recorded in published:
            event = recorded.event
            if isinstance(event, BudgetAmended):
                self.agree(self.signed[event.change])
            elif isinstance(event, InvoiceDrafted) and event.kind == "time":
                due = self.finance.state.billing.events[event.billing_event]
                month = month_of(due.due_on)
                possible = [day for day in self.days if month_of(day) <= month]
                for each in event.lines:
                    days = [part.day for part in each.days] or possible
                    self.decided = max(self.decided, *days)
                    if each.role is None or each.rate is None:
                        continue
                    assert each.amount == each.rate.for_hours(each.hours or Decimal(0), "half-up")
                    line = next(line for line in self.lines if line.line == each.line)
                    for part in each.days:
                        assert each.rate == line.rate_on(each.role, part.day)
                        self.place(each.line, each.role, part.day, part.hours)
            elif isinstance(event, WorkHeld | WorkWrittenDown):
                for work in event.works:
                    self.decided = max(self.decided, work.on)
                    named = next((x.line for x in self.approved if x.entry == work.entry), None)
                    if work.role is not None and named is None:
                        self.place(event.line, work.role, work.on, None)

    def place(self, line: str, role: str, on: date, hours: Decimal | None) -> None:
        """Check that hours without a line stay where they are placed; None for hours without."""
        named = self.hours(role, on, line)
        if hours is not None and self.billed(line, role, on) <= named:
            return
        known = self.placed.setdefault((role, on), line)
        assert known == line, (role, on)
        assert self.signed_on(line) <= on
        if not any(first <= on <= last for first, last in self.late):
            in_force = {
                each.line
                for each in self.agreed
                if each.role == role and each.first_day <= on and not self.is_cut(each.line, on)
            }
            if in_force:
                assert in_force == {line}, (role, on)
                self.judged += 1

    def is_cut(self, line: str, on: date) -> bool:
        """Return whether the last amendment in force that changes the price takes it away."""
        changed = [gone for signed_on, gone in self.cut.get(line, []) if signed_on <= on]
        return changed[-1] if changed else False

    def signed_on(self, line: str) -> date:
        return next(
            each.first_day for each in self.agreed if (each.line, each.role) == (line, None)
        )

    def able(self, role: str, on: date) -> list[str]:
        """Return the lines that have a rate for a role on a day, also those without their price."""
        return [
            each.line
            for each in self.lines
            if each.rate_on(role, on) and self.signed_on(each.line) <= on
        ]

    def hours(self, role: str, on: date, line: str | None) -> Decimal:
        of_line = (
            each.hours
            for each in self.approved
            if (each.role, each.day, each.line) == (role, on, line)
        )
        return sum(of_line, Decimal(0))

    def billed(self, line: str | None, role: str, on: date) -> Decimal:
        """Return the hours of a role and day that are drafted or invoiced, on a line or on all."""
        return sum(
            (
                part.hours
                for one in self.finance.state.billing.live
                if one.kind == "time"
                for each in self.drafted[one.invoice].lines
                if each.role == role and line in (None, each.line)
                for part in each.days
                if part.day == on
            ),
            Decimal(0),
        )

    def billed_by_works(self, role: str, on: date) -> Decimal:
        """Return the hours of a role and day that are drafted or invoiced, as the works know it."""
        works = (
            each for each in self.finance.state.work.every if (each.role, each.on) == (role, on)
        )
        return sum((bill.hours for each in works for bill in each.bills), Decimal(0))

    def check(self) -> None:
        """Check that each hour is in one place, and that the gateway shows what Finance shows."""
        view = self.finance.view
        assert in_gateway(self.view) == in_finance(
            {name: [each.model_dump() for each in view[name]] for name in ("unbilled", "withheld")}
        )
        waiting: dict[tuple[str, date], Decimal] = {}
        entries = {each.entry: each for each in self.approved}
        gone = [each for each in self.finance.state.work.every if each.written_down]
        for name in ("unassigned", "unbilled_work", "held_work", "written down"):
            for each in gone if name == "written down" else view[name]:
                if each.role is None:
                    continue
                work = entries[each.entry]
                key = work.role, work.day
                waiting[key] = waiting.get(key, Decimal(0)) + work.hours
                if name == "unassigned" and not work.line:
                    assert key not in self.placed, key
                    assert len(self.able(*key)) != 1, key
        for key in {(each.role, each.day) for each in self.approved}:
            every = (each.hours for each in self.approved if (each.role, each.day) == key)
            billed = self.billed(None, *key)
            assert billed == self.billed_by_works(*key), key
            assert billed + waiting.get(key, Decimal(0)) == sum(every, Decimal(0)), key
        self.check_expenses()

    def check_expenses(self) -> None:
        """Check that each amount that was spent is billed once, or waits in one place."""
        state, view = self.finance.state, self.finance.view
        assert state.budget
        billed = [
            each.amount
            for one in state.billing.live
            if one.kind == "time"
            for each in one.lines
            if each.role is None
        ]
        works = [
            work
            for line in state.budget.hourly_lines
            for work in billable(state, line.line)
            if work.role is None
        ]
        waiting = [worth_of_free(state, works)]
        waiting += [each.amount for each in view["unassigned"] if each.role is None]
        waiting += [each.worth for each in view["held_work"] if each.role is None]
        waiting += [
            each.written_down.worth
            for each in state.work.every
            if each.role is None and each.written_down
        ]
        assert Money.total((*billed, *waiting), "EUR") == self.spent


def begun(random: Random) -> Story:
    """Return a contract with one or two lines by time and materials, and a fixed one."""
    lines = [
        hourly_line(BillingItem(item="time", kind="time", amount=eur(PRICE)), price=eur(PRICE))
    ]
    if random.random() < 0.5:
        item = BillingItem(item="care", kind="time", amount=eur(PRICE))
        rates = line_rates(tester=80, architect=120)
        lines.append(hourly_line(item, line="care", price=eur(PRICE), rates=rates))
    fixed = BillingItem(item="fixed", kind="on-signature", amount=eur(100))
    lines.append(fixed_line(fixed, line="fixed", price=eur(100)))
    finance = contracted(sow_of(*lines)).on(LAST_DAY)
    story = Story(random, finance, View(ID))
    budget = BudgetSet(
        price=eur(sum(line.price.amount for line in lines)),
        lines=tuple(lines),
        obligations=finance.state.budget.obligations if finance.state.budget else (),
    )
    number = finance.stream.position.get("concord.finance", 0)
    apply_event(story.view, recorded_as(budget, ID, number, "x", finance.moment, {}))
    for line in lines:
        story.agreed.add(Agreed(line.line, None, date.min))
        story.agreed |= {Agreed(line.line, each.role, date.min) for each in line.rates}
    return story


def amended(story: Story, number: int) -> AmendmentSigned:
    """Return an amendment that adds, cuts, raises or rates a line, signed on any day of spring."""
    random, signed_on = story.random, MONDAY + timedelta(days=random_days(story.random))
    change = random.choice(list(changes(story, number, signed_on)))
    return amendment(change, change=f"CR-{number}", signed_on=signed_on)


def random_days(random: Random) -> int:
    return random.randint(-20, 90)


def changes(story: Story, number: int, signed_on: date) -> Iterator[LineChange]:
    random = story.random
    role = random.choice(ROLES)
    rate = per_hour(random.randint(50, 200))
    kind: ContractLineKind = random.choice(("services", "services", "expenses"))
    new = NewLine(title="More", kind=kind, pricing="time-and-materials")
    rates = tuple(LineRate(role=each, rate=rate) for each in random.sample(ROLES, 2))
    yield line_change(PRICE, line=f"n{number}", new=new, rates=rates)
    hourly = [line for line in story.lines if line.pricing in HOURLY]
    line = random.choice(hourly)
    from_day = signed_on + timedelta(days=random.choice((-10, 0, 10)))
    dated = LineRate(role=role, rate=rate, from_day=random.choice((None, from_day)))
    yield line_change(0, line=line.line, rates=(dated,))
    if line.price.amount:
        yield line_change(-line.price.amount, line=line.line)
    else:
        yield line_change(PRICE, line=line.line)


def happens(story: Story, number: int) -> None:
    """Let a random event arrive, or give a random command."""
    random, finance = story.random, story.finance
    day = MONDAY + timedelta(weeks=random.randint(0, 12))
    hourly = [each.line for each in story.lines if each.pricing in HOURLY]
    named = random.choice([None, None, None, *hourly])
    chance = random.random()
    if chance < 0.15:
        signed = amended(story, number)
        new = (each for each in signed.changes if each.new)
        for each in new:
            story.consume(assessed(scope(each.line, new=each.new), change=signed.change))
        story.consume(signed)
    elif chance < 0.55:
        hours = min(random.randint(1, 40), 24)
        story.consume(time(f"t{number}", random.choice(ROLES), hours, day=day, line=named))
    elif chance < 0.65:
        story.consume(expense(f"x{number}", eur(random.randint(1, 900)), day, line=named))
    elif (numbers := number_requests(finance)) and random.random() < 0.5:
        asked, item = random.choice(numbers).split("/")
        taken = NumberTaken(number=number, on=LAST_DAY)
        story.take(finance.when_outcome(asked, item, taken))
    else:
        story.take(finance.when(command(story)))


def number_requests(finance: Scenario[Engagement]) -> list[str]:
    """Return the keys of the pending requests for the number of an invoice."""
    requests = finance.stream.requests
    name = TakeNumber.named()
    return sorted(key for key, each in requests.items() if each.event.command == name)


def command(story: Story) -> Command:
    random, state = story.random, story.finance.state
    works = sorted(state.work.every, key=lambda each: each.number)
    entries = tuple(each.entry for each in works if each.role is not None)
    spent = tuple(each.entry for each in works if each.role is None)
    invoices = list(state.billing.invoices)
    commands: list[Command] = [BillTime(month=f"2026-{random.randint(4, 7):02}")] * 2
    if entries:
        some = (random.choice(entries),)
        commands += [
            HoldWork(entries=some, why="Disputed."),
            HoldWork(entries=some, why="Disputed."),
            ReleaseWork(entries=some),
            WriteDownWork(entries=some, why="Goodwill."),
        ]
    if spent:
        commands += [HoldWork(expenses=spent[-1:], why="?"), ReleaseWork(expenses=spent[-1:])]
    if invoices:
        invoice = random.choice(invoices)
        commands += [ApproveInvoice(invoice=invoice), VoidInvoice(invoice=invoice, why="Wrong.")]
    return random.choice(commands)


def lived(seed: int) -> Story:
    """Return a random story, checked again and again, with all work billed in the end."""
    story = begun(Random(seed))
    for number in range(45):
        happens(story, number)
        if number % 4 == 0:
            story.check()
    story.take(story.finance.when(BillTime(month="2026-12")))
    story.check()
    return story


@pytest.mark.parametrize("seed", range(1, 13))
def test_work_stays_on_the_line_that_is_in_force_on_its_day(seed: int) -> None:
    story = lived(seed)
    assert story.judged
    assert story.late
