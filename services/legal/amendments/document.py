"""Make the document of an amendment: the terms given, else those of the change; and check it."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, TypeVar

from pydantic import Field

from chassis.domain.commands import Missing
from chassis.domain.ids import derived
from contracts.documents import AMENDMENT, UNSEALED, seal
from contracts.legal import AmendmentDrafted, BillingSchedule
from contracts.money import ItemMoney, Money
from contracts.values import (
    BillingItem,
    BillingKind,
    Day,
    Deliverable,
    Deliverables,
    Identifier,
    Pricing,
    Text,
    Value,
    days_after,
)
from contracts.vocabularies import Unlisted
from legal.amendments.state import Amendment, Change
from legal.policies import schedule_faults
from legal.sows.state import Contract

T = TypeVar("T")


class GivenTerms(Value):
    """The terms of an amendment that counsel gives; the others are those of the change."""

    price_delta: ItemMoney | None = None
    finishes_on: Day | None = None
    scope_delta: Text | None = None
    deliverables_added: Deliverables | None = None
    deliverables_descoped: Annotated[tuple[Identifier, ...], Field(max_length=200)] | None = None
    billing_schedule: BillingSchedule | None = None


def amendment_of(change: str) -> str:
    """Return the id of a change's amendment: ``A-`` and the change id, or its hash if too long."""
    return f"A-{change if len(change) <= 62 else derived(change)}"


def drafted(
    contract: Contract, name: str, change: Change, given: GivenTerms | None = None
) -> AmendmentDrafted:
    """Return the amendment of an assessed and priced change; raises TypeError for another one."""
    given = given or GivenTerms()
    assessed, price = change.assessed, given.price_delta or change.price
    if assessed is None or price is None:
        raise TypeError(f"{name} is neither assessed nor priced")
    amendment = amendment_of(name)
    added = _given(given.deliverables_added, assessed.deliverables_added)
    finishes_on = given.finishes_on or days_after(contract.finishes_on, assessed.days)
    description = change.requested.description if change.requested else f"Change order {name}"
    return seal(
        AMENDMENT,
        AmendmentDrafted(
            amendment=amendment,
            change=name,
            content_hash=UNSEALED,
            price_delta=price,
            finishes_on=finishes_on,
            scope_delta=given.scope_delta or description,
            deliverables_added=added,
            deliverables_descoped=_given(
                given.deliverables_descoped, assessed.deliverables_descoped
            ),
            billing_schedule=_given(
                given.billing_schedule,
                _billing(contract.pricing, amendment, price, added, finishes_on),
            ),
        ),
    )


def _given(value: T | None, default: T) -> T:
    return default if value is None else value


def _billing(
    pricing: Pricing,
    amendment: str,
    price: Money,
    added: tuple[Deliverable, ...],
    finishes_on: date,
) -> tuple[BillingItem, ...]:
    """Return the default billing schedule of an amendment (see DraftAmendment).

    A contract whose pricing this release does not know has no default.
    """
    if price.amount <= 0 or isinstance(pricing, Unlisted):
        return ()
    hourly = pricing == "time-and-materials"
    kind: BillingKind = "time" if hourly else "on-acceptance" if added else "on-date"
    accepted = added if kind == "on-acceptance" else ()
    return (
        BillingItem(
            item=amendment,
            kind=kind,
            amount=price,
            due_on=finishes_on if kind == "on-date" else None,
            deliverables=tuple(each.deliverable for each in accepted),
            description=f"Amendment {amendment}",
        ),
    )


def with_finish(amendment: Amendment, finish: date) -> AmendmentDrafted:
    """Return the draft moved by as many days as the contract's finish moved."""
    known = amendment.drafted
    own = days_after(finish, (known.finishes_on - amendment.contract_finish).days)
    schedule = tuple(
        item.model_copy(update={"due_on": own}) if item.due_on == known.finishes_on else item
        for item in known.billing_schedule
    )
    moved = {"finishes_on": own, "billing_schedule": schedule}
    return seal(AMENDMENT, known.model_copy(update=moved))


def faults(contract: Contract, draft: AmendmentDrafted) -> Iterator[Missing]:
    """Yield the contradictions within an amendment, and between it and the current contract."""
    document, delta = f"amendment {draft.amendment}", draft.price_delta
    if delta.currency != contract.price.currency:
        yield Missing(
            "currency-differs", f"{document} is in {delta.currency}, not {contract.price.currency}"
        )
    elif (contract.price + delta).amount < 0:
        yield Missing(
            "price-below-zero", f"{document} reduces the price of {contract.price} by {-delta}"
        )
    if draft.finishes_on < contract.starts_on:
        yield Missing(
            "finish-before-start",
            f"{document} finishes on {draft.finishes_on}, before the contract starts",
        )
    agreed = {part.deliverable for part in contract.deliverables}
    added = [part.deliverable for part in draft.deliverables_added]
    for deliverable in added:
        if deliverable in agreed or added.count(deliverable) > 1:
            yield Missing(
                "id-repeated", f"{document} adds deliverable {deliverable}, which is already agreed"
            )
    for deliverable in draft.deliverables_descoped:
        if deliverable not in agreed:
            yield Missing(
                "deliverable-unknown", f"{document} descopes {deliverable}, which is not agreed"
            )
    billed = {item.item for item in contract.billing_schedule}
    for item in draft.billing_schedule:
        if item.item in billed:
            yield Missing("id-repeated", f"{document} bills {item.item}, which is already agreed")
    left = (agreed | set(added)) - set(draft.deliverables_descoped)
    yield from schedule_faults(draft.billing_schedule, delta, left, document)
