"""Compute the lines of the contract after an amendment, with billing that adds up to their prices.

An amendment may add billing of its own. What it leaves open is billed as the line bills, and what a
lower price takes away is taken from the entries of the line, invoiced ones last.
"""

from collections.abc import Callable

from chassis.domain.ids import derived_id
from contracts.legal import AmendmentSigned
from contracts.lines import HOURLY, BillingItem, ContractLine, LineChange, changed_lines
from contracts.money import Money
from finance.billing.schedule import unused

Amount = Callable[[str], Money]
"""Function that returns an amount of an entry of the schedule, by its id."""


def amended_lines(
    lines: tuple[ContractLine, ...],
    amendment: AmendmentSigned,
    *,
    invoiced: Amount,
    given_back: Amount,
) -> tuple[ContractLine, ...]:
    """Return all lines after the amendment; the billing of each adds up to its price.

    `invoiced` returns the invoiced amount of an entry, without drafts and without what is billed
    again; `given_back` returns how much of that was given back for good. Raises ValueError where
    the amendment does not fit the lines.
    """
    taken = {item.item for line in lines for item in line.billing}
    billing = {line.line: line.billing for line in lines}
    changes = {
        each.line: _with_new_ids(
            _keeping_invoices(each, billing.get(each.line, ()), invoiced, given_back),
            taken,
            amendment,
        )
        for each in amendment.changes
    }
    gone = {*amendment.deliverables_removed}
    after = [
        line
        if line.kind == "discount"
        else _completed(line, changes.get(line.line), amendment, taken, gone, invoiced, given_back)
        for line in changed_lines(lines, changes.values())
    ]
    left = {item.item: item.amount for line in after for item in line.billing if not item.reduces}
    return tuple(
        _discount(line, left, amendment, taken, invoiced) if line.kind == "discount" else line
        for line in after
    )


def _keeping_invoices(
    change: LineChange, billing: tuple[BillingItem, ...], invoiced: Amount, given_back: Amount
) -> LineChange:
    """Return the change without the removal of what is invoiced and not given back.

    Otherwise it would be billed again by the entries that replace it.
    """
    changed = {item.item: item for item in change.billing_changed}
    for item in billing:
        kept = min(item.amount, invoiced(item.item) - given_back(item.item))
        after = changed.get(item.item)
        if kept.amount <= 0 or (after is None and item.item not in change.billing_removed):
            continue
        if after is None or after.amount < kept:
            changed[item.item] = (after or item).model_copy(update={"amount": kept})
    removed = tuple(name for name in change.billing_removed if name not in changed)
    return change.model_copy(
        update={"billing_changed": tuple(changed.values()), "billing_removed": removed}
    )


def _with_new_ids(change: LineChange, taken: set[str], amendment: AmendmentSigned) -> LineChange:
    """Return the change with other ids for added entries whose ids are in use."""
    added = []
    for item in change.billing_added:
        name = item.item
        if name in taken:
            name = unused(derived_id(name, amendment.amendment), taken)
        taken.add(name)
        added.append(item.model_copy(update={"item": name}))
    return change.model_copy(update={"billing_added": tuple(added)})


def _completed(
    line: ContractLine,
    change: LineChange | None,
    amendment: AmendmentSigned,
    taken: set[str],
    gone: set[str],
    invoiced: Amount,
    given_back: Amount,
) -> ContractLine:
    rest = line.price - line.billed
    if rest.amount > 0:
        billing = _extended(line, change, amendment, rest, taken)
    else:
        billing = _reduced(line.billing, -rest, gone, invoiced, given_back)
    return _with_billing(line, tuple(_acceptable(line, each, gone, amendment) for each in billing))


def _acceptable(
    line: ContractLine, item: BillingItem, gone: set[str], amendment: AmendmentSigned
) -> BillingItem:
    """Return an entry that can fall due although its deliverables were removed.

    What is left of an entry for removed deliverables only is billed on acceptance of the line's
    other deliverables or, where there are none, on the new finish.
    """
    if item.kind != "on-acceptance" or not gone.issuperset(item.deliverables):
        return item
    if line.deliverables:
        return item.model_copy(update={"deliverables": line.deliverables})
    on_date = {"kind": "on-date", "due_on": amendment.finishes_on, "deliverables": ()}
    return item.model_copy(update=on_date)


