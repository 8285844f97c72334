"""Rules about change orders that only some departments have approved, planned or priced."""

from collections.abc import Iterable
from datetime import date

from contracts.lines import LineChange
from gateway.rules.rule import Disconnect, Rule, Rules, Tolerances, day
from gateway.view.engagement_view import View
from gateway.view.sections.steps import AmendmentVerdict

rules = Rules()


@rules.register("change-not-approved", title="Change without approval", owner="delivery")
def implemented_unapproved(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find changes that are implemented or planned and that the customer has not approved."""
    baseline = view.delivery.baseline
    for change in view.delivery.changes.values():
        built = change.implemented
        planned = (
            baseline.said if baseline is not None and change.change in baseline.changes else None
        )
        if change.approved is None and (built or planned):
            verb = "is built" if built else "is in the baseline"
            yield rule.disconnect(
                f"Change {change.change} {verb} and the customer has not approved it.",
                (change.requested, built or planned),
                about=change.change,
                stake=view.finance.price_of_change(change.change),
                severity="serious",
            )


@rules.register("change-not-followed", title="Change approved, not followed", owner="legal")
def approved_unfollowed(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find approved changes that are missing in the contract, the plan or the budget.

    A change that was rejected before its amendment was signed is not followed any more.
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
            yield rule.disconnect(
                f"Change {change.change} was approved on {day(on)} and is not yet in "
                f"{' nor in '.join(absent)}.",
                (approved, baseline.said if baseline else None),
                owner="legal" if "the contract" in absent else "delivery",
                about=change.change,
                stake=view.finance.price_of_change(change.change),
                days=(today - on).days,
            )


@rules.register("amendment-differs", title="Amendment differs from the change", owner="legal")
def amendment_differs(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find signed amendments of other terms than the priced change that were not approved as such.

    Delivery and Finance approve an amendment by the hash of its content.
    """
    for amendment in view.legal.signed_amendments():
        priced = view.finance.changes_priced.get(amendment.change)
        if priced is None or _terms(amendment.changes) == _terms(priced.event.changes):
            continue
        reviews = (
            view.delivery.amendment_reviews.get(amendment.amendment),
            view.finance.amendment_reviews.get(amendment.amendment),
        )
        approved = AmendmentVerdict(amendment.content_hash, "approved")
        if all(review is not None and review.event == approved for review in reviews):
            continue
        yield rule.disconnect(
            f"Amendment {amendment.amendment} changes the price by {amendment.price_delta}; "
            f"change {amendment.change} was priced at {priced.event.price}"
            + (
                "."
                if amendment.price_delta != priced.event.price
                else ", with other changes of the lines."
            ),
            (priced.said, amendment.signed),
            about=amendment.amendment,
            stake=amendment.price_delta - priced.event.price,
            severity="serious",
        )


def _terms(changes: Iterable[LineChange]) -> set[object]:
    """Return what was agreed about each line: its price, hours and deliverables."""
    return {
        (
            change.line,
            change.price_delta,
            frozenset((each.role, each.hours) for each in change.hours),
            frozenset(each.deliverable for each in change.deliverables_added),
            frozenset(change.deliverables_removed),
        )
        for change in changes
    }
