"""Test that an engagement which was taken over goes on in all departments until it is closed."""

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from contracts.money import Money
from gateway.portfolio.figures import build_portfolio, contribution
from gateway.rules import judge
from gateway.view.engagement_view import View
from tests.amounts import eur
from tests.going_on import TODAY, example, go_on
from tests.unit.simulation import ENGAGEMENT, InProcessActors, InProcessDriver, World, founded
from tests.unit.test_interleaving import shown

BY = {"legal": "carl", "delivery": "paul", "finance": "dora"}


def row(sale: dict[str, Any]) -> dict[str, str]:
    """Return a sale of the example as a row of a CRM export."""
    opened_on, won_on = (date.fromisoformat(sale[name]) for name in ("opened_on", "won_on"))
    return {
        "sales_agent": sale["owner"],
        "product": sale["title"],
        "account": sale["account"],
        "deal_stage": "Won",
        "engage_date": opened_on.isoformat(),
        "close_date": won_on.isoformat(),
        "close_value": sale["value"]["amount"],
    }


@cache
def closed() -> tuple[World, View]:
    """Return the world and the gateway's view after an engagement of the example was closed."""

    async def run() -> World:
        world = await founded()
        actors = InProcessActors(InProcessDriver(world, TODAY - timedelta(days=1)), "taken-over")
        content = example()
        await actors.take_over(row(content["sales"][0]), "EUR")
        actors.position["sales"] = 1
        record = {"source": "crm", "external_id": "1"}
        content["legal"][0]["customer"] = world.ids["novamed"]
        for department, by in BY.items():
            body = content[department][0] | record
            await actors.act(department, "import-engagement", by, **body)
        await go_on(actors)
        world.deliver_all()
        return world

    world = asyncio.run(run())
    return world, shown(tuple(each for each in world.events() if each.channel.kind == "events"))


def test_what_the_balances_left_is_billed_once() -> None:
    world, view = closed()
    finance = world.view("finance", ENGAGEMENT)
    bills = {each["kind"]: Money.model_validate(each["amount"]) for each in finance["invoices"]}
    assert bills == {"time": eur(2_080), "on-acceptance": eur(25_000)}
    assert finance["settled_on"] is not None
    assert view.finance.billed("EUR") == eur(27_080)
    assert view.finance.billed_before("EUR") == eur(48_000)


def test_hours_of_before_count_at_the_close() -> None:
    _, view = closed()
    assert view.stage == "closed"
    assert view.delivery.closed is not None
    assert view.delivery.closed.event.delivered_hours == Decimal("394.5")
    assert view.delivery.closed.event.sold_hours == Decimal(600)


def test_the_gateway_finds_nothing_wrong_on_the_way() -> None:
    _, view = closed()
    assert judge(view, TODAY) == {}
    portfolio = build_portfolio(contribution(view, []), TODAY, None, with_confidential=True)
    (of_currency,) = portfolio.currencies
    amounts = dict(of_currency)
    assert (amounts["billed"], amounts["imported_billed"]) == (Decimal(27_080), Decimal(48_000))
