"""Decide on amendments, the contract documents of change orders; each change has one.

Several may be open. An unsigned draft is updated automatically: when another amendment moves the
finish of the contract, its own finish moves by as many days; when its change is assessed or priced
again, it is drafted again.
"""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Self, TypeVar

from pydantic import Field, model_validator

from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from chassis.domain.ids import derived
from contracts.documents import AMENDMENT, UNSEALED, seal
from contracts.event import Event
from contracts.legal import AmendmentDrafted, AmendmentSigned
from contracts.money import ItemMoney, Money
from contracts.values import (
    BillingItem,
    BillingKind,
    ContentHash,
    Day,
    Deliverable,
    Identifier,
    Pricing,
    Signatory,
    Text,
    days_after,
)
from legal.billing_terms import schedule_faults
from legal.state import (
    Amendment,
    Change,
    Contract,
    Engagement,
    decide,
    require_open,
    require_past,
)

T = TypeVar("T")


class DraftAmendment(Command):
    """Draft the amendment of an approved change, or draft it again with other terms until signed.

    Fields that are not given are taken from the change: its price, its deliverables, and the finish
    of the contract plus its days. By default a price increase is billed by time where the contract
    is priced by time and materials (the hours of the change are billed as worked), else on
    acceptance of the added deliverables, else on the new finish.
    """

    change: Identifier
    price_delta: ItemMoney | None = None
    finishes_on: Day | None = None
    scope_delta: Text | None = None
    deliverables_added: Annotated[tuple[Deliverable, ...], Field(max_length=200)] | None = None
    deliverables_descoped: Annotated[tuple[Identifier, ...], Field(max_length=200)] | None = None
    billing_schedule: Annotated[tuple[BillingItem, ...], Field(max_length=500)] | None = None


class SignAmendment(Command):
    """Record that both parties signed the amendment with this `content_hash`."""

    amendment: Identifier
    content_hash: ContentHash
    signatories: tuple[Signatory, Signatory]

    @model_validator(mode="after")
    def _of_both_parties(self) -> Self:
        if self.signatories[0].party == self.signatories[1].party:
            raise ValueError("signatories must be one of the company and one of the customer")
        return self


@decide.on(DraftAmendment)
def draft_amendment(
    state: Engagement, command: DraftAmendment, context: Context
) -> Iterator[Event]:
    """Draft the amendment; a draft that equals the last one changes nothing.

    Raises Refused where no contract is signed, the change is unknown or not ready, the amendment is
    signed, or its terms are inconsistent.
    """
    require_open(state)
    contract = _contract(state)
    change = state.changes.get(command.change)
    if change is None:
        raise Refused("change-unknown", f"Delivery has no change {command.change}")
    existing = state.amendments.get(amendment_of(command.change))
    if existing and existing.signed:
        raise Refused(
            "amendment-signed",
            f"amendment {existing.drafted.amendment} was signed on {existing.signed.signed_on}",
        )
    gate("change-not-ready", unready(command.change, change))
    event = _drafted(contract, command, change)
    gate("amendment-inconsistent", faults(contract, event))
    if existing is None or existing.drafted != event:
        yield event


@decide.on(SignAmendment)
def sign_amendment(state: Engagement, command: SignAmendment, context: Context) -> Iterator[Event]:
    """Record the signatures of both parties, dated by the later one.

    Raises Refused where the content is not the last draft or no longer fits the change and the
    contract, another signature is recorded, or the day is in the future, before the contract or
    before the approval of the change.
    """
    require_open(state)
    contract = _contract(state)
    amendment = state.amendments.get(command.amendment)
    if amendment is None:
        raise Refused("amendment-unknown", f"amendment {command.amendment} has not been drafted")
    drafted = amendment.drafted
    if command.content_hash != drafted.content_hash:
        raise Refused(
            "content-differs",
            f"the signed content ({command.content_hash}) is not amendment {drafted.amendment}"
            f" ({drafted.content_hash})",
        )
    if amendment.signed:
        if set(amendment.signed.signatories) == set(command.signatories):
            return
        raise Refused(
            "amendment-signed",
            f"amendment {drafted.amendment} was signed on {amendment.signed.signed_on}",
        )
    change = state.changes.get(drafted.change, Change())
    gate("change-not-ready", unready(drafted.change, change))
    gate("amendment-inconsistent", _unfit(contract, amendment, change))
    signed_on = max(each.signed_on for each in command.signatories)
    require_past(signed_on, context.today, f"amendment {drafted.amendment} was signed")
    earliest = max(contract.signed_on, change.approved_on or contract.signed_on)
    if signed_on < earliest:
        raise Refused(
            "date-before-approval",
            f"{drafted.amendment} cannot be signed on {signed_on}, before the contract was signed"
            f" and the change approved ({earliest})",
        )
    yield AmendmentSigned(
        amendment=drafted.amendment,
        change=drafted.change,
        content_hash=drafted.content_hash,
        price_delta=drafted.price_delta,
        finishes_on=drafted.finishes_on,
        deliverables_added=drafted.deliverables_added,
        deliverables_descoped=drafted.deliverables_descoped,
        billing_schedule=drafted.billing_schedule,
        signatories=command.signatories,
        signed_on=signed_on,
    )


