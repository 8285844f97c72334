"""Play contracts of several lines through all departments, and compare what each of them has."""

import asyncio
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from contracts.money import Money
from gateway.rules import judge
from gateway.view.engagement_view import View
from local.demo.changing import add_report, take_away
from local.demo.closing import MonthEnds
from local.demo.delivering import build, mobilise
from local.demo.engagement_run import EngagementRun, new_run
from local.demo.finishing import finish
from local.demo.scenarios import Shape
from local.demo.selling import contract, sell
from tests.amounts import eur
from tests.unit.lived import Impatient
from tests.unit.simulation import ENGAGEMENT, InProcessDriver, World, founded
from tests.unit.test_interleaving import LAST_DAY, scenario, shown

THIRD = Decimal(1) / 3


def amounts(lines: list[dict[str, Any]]) -> dict[str, Decimal]:
    """Return the price of each line by its id."""
    return {line["line"]: Decimal(line["price"]["amount"]) for line in lines}


def hours(lines: list[Any]) -> dict[str, Decimal]:
    """Return hours by role in lines of a view, without roles that have none."""
    found: dict[str, Decimal] = {}
    for line in lines:
        for each in line["hours"]:
            found[each["role"]] = found.get(each["role"], Decimal(0)) + Decimal(each["hours"])
    return {role: number for role, number in found.items() if number}


class Story:
    """An engagement that is played step by step, and its views."""

    def __init__(self, world: World, run: EngagementRun, months: MonthEnds) -> None:
        self.world, self.run, self.months = world, run, months

    @property
    def gateway(self) -> View:
        self.world.deliver_all()
        return shown(event for event in self.world.events() if event.channel.kind == "events")

    def agree(self) -> dict[str, Decimal]:
        """Assert that all departments have the same lines, and that they add up to the price.

        Return the prices of the lines. No disconnect is found.
        """
        gateway = self.gateway
        views = {
            name: self.world.view(name, ENGAGEMENT) for name in ("legal", "delivery", "finance")
        }
        assert judge(gateway, self.run.actors.today) == {}
        prices = {line.line: line.price.amount for line in gateway.legal.contract_lines}
        contract, budget = views["delivery"]["contract"], views["finance"]["budget"]
        assert amounts(contract["lines"]) == prices
        assert amounts(budget["lines"]) == prices
        assert amounts(views["legal"]["contract"]["lines"]) == prices
        assert gateway.finance.budget is not None
        assert {each.line: each.price.amount for each in gateway.finance.budget.lines} == prices
        price = sum(prices.values())
        for other in (contract["price"], budget["price"], views["legal"]["contract"]["price"]):
            assert Decimal(other["amount"]) == price
        assert gateway.price is not None
        assert gateway.price.amount == gateway.finance.budget.price.amount == price
        billed = [Decimal(each["amount"]["amount"]) for each in budget["schedule"]]
        assert sum(billed) == price
        budgeted = [each.model_dump() for each in gateway.finance.budget.lines]
        assert hours(budgeted) == hours(contract["lines"])
        assert hours(views["legal"]["contract"]["lines"]) == hours(contract["lines"])
        return prices


async def begun(shape: Shape, **different: Any) -> Story:
    """Return an engagement whose statement of work is signed and whose work has begun."""
    world = await founded()
    driver = InProcessDriver(world, date(2025, 3, 3))
    months = MonthEnds(driver, driver.calendar.today)
    driver.on_new_day.append(months.close_due)
    usual: dict[str, Any] = {"change": False, "deliverables": ("Portal", "Reports", "App")}
    chosen = scenario(shape=shape, **{**usual, **different})
    actors = Impatient(driver, chosen.name)
    story = Story(world, new_run(chosen, actors, LAST_DAY), months)
    assert await sell(story.run)
    deal = world.view("sales", ENGAGEMENT)["won"]
    assert sum(amounts(deal["lines"]).values()) == Decimal(deal["price"]["amount"])
    await contract(story.run)
    assert story.agree() == amounts(deal["lines"])
    return story


async def whole(shape: Shape, **different: Any) -> Story:
    """Return an engagement with an addition and a cut by a third, from opening to closing."""
    story = await begun(shape, **different)
    run, sold = story.run, story.agree()
    work = await mobilise(run)
    before = hours(story.world.view("delivery", ENGAGEMENT)["contract"]["lines"])
    await add_report(run, work)
    more = story.agree()
    assert more["work"] > sold["work"]
    await take_away(run, work, THIRD)
    less = story.agree()
    assert less["work"] < sold["work"]
    assert {name: price for name, price in less.items() if name != "work"} == {
        name: price for name, price in sold.items() if name != "work"
    }
    after = hours(story.world.view("delivery", ENGAGEMENT)["contract"]["lines"])
    assert after["architect"] == before["architect"] - (before["architect"] * THIRD).quantize(
        Decimal("0.01")
    )
    await build(run, work)
    story.agree()
    await finish(run, work)
    return story


