"""Decide on amendments, the contract documents of change orders; each change has one.

Several may be open. An unsigned draft is updated automatically: when another amendment moves the
finish of the contract, its own finish moves by as many days; when its change is assessed or priced
again, it is drafted again.

A draft whose changes or finish differ from the approved change is signed only after Delivery and
Finance approved its content.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Literal, Self

from pydantic import model_validator

from chassis.base.view_model import ViewModel
from chassis.domain.authority import require_signatory
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, gate, refused_field
from chassis.domain.context import Context
from chassis.domain.rules import past_day, unless_recorded
from contracts.delivery import ChangeAssessed, ChangeRequested
from contracts.event import Event
from contracts.legal import AmendmentDrafted, AmendmentSigned, AmendmentTerms
from contracts.money import Money
from contracts.values import ContentHash, Identifier, Signatory
from legal.amendments import work_items
from legal.amendments.document import (
    GivenTerms,
    amendment_of,
    drafted,
    faults,
    with_finish,
)
from legal.amendments.readiness import missing_reviews, outdated, unfit, unready
from legal.amendments.state import Amendment, Change
from legal.engagement import Engagement
from legal.policies import is_before, missing_agreement, require_open
from legal.roles import CONTRACTS
from legal.sows.state import Contract

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)


class DraftAmendment(GivenTerms, Command):
    """Draft the amendment of an approved change, or draft it again with other terms until signed.

    Fields that are not given are taken from the change: its lines with their prices, and the finish
    of the contract plus its days. Lines are billed as given there. By default an increase is billed
    by time where the line is by time and materials (the hours of the change are billed as worked),
    else on acceptance of the added deliverables, else on the new finish; a retainer by its new fee.
    The billing of a line that is given adds up to the change of its price; where none is given,
    Finance completes it.
    """

    change: Identifier


class SignAmendment(Command):
    """Record that both parties signed the amendment with this `content_hash`.

    Who may sign is the same as for the statement of work.
    """

    amendment: Identifier
    content_hash: ContentHash
    signatories: tuple[Signatory, Signatory]

    @model_validator(mode="after")
    def _of_both_parties(self) -> Self:
        if self.signatories[0].party == self.signatories[1].party:
            raise ValueError("signatories must be one of the company and one of the customer")
        return self


@capability.decide(DraftAmendment, by=CONTRACTS)
def draft_amendment(
    state: Engagement, command: DraftAmendment, context: Context
) -> Iterable[Event]:
    """Draft the amendment; a draft that equals the last one changes nothing.

    Raises Refused where no contract is signed, the change is unknown or not ready, the amendment is
    signed, or its terms are inconsistent.
    """
    require_open(state)
    contract = _contract(state)
    change = state.amendments.changes.get(command.change)
    if change is None:
        raise Refused("change-unknown", f"Delivery has no change {command.change}")
    existing = state.amendments.by_id.get(amendment_of(command.change))
    if existing and existing.signed:
        raise Refused(
            "amendment-signed",
            f"amendment {existing.drafted.amendment} was signed on {existing.signed.signed_on}",
        )
    gate("change-not-ready", unready(command.change, change))
    event = drafted(state.engagement, contract, command.change, change, command)
    gate("amendment-inconsistent", faults(contract, event))
    if existing is None or existing.drafted != event:
        yield event


@capability.decide(SignAmendment, by=CONTRACTS)
def sign_amendment(state: Engagement, command: SignAmendment, context: Context) -> Iterable[Event]:
    """Record the signatures of both parties, dated by the later one.

    Raises Refused where the content is not the last draft or no longer fits the change and the
    contract, or differs from the change without the approval of Delivery and Finance (gate 6),
    where the account's agreement is not in force on the day of a signature (gate 2),
    one of the people may not sign for the party, another signature is recorded, or the day is in
    the future, before the contract or before the approval of the change; the earlier signature may
    be one day before these, for time zones.
    """
    require_open(state)
    contract = _contract(state)
    amendment = state.amendments.by_id.get(command.amendment)
    if amendment is None:
        raise Refused("amendment-unknown", f"amendment {command.amendment} has not been drafted")
    draft, known = amendment.drafted, amendment.signed
    if command.content_hash != draft.content_hash:
        raise Refused(
            "content-differs",
            f"the signed content ({command.content_hash}) is not amendment {draft.amendment}"
            f" ({draft.content_hash})",
        )
    if known and set(known.signatories) == set(command.signatories):
        return  # in any order
    terms = {name: getattr(draft, name) for name in AmendmentTerms.model_fields}
    signed_on = past_day(
        "signatories", max(each.signed_on for each in command.signatories), context
    )
    event = AmendmentSigned(**terms, signatories=command.signatories, signed_on=signed_on)
    for new in unless_recorded(known, event, f"the signature of amendment {draft.amendment}"):
        for nth, each in enumerate(new.signatories):
            field, account = f"signatories.{nth}.person", contract.customer
            require_signatory(field, each.party, each.person, account, each.signed_on, context)
        change = state.amendments.changes.get(draft.change, Change())
        gate("change-not-ready", unready(draft.change, change))
        gate("amendment-inconsistent", unfit(contract, amendment, change))
        gate("amendment-not-reviewed", missing_reviews(state, contract, draft, change))
        days = sorted({each.signed_on for each in new.signatories})
        gate("agreement-not-in-force", (missing_agreement(state, day, context) for day in days))
        earliest = max(contract.signed_on, change.approved_on or contract.signed_on)
        if signed_on < earliest:
            raise Refused(
                "date-before-approval",
                f"{draft.amendment} cannot be signed on {signed_on}, before the contract was signed"
                f" and the change approved ({earliest})",
            )
        for nth, each in enumerate(new.signatories):
            if is_before(each.signed_on, earliest):
                field = f"signatories.{nth}.signed_on"
                sentence = (
                    f"{field}: {each.signed_on} is before {earliest}, when the contract was signed"
                    " and the change approved"
                )
                raise refused_field("date-before-approval", field, sentence)
        yield new


def _contract(state: Engagement) -> Contract:
    if state.contract is None:
        raise Refused(
            "sow-not-signed", "no statement of work is signed: draft its next version instead"
        )
    return state.contract


@capability.react
def draft_due_amendments(state: Engagement, context: Context) -> Iterable[Event]:
    """Draft the amendment of each change that is assessed, priced and approved, or draft it anew.

    Nothing follows after a termination.
    """
    if state.contract and not state.ending.terminated:
        for name, change in state.amendments.changes.items():
            yield from _due(state, state.contract, name, change)


def _due(
    state: Engagement, contract: Contract, name: str, change: Change
) -> Iterator[AmendmentDrafted]:
    """Yield the draft that a ready change needs: its first, or a new one where its basis changed.

    A first draft, or one for a changed assessment or price, is left out where it has faults.
    """
    if any(unready(name, change)):
        return
    existing = state.amendments.by_id.get(amendment_of(name))
    if existing is None or (not existing.signed and any(outdated(existing, change))):
        event = drafted(state.engagement, contract, name, change)
        if not any(faults(contract, event)):
            yield event
    elif not existing.signed and existing.contract_finish != contract.finishes_on:
        yield with_finish(existing, contract.finishes_on)


def _waits_for(state: Engagement, name: str, change: Change) -> Iterator[Missing]:
    """Yield what is missing before the amendment can be drafted or, once drafted, signed."""
    amendment, contract = state.amendments.by_id.get(amendment_of(name)), state.contract
    missing = tuple(unready(name, change))
    if amendment and amendment.signed:
        return
    yield from missing
    if contract is None:
        yield Missing("sow-not-signed", "no statement of work is signed yet", "legal")
    elif not missing and amendment:
        faulty = tuple(unfit(contract, amendment, change))
        yield from faulty or missing_reviews(state, contract, amendment.drafted, change)
    elif not missing:
        yield from faults(contract, drafted(state.engagement, contract, name, change))


class AmendmentView(ViewModel):
    """An amendment, as drafted last."""

    amendment: Identifier
    content_hash: ContentHash
    status: Literal["drafted", "signed"]
    content: AmendmentDrafted
    signatories: tuple[Signatory, ...]
    signed_on: date | None


class ChangeView(ViewModel):
    """A change with its amendment; `waits_for` lists what is missing until that is signed."""

    change: Identifier
    requested: ChangeRequested | None
    assessed: ChangeAssessed | None
    price: Money | None
    implemented_on: date | None
    waits_for: tuple[Missing, ...]
    amendment: AmendmentView | None


class ChangeFields(ViewModel):
    """The changes in the view of an engagement."""

    changes: tuple[ChangeView, ...]


@capability.view
def changes_view(state: Engagement) -> ChangeFields:
    """Return the changes with their amendments for the view of an engagement."""
    changes = state.amendments.changes.items()
    return ChangeFields(changes=tuple(_shown(state, name, change) for name, change in changes))


def _shown(state: Engagement, name: str, change: Change) -> ChangeView:
    amendment = state.amendments.by_id.get(amendment_of(name))
    return ChangeView(
        change=name,
        requested=change.requested,
        assessed=change.assessed,
        price=change.priced.price if change.priced else None,
        implemented_on=change.implemented_on,
        waits_for=tuple(_waits_for(state, name, change)),
        amendment=_amendment(amendment) if amendment else None,
    )


def _amendment(amendment: Amendment) -> AmendmentView:
    drafted, signed = amendment.drafted, amendment.signed
    return AmendmentView(
        amendment=drafted.amendment,
        content_hash=drafted.content_hash,
        status="signed" if signed else "drafted",
        content=drafted,
        signatories=signed.signatories if signed else (),
        signed_on=signed.signed_on if signed else None,
    )


class AmendmentRow(ViewModel):
    """The amendments in the list of engagements: drafted for approved changes, and not signed."""

    open_amendments: int


@capability.row
def amendments_row(state: Engagement) -> AmendmentRow:
    """Return the number of open amendments for the list of engagements."""
    changes, amendments = state.amendments.changes, state.amendments.by_id.values()
    count = sum(
        amendment.signed is None and changes[amendment.drafted.change].verdict == "approved"
        for amendment in amendments
    )
    return AmendmentRow(open_amendments=count)