def amendment_of(change: str) -> str:
    """Return the id of a change's amendment: ``A-`` and the change id, or its hash if too long."""
    return f"A-{change if len(change) <= 62 else derived(change)}"


def due(state: Engagement, name: str, change: Change) -> Iterator[AmendmentDrafted]:
    """Yield the draft that a ready change needs: its first, or a new one where its basis changed.

    A first draft, or one for a changed assessment or price, is left out where it has faults.
    """
    contract = state.contract
    if contract is None or any(unready(name, change)):
        return
    existing = state.amendments.get(amendment_of(name))
    if existing is None or (not existing.signed and any(_outdated(existing, change))):
        event = _drafted(contract, DraftAmendment(change=name), change)
        if not any(faults(contract, event)):
            yield event
    elif not existing.signed and existing.contract_finish != contract.finishes_on:
        yield _with_finish(existing, contract.finishes_on)


def unready(name: str, change: Change) -> Iterator[Missing]:
    """Yield what is missing before the amendment of a change can be drafted."""
    if change.assessed is None:
        yield Missing("change-not-assessed", f"Delivery has not assessed {name}", "delivery")
    if not change.priced:
        sentence = f"Finance has not priced the last assessment of {name}"
        yield Missing("change-not-priced", sentence, "finance")
    if change.verdict == "rejected":
        why = change.why_rejected or "no reason given"
        yield Missing("change-rejected", f"change {name} was rejected: {why}", "delivery")
    elif change.verdict is None:
        yield Missing("change-not-approved", f"the customer has not approved {name}", "delivery")


def waits_for(state: Engagement, name: str, change: Change) -> Iterator[Missing]:
    """Yield what is missing before the amendment can be drafted or, once drafted, signed."""
    amendment, contract = state.amendments.get(amendment_of(name)), state.contract
    missing = tuple(unready(name, change))
    if amendment and amendment.signed:
        return
    yield from missing
    if contract is None:
        yield Missing("sow-not-signed", "no statement of work is signed yet", "legal")
    elif not missing:
        yield from (
            _unfit(contract, amendment, change)
            if amendment
            else faults(contract, _drafted(contract, DraftAmendment(change=name), change))
        )


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


def _unfit(contract: Contract, amendment: Amendment, change: Change) -> Iterator[Missing]:
    """Yield why a drafted amendment cannot be signed as it is."""
    yield from _outdated(amendment, change)
    yield from faults(contract, amendment.drafted)


def _outdated(amendment: Amendment, change: Change) -> Iterator[Missing]:
    """Yield a fault where the change was assessed or priced again after the draft."""
    drafted = amendment.drafted
    if (amendment.assessed, amendment.price) != (change.assessed, change.price):
        yield Missing(
            "amendment-outdated",
            f"{drafted.change} was assessed or priced again after {drafted.amendment} was drafted",
            "legal",
        )


def _drafted(contract: Contract, command: DraftAmendment, change: Change) -> AmendmentDrafted:
    """Return the draft with the terms of the command, else those of the assessed, priced change."""
    assessed, price = change.assessed, command.price_delta or change.price
    if assessed is None or price is None:
        raise TypeError(f"{command.change} is neither assessed nor priced")
    amendment = amendment_of(command.change)
    added = _given(command.deliverables_added, assessed.deliverables_added)
    descoped = _given(command.deliverables_descoped, assessed.deliverables_descoped)
    finishes_on = command.finishes_on or days_after(contract.finishes_on, assessed.days)
    description = (
        change.requested.description if change.requested else f"Change order {command.change}"
    )
    return seal(
        AMENDMENT,
        AmendmentDrafted(
            amendment=amendment,
            change=command.change,
            content_hash=UNSEALED,
            price_delta=price,
            finishes_on=finishes_on,
            scope_delta=command.scope_delta or description,
            deliverables_added=added,
            deliverables_descoped=descoped,
            billing_schedule=_given(
                command.billing_schedule,
                _billing(contract.pricing, amendment, price, added, finishes_on),
            ),
        ),
    )


def _billing(
    pricing: Pricing,
    amendment: str,
    price: Money,
    added: tuple[Deliverable, ...],
    finishes_on: date,
) -> tuple[BillingItem, ...]:
    """Return the default billing schedule of an amendment (see DraftAmendment)."""
    if price.amount <= 0:
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


def _with_finish(amendment: Amendment, finish: date) -> AmendmentDrafted:
    """Return the draft moved by as many days as the contract's finish moved."""
    drafted = amendment.drafted
    own = days_after(finish, (drafted.finishes_on - amendment.contract_finish).days)
    schedule = tuple(
        item.model_copy(update={"due_on": own}) if item.due_on == drafted.finishes_on else item
        for item in drafted.billing_schedule
    )
    return seal(
        AMENDMENT,
        drafted.model_copy(update={"finishes_on": own, "billing_schedule": schedule}),
    )


def _given(value: T | None, default: T) -> T:
    return default if value is None else value


def _contract(state: Engagement) -> Contract:
    if state.contract is None:
        raise Refused(
            "sow-not-signed", "no statement of work is signed: draft its next version instead"
        )
    return state.contract