def test_three_kinds_of_lines_with_an_addition_and_a_cut_by_a_third() -> None:
    story = asyncio.run(whole("mixed"))
    gateway, finance = story.gateway, story.world.view("finance", ENGAGEMENT)
    lines = {line.line: line for line in gateway.legal.contract_lines}
    assert {name: line.pricing for name, line in lines.items()} == {
        "work": "fixed",
        "management": "fixed",
        "testing": "time-and-materials",
        "support": "retainer",
    }
    assert gateway.stage == "closed"
    assert finance["open_points"] == []
    billed = {
        name: sum(
            part.amount.amount
            for invoice in gateway.finance.live_invoices()
            for part in invoice.lines
            if part.line == name
        )
        for name in lines
    }
    assert 0 < billed["testing"] <= lines["testing"].price.amount
    for name in ("work", "management", "support"):
        assert billed[name] == lines[name].price.amount, name
    tested = sum(
        each.hours
        for invoice in gateway.finance.live_invoices()
        for each in invoice.lines
        if each.line == "testing" and each.hours is not None
    )
    written_down = sum(
        each.hours or 0 for each in gateway.finance.written_down.values() if each.line == "testing"
    )
    assert tested + written_down == gateway.delivery.hours_by_line["testing"]


def test_all_that_was_billed_paid_worked_and_recognised_is_booked_in_the_months() -> None:
    story = asyncio.run(whole("mixed"))
    # Hours that were written down in July are no revenue any more.
    asyncio.run(story.run.actors.act("finance", "recognise-revenue", "fred", month="2025-07"))
    asyncio.run(story.months.close_due(date(2025, 9, 15)))
    gateway, finance = story.gateway, story.world.view("finance", ENGAGEMENT)
    shown = [kept.event for kept in gateway.finance.periods.values()]
    costed = [kept.event for kept in gateway.confidential.periods.values()]
    assert [each.model_dump(mode="json") for each in shown] == finance["periods"]
    assert [each.model_dump(mode="json") for each in costed] == finance["periods_costed"]

    def over_all(booked: Iterable[Any], name: str) -> Decimal:
        return sum((getattr(each, name).amount for each in booked), Decimal(0))

    invoices = gateway.finance.live_invoices()
    price = sum(each.amount.amount for each in invoices)
    assert over_all(shown, "billed") == price
    assert over_all(shown, "paid") == sum(each.gross.amount for each in invoices)
    assert over_all(shown, "recognised") + over_all(costed, "recognised_by_cost") == price
    assert sum(each.hours for each in shown) == sum(gateway.delivery.hours_by_line.values())
    assert gateway.confidential.cost is not None
    assert over_all(costed, "cost") == gateway.confidential.cost.amount > 0
    assert shown[-1].unbilled.amount == 0


@pytest.mark.parametrize("shape", ["fixed", "hourly", "retained"])
def test_other_contracts_with_an_addition_and_a_cut_by_a_third(shape: Shape) -> None:
    story = asyncio.run(whole(shape))
    assert story.gateway.stage == "closed"
    assert story.world.view("finance", ENGAGEMENT)["open_points"] == []


def test_a_discount_lowers_the_price_and_an_option_left_out_is_not_sold() -> None:
    story = asyncio.run(begun("retained"))
    proposal = story.gateway.won_proposal
    assert proposal is not None
    assert [line.line for line in proposal.lines if line.optional] == ["training"]
    prices = story.agree()
    assert "training" not in prices
    assert prices["discount"] < 0
    budget = story.world.view("finance", ENGAGEMENT)["budget"]
    advance = next(each for each in budget["schedule"] if each["item"] == "advance")
    due = story.gateway.finance.billing["due-advance"]
    assert due.amount.amount == Decimal(advance["amount"]["amount"])


def test_purchases_go_from_the_estimate_to_the_invoice_at_cost() -> None:
    story = asyncio.run(whole("mixed", purchases=True, weeks=8))
    gateway, world = story.gateway, story.world
    estimated = {"expenses": eur(1_800), "licence": eur(3_600)}
    assert gateway.delivery.estimates[1].purchases == estimated
    planned = {
        each.kind: each.amount
        for line in gateway.legal.contract_lines
        for each in line.planned_purchases
    }
    assert planned == estimated
    finance = world.view("finance", ENGAGEMENT)
    assert planned == {
        each["kind"]: Money.model_validate(each["amount"])
        for line in finance["budget"]["lines"]
        for each in line["purchases"]
    }
    spent = {"licence": eur(3_600), "travel": eur(4 * 450 - 5 * (1 + 3 + 5 + 7))}
    for line, amount in spent.items():
        billed = (
            part.amount
            for invoice in gateway.finance.live_invoices()
            for part in invoice.lines
            if part.line == line
        )
        assert Money.total(billed, "EUR") == amount
    assert gateway.stage == "closed"
    assert finance["open_points"] == []
