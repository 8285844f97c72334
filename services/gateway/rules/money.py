"""Rules that compare the contract with what was billed, worked and earned."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from contracts.decimals import ROUNDING, round_decimal
from contracts.lines import ContractLine
from contracts.money import Money, Rate
from contracts.reference import Tolerances
from contracts.values import Margin
from gateway.formatting import day, percent
from gateway.rules.amounts import (
    difference,
    price_of_lines,
    rate_of_lines,
    total,
    value_of_hours,
)
from gateway.rules.rule import Disconnect, End, Rule, Rules, hours
from gateway.rules.sides import side
from gateway.view.engagement_view import View
from gateway.view.sections.finance.budget import Budget
from gateway.view.sections.finance.invoices import Invoice
from gateway.view.sections.finance.lines import BilledLine
from gateway.view.sections.steps import line_hours

rules = Rules()

_CREDIT = End("finance", "issue-credit-note")


@dataclass(frozen=True, slots=True)
class _WrongRate:
    """Hours of an invoice line that are billed at another rate; `on` is None where no day is."""

    line: BilledLine
    hours: Decimal | None
    charged: Rate
    agreed: Rate
    on: date | None


@rules.register(
    "bill-rate-differs", title="Billed at another rate", owner="finance", command="void-invoice"
)
def bill_rate(rule: Rule, view: View, today: date, allowed: Tolerances) -> Iterable[Disconnect]:
    """Find invoices that bill a role at another rate than its contract line has on the day.

    Of hours without a day, any rate that the line has for the role is right.
    """
    lines = {line.line: line for line in view.legal.contract_lines}
    for invoice in view.finance.live_invoices():
        wrong = [
            each
            for billed in invoice.billed_lines
            if (line := lines.get(billed.line))
            for each in _wrong_rates(billed, line, invoice.issued_on)
        ]
        if not wrong:
            continue
        first = wrong[0]
        when = f" for {day(first.on)}" if first.on else ""
        yield rule.disconnect(
            f"Invoice {invoice.number} bills {first.line.role} at {first.charged} an hour{when}; "
            f"the contract says {first.agreed}.",
            (view.legal.agreed, invoice.said),
            sides=(
                side(
                    "legal",
                    f"{first.line.role} agreed at {first.agreed} an hour{when}",
                    view.legal.agreed,
                ),
                side("finance", f"billed at {first.charged} an hour", invoice.said),
            ),
            about=invoice.invoice,
            exposure=total(
                billed.amount
                for billed in invoice.billed_lines
                if any(each.line is billed for each in wrong)
            ),
            at_stake=_overcharged(wrong),
            severity="serious",
        )


def _wrong_rates(billed: BilledLine, line: ContractLine, issued_on: date) -> Iterator[_WrongRate]:
    """Yield the hours of an invoice line that are not billed at the agreed rate."""
    role, charged = billed.role, billed.rate
    if role is None or charged is None:
        return
    for on, number in billed.days.items():
        agreed = line.rate_on(role, on)
        if agreed is not None and agreed != charged:
            yield _WrongRate(billed, number, charged, agreed, on)
    if not billed.days and charged not in [e.rate for e in line.rates if e.role == role]:
        agreed = line.rate_on(role, issued_on)
        if agreed is not None:
            yield _WrongRate(billed, billed.hours, charged, agreed, None)


def _overcharged(wrong: Iterable[_WrongRate]) -> Money | None:
    """Return hours x difference of the rates billed and agreed; None where one is unknown."""
    return value_of_hours(
        (
            each.hours,
            each.charged.model_copy(
                update={"amount": abs(each.charged.amount - each.agreed.amount)}
            ),
        )
        if each.hours is not None and each.charged.currency == each.agreed.currency
        else (Decimal(0), None)
        for each in wrong
    )


@rules.register(
    "billed-before-acceptance",
    title="Billed before acceptance",
    owner="finance",
    command="void-invoice",
)
def billed_before_acceptance(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find invoices on acceptance for deliverables that are not accepted.

    A deliverable that an amendment removed needs no acceptance, unless the invoice bills only such
    deliverables.
    """
    descoped = view.legal.descoped()
    for invoice in view.finance.live_invoices():
        if invoice.kind != "on-acceptance":
            continue
        status = view.delivery.deliverables
        owed = [item for item in invoice.deliverables if item not in descoped]
        waiting = [
            item for item in owed or invoice.deliverables if not view.delivery.is_accepted(item)
        ]
        if waiting:
            submitted = [status[item] for item in waiting if item in status]
            last = max(submitted, key=lambda each: each.said.streamsequence, default=None)
            yield rule.disconnect(
                f"Invoice {invoice.number} over {invoice.amount} bills on acceptance; "
                f"not accepted yet: {', '.join(waiting)}.",
                (invoice.said, *(each.said for each in submitted)),
                sides=(
                    side("finance", f"{invoice.amount} billed on acceptance", invoice.said),
                    side(
                        "delivery",
                        f"not accepted: {', '.join(waiting)}",
                        last.said if last is not None else None,
                    ),
                ),
                about=invoice.invoice,
                exposure=price_of_lines(view, [each.line for each in invoice.lines]),
                at_stake=invoice.amount,
                severity="serious",
            )


