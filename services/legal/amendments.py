"""Amendments: the contract's side of a change order. Several may be open, for different changes.

An unsigned draft follows what it rests on: when another amendment moves the contract's finish, its
own moves with it; when the change is assessed or priced anew, it is drafted anew.
"""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Self, TypeVar

from pydantic import Field, model_validator

from chassis.domain.decider import Command, Context, Missing, Refused, derived, gate
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
from legal.state import (
    Amendment,
    Change,
    Contract,
    Engagement,
    decide,
    require_open,
    require_past,
)
from legal.terms import schedule_faults

T = TypeVar("T")


class DraftAmendment(Command):
    """Draft the amendment of an approved change, or draft it otherwise while it is unsigned.

    What is not given follows the change: its price, its days on the contract's finish, its
    deliverables. A price increase is billed by the hour where the contract is, which bills the
    hours of the change already; else on acceptance of the added deliverables, or on the new finish.
    """

    change: Identifier
    price_delta: ItemMoney | None = None
    finishes_on: Day | None = None
    scope_delta: Text | None = None
    deliverables_added: Annotated[tuple[Deliverable, ...], Field(max_length=200)] | None = None
    deliverables_descoped: Annotated[tuple[Identifier, ...], Field(max_length=200)] | None = None
    billing_schedule: Annotated[tuple[BillingItem, ...], Field(max_length=500)] | None = None


class SignAmendment(Command):
    """Record that both parties signed the amendment; `content_hash` is that of what they signed."""

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
    """Only a change that the customer approved at a price becomes a paper."""
    require_open(state)
    contract = _contract(state)
    change = state.changes.get(command.change)
    if change is None:
        raise Refused("change-unknown", f"Delivery knows no change {command.change}")
    existing = state.amendments.get(amendment_of(command.change))
    if existing and existing.signed:
        raise Refused(
            "amendment-already-signed",
            f"amendment {existing.drafted.amendment} was signed on {existing.signed.signed_on}",
        )
    gate("change-not-ready", unready(command.change, change))
    event = _drafted(contract, command, change)
    gate("amendment-inconsistent", faults(contract, event))
    if existing is None or existing.drafted != event:
        yield event


