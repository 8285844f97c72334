"""Rules about change orders that only some departments have approved, planned or priced."""

from collections import Counter
from collections.abc import Iterable
from datetime import date

from contracts.default_billing import with_default_billing
from contracts.lines import BillingItem, LineChange
from contracts.money import Money
from contracts.reference import Tolerances
from contracts.values import days_after
from gateway.formatting import day
from gateway.rules.amounts import difference, price_of_lines, total
from gateway.rules.rule import Disconnect, End, Rule, Rules
from gateway.rules.sides import side
from gateway.view.engagement_view import View
from gateway.view.sections.finance.prices import PricedChange
from gateway.view.sections.legal import Amendment
from gateway.view.sections.steps import AmendmentVerdict

rules = Rules()


@rules.register(
    "change-not-approved",
    title="Change without approval",
    owner="delivery",
    command="approve-change",
)
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
            priced = view.finance.changes_priced.get(change.change)
            yield rule.disconnect(
                f"Change {change.change} {verb} and the customer has not approved it.",
                (change.requested, built or planned),
                sides=(
                    side("delivery", f"change {change.change} {verb}", built or planned),
                    side("delivery", "not approved by the customer", change.requested)
                    if priced is None
                    else side(
                        "finance", f"priced at {priced.event.price}, not approved", priced.said
                    ),
                ),
                about=change.change,
                exposure=price_of_lines(view, [each.line for each in change.changes]),
                at_stake=view.finance.price_of_change(change.change),
                severity="serious",
            )


@rules.register(
    "change-not-followed",
    title="Change approved, not followed",
    owner="legal",
    command="draft-amendment",
)
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
        absent: list[tuple[str, End]] = []
        if not signed:
            command = "draft-amendment" if amendment is None else "sign-amendment"
            absent.append(("the contract", End("legal", command)))
        if baseline is None or change.change not in baseline.changes:
            absent.append(("the plan", End("delivery", "baseline-plan")))
        if budget is None or change.change not in budget.amended_for:
            absent.append(("budget and billing schedule", End("finance", "catch-up")))
        if absent:
            yield rule.disconnect(
                f"Change {change.change} was approved on {day(on)} and is not yet in "
                f"{' nor in '.join(where for where, _ in absent)}.",
                (approved, baseline.said if baseline else None),
                sides=(
                    side("delivery", f"change {change.change} approved", approved, on=on),
                    side(absent[0][1].owner, f"not in {absent[0][0]}"),
                ),
                end=absent[0][1],
                about=change.change,
                exposure=price_of_lines(view, [each.line for each in change.changes]),
                at_stake=view.finance.price_of_change(change.change),
                days=(today - on).days,
            )


@rules.register(
    "amendment-differs",
    title="Amendment differs from the change",
    owner="legal",
    command="draft-amendment",
)
def amendment_differs(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find signed amendments of other terms than the priced change that were not approved as such.

    Both are billed by default where they do not say how (`with_default_billing`). Delivery and
    Finance approve an amendment by the hash of its content.
    """
    for amendment in view.legal.signed_amendments():
        priced = view.finance.changes_priced.get(amendment.change)
        if priced is None:
            continue
        finish = _approved_finish(view, amendment)
        moved = finish is not None and amendment.finishes_on != finish
        signed, agreed = (
            _billed(amendment, changes, finish)
            for changes in (amendment.changes, priced.event.changes)
        )
        same_scope = _terms(signed) == _terms(agreed)
        if same_scope and _billing(signed) == _billing(agreed) and not moved:
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
                if amendment.price_delta != priced.event.price or moved
                else ", and is to be billed otherwise."
                if same_scope
                else ", with other changes of the lines."
            )
            + (
                f" It finishes on {day(amendment.finishes_on)}, the change on {day(finish)}."
                if moved and finish
                else ""
            ),
            (priced.said, amendment.signed),
            sides=(
                side(
                    "finance",
                    f"priced at {priced.event.price}"
                    + (f", finish on {day(finish)}" if moved and finish else ""),
                    priced.said,
                ),
                side(
                    "legal",
                    f"signed {amendment.price_delta}"
                    + (f", finish on {day(amendment.finishes_on)}" if moved else "")
                    + ("" if same_scope else ", with other changes of the lines"),
                    amendment.signed,
                ),
            ),
            about=amendment.amendment,
            exposure=price_of_lines(view, _differing(signed, agreed)),
            at_stake=_price_difference(amendment, priced.event),
            days=abs((amendment.finishes_on - finish).days) if moved and finish else None,
            severity="serious",
        )


def _approved_finish(view: View, amendment: Amendment) -> date | None:
    """Return the finish of the contract as the change moves it, or None where it is unknown."""
    change = view.delivery.changes.get(amendment.change)
    if change is None or change.assessed is None or amendment.finish_before is None:
        return None
    return days_after(amendment.finish_before, change.days)


def _billed(
    amendment: Amendment, changes: Iterable[LineChange], finish: date | None
) -> list[LineChange]:
    """Return changes of lines with the default billing on the contract before the signature.

    Where the finish that was approved is unknown, it is that of the amendment.
    """
    before = {line.line: line for line in amendment.lines_before}
    finishes_on = finish or amendment.finishes_on
    return [
        with_default_billing(before.get(each.line), each, finishes_on, "default", "Default")
        for each in changes
    ]


def _differing(signed: Iterable[LineChange], priced: Iterable[LineChange]) -> list[str]:
    """Return the ids of the lines about which other terms were signed than priced."""
    signed_terms, priced_terms = (
        {change.line: (_terms([change]), _billing([change])) for change in changes}
        for changes in (signed, priced)
    )
    return [
        line
        for line in {**signed_terms, **priced_terms}
        if signed_terms.get(line) != priced_terms.get(line)
    ]


def _price_difference(amendment: Amendment, priced: PricedChange) -> Money | None:
    """Return by how much the prices differ, in total or else by line.

    Return None where only hours, deliverables or billing differ, which have no price of their own.
    """
    if amendment.price_delta != priced.price:
        return difference(amendment.price_delta, priced.price)
    deltas: dict[str, Money] = {change.line: change.price_delta for change in amendment.changes}
    for change in priced.changes:
        known = deltas.get(change.line)
        deltas[change.line] = known - change.price_delta if known else change.price_delta
    by_line = total(deltas.values())
    return by_line if by_line is not None and by_line.amount else None


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


def _billing(changes: Iterable[LineChange]) -> set[object]:
    """Return how the billing schedule of each line changes, without descriptions.

    The ids of added entries say nothing.
    """
    return {
        (
            change.line,
            frozenset(Counter(map(_due, change.billing_added)).items()),
            frozenset((each.item, _due(each)) for each in change.billing_changed),
            frozenset(change.billing_removed),
        )
        for change in changes
    }


def _due(item: BillingItem) -> object:
    """Return what an entry bills, and when."""
    return item.kind, item.amount, item.due_on, frozenset(item.deliverables), item.reduces
