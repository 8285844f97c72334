"""What is reported against what is measured, and silence where somebody owes a step."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from contracts.channels import Department
from gateway.disconnects.finding import Finding, Tolerances, day, found
from gateway.fold import View
from gateway.sections.folding import Ref


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def green_against_figures(view: View, today: date, allowed: Tolerances) -> Iterable[Finding]:
    """Cost or schedule is reported green while its earned-value index is below the threshold."""
    report, measured = view.delivery.report, view.confidential.performance
    if report is None or measured is None:
        return
    pairs: tuple[tuple[str, str, str, Decimal | None], ...] = (
        ("cost", report.cost, "CPI", measured.cost_performance_index),
        ("schedule", report.schedule, "SPI", measured.schedule_performance_index),
    )
    for name, reported, index, value in pairs:
        if reported == "green" and value is not None and value < allowed.index:
            yield found(
                "green-against-figures",
                f"{name.capitalize()} is reported green while {index} is {value:.2f}.",
                (report.said, measured.said),
                "delivery",
                about=name,
                stake=(
                    measured.actual_cost - measured.earned_value
                    if name == "cost"
                    else measured.planned_value - measured.earned_value
                ),
                severity="serious" if value < allowed.index - Decimal("0.1") else "warning",
                confidential=True,
            )


def no_status_report(view: View, today: date, allowed: Tolerances) -> Iterable[Finding]:
    """Work goes on and the last status report is older than the tier's cadence allows."""
    delivery = view.delivery
    if view.stage != "delivering" or view.on_hold:
        return
    last = delivery.report.said if delivery.report else delivery.kickoff
    start = delivery.report.as_of if delivery.report else delivery.kickoff_on
    if last is None or start is None:
        return
    cadence = allowed.report_days[delivery.tier or "standard"] + allowed.report_grace_days
    late = (today - start).days - cadence
    if late > 0:
        what = "The last status report is of" if delivery.report else "No status report since"
        yield found(
            "no-status-report",
            f"{what} {day(start)}; one is due every "
            f"{allowed.report_days[delivery.tier or 'standard']} days.",
            (last,),
            "delivery",
            since=_midnight(start + timedelta(days=cadence)),
            days=late,
        )


def closing_with_loose_ends(view: View, today: date, allowed: Tolerances) -> Iterable[Finding]:
    """Delivery is done by its own word while an invoice, issue or acceptance is open."""
    delivery = view.delivery
    done = delivery.closed or delivery.review_held
    if done is None:
        return
    loose: list[tuple[str, Ref]] = [
        (f"invoice {invoice.number} ({invoice.outstanding} unpaid)", invoice.overdue)
        for invoice in view.finance.live_invoices()
        if invoice.overdue is not None
    ]
    loose += [(f"issue “{item.title}”", item.said) for item in delivery.open_issues().values()]
    loose += [
        (f"{name} is not accepted", item.said)
        for name, item in delivery.deliverables.items()
        if item.status != "accepted" and name in view.legal.contract_deliverables
    ]
    if loose:
        currency = view.currency
        yield found(
            "closing-with-loose-ends",
            f"The engagement is being closed with loose ends: {', '.join(w for w, _ in loose)}.",
            (done, *(said for _, said in loose)),
            "delivery",
            stake=view.finance.outstanding(currency) if currency else None,
            severity="serious",
        )


def silence(view: View, today: date, allowed: Tolerances) -> Iterable[Finding]:
    """Nothing was heard for long from the department that owes the next step."""
    owed = _next_step(view)
    if owed is None or view.on_hold:
        return
    owner, step, asked = owed
    fresh = view.freshness.get(owner)
    heard = asked.occurred_at if fresh is None else max(asked.occurred_at, fresh.occurred_at)
    since, last = asked.occurred_at.date(), heard.date()
    if (today - last).days > allowed.silence_days:
        yield found(
            "next-step-overdue",
            f"{owner.capitalize()} owes {step} since {day(since)}"
            + ("." if last == since else f" and was last heard on {day(last)}."),
            (asked,),
            owner,
            since=_midnight(last + timedelta(days=allowed.silence_days)),
            days=(today - since).days,
            stake=view.price,
        )


def _next_step(view: View) -> tuple[Department, str, Ref] | None:
    sales, legal, delivery, finance = view.sales, view.legal, view.delivery, view.finance
    proposal = sales.latest_proposal
    if sales.won is not None:
        sow = legal.latest_sow
        if sow is None:
            return "legal", "a statement of work", sales.won.said
        if legal.signed is None:
            of_delivery = delivery.sow_reviews.get(sow.version)
            of_finance = finance.sow_reviews.get(sow.version)
            objections = [
                review.said
                for review in (of_delivery, of_finance)
                if review is not None and review.verdict == "objected"
            ]
            if objections:  # the other review can change nothing in that
                return "legal", "a new version of the statement of work", _earlier(*objections)
            if of_delivery is None:
                return "delivery", f"its review of version {sow.version}", sow.said
            if of_finance is None:
                return "finance", f"its review of version {sow.version}", sow.said
            return "legal", "the signatures", _later(of_delivery.said, of_finance.said)
        if finance.budget is None:
            return "finance", "the budget", legal.signed.said
        if delivery.kickoff is None:
            return "delivery", "the kickoff", legal.signed.said
        return None
    if proposal is not None and proposal.submitted is not None and not proposal.revised:
        return "sales", "the customer's decision on the proposal", proposal.submitted
    waiting = [item for item in delivery.estimates.values() if item.version not in finance.priced]
    if waiting:
        return "finance", "a price on the estimate", waiting[-1].said
    asked = sales.estimate_requested
    if asked is not None and all(
        item.said.occurred_at < asked.occurred_at for item in delivery.estimates.values()
    ):
        return "delivery", "the estimate", asked
    return None


def _later(one: Ref, other: Ref) -> Ref:
    return max(one, other, key=lambda said: said.occurred_at)


def _earlier(*said: Ref) -> Ref:
    return min(said, key=lambda each: each.occurred_at)
