"""Set and amend the budget of an engagement: its hours and price.

The budget follows from the version of the statement of work that both parties signed; its hours are
those of the proposal's estimate, with contingency. An amendment changes it by the change order that
also changes the plan. Amendments are applied in the order of their signature.
"""

from collections.abc import Callable, Iterable

from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.ids import derived_id
from contracts.event import Event
from contracts.finance import BudgetAmended, BudgetSet, RevenueMethodChosen
from contracts.legal import AmendmentSigned
from contracts.money import Money
from contracts.values import BillingItem, Pricing, RevenueMethod, ShortText
from finance.billing import credited_on, invoiced_on
from finance.state import Engagement, decide, least, require_running

USUAL_METHOD: dict[Pricing, RevenueMethod] = {
    "fixed-price": "cost-to-cost",
    "time-and-materials": "as-invoiced",
}
"""Revenue method by pricing, unless another was chosen before the budget was set."""


class ChooseRevenueMethod(Command):
    """Choose the revenue method before the budget is set; it is never switched.

    Without a choice, a fixed price is recognised cost-to-cost, and time and materials as invoiced.
    As-invoiced is allowed for time and materials only: elsewhere an invoice does not measure what
    the customer received (IFRS 15.B16).
    """

    method: RevenueMethod
    why: ShortText


@decide.on(ChooseRevenueMethod)
def choose_revenue_method(
    state: Engagement, command: ChooseRevenueMethod, context: Context
) -> Iterable[Event]:
    """Record the method; the pricing must be known and the budget not set.

    Raises Refused where the engagement is over, the budget is set, no statement of work is drafted,
    or the method does not fit its pricing.
    """
    if command.method == (state.budget.revenue_method if state.budget else state.chosen_method):
        return
    require_running(state)
    if state.budget is not None:
        raise Refused(
            "method-fixed",
            f"the budget was set with {state.budget.revenue_method}; a method is never switched",
        )
    if not state.sows:
        raise Refused("sow-unknown", "the method depends on the pricing: wait for Legal's draft")
    pricing = state.sows[max(state.sows)].pricing
    if not _fits(command.method, pricing):
        raise Refused("method-does-not-fit", f"{command.method} does not fit {pricing}")
    yield RevenueMethodChosen(method=command.method, why=command.why)


def budgets(state: Engagement, context: Context) -> Iterable[Event]:
    """Set the budget once the contract and its sources are known, then amend it."""
    if state.budget is None:
        yield from _set(state)
    else:
        yield from _amended(state)


def schedule_after(
    schedule: tuple[BillingItem, ...],
    amendment: AmendmentSigned,
    *,
    hourly: bool,
    invoiced: Callable[[str], Money],
    credited: Callable[[str], Money],
) -> tuple[BillingItem, ...]:
    """Return the schedule with the amendment's additions, or less its reduction.

    If the amendment's own entries do not add up to its increase, the rest is billed as the contract
    bills: by the hour (`hourly`), else on acceptance of the added deliverables, else on the new
    finish. `invoiced` returns the invoiced amount of an entry, without drafts; `credited` returns
    how much of that was credited.
    """
    delta = amendment.price_delta
    taken = {item.item for item in schedule}
    added = [_distinct(item, taken, amendment) for item in amendment.billing_schedule]
    rest = delta - Money.total((item.amount for item in added), delta.currency)
    if rest.amount > 0:
        added.append(_rest(amendment, rest, hourly=hourly))
    less = -least(rest, Money.zero(delta.currency))
    return _reduced([*schedule, *added], less, amendment, invoiced, credited)


def _set(state: Engagement) -> Iterable[Event]:
    sow = state.contract
    proposal = state.proposals.get(sow.proposal_version) if sow else None
    estimate = state.estimates.get(proposal.estimate_version) if proposal else None
    if sow is None or estimate is None or state.currency != sow.price.currency:
        return
    chosen = state.chosen_method
    fits = chosen is not None and _fits(chosen, sow.pricing)
    yield BudgetSet(
        price=sow.price,
        hours=estimate.with_contingency,
        revenue_method=chosen if chosen and fits else USUAL_METHOD[sow.pricing],
        billing_schedule=sow.billing_schedule,
        rates=sow.rates,
    )


def _amended(state: Engagement) -> Iterable[Event]:
    waiting = [one for one in state.amendments if one.amendment not in state.amended]
    budget, sow = state.budget, state.contract
    if not waiting or budget is None or sow is None:
        return
    amendment = waiting[0]
    assessment = state.assessment(amendment.change)
    if assessment is None or amendment.price_delta.currency != budget.price.currency:
        return
    zero = Money.zero(budget.price.currency)
    price = budget.price + amendment.price_delta
    yield BudgetAmended(
        change=amendment.change,
        amendment=amendment.amendment,
        price=max(zero, price),
        hours_delta=assessment.hours,
        billing_schedule=schedule_after(
            budget.schedule,
            amendment,
            hourly=sow.pricing == "time-and-materials",
            invoiced=lambda item: invoiced_on(state, item),
            credited=lambda item: credited_on(state, item),
        ),
    )


def _reduced(
    schedule: list[BillingItem],
    less: Money,
    amendment: AmendmentSigned,
    invoiced: Callable[[str], Money],
    credited: Callable[[str], Money],
) -> tuple[BillingItem, ...]:
    """Return the schedule reduced by `less`; invoiced and uncredited amounts are reduced last.

    The order is: uninvoiced amounts for descoped deliverables; invoiced amounts that were credited
    before the amendment was signed; other uninvoiced amounts; other invoiced amounts, which then
    have to be credited. Later entries are reduced before earlier ones.
    """
    gone = set(amendment.deliverables_descoped)
    order = sorted(
        range(len(schedule)),
        key=lambda place: (bool(gone.intersection(schedule[place].deliverables)), place),
        reverse=True,
    )
    parts: tuple[dict[int, Money], ...] = ({}, {}, {}, {})
    descoped, given_back, waiting, kept = parts
    for place, item in enumerate(schedule):
        billed = least(invoiced(item.item), item.amount)
        kept[place] = least(billed, invoiced(item.item) - credited(item.item))
        given_back[place] = billed - kept[place]
        out = gone.intersection(item.deliverables)
        (descoped if out else waiting)[place] = item.amount - billed
    left = [item.amount for item in schedule]
    for part in parts:
        for place in order:
            taken = least(less, part.get(place, Money.zero(less.currency)))
            left[place], less = left[place] - taken, less - taken
    return tuple(
        item.model_copy(update={"amount": amount})
        for item, amount in zip(schedule, left, strict=True)
        if amount.amount > 0
    )


def _fits(method: RevenueMethod, pricing: Pricing) -> bool:
    return method != "as-invoiced" or pricing == "time-and-materials"


def _distinct(item: BillingItem, taken: set[str], amendment: AmendmentSigned) -> BillingItem:
    if item.item not in taken:
        return item
    return item.model_copy(update={"item": derived_id(item.item, amendment.amendment)})


def _rest(amendment: AmendmentSigned, amount: Money, *, hourly: bool) -> BillingItem:
    item, description = derived_id("amendment", amendment.amendment), f"Change {amendment.change}"
    if hourly:
        return BillingItem(item=item, kind="time", amount=amount, description=description)
    if amendment.deliverables_added:
        return BillingItem(
            item=item,
            kind="on-acceptance",
            amount=amount,
            deliverables=tuple(one.deliverable for one in amendment.deliverables_added),
            description=description,
        )
    return BillingItem(
        item=item,
        kind="on-date",
        amount=amount,
        due_on=amendment.finishes_on,
        description=description,
    )