def _with_billing(line: ContractLine, billing: tuple[BillingItem, ...]) -> ContractLine:
    return line.model_copy(update={"billing": billing})


def _extended(
    line: ContractLine,
    change: LineChange | None,
    amendment: AmendmentSigned,
    rest: Money,
    taken: set[str],
) -> tuple[BillingItem, ...]:
    """Return the billing with the rest of the price.

    A line by time and materials or at cost bills it as time, a retainer by its months, another line
    on acceptance of the added deliverables or, where there are none, on the new finish.
    """
    if line.pricing == "retainer":
        for place, item in enumerate(line.billing):
            if item.kind == "period":
                more = item.model_copy(update={"amount": item.amount + rest})
                return (*line.billing[:place], more, *line.billing[place + 1 :])
    added = tuple(each.deliverable for each in (change.deliverables_added if change else ()))
    hourly, retainer = line.pricing in HOURLY, line.pricing == "retainer"
    name = unused(derived_id("amendment", amendment.amendment), taken)
    taken.add(name)
    on_acceptance = bool(added) and not hourly and not retainer
    item = BillingItem(
        item=name,
        kind="time"
        if hourly
        else "period"
        if retainer
        else "on-acceptance"
        if on_acceptance
        else "on-date",
        amount=rest,
        due_on=None if hourly or retainer or on_acceptance else amendment.finishes_on,
        deliverables=added if on_acceptance else (),
        description=f"Change {amendment.change}",
    )
    return (*line.billing, item)


def _reduced(
    schedule: tuple[BillingItem, ...],
    less: Money,
    gone: set[str],
    invoiced: Amount,
    given_back: Amount,
) -> tuple[BillingItem, ...]:
    """Return the schedule reduced by `less`; invoiced amounts that were kept are reduced last.

    The order is: uninvoiced amounts for removed deliverables; invoiced amounts that were given back
    before the amendment was signed; other uninvoiced amounts; other invoiced amounts, which then
    have to be credited. Later entries are reduced before earlier ones.
    """
    order = sorted(
        range(len(schedule)),
        key=lambda place: (bool(gone.intersection(schedule[place].deliverables)), place),
        reverse=True,
    )
    parts: tuple[dict[int, Money], ...] = ({}, {}, {}, {})
    descoped, returned, waiting, kept = parts
    for place, item in enumerate(schedule):
        billed = min(invoiced(item.item), item.amount)
        kept[place] = min(billed, invoiced(item.item) - given_back(item.item))
        returned[place] = billed - kept[place]
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


def _discount(
    line: ContractLine,
    left: dict[str, Money],
    amendment: AmendmentSigned,
    taken: set[str],
    invoiced: Amount,
) -> ContractLine:
    """Return a discount that adds up to its price and reduces entries by what is `left` of them.

    A part that reduces no entry yet reduces the last entry that is large enough without what is
    invoiced, else the last that is large enough, or else several. It is billed with them. Raises
    ValueError where not enough is left.
    """
    rest, billing = line.price, list[BillingItem]()
    for item in line.billing:
        if item.reduces in left:
            amount = max(item.amount, rest, -left[item.reduces])
            if amount.amount < 0:
                billing.append(item.model_copy(update={"amount": amount}))
                left[item.reduces], rest = left[item.reduces] + amount, rest - amount
    uninvoiced = [name for name, amount in left.items() if -rest <= amount - invoiced(name)]
    fitting = uninvoiced or [name for name, amount in left.items() if -rest <= amount]
    for name in fitting[-1:] or reversed(tuple(left)):
        amount = max(rest, -left[name])
        if amount.amount < 0:
            item_id = unused(derived_id("amendment", amendment.amendment), taken)
            taken.add(item_id)
            billing.append(
                BillingItem(
                    item=item_id,
                    kind="on-signature",
                    amount=amount,
                    reduces=name,
                    description=line.title,
                )
            )
            left[name], rest = left[name] + amount, rest - amount
    if rest.amount:
        raise ValueError(f"{line.line}: the billing of the contract is less than the discounts")
    return _with_billing(line, tuple(billing))
