"""Bill a change of a contract line as an amendment does unless other billing is agreed."""

from datetime import date

from contracts.lines import HOURLY, BillingItem, BillingKind, ContractLine, LineChange


def with_default_billing(
    line: ContractLine | None, change: LineChange, finishes_on: date, item: str, description: str
) -> LineChange:
    """Return the change of a line with its default billing, unless it has some.

    `line` is the line before the change, None where it is new. An increase is billed as one entry
    with this id and description: by time where the line is, else on acceptance of the added
    deliverables, else on the new finish of the contract. The entry of a retainer changes with its
    price. All other billing is left to Finance, which completes the schedule of a line that is
    reduced.
    """
    if change.billing_added or change.billing_changed or change.billing_removed:
        return change
    outline = change.new or line
    if outline is None:
        return change
    pricing = outline.pricing
    if pricing == "retainer" and line:
        return _with_fees(line, change)
    if change.price_delta.amount <= 0 or outline.kind == "discount":
        return change
    added = tuple(each.deliverable for each in change.deliverables_added)
    kind: BillingKind = (
        "time"
        if pricing in HOURLY
        else "period"
        if pricing == "retainer"
        else "on-acceptance"
        if added
        else "on-date"
    )
    entry = BillingItem(
        item=item,
        kind=kind,
        amount=change.price_delta,
        due_on=finishes_on if kind == "on-date" else None,
        deliverables=added if kind == "on-acceptance" else (),
        description=description,
    )
    return change.model_copy(update={"billing_added": (entry,)})


def _with_fees(line: ContractLine, change: LineChange) -> LineChange:
    """Return the change of a retainer with its only entry changed as its price, if it has one."""
    entries = [item for item in line.billing if item.kind == "period"]
    if len(entries) != 1 or not change.price_delta.amount:
        return change
    [item] = entries
    amount = item.amount + change.price_delta
    if amount.amount > 0:
        after = item.model_copy(update={"amount": amount})
        return change.model_copy(update={"billing_changed": (after,)})
    return change.model_copy(update={"billing_removed": (item.item,)})
