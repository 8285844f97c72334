"""Take over an engagement that was under way before the company used the platform."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from local.demo.engagement_run import EngagementRun
from local.demo.paying import pay_invoice
from local.demo.pricing import MONTHLY_FEE, WORK
from local.demo.reference_data import SELLERS, SELLING_COMPANY

CARE = "care"
MONTHS_OF_CARE = 12


async def take_over(run: EngagementRun) -> None:
    """Import the won opportunity from the CRM; then each department takes over its part."""
    scenario, actors = run.scenario, run.actors
    await run.on(scenario.begins)
    record = await _import(run)
    signed_on = scenario.begins - timedelta(days=90)
    starts_on, as_of = signed_on + timedelta(days=7), scenario.begins - timedelta(days=1)
    lines = _lines(run, starts_on.isoformat())
    await run.after(2)
    await actors.act(
        "legal",
        "import-engagement",
        "carl",
        **record,
        company=SELLING_COMPANY[scenario.customer.currency],
        customer=run.account,
        lines=lines,
        price=run.money(_price(run)),
        signed_on=signed_on.isoformat(),
        effective_on=starts_on.isoformat(),
        starts_on=starts_on.isoformat(),
        finishes_on=(starts_on + timedelta(days=364)).isoformat(),
        payment_terms_days=30,
        content=f"Statement of work, as signed: {scenario.title}.",
    )
    await run.after(3)
    done, *open_ones = run.deliverables
    await actors.act(
        "delivery",
        "import-engagement",
        "paul",
        **record,
        as_of=as_of.isoformat(),
        baselined_on=(starts_on + timedelta(days=10)).isoformat(),
        milestones=[
            {
                "milestone": "M-1",
                "title": f"{done['title']} accepted",
                "due_on": (as_of - timedelta(days=10)).isoformat(),
                "deliverables": [done["deliverable"]],
                "reached_on": (as_of - timedelta(days=6)).isoformat(),
            },
            {
                "milestone": "M-2",
                "title": "Everything accepted",
                "due_on": (as_of + timedelta(days=120)).isoformat(),
                "deliverables": [each["deliverable"] for each in open_ones],
            },
        ],
        deliverables=[
            {**done, "accepted_on": (as_of - timedelta(days=6)).isoformat()},
            *open_ones,
        ],
        hours=[
            {"role": "engineer", "hours": str(scenario.hours * 3 // 10)},
            {"role": "project-manager", "hours": str(scenario.hours // 20)},
        ],
        complete="40",
    )
    await run.after(3)
    await _balances(run, record, lines, as_of)
    await _pay_before(run)


async def _import(run: EngagementRun) -> dict[str, str]:
    """Import the opportunity as won, and return its record in the CRM."""
    scenario, actors = run.scenario, run.actors
    opened_on, won_on = (scenario.begins - timedelta(days=days) for days in (150, 100))
    await actors.take_over(
        {
            "sales_agent": next(name for person, name, _ in SELLERS if person == scenario.seller),
            "product": scenario.title,
            "account": scenario.customer.name,
            "deal_stage": "Won",
            "engage_date": opened_on.isoformat(),
            "close_date": won_on.isoformat(),
            "close_value": str(_price(run)),
        },
        scenario.customer.currency,
    )
    actors.position["sales"] = 1
    imported = (await actors.look("sales", scenario.seller))["imported"]
    return {name: imported[name] for name in ("source", "external_id")}


def _price(run: EngagementRun) -> Decimal:
    return _price_of_work(run) + MONTHLY_FEE * MONTHS_OF_CARE


def _price_of_work(run: EngagementRun) -> Decimal:
    return Decimal(run.scenario.hours * 130)


def _lines(run: EngagementRun, starts_on: str) -> list[dict[str, Any]]:
    return [
        {
            "line": WORK,
            "title": run.scenario.title,
            "pricing": "fixed",
            "price": run.money(_price_of_work(run)),
            "deliverables": [each["deliverable"] for each in run.deliverables],
        },
        {
            "line": CARE,
            "title": "Care",
            "pricing": "retainer",
            "price": run.money(MONTHLY_FEE * MONTHS_OF_CARE),
            "retainer": {
                "fee": run.money(MONTHLY_FEE),
                "periods": MONTHS_OF_CARE,
                "starts_on": starts_on,
            },
        },
    ]


async def _balances(
    run: EngagementRun, record: dict[str, str], lines: list[dict[str, Any]], as_of: date
) -> None:
    """Take over what was billed, paid and recognised, and the cost; then correct what was paid."""
    work = _price_of_work(run)
    months, half = Decimal(3 * MONTHLY_FEE), (work / 2).quantize(Decimal(1))
    paid, cost = (work / 4).quantize(Decimal(1)), (work * 3 / 10).quantize(Decimal(1))
    for paid_work, why in (
        (Decimal(0), None),
        (paid, "The payment of the first invoice was left out."),
    ):
        amounts = {
            WORK: (half, paid_work, half, "cost-to-cost"),
            CARE: (months, months, months, "over-time"),
        }
        await run.actors.act(
            "finance",
            "import-engagement",
            "dora",
            **record,
            as_of=as_of.isoformat(),
            lines=[
                {
                    "line": line["line"],
                    "price": line["price"],
                    "billed": run.money(billed),
                    "paid": run.money(paid_line),
                    "recognised": run.money(recognised),
                    "method": method,
                }
                for line in lines
                for billed, paid_line, recognised, method in [amounts[line["line"]]]
            ],
            price=run.money(_price(run)),
            billed=run.money(half + months),
            paid=run.money(paid_work + months),
            receivables=[
                {
                    "number": "R/2024/0117",
                    "gross": run.money(half),
                    "open": run.money(half - paid_work),
                    "issued_on": (as_of - timedelta(days=40)).isoformat(),
                    "due_on": (as_of - timedelta(days=10)).isoformat(),
                }
            ],
            cost_to_date=run.money(cost),
            why=why,
        )
        await run.after(2)


async def _pay_before(run: EngagementRun) -> None:
    """Let the customer pay a part of the invoice from before; the rest stays overdue."""
    await run.after(2)
    [unpaid] = (await run.actors.look("finance", "fred"))["opening_receivables"]
    part = (Decimal(unpaid["outstanding"]["amount"]) / 2).quantize(Decimal(1))
    await pay_invoice(run, unpaid["invoice"], run.money(part))
