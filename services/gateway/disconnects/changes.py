"""Changes that one department made and another did not hear of, or did not follow."""

from collections.abc import Iterable
from datetime import date

from gateway.disconnects.finding import Finding, Tolerances, day, found
from gateway.fold import View


def implemented_unapproved(view: View, today: date, allowed: Tolerances) -> Iterable[Finding]:
    """A change was built, or planned, that the customer never approved."""
    baseline = view.delivery.baseline
    for change in view.delivery.changes.values():
        built = change.implemented
        planned = (
            baseline.said if baseline is not None and change.change in baseline.changes else None
        )
        if change.approved is None and (built or planned):
            verb = "is built" if built else "is in the baseline"
            yield found(
                "change-not-approved",
                f"Change {change.change} {verb} and the customer has not approved it.",
                (change.requested, built or planned),
                "delivery",
                about=change.change,
                stake=view.finance.changes_priced.get(change.change),
                severity="serious",
            )


def approved_unfollowed(view: View, today: date, allowed: Tolerances) -> Iterable[Finding]:
    """The customer approved a change; the plan, the contract or the billing does not show it.

    One that was given up before it was signed needs no following.
    """
    baseline, budget = view.delivery.baseline, view.finance.budget
    for change in view.delivery.changes.values():
        approved, on = change.approved, change.approved_on
        if approved is None or on is None or (today - on).days < allowed.report_grace_days:
            continue
        amendment = view.legal.amendment_of(change.change)
        signed = amendment is not None and amendment.signed is not None
        if change.rejected and not signed:
            continue
        absent = []
        if not signed:
            absent.append("the contract")
        if baseline is None or change.change not in baseline.changes:
            absent.append("the plan")
        if budget is None or change.change not in budget.amended_for:
            absent.append("budget and billing schedule")
        if absent:
            yield found(
                "change-not-followed",
                f"Change {change.change} was approved on {day(on)} and is not yet in "
                f"{' nor in '.join(absent)}.",
                (approved, baseline.said if baseline else None),
                "legal" if "the contract" in absent else "delivery",
                about=change.change,
                stake=view.finance.changes_priced.get(change.change),
                days=(today - on).days,
            )
