"""What was promised to the customer against what Delivery plans and expects."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from gateway.disconnects.finding import Finding, Tolerances, day, differs, found, hours
from gateway.fold import View


def promised_finish(view: View, today: date, allowed: Tolerances) -> Iterable[Finding]:
    """The finish in the contract (or in the deal) lies before the one Delivery forecasts."""
    won, report = view.sales.won, view.delivery.report
    if won is None or report is None or view.delivery.live is not None:
        return
    promised = view.legal.contract_finish or won.finishes_on
    late = (report.forecast_finish - promised).days
    if late > 0:
        yield found(
            "promised-finish-before-forecast",
            f"The customer was promised {day(promised)}; Delivery now forecasts "
            f"{day(report.forecast_finish)}, {late} days later.",
            (view.legal.agreed or won.said, report.said),
            "delivery",
            days=late,
            stake=view.price,
            severity="serious" if late > 14 else "warning",
        )


def deliverables(view: View, today: date, allowed: Tolerances) -> Iterable[Finding]:
    """What was sold to be delivered is not what is planned to be delivered."""
    won, baseline = view.sales.won, view.delivery.baseline
    if won is None or baseline is None:
        return
    sold = view.legal.contract_deliverables or won.deliverables
    planned = baseline.deliverables
    missing = sorted(set(sold) - set(planned))
    extra = sorted(set(planned) - set(sold))
    if not missing and not extra:
        return
    parts = []
    if missing:
        parts.append("sold but not planned: " + ", ".join(sold[item] for item in missing))
    if extra:
        parts.append("planned but not sold: " + ", ".join(planned[item] for item in extra))
    yield found(
        "deliverables-differ",
        f"The contract and the plan name different deliverables; {'; '.join(parts)}.",
        (view.legal.agreed or won.said, baseline.said),
        "delivery",
        severity="serious" if missing else "warning",
    )


def sold_hours(view: View, today: date, allowed: Tolerances) -> Iterable[Finding]:
    """The hours in the price differ from the hours in the baseline, changes counted.

    A plan may use the contingency that was sold, and need not.
    """
    proposal, baseline = view.won_proposal, view.delivery.baseline
    if proposal is None or baseline is None:
        return
    estimate = view.delivery.estimates.get(proposal.estimate_version)
    reserve = (
        _reserve(proposal.hours, estimate.hours, estimate.contingency_hours)
        if estimate
        else Decimal(0)
    )
    changed = sum(
        (item.hours for item in view.delivery.changes.values() if item.change in baseline.changes),
        start=Decimal(0),
    )
    sold = proposal.hours + changed
    due = _nearest(baseline.hours, sold, reserve)
    if differs(due, baseline.hours, allowed.hours_percent):
        more = baseline.hours > sold
        yield found(
            "sold-hours-differ",
            f"{hours(sold)} were sold, {_of_them(reserve)}the baseline plans "
            f"{hours(baseline.hours)}: "
            f"{'more work than is paid for' if more else 'less work than the customer pays for'}.",
            (proposal.said, baseline.said),
            "delivery",
            stake=(proposal.price * ((baseline.hours - due) / sold)).rounded() if sold else None,
            severity="serious" if more else "warning",
        )


def project_management(view: View, today: date, allowed: Tolerances) -> Iterable[Finding]:
    """Project management in the proposal differs from what the baseline plans for it."""
    proposal, baseline = view.won_proposal, view.delivery.baseline
    if proposal is None or baseline is None:
        return
    sold, planned = proposal.project_management_hours, baseline.project_management_hours
    estimate = view.delivery.estimates.get(proposal.estimate_version)
    reserve = (
        _reserve(
            sold, estimate.project_management_hours, estimate.project_management_contingency_hours
        )
        if estimate
        else Decimal(0)
    )
    if differs(_nearest(planned, sold, reserve), planned, allowed.project_management_percent):
        yield found(
            "project-management-differs",
            f"The proposal sells {hours(sold)} of project management, {_of_them(reserve)}"
            f"the baseline plans {hours(planned)}.",
            (proposal.said, baseline.said),
            "delivery",
            stake=proposal.project_management,
        )


def _reserve(sold: Decimal, estimated: Decimal, contingency: Decimal) -> Decimal:
    """How much of the hours sold is contingency: what lies beyond the estimate without it."""
    return min(contingency, max(Decimal(0), sold - (estimated - contingency)))


def _nearest(planned: Decimal, sold: Decimal, reserve: Decimal) -> Decimal:
    """What a plan of so many hours is compared with: the hours sold, less unused contingency."""
    return min(sold, max(planned, sold - reserve))


def _of_them(reserve: Decimal) -> str:
    return f"{hours(reserve)} of them contingency; " if reserve else ""


def no_manager(view: View, today: date, allowed: Tolerances) -> Iterable[Finding]:
    """A proposal exists though nobody from Delivery was there when it was made."""
    proposals = view.sales.proposals
    if not proposals:
        return
    first = proposals[min(proposals)]
    assigned = view.delivery.manager_first_assigned
    if assigned is None:
        sentence = "A proposal was drafted and no engagement manager is assigned."
    elif assigned.occurred_at > first.said.occurred_at:
        sentence = (
            f"The proposal was drafted on {day(first.said.occurred_at)}, before an "
            f"engagement manager was assigned on {day(assigned.occurred_at)}."
        )
    else:
        return
    yield found(
        "no-manager-before-proposal",
        sentence,
        (first.said, assigned),
        "delivery",
        stake=first.price,
        severity="serious" if assigned is None else "warning",
    )


def allocation(view: View, today: date, allowed: Tolerances) -> Iterable[Finding]:
    """The hours that people were allocated for differ from the hours planned."""
    baseline, allocated = view.delivery.baseline, view.delivery.allocated_hours
    if baseline is None or not allocated:
        return
    total = sum(allocated.values(), start=Decimal(0))
    if differs(baseline.hours, total, allowed.allocation_percent):
        yield found(
            "allocated-hours-differ",
            f"The baseline plans {hours(baseline.hours)}, people are allocated for {hours(total)}.",
            (baseline.said, view.delivery.allocated),
            "delivery",
        )
