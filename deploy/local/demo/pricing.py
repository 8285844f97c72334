"""Make the lines of a contract from the priced estimate, and agree how they are billed."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from local.demo.engagement_run import EngagementRun
from local.demo.reference_data import rate

WORK, TESTING, MANAGEMENT = "work", "testing", "management"
"""Ids of lines that have hours."""
MONTHLY_FEE = 1_200

Line = dict[str, Any]


def proposed_lines(run: EngagementRun, priced: Sequence[dict[str, Any]]) -> list[Line]:
    """Return the lines of the proposal, with all hours of the priced estimate."""
    shape, title = run.scenario.shape, run.scenario.title
    hourly = shape == "hourly"
    of_work = [each for each in priced if each["kind"] == "delivery"]
    tested = [each for each in of_work if shape == "mixed" and each["role"] == "tester"]
    built = [each for each in of_work if each not in tested]
    managed = [each for each in priced if each["kind"] == "project-management"]
    work = _line(run, WORK, title, built, hourly=hourly)
    work["deliverables"] = [each["deliverable"] for each in run.deliverables]
    if run.scenario.below_floor:
        less = (Decimal(work["price"]["amount"]) * 3 / 4).quantize(Decimal(1))
        work["price"] = run.money(less)
    management = _line(run, MANAGEMENT, "Project management", managed, hourly=hourly)
    lines = [work, management | {"kind": "project-management"}]
    if tested:
        lines.append(_line(run, TESTING, "Testing", tested, hourly=True))
    if shape in {"mixed", "retained"}:
        lines.append(_support(run))
    return [*lines, *(_discount_and_option(run, work) if shape == "retained" else ())]


def _line(
    run: EngagementRun, name: str, title: str, parts: Iterable[dict[str, Any]], *, hourly: bool
) -> Line:
    parts = list(parts)
    currency = run.scenario.customer.currency
    rates = [
        {"role": role, "rate": run.money(rate(role, currency))}
        for role in dict.fromkeys(each["role"] for each in parts)
    ]
    return {
        "line": name,
        "title": title,
        "pricing": "time-and-materials" if hourly else "fixed",
        "price": run.money(sum((Decimal(each["amount"]["amount"]) for each in parts), Decimal(0))),
        "hours": [{"role": each["role"], "hours": each["hours"]} for each in parts],
        "rates": rates if hourly else [],
    }


def _support(run: EngagementRun) -> Line:
    months = max(1, run.scenario.weeks // 5)
    return {
        "line": "support",
        "title": "Support for key users",
        "pricing": "retainer",
        "price": run.money(MONTHLY_FEE * months),
        "retainer": {
            "fee": run.money(MONTHLY_FEE),
            "periods": months,
            "starts_on": run.starts_on.isoformat(),
        },
    }


def _discount_and_option(run: EngagementRun, work: Line) -> list[Line]:
    off = (Decimal(work["price"]["amount"]) / 50).quantize(Decimal(1))
    return [
        {
            "line": "discount",
            "title": "Discount on a first order",
            "kind": "discount",
            "pricing": "fixed",
            "price": run.money(-off),
        },
        {
            "line": "training",
            "title": "Training of all users",
            "pricing": "fixed",
            "price": run.money(4_800),
            "optional": True,
        },
    ]


def agreed_billing(run: EngagementRun, lines: Iterable[Line]) -> list[dict[str, Any]]:
    """Return the billing of the lines that are not billed as usual: the work and a discount."""
    prices = {line["line"]: Decimal(line["price"]["amount"]) for line in lines}
    found = [{"line": WORK, "billing": _billing_of_work(run, prices[WORK])}]
    if "discount" in prices:
        entry = {
            "item": "discount",
            "kind": "on-signature",
            "amount": run.money(prices["discount"]),
            "reduces": "advance",
            "description": "Discount on the advance",
        }
        found.append({"line": "discount", "billing": [entry]})
    return found


def _billing_of_work(run: EngagementRun, price: Decimal) -> list[dict[str, Any]]:
    hourly = run.scenario.shape == "hourly"
    advance = (price * (1 if hourly else 3) / 10).quantize(Decimal(1))
    first = {
        "item": "advance",
        "kind": "on-signature",
        "amount": run.money(advance),
        "description": "Advance on signature",
    }
    if hourly:
        return [first, {"item": "time", "kind": "time", "amount": run.money(price - advance)}]
    names = [each["deliverable"] for each in run.deliverables]
    part = ((price - advance) / len(names)).quantize(Decimal(1))
    rest = price - advance - part * (len(names) - 1)
    return [
        first,
        *(
            {
                "item": f"accept-{name}",
                "kind": "on-acceptance",
                "amount": run.money(rest if name == names[-1] else part),
                "deliverables": [name],
                "description": f"On acceptance of {name}",
            }
            for name in names
        ),
    ]


def cheaper_lines(run: EngagementRun, percent: int) -> list[Line]:
    """Return the lines of the deal with a lower price of the work and of its first entry."""
    work = run.line(WORK)
    price = Decimal(work["price"]["amount"])
    less = (price * percent / 100).quantize(Decimal(1))
    first, *rest = work["billing"]
    reduced = run.money(Decimal(first["amount"]["amount"]) - less)
    changed = {
        **work,
        "price": run.money(price - less),
        "billing": [{**first, "amount": reduced}, *rest],
    }
    return [changed if line is work else line for line in run.lines]
