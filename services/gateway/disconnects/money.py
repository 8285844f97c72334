"""What was contracted against what was billed, worked and earned."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from contracts.money import Money
from gateway.disconnects.finding import Finding, Tolerances, found, hours
from gateway.fold import View


def bill_rate(view: View, today: date, allowed: Tolerances) -> Iterable[Finding]:
    """An invoice bills a role at another rate than the contract has for it."""
    sow = view.legal.signed_sow
    contracted = sow.rates if sow is not None else {}
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
        stake = Money.total(
            (
                ((item.rate - contracted[item.role]) * (item.hours or Decimal(0)))
                for item in wrong
                if item.rate.currency == contracted[item.role].currency
            ),
            invoice.amount.currency,
        ).rounded()
        yield found(
            "bill-rate-differs",
            f"Invoice {invoice.number} bills {line.role} at {line.rate} an hour; "
            f"the contract says {contracted[line.role]}.",
            (sow.said, invoice.said),
            "finance",
            about=invoice.invoice,
            stake=stake,
            severity="serious",
        )


def billed_before_acceptance(view: View, today: date, allowed: Tolerances) -> Iterable[Finding]:
    """An invoice on acceptance went out and Delivery has no acceptance of what it bills.

    What an amendment took out of the contract waits for none, unless nothing else is billed.
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
            yield found(
                "billed-before-acceptance",
                f"Invoice {invoice.number} over {invoice.amount} bills on acceptance; "
                f"not accepted yet: {', '.join(waiting)}.",
                (invoice.said, *(status[item].said for item in waiting if item in status)),
                "finance",
                about=invoice.invoice,
                stake=invoice.amount,
                severity="serious",
            )


def beyond_budget(view: View, today: date, allowed: Tolerances) -> Iterable[Finding]:
    """More was logged or billed than the budget with its approved changes allows."""
    budget = view.finance.budget
    if budget is None:
        return
    worked = view.delivery.approved_hours
    if worked * 100 > budget.hours * (100 + allowed.hours_percent):
        over = worked - budget.hours
        stake = (budget.price * (over / budget.hours)).rounded() if budget.hours else None
        yield found(
            "beyond-budget",
            f"{hours(worked)} are logged on a budget of {hours(budget.hours)}.",
            (budget.said, view.delivery.last_approved),
            "delivery",
            about="hours",
            stake=stake,
            severity="serious",
        )
    billed = view.finance.billed(budget.price.currency)
    if budget.price < billed:
        last = max(view.finance.live_invoices(), key=lambda invoice: invoice.said.sequence)
        yield found(
            "beyond-budget",
            f"{billed} are billed on a contract of {budget.price}.",
            (budget.said, last.said),
            "finance",
            about="billing",
            stake=billed - budget.price,
            severity="serious",
        )


def forecast_margin(view: View, today: date, allowed: Tolerances) -> Iterable[Finding]:
    """The margin expected at completion lies below the margin that was sold."""
    margins, sold = view.confidential.margins, view.confidential.margin_sold
    forecast = margins.margin_forecast if margins else None
    if margins is None or sold is None or forecast is None:
        return
    if sold.margin is None or forecast.margin is None:
        return
    points = (sold.margin - forecast.margin) * 100
    if points > allowed.margin_points:
        yield found(
            "forecast-margin-below-sold",
            f"Sold at a margin of {sold.margin:.1%}, forecast to end at {forecast.margin:.1%}.",
            (view.confidential.budget_costed, margins.said),
            "delivery",
            stake=(forecast.revenue * (points / 100)).rounded(),
            severity="serious" if points > 2 * allowed.margin_points else "warning",
            confidential=True,
        )
