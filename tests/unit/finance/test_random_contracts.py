"""Check random contracts: every event can be read, every line adds up, nothing is billed twice."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from random import Random

import pytest

from chassis.domain.commands import Command
from contracts.decimals import ROUNDING
from contracts.event import Event, decode, encode
from contracts.legal import AmendmentSigned
from contracts.lines import BillingItem, ContractLine, LineChange, NewLine, Pricing, Retainer
from contracts.money import Money
from contracts.values import Deliverable
from finance.engagement import Engagement
from finance.invoices.decisions import ApproveInvoice, IssueCreditNote, VoidInvoice
from finance.number_series.events import NumberTaken
from finance.pending.decisions import CatchUp
from finance.service import ENGAGEMENT
from finance.settlement.decisions import SettleAccount
from finance.time_billing.decisions import BillTime
from testkit.scenario import Outcome, Scenario
from tests.amounts import eur
from tests.unit.finance.builders import (
    CARD,
    COSTS,
    SIGNED,
    SOW_SIGNED,
    TERMINATED,
    accepted,
    amendment,
    assessed,
    expense,
    hearing,
    line_rates,
    opened,
    recognise,
    role_hours,
    scope,
    sow_of,
    time,
)

DELIVERABLES = tuple(Deliverable(deliverable=f"d{n}", title="Part") for n in range(4))
ROLES = ("architect", "developer", "tester")


def part_of(amount: Money, part: str) -> Money:
    return Money.nearest(amount.amount * Decimal(part), amount.currency, ROUNDING)


class Maker:
    """Make random lines and amendments; the entries of each line add up to its price."""

    def __init__(self, random: Random) -> None:
        self.random, self.items = random, 0

    def contract(self) -> tuple[ContractLine, ...]:
        """Return one to four lines, and perhaps a discount."""
        lines = [self.line(f"l{number}") for number in range(self.random.randint(1, 4))]
        large = [item for line in lines for item in line.billing if item.amount.amount > 200]
        if large and self.random.random() < 0.5:
            lines.append(self.discount("off", self.random.choice(large)))
        self.random.shuffle(lines)
        return tuple(lines)

    def line(self, name: str) -> ContractLine:
        pricing: Pricing = self.random.choice(
            ("fixed", "time-and-materials", "retainer", "at-cost")
        )
        price, retainer = self.amount(100_000, 3_000_000), None
        if pricing == "retainer":
            retainer = Retainer(
                fee=self.amount(100, 90_000),
                periods=self.random.randint(1, 8),
                starts_on=date(2026, self.random.randint(3, 6), self.random.randint(1, 28)),
            )
            price = retainer.fee * retainer.periods
        hourly = pricing in ("time-and-materials", "at-cost")
        named = self.random.sample(DELIVERABLES, self.random.randint(0, 2))
        return ContractLine(
            line=name,
            title=name,
            kind="expenses" if hourly and self.random.random() < 0.2 else "services",
            pricing=pricing,
            price=price,
            estimated=hourly and self.random.random() < 0.3,
            hours=role_hours(developer=self.random.randint(1, 90)),
            rates=line_rates(developer=100) if hourly else (),
            retainer=retainer,
            deliverables=tuple(each.deliverable for each in named),
            billing=tuple(self.billing(price, pricing)),
        )

    def billing(self, price: Money, pricing: Pricing) -> Iterator[BillingItem]:
        kinds = ["on-signature", "on-date", "on-acceptance"]
        kinds += {"retainer": ["period"] * 3, "fixed": []}.get(pricing, ["time"] * 3)
        parts = self.random.randint(1, 3)
        for part in range(parts):
            amount = price if part == parts - 1 else part_of(price, "0.3")
            price = price - amount
            kind = self.random.choice(kinds)
            self.items += 1
            yield BillingItem.model_validate(
                {
                    "item": f"i{self.items}",
                    "kind": kind,
                    "amount": amount,
                    "due_on": date(2026, 8, 1) if kind == "on-date" else None,
                    "deliverables": (self.random.choice(DELIVERABLES).deliverable,)
                    if kind == "on-acceptance"
                    else (),
                }
            )

    def discount(self, name: str, reduced: BillingItem) -> ContractLine:
        self.items += 1
        amount = -part_of(reduced.amount, "0.1")
        item = BillingItem(
            item=f"i{self.items}", kind="on-signature", amount=amount, reduces=reduced.item
        )
        return ContractLine(
            line=name, title=name, kind="discount", pricing="fixed", price=amount, billing=(item,)
        )

    def amendment(self, number: int, lines: tuple[ContractLine, ...]) -> AmendmentSigned:
        changes = [self.change(line) for line in self.random.sample(lines, 1)]
        if self.random.random() < 0.3:
            new = NewLine(title="More", pricing=self.random.choice(("fixed", "at-cost")))
            change = LineChange(line=f"n{number}", new=new, price_delta=self.amount(100, 90_000))
            changes.append(change)
        signed_on = date(2026, self.random.randint(3, 9), 20)
        return amendment(*changes, change=f"CR-{number}", signed_on=signed_on)

    def change(self, line: ContractLine) -> LineChange:
        """Return a change that may not fit: it may take away more than there is."""
        delta, retainer = self.amount(-900_000, 900_000), None
        if line.retainer:
            retainer = line.retainer.model_copy(update={"periods": self.random.randint(1, 9)})
            delta = retainer.fee * retainer.periods - line.price
        removed = (self.random.choice(DELIVERABLES).deliverable,)
        return LineChange(
            line=line.line,
            price_delta=delta,
            retainer=retainer,
            deliverables_removed=removed if self.random.random() < 0.2 else (),
            billing_removed=tuple(item.item for item in line.billing if self.random.random() < 0.2),
        )

    def amount(self, low: int, high: int) -> Money:
        """Return a random amount between two numbers of cents."""
        return eur(Decimal(self.random.randint(low, high)) / 100)


def checked(outcome: Outcome[Engagement]) -> Scenario[Engagement]:
    """Return the scenario after an outcome, with its events and sums checked."""
    for recorded in outcome.published:
        assert decode(encode(recorded)).event == recorded.event
    engagement = outcome.after
    ENGAGEMENT.views.model("Open")(**ENGAGEMENT.views(engagement.state)).model_dump_json()
    budget = engagement.state.budget
    if budget is None:
        return engagement
    assert budget.price == Money.total((line.price for line in budget.lines), "EUR")
    assert all(line.billed == line.price for line in budget.lines)
    assert all(entry.amount.amount >= 0 for entry in budget.entries)
    members = [line for each in budget.obligations for line in each.lines]
    assert sorted(members) == sorted(line.line for line in budget.lines)
    for entry in budget.entries:
        live = [
            one
            for one in engagement.state.billing.live
            if one.stage == "drafted"
            and engagement.state.billing.events[one.billing_event].item == entry.item.item
        ]
        drafted = Money.total((one.amount for one in live), "EUR")
        assert drafted <= entry.amount or entry.unlimited
    return engagement


def happening(
    random: Random, maker: Maker, engagement: Scenario[Engagement], number: int
) -> Outcome[Engagement]:
    """Return the outcome of a random event, command or deadline."""
    budget = engagement.state.budget
    assert budget is not None
    invoices = list(engagement.state.billing.invoices)
    deadlines = [
        each.name for each in ENGAGEMENT.deadlines(engagement.state) if "overdue" not in each.name
    ]
    week = date(2026, random.randint(3, 9), 2)
    monday = date.fromordinal(week.toordinal() - week.weekday())
    line = random.choice([None, *(each.line for each in budget.lines)])
    commands: list[Command] = [
        BillTime(month=f"2026-{random.randint(3, 9):02}"),
        recognise(f"{random.randint(3, 9):02}"),
        SettleAccount(),
        CatchUp(),
    ]
    if invoices:
        invoice = random.choice(invoices)
        commands += [
            ApproveInvoice(invoice=invoice),
            VoidInvoice(invoice=invoice, why="Wrong."),
            IssueCreditNote(
                intent="give-back", invoice=invoice, amount=maker.amount(1, 50_000), why="Late."
            ),
            IssueCreditNote(intent="cancel-and-rebill", invoice=invoice, why="Wrong."),
        ]
    events: list[Event] = [
        maker.amendment(number, budget.lines),
        time(f"t{number}", random.choice(ROLES), random.randint(1, 60), day=monday, line=line),
        expense(f"x{number}", maker.amount(1, 90_000)),
        accepted(random.choice(DELIVERABLES).deliverable),
        assessed(
            scope(random.choice(budget.lines).line, developer=random.randint(-20, 20)),
            change=f"CR-{random.randint(1, 30)}",
        ),
    ]
    if deadlines and random.random() < 0.3:
        return engagement.when_deadline(random.choice(deadlines))
    if engagement.stream.requests and random.random() < 0.5:
        asked, item = random.choice(sorted(engagement.stream.requests)).split("/")
        return engagement.when_outcome(
            asked, item, NumberTaken(number=number, on=date(2026, 12, 31))
        )
    if random.random() < 0.5:
        return engagement.on(date(2026, 12, 31)).when(random.choice(commands))
    return engagement.when_consumed(random.choice(events))


@pytest.mark.parametrize("seed", range(10))
def test_a_random_contract_always_adds_up(seed: int):
    random = Random(seed)
    maker = Maker(random)
    sow = sow_of(*maker.contract(), deliverables=DELIVERABLES)
    known = opened(costs=random.random() < 0.7).on(SIGNED)
    engagement = hearing(known, sow, SOW_SIGNED)
    for number in range(1, 40):
        engagement = checked(happening(random, maker, engagement, number))
    final = engagement.knowing(CARD, COSTS).when(CatchUp())
    checked(final)
    checked_at_the_end(final.after)


def checked_at_the_end(engagement: Scenario[Engagement]) -> None:
    """Check that a terminated contract has no loss to come, and has earned what it billed."""
    engagement = hearing(engagement, TERMINATED)
    for month in range(3, 13):
        engagement = engagement.on(date(2027, 1, 5)).when(recognise(f"{month:02}")).after
    provisions, revenue = engagement.state.provisions, engagement.state.revenue
    assert provisions.loss_to("2027-12").expected == 0
    assert revenue.last_month == "2026-12"
    budget = engagement.state.budget
    assert budget is not None
    for each in budget.obligations:
        billed = engagement.state.billing.billed("EUR", date(2026, 12, 31), each.lines)
        assert revenue.recognised(each.obligation, "EUR") == billed