@decide.on(SignAmendment)
def sign_amendment(state: Engagement, command: SignAmendment, context: Context) -> Iterator[Event]:
    """What is signed is what was drafted, and still fits change and contract."""
    require_open(state)
    contract = _contract(state)
    amendment = state.amendments.get(command.amendment)
    if amendment is None:
        raise Refused("amendment-unknown", f"amendment {command.amendment} was never drafted")
    drafted = amendment.drafted
    if command.content_hash != drafted.content_hash:
        raise Refused(
            "signed-content-differs",
            f"what was signed ({command.content_hash}) is not amendment {drafted.amendment}"
            f" ({drafted.content_hash})",
        )
    if amendment.signed:
        if set(amendment.signed.signatories) == set(command.signatories):
            return
        raise Refused(
            "amendment-already-signed",
            f"amendment {drafted.amendment} was signed on {amendment.signed.signed_on}",
        )
    change = state.changes.get(drafted.change, Change())
    gate("change-not-ready", unready(drafted.change, change))
    gate("amendment-inconsistent", _unfit(contract, amendment, change))
    signed_on = max(one.signed_on for one in command.signatories)
    require_past(signed_on, context.today, f"amendment {drafted.amendment} was signed")
    earliest = max(contract.signed_on, change.approved_on or contract.signed_on)
    if signed_on < earliest:
        raise Refused(
            "signed-before-approved",
            f"before {earliest} no approved change of a contract was there to sign,"
            f" and {drafted.amendment} is said to be signed on {signed_on}",
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
    """The id of a change's amendment: ``A-`` and the change's, shortened where it is too long."""
    return f"A-{change if len(change) <= 62 else derived(change)}"


def due(state: Engagement, name: str, change: Change) -> Iterator[AmendmentDrafted]:
    """The draft that a change needs now: its first, or the next where what it rests on moved."""
    contract = state.contract
    if contract is None or any(unready(name, change)):
        return
    existing = state.amendments.get(amendment_of(name))
    if existing is None or (not existing.signed and any(_outdated(existing, change))):
        event = _drafted(contract, DraftAmendment(change=name), change)
        if not any(faults(contract, event)):
            yield event
    elif not existing.signed and existing.contract_finish != contract.finishes_on:
        yield _follow(existing, contract.finishes_on)


def unready(name: str, change: Change) -> Iterator[Missing]:
    """What a change lacks before it can be a paper."""
    if change.assessed is None:
        yield Missing("change-not-assessed", f"Delivery has not assessed {name}", "delivery")
    if not change.priced:
        sentence = f"Finance has not priced {name} as it was last assessed"
        yield Missing("change-not-priced", sentence, "finance")
    if change.verdict == "rejected":
        why = change.why_rejected or "no reason given"
        yield Missing("change-rejected", f"change {name} was rejected: {why}", "delivery")
    elif change.verdict is None:
        yield Missing("change-not-approved", f"the customer has not approved {name}", "delivery")


def waits_for(state: Engagement, name: str, change: Change) -> Iterator[Missing]:
    """What stands between a change and its amendment, or between that and its signature."""
    amendment, contract = state.amendments.get(amendment_of(name)), state.contract
    lacking = tuple(unready(name, change))
    if amendment and amendment.signed:
        return
    yield from lacking
    if contract is None:
        yield Missing("sow-not-signed", "no statement of work is signed yet", "legal")
    elif not lacking:
        yield from (
            _unfit(contract, amendment, change)
            if amendment
            else faults(contract, _drafted(contract, DraftAmendment(change=name), change))
        )


def faults(contract: Contract, draft: AmendmentDrafted) -> Iterator[Missing]:
    """What in an amendment contradicts itself, or the contract as it stands."""
    paper, delta = f"amendment {draft.amendment}", draft.price_delta
    if delta.currency != contract.price.currency:
        yield Missing(
            "currencies-differ", f"{paper} is in {delta.currency}, not {contract.price.currency}"
        )
    elif (contract.price + delta).amount < 0:
        yield Missing(
            "price-below-zero", f"{paper} takes {-delta} from a price of {contract.price}"
        )
    if draft.finishes_on < contract.starts_on:
        yield Missing(
            "finish-before-start", f"{paper} finishes on {draft.finishes_on}, before the start"
        )
    agreed = {part.deliverable for part in contract.deliverables}
    added = [part.deliverable for part in draft.deliverables_added]
    for one in added:
        if one in agreed or added.count(one) > 1:
            yield Missing("repeated-id", f"{paper} adds deliverable {one}, which is agreed already")
    for one in draft.deliverables_descoped:
        if one not in agreed:
            yield Missing("unknown-deliverable", f"{paper} descopes {one}, which is not agreed")
    billed = {item.item for item in contract.billing_schedule}
    for item in draft.billing_schedule:
        if item.item in billed:
            yield Missing("repeated-id", f"{paper} bills {item.item}, which is agreed already")
    left = (agreed | set(added)) - set(draft.deliverables_descoped)
    yield from schedule_faults(draft.billing_schedule, delta, left, paper)


def _unfit(contract: Contract, amendment: Amendment, change: Change) -> Iterator[Missing]:
    yield from _outdated(amendment, change)
    yield from faults(contract, amendment.drafted)


def _outdated(amendment: Amendment, change: Change) -> Iterator[Missing]:
    drafted = amendment.drafted
    if (amendment.assessed, amendment.price) != (change.assessed, change.price):
        yield Missing(
            "amendment-outdated",
            f"{drafted.change} was assessed or priced anew after {drafted.amendment} was drafted",
            "legal",
        )


def _drafted(contract: Contract, command: DraftAmendment, change: Change) -> AmendmentDrafted:
    """The draft for an assessed, priced change: as the command says, else as the change has it."""
    assessed, price = change.assessed, command.price_delta or change.price
    if assessed is None or price is None:
        raise TypeError(f"{command.change} is neither assessed nor priced")
    amendment = amendment_of(command.change)
    added = _given(command.deliverables_added, assessed.deliverables_added)
    descoped = _given(command.deliverables_descoped, assessed.deliverables_descoped)
    finishes_on = command.finishes_on or days_after(contract.finishes_on, assessed.days)
    told = change.requested.description if change.requested else f"Change order {command.change}"
    return seal(
        AMENDMENT,
        AmendmentDrafted(
            amendment=amendment,
            change=command.change,
            content_hash=UNSEALED,
            price_delta=price,
            finishes_on=finishes_on,
            scope_delta=command.scope_delta or told,
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
    if price.amount <= 0:
        return ()
    hourly = pricing == "time-and-materials"
    kind: BillingKind = "time" if hourly else "on-acceptance" if added else "on-date"
    waits_for = added if kind == "on-acceptance" else ()
    return (
        BillingItem(
            item=amendment,
            kind=kind,
            amount=price,
            due_on=finishes_on if kind == "on-date" else None,
            deliverables=tuple(one.deliverable for one in waits_for),
            description=f"Amendment {amendment}",
        ),
    )


def _follow(amendment: Amendment, finish: date) -> AmendmentDrafted:
    """The same draft, as many days from the contract's new finish as it was from the old one."""
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


def _given(said: T | None, otherwise: T) -> T:
    return otherwise if said is None else said


def _contract(state: Engagement) -> Contract:
    if state.contract is None:
        raise Refused("sow-not-signed", "no statement of work is signed: draft its next version")
    return state.contract
