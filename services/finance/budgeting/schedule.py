"""Compute the billing schedule after an amendment."""

from collections.abc import Callable

from chassis.domain.ids import derived_id
from contracts.legal import AmendmentSigned
from contracts.money import Money
from contracts.values import BillingItem


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
    less = -min(rest, Money.zero(delta.currency))
    return _reduced([*schedule, *added], less, amendment, invoiced, credited)


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
        billed = min(invoiced(item.item), item.amount)
        kept[place] = min(billed, invoiced(item.item) - credited(item.item))
        given_back[place] = billed - kept[place]
        out = gone.intersection(item.deliverables)
        (descoped if out else waiting)[place] = item.amount - billed
    left = [item.amount for item in schedule]
    for part in parts:
        for place in order:
            taken = min(less, part.get(place, Money.zero(less.currency)))
            left[place], less = left[place] - taken, less - taken
    return tuple(
        item.model_copy(update={"amount": amount})
        for item, amount in zip(schedule, left, strict=True)
        if amount.amount > 0
    )


def _distinct(item: BillingItem, taken: set[str], amendment: AmendmentSigned) -> BillingItem:
    if item.item not in taken:
        return item
    return item.model_copy(update={"item": derived_id(item.item, amendment.amendment)})


def _rest(amendment: AmendmentSigned, amount: Money, *, hourly: bool) -> BillingItem:
    added = tuple(each.deliverable for each in amendment.deliverables_added)
    return BillingItem(
        item=derived_id("amendment", amendment.amendment),
        kind="time" if hourly else "on-acceptance" if added else "on-date",
        amount=amount,
        due_on=None if hourly or added else amendment.finishes_on,
        deliverables=() if hourly else added,
        description=f"Change {amendment.change}",
    )
