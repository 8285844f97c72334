"""Make the document of an amendment: the terms given, else those of the change; and check it."""

from collections.abc import Iterator, Sequence
from datetime import date

from pydantic import ValidationError

from chassis.domain.commands import Missing
from chassis.domain.ids import derived
from contracts.default_billing import with_default_billing
from contracts.documents import (
    AMENDMENT,
    STATEMENT_OF_WORK,
    UNSEALED,
    BaseDocument,
    seal,
)
from contracts.legal import AmendmentDrafted
from contracts.line_faults import scope_faults
from contracts.lines import (
    MOST_LINES,
    BillingItem,
    LineChange,
    LineChanges,
    changed_lines,
    total_delta,
)
from contracts.money import Money
from contracts.text import without_prefix
from contracts.values import Day, EngagementId, Text, Value, days_after
from legal.amendments.state import Amendment, Change
from legal.sows.state import Contract


class GivenTerms(Value):
    """The terms of an amendment that counsel gives; the others are those of the change."""

    changes: LineChanges | None = None
    finishes_on: Day | None = None
    scope_delta: Text | None = None


class Agreed(Value):
    """Alterations by an approved change: lines with their default billing, and the finish."""

    changes: LineChanges
    finishes_on: date


def amendment_of(change: str) -> str:
    """Return the id of a change's amendment: ``A-`` and the change id, or its hash if too long."""
    return f"A-{change if len(change) <= 62 else derived(change)}"


def agreed(contract: Contract, name: str, change: Change) -> Agreed:
    """Return what a change alters as it was assessed and priced; raises TypeError for another one.

    Lines have their default billing (`with_default_billing`).
    """
    assessed, priced = change.assessed, change.priced
    if assessed is None or priced is None:
        raise TypeError(f"{name} is neither assessed nor priced")
    finishes_on = days_after(contract.finishes_on, assessed.days)
    return Agreed(
        changes=tuple(
            _billed(contract, amendment_of(name), each, finishes_on) for each in priced.changes
        ),
        finishes_on=finishes_on,
    )


def drafted(
    engagement: EngagementId,
    contract: Contract,
    name: str,
    change: Change,
    given: GivenTerms | None = None,
) -> AmendmentDrafted:
    """Return the amendment of an assessed and priced change; raises TypeError for another one."""
    given, default = given or GivenTerms(), agreed(contract, name, change)
    description = change.requested.description if change.requested else f"Change order {name}"
    changes = given.changes or default.changes
    document = AmendmentDrafted(
        amendment=amendment_of(name),
        change=name,
        content_hash=UNSEALED,
        engagement=engagement,
        company=contract.company,
        customer=contract.customer,
        template=AMENDMENT,
        template_version=1,
        base=BaseDocument(
            title=STATEMENT_OF_WORK
            if contract.version is None
            else f"{STATEMENT_OF_WORK}, version {contract.version}",
            content_hash=contract.content_hash,
        ),
        changes=changes,
        price_delta=total_delta(changes),
        finishes_on=given.finishes_on or default.finishes_on,
        scope_delta=given.scope_delta or description,
    )
    return seal(AMENDMENT, document)


def with_finish(amendment: Amendment, finish: date) -> AmendmentDrafted:
    """Return the draft moved by as many days as the contract's finish moved."""
    known = amendment.drafted
    own = days_after(finish, (known.finishes_on - amendment.contract_finish).days)

    def moved(items: Sequence[BillingItem]) -> tuple[BillingItem, ...]:
        return tuple(
            item.model_copy(update={"due_on": own}) if item.due_on == known.finishes_on else item
            for item in items
        )

    changes = tuple(
        change.model_copy(
            update={
                "billing_added": moved(change.billing_added),
                "billing_changed": moved(change.billing_changed),
            }
        )
        for change in known.changes
    )
    return seal(AMENDMENT, known.model_copy(update={"finishes_on": own, "changes": changes}))


def faults(contract: Contract, draft: AmendmentDrafted) -> Iterator[Missing]:
    """Yield the contradictions within an amendment, and between it and the current contract.

    The billing of a changed line adds up to the change of its price, or is left to Finance.
    """
    document, currency = f"amendment {draft.amendment}", contract.price.currency
    if draft.price_delta.currency != currency:
        sentence = f"{document} is in {draft.price_delta.currency}, not {currency}"
        yield Missing("currency-differs", sentence)
        return
    if draft.finishes_on < contract.starts_on:
        yield Missing(
            "finish-before-start",
            f"{document} finishes on {draft.finishes_on}, before the contract starts",
        )
    unfit = [
        *(Missing(*found) for found in scope_faults(contract.lines, draft.changes)),
        *_price_faults(contract, draft),
        *_billing_faults(contract, draft),
    ]
    yield from unfit
    if not unfit:
        yield from _line_faults(contract, draft)
    yield from _deliverable_faults(contract, draft)