@rules.register(
    "reversed-work-billed",
    title="Reversed work is billed",
    owner="finance",
    command="issue-credit-note",
)
def reversed_work_billed(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find invoices that bill work whose approval Delivery reversed, until it is credited."""
    for invoice in view.finance.live_invoices():
        reversed_work = view.finance.reversed.get(invoice.invoice)
        to_credit = view.finance.to_credit(invoice)
        if reversed_work is not None and to_credit.amount > 0:
            yield rule.disconnect(
                f"Invoice {invoice.number} bills {to_credit} for work whose approval was reversed.",
                (invoice.said, reversed_work.said),
                sides=(
                    side("delivery", "approval of work reversed", on=reversed_work.said.day),
                    side("finance", f"{to_credit} of it billed, not credited", invoice.said),
                ),
                about=invoice.invoice,
                exposure=invoice.amount,
                at_stake=to_credit,
            )


@rules.register(
    "beyond-budget", title="Beyond the budget", owner="delivery", command="request-change"
)
def beyond_budget(rule: Rule, view: View, today: date, allowed: Tolerances) -> Iterable[Disconnect]:
    """Find hours or invoices beyond the budget, which includes signed amendments.

    Hours and invoices are compared in total and by line. Nothing limits the hours where the budget
    has none, nor what is billed on lines whose price is an estimate. Hours and invoices from before
    a take-over count. Hours that are written down do not, and those beyond a line are not found
    again in total.
    """
    budget = view.finance.budget
    if budget is None:
        return
    yield from _beyond_hours(rule, view, budget, today, allowed)
    currency, invoices = budget.price.currency, view.finance.live_invoices()
    billed = view.finance.billed(currency) + view.finance.billed_before(currency)
    estimated = any(line.estimated for line in budget.lines)
    if budget.price < billed and invoices and not estimated:
        last = max(invoices, key=lambda invoice: invoice.said.streamsequence)
        yield rule.disconnect(
            f"{billed} are billed on a contract of {budget.price}.",
            (budget.said, last.said),
            sides=(
                side("legal", f"contract of {budget.price}", view.legal.agreed),
                side("finance", f"{billed} billed", last.said),
            ),
            end=_CREDIT,
            about="billing",
            exposure=budget.price,
            at_stake=billed - budget.price,
            severity="serious",
        )
    yield from _line_beyond_price(rule, view, budget)


def _beyond_hours(
    rule: Rule, view: View, budget: Budget, today: date, allowed: Tolerances
) -> Iterator[Disconnect]:
    """Yield a disconnect for each line with more hours than it has, and one for the others."""
    given_up = dict[str, Decimal]()
    for each in view.finance.written_down.values():
        known = given_up.get(each.line, Decimal(0))
        given_up[each.line] = known + (each.hours or Decimal(0))
    limit, of_lines = 100 + allowed.hours_percent, Decimal(0)
    for line in budget.lines:
        planned = line_hours([line])
        logged = view.delivery.hours_by_line.get(line.line, Decimal(0))
        less = given_up.get(line.line, Decimal(0))
        if planned and (logged - less) * 100 > planned * limit:
            beyond = logged - less - planned
            of_lines += beyond
            yield rule.disconnect(
                f"{_logged(logged, less)} on {line.title}, which has {hours(planned)}.",
                (budget.said, view.delivery.last_approved),
                sides=(
                    side("finance", f"{hours(planned)} in the budget of {line.title}", budget.said),
                    side("delivery", f"{hours(logged)} logged", view.delivery.last_approved),
                ),
                about=f"hours.{line.line}",
                exposure=line.price,
                at_stake=value_of_hours([(beyond, rate_of_lines([line], today))]),
                severity="serious",
            )
    logged = view.delivery.approved_hours + view.delivery.hours_before
    less = sum(given_up.values(), Decimal(0))
    others = logged - less - of_lines
    if budget.hours and others * 100 > budget.hours * limit:
        rate = rate_of_lines(budget.lines, today)
        yield rule.disconnect(
            f"{_logged(logged, less)} on a budget of {hours(budget.hours)}.",
            (budget.said, view.delivery.last_approved),
            sides=(
                side("finance", f"budget of {hours(budget.hours)}", budget.said),
                side("delivery", f"{hours(logged)} logged", view.delivery.last_approved),
            ),
            about="hours",
            exposure=budget.price,
            at_stake=value_of_hours([(others - budget.hours, rate)]),
            severity="serious",
        )


def _logged(logged: Decimal, written_down: Decimal) -> str:
    part = f", of which {hours(written_down)} are written down," if written_down else ""
    return f"{hours(logged)} are logged{part}"


def _line_beyond_price(rule: Rule, view: View, budget: Budget) -> Iterator[Disconnect]:
    """Yield a disconnect for each line on which more is billed than its price or cap.

    A discount is billed in parts, each of which is less than it.
    """
    invoices: dict[str, list[Invoice]] = {}
    for each in view.finance.live_invoices():
        for name in dict.fromkeys(one.line for one in each.lines):
            invoices.setdefault(name, []).append(each)
    for line in budget.lines:
        on_line = invoices.get(line.line)
        if on_line is None or line.estimated or line.kind == "discount":
            continue
        currency = budget.price.currency
        billed = Money.total((each.billed_on(line.line) for each in on_line), currency)
        billed = billed + view.finance.billed_before(currency, line.line)
        if line.price < billed:
            last = max(on_line, key=lambda invoice: invoice.said.streamsequence)
            yield rule.disconnect(
                f"{billed} are billed on {line.title}, whose price is {line.price}.",
                (budget.said, last.said),
                sides=(
                    side("legal", f"{line.title} for {line.price}", view.legal.agreed),
                    side("finance", f"{billed} billed", last.said),
                ),
                end=_CREDIT,
                about=f"billing.{line.line}",
                exposure=line.price,
                at_stake=billed - line.price,
                severity="serious",
            )


@rules.register(
    "budget-price-differs",
    title="Budget differs from the contract",
    owner="finance",
    command="catch-up",
)
def budget_price(rule: Rule, view: View, today: date, allowed: Tolerances) -> Iterable[Disconnect]:
    """Find a budget whose price is not that of the contract with the amendments in the budget."""
    budget, contract = view.finance.budget, view.legal.signed_sow or view.legal.imported
    if budget is None or contract is None:
        return
    included = [
        item for item in view.legal.signed_amendments() if item.change in budget.amended_for
    ]
    price = sum((item.price_delta for item in included), contract.event.price)
    if price != budget.price:
        yield rule.disconnect(
            f"The contract is signed at {price}, the budget has {budget.price}.",
            (included[-1].signed if included else contract.said, budget.said),
            sides=(
                side(
                    "legal",
                    f"signed {price}",
                    included[-1].signed if included else contract.said,
                ),
                side("finance", f"budget of {budget.price}", budget.said),
            ),
            exposure=price,
            at_stake=difference(budget.price, price),
            severity="serious",
        )


@rules.register(
    "forecast-margin-below-sold",
    title="Margin below what was sold",
    owner="delivery",
    command="publish-status-report",
    confidential=True,
)
def forecast_margin(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find a forecast margin that is below the margin that was sold, in one measurement."""
    margins = view.confidential.expected
    if margins is None:
        return
    sold, forecast = margins.event.margin_sold, margins.event.margin_forecast
    if sold is None or forecast is None:
        return
    if sold.margin is None or forecast.margin is None:
        return
    points = (sold.margin - forecast.margin) * 100
    if points > allowed.margin_points:
        yield rule.disconnect(
            f"Sold at a margin of {round_decimal(sold.margin * 100, 1)}%, "
            f"forecast to end at {round_decimal(forecast.margin * 100, 1)}%.",
            (margins.said,),
            sides=(
                side("sales", f"sold at {percent(sold.margin)}", on=margins.event.as_of),
                side("delivery", f"forecast at {percent(forecast.margin)}", margins.said),
            ),
            exposure=forecast.revenue,
            at_stake=_margin_lost(sold, forecast),
            severity="serious" if points > 2 * allowed.margin_points else "warning",
        )


def _margin_lost(sold: Margin, forecast: Margin) -> Money:
    """Return the margin sold on the forecast revenue, less the forecast margin, as an amount."""
    on_revenue = forecast.revenue.amount * (sold.revenue.amount - sold.cost.amount)
    expected = on_revenue / sold.revenue.amount
    forecast_amount = forecast.revenue.amount - forecast.cost.amount
    return Money.nearest(expected - forecast_amount, forecast.revenue.currency, ROUNDING)
