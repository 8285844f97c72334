"""Rules that compare the contract with what was billed, worked and earned."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from contracts.decimals import round_decimal
from contracts.money import Money
from gateway.rules.rule import Disconnect, Rule, Rules, Tolerances, hours
from gateway.view.engagement_view import View

rules = Rules()


@rules.register("bill-rate-differs", title="Billed at another rate", owner="finance")
def bill_rate(rule: Rule, view: View, today: date, allowed: Tolerances) -> Iterable[Disconnect]:
    """Find invoices that bill a role at another rate than the contract states."""
    sow = view.legal.signed_sow
    contracted = sow.event.rates if sow is not None else {}
    if sow is None or not contracted:
        return
    for invoice in view.finance.live_invoices():
        wrong = [
            line
            for line in invoice.lines
            if line.role in contracted and line.rate != contracted[line.role]
        ]
        if not wrong:
            continue
        line = wrong[0]
        more = sum(
            (
                (item.rate.amount - contracted[item.role].amount) * (item.hours or Decimal(0))
                for item in wrong
                if item.rate.currency == contracted[item.role].currency
            ),
            Decimal(0),
        )
        yield rule.disconnect(
            f"Invoice {invoice.number} bills {line.role} at {line.rate} an hour; "
            f"the contract says {contracted[line.role]}.",
            (sow.said, invoice.said),
            about=invoice.invoice,
            stake=Money.nearest(more, invoice.amount.currency),
            severity="serious",
        )


@rules.register("billed-before-acceptance", title="Billed before acceptance", owner="finance")
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
            item
            for item in owed or invoice.deliverables
            if item not in status or status[item].status != "accepted"
        ]
        if waiting:
            yield rule.disconnect(
                f"Invoice {invoice.number} over {invoice.amount} bills on acceptance; "
                f"not accepted yet: {', '.join(waiting)}.",
                (invoice.said, *(status[item].said for item in waiting if item in status)),
                about=invoice.invoice,
                stake=invoice.amount,
                severity="serious",
            )


@rules.register("beyond-budget", title="Beyond the budget", owner="delivery")
def beyond_budget(rule: Rule, view: View, today: date, allowed: Tolerances) -> Iterable[Disconnect]:
    """Find hours or invoices beyond the budget, which includes signed amendments."""
    budget = view.finance.budget
    if budget is None:
        return
    worked = view.delivery.approved_hours
    if worked * 100 > budget.hours * (100 + allowed.hours_percent):
        over = worked - budget.hours
        stake = budget.price * (over / budget.hours) if budget.hours else None
        yield rule.disconnect(
            f"{hours(worked)} are logged on a budget of {hours(budget.hours)}.",
            (budget.said, view.delivery.last_approved),
            about="hours",
            stake=stake,
            severity="serious",
        )
    billed = view.finance.billed(budget.price.currency)
    if budget.price < billed:
        last = max(view.finance.live_invoices(), key=lambda invoice: invoice.said.sequence)
        yield rule.disconnect(
            f"{billed} are billed on a contract of {budget.price}.",
            (budget.said, last.said),
            owner="finance",
            about="billing",
            stake=billed - budget.price,
            severity="serious",
        )


@rules.register(
    "forecast-margin-below-sold",
    title="Margin below what was sold",
    owner="delivery",
    confidential=True,
)
def forecast_margin(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find a forecast margin that is below the margin that was sold, in one measurement."""
    margins = view.confidential.margins
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
            stake=forecast.revenue * (points / 100),
            severity="serious" if points > 2 * allowed.margin_points else "warning",
        )