def _billed(
    contract: Contract, amendment: str, change: LineChange, finishes_on: date
) -> LineChange:
    line = next((each for each in contract.lines if each.line == change.line), None)
    item = _item_of(amendment, change.line)
    return with_default_billing(line, change, finishes_on, item, f"Amendment {amendment}")


def _item_of(amendment: str, line: str) -> str:
    name = f"{amendment}-{line}"
    return name if len(name) <= 64 else f"A-{derived(name)}"


def _price_faults(contract: Contract, draft: AmendmentDrafted) -> Iterator[Missing]:
    prices = {line.line: line.price for line in contract.lines if line.kind != "discount"}
    for change in draft.changes:
        price = prices.get(change.line)
        if price is not None and (price + change.price_delta).amount < 0:
            yield Missing(
                "price-below-zero",
                f"amendment {draft.amendment} reduces the price of line {change.line}, {price}, "
                f"by {-change.price_delta}",
            )


def _line_faults(contract: Contract, draft: AmendmentDrafted) -> Iterator[Missing]:
    """Yield the faults of the lines after the changes; those must be known to fit the contract."""
    try:
        after = changed_lines(contract.lines, draft.changes)
    except ValidationError as error:
        why = without_prefix(error.errors()[0]["msg"])
        yield Missing("line-inconsistent", f"a line after amendment {draft.amendment}: {why}")
        return
    changed = {change.line for change in draft.changes}
    removed = {*draft.deliverables_removed}
    for line in after:
        if line.line in changed and line.without_rate:
            roles = ", ".join(line.without_rate)
            yield Missing("rates-missing", f"line {line.line} requires a rate for {roles}")
        still = [each for each in line.deliverables if each in removed]
        if still:
            yield Missing(
                "deliverable-unknown",
                f"line {line.line} pays for {', '.join(still)}, which another line removes",
            )
    if len(after) > MOST_LINES:
        yield Missing(
            "line-inconsistent", f"the contract would have {len(after)} lines, and not {MOST_LINES}"
        )
    price = Money.total((line.price for line in after), contract.price.currency)
    if price.amount < 0:
        yield Missing(
            "price-below-zero",
            f"amendment {draft.amendment} reduces the price of {contract.price} by "
            f"{-draft.price_delta}",
        )


def _deliverable_faults(contract: Contract, draft: AmendmentDrafted) -> Iterator[Missing]:
    document = f"amendment {draft.amendment}"
    known = {part.deliverable for part in contract.deliverables}
    added = [part.deliverable for part in draft.deliverables_added]
    for deliverable in dict.fromkeys(added):
        if deliverable in known or added.count(deliverable) > 1:
            yield Missing(
                "id-repeated", f"{document} adds deliverable {deliverable}, which is already agreed"
            )
    for deliverable in draft.deliverables_removed:
        if deliverable not in known:
            yield Missing(
                "deliverable-unknown", f"{document} removes {deliverable}, which is not agreed"
            )


def _billing_faults(contract: Contract, draft: AmendmentDrafted) -> Iterator[Missing]:
    document = f"amendment {draft.amendment}"
    known = {item.item for line in contract.lines for item in line.billing}
    left = {part.deliverable for part in (*contract.deliverables, *draft.deliverables_added)}
    left -= {*draft.deliverables_removed}
    lines = {line.line: line for line in contract.lines}
    for change in draft.changes:
        before = lines.get(change.line)
        own = {item.item: item.amount for item in before.billing} if before else {}
        for item in change.billing_added:
            if item.item in known:
                yield Missing(
                    "id-repeated", f"{document} bills {item.item}, which is already agreed"
                )
            known.add(item.item)
        named = (*(item.item for item in change.billing_changed), *change.billing_removed)
        for name in named:
            if name not in own:
                yield Missing(
                    "billing-item-unknown", f"line {change.line} has no billing entry {name}"
                )
        for item in (*change.billing_added, *change.billing_changed):
            unknown = [each for each in item.deliverables if each not in left]
            if unknown:
                yield Missing(
                    "deliverable-unknown",
                    f"billing entry {item.item} waits for {', '.join(unknown)}, not part of "
                    f"{document}",
                )
        zero = Money.zero(change.price_delta.currency)
        given = (item.amount for item in (*change.billing_added, *change.billing_changed))
        replaced = (own.get(name, zero) for name in named)
        billed = Money.total(given, zero.currency) - Money.total(replaced, zero.currency)
        if (named or change.billing_added) and billed != change.price_delta:
            yield Missing(
                "billing-schedule-differs",
                f"{document} changes the billing of line {change.line} by {billed}, its price by "
                f"{change.price_delta}",
            )
