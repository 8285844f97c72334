"""Rules that compare what was promised to the customer with what Delivery plans and forecasts."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from gateway.rules.rule import Disconnect, Rule, Rules, Tolerances, day, differs, hours
from gateway.view.engagement_view import View

rules = Rules()


@rules.register(
    "promised-finish-before-forecast", title="Promised before forecast", owner="delivery"
)
def promised_finish(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find a forecast finish that is later than the finish in the contract, or else in the deal."""
    won, report = view.sales.won, view.delivery.report
    if won is None or report is None or view.delivery.live is not None:
        return
    promised = view.legal.contract_finish or won.event.finishes_on
    late = (report.event.forecast_finish - promised).days
    if late > 0:
        yield rule.disconnect(
            f"The customer was promised {day(promised)}; Delivery now forecasts "
            f"{day(report.event.forecast_finish)}, {late} days later.",
            (view.legal.agreed or won.said, report.said),
            days=late,
            stake=view.price,
            severity="serious" if late > 14 else "warning",
        )


@rules.register("deliverables-differ", title="Sold differs from planned", owner="delivery")
def deliverables(rule: Rule, view: View, today: date, allowed: Tolerances) -> Iterable[Disconnect]:
    """Find deliverables that are sold and not planned, or planned and not sold."""
    won, baseline = view.sales.won, view.delivery.baseline
    if won is None or baseline is None:
        return
    sold = view.legal.contract_deliverables or won.event.deliverables
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
    yield rule.disconnect(
        f"The contract and the plan name different deliverables; {'; '.join(parts)}.",
        (view.legal.agreed or won.said, baseline.said),
        severity="serious" if missing else "warning",
    )


@rules.register("sold-hours-differ", title="Hours sold and planned", owner="delivery")
def sold_hours(rule: Rule, view: View, today: date, allowed: Tolerances) -> Iterable[Disconnect]:
    """Compare the hours sold, with those of planned changes, with the hours in the baseline.

    A plan may use all, some or none of the contingency that was sold.
    """
    proposal, baseline = view.won_proposal, view.delivery.baseline
    if proposal is None or baseline is None:
        return
    estimate = view.delivery.estimates.get(proposal.estimate_version)
    if proposal.hours is None or (estimate and estimate.hours is None):
        return  # which lines are hours of work is not known
    reserve = (
        _reserve(proposal.hours, estimate.hours, estimate.contingency_hours or Decimal(0))
        if estimate and estimate.hours is not None
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
        yield rule.disconnect(
            f"{hours(sold)} were sold, {_of_them(reserve)}the baseline plans "
            f"{hours(baseline.hours)}: "
            f"{'more work than is paid for' if more else 'less work than the customer pays for'}.",
            (proposal.said, baseline.said),
            stake=proposal.price * ((baseline.hours - due) / sold) if sold else None,
            severity="serious" if more else "warning",
        )


@rules.register(
    "project-management-differs", title="Project management sold and planned", owner="delivery"
)
def project_management(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Compare the hours of project management in the proposal with those in the baseline."""
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
        yield rule.disconnect(
            f"The proposal sells {hours(sold)} of project management, {_of_them(reserve)}"
            f"the baseline plans {hours(planned)}.",
            (proposal.said, baseline.said),
            stake=proposal.project_management,
        )


def _reserve(sold: Decimal, estimated: Decimal, contingency: Decimal) -> Decimal:
    """Return how many of the hours sold are contingency: those beyond the estimate without it."""
    return min(contingency, max(Decimal(0), sold - (estimated - contingency)))


def _nearest(planned: Decimal, sold: Decimal, reserve: Decimal) -> Decimal:
    """Return the hours to compare a plan with: the hours sold, less unused contingency."""
    return min(sold, max(planned, sold - reserve))


def _of_them(reserve: Decimal) -> str:
    return f"{hours(reserve)} of them contingency; " if reserve else ""


@rules.register(
    "no-manager-before-proposal", title="No manager before the proposal", owner="delivery"
)
def no_manager(rule: Rule, view: View, today: date, allowed: Tolerances) -> Iterable[Disconnect]:
    """Find a proposal that was drafted before Delivery assigned an engagement manager."""
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
    yield rule.disconnect(
        sentence,
        (first.said, assigned),
        stake=first.price,
        severity="serious" if assigned is None else "warning",
    )


@rules.register("allocated-hours-differ", title="Hours allocated and planned", owner="delivery")
def allocation(rule: Rule, view: View, today: date, allowed: Tolerances) -> Iterable[Disconnect]:
    """Compare the hours that people are allocated for with the hours planned."""
    baseline, allocated = view.delivery.baseline, view.delivery.allocated_hours
    if baseline is None or not allocated:
        return
    total = sum(allocated.values(), start=Decimal(0))
    if differs(baseline.hours, total, allowed.allocation_percent):
        yield rule.disconnect(
            f"The baseline plans {hours(baseline.hours)}, people are allocated for {hours(total)}.",
            (baseline.said, view.delivery.allocated),
        )
