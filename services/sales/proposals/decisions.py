"""Decide on proposals: draft on an estimate, approve an exception, submit (gate 1), revise, win."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from chassis.domain.rules import require_currency, same_day, unless_recorded
from contracts.event import Event
from contracts.finance import EstimatePriced, ProposalReviewed
from contracts.lines import total_price
from contracts.money import PositiveTotal
from contracts.sales import (
    Acceptance,
    DealWon,
    LineBilling,
    ProposalContent,
    ProposalDrafted,
    ProposalException,
    ProposalExceptionApproved,
    ProposalRevised,
    ProposalRevision,
    ProposalSubmitted,
)
from contracts.values import Confidence, Day, Days, DistinctBy, Identifier, PersonId, Version
from sales.engagement import Engagement
from sales.policies import require_adopted, require_open_sale
from sales.proposals import work_items
from sales.proposals.deal import chosen_lines, deal_deliverables, require_billed_whole
from sales.proposals.readiness import exception_grounds, uncovered_grounds, waits_for
from sales.proposals.state import Estimate, Proposal
from sales.roles import MANAGERS, SELLERS

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)


class DraftProposal(ProposalContent, Command):
    """Draft the next version of the proposal, based on a version of the estimate.

    All lines are in one currency. The price is the sum of the lines that are not optional and may
    be omitted. Project management is a line (kind ``project-management``) or is waived with a
    reason. The dates are those promised to the customer, who may accept until `valid_until`.
    """

    price: PositiveTotal | None = Field(
        default=None, description="the sum of the lines that are not optional"
    )

    @field_validator("price")
    @classmethod
    def _adds_up(cls, price: PositiveTotal | None, info: ValidationInfo) -> PositiveTotal | None:
        lines = info.data.get("lines")
        if price is not None and lines:
            required = (line for line in lines if not line.optional)
            total = total_price(required, lines[0].price.currency)
            if price != total:
                raise ValueError(f"must be the sum of the lines that are not optional, {total}")
        return price


class ApproveException(ProposalException, Command):
    """Approve that a version is submitted although it needs an exception.

    It needs one where its price is below the minimum margin, where it is the third different offer
    (price, hours or purchases) on one estimate, or where its hours or purchases differ from the
    estimate. Finance reviews all but the first only after the approval. The author of the version
    cannot approve it.
    """


class SubmitProposal(Command):
    """Record that a drafted version is submitted to the customer.

    Gate 1: an engagement manager is assigned and endorsed the estimate of the proposal, Finance
    priced that estimate and reviewed the version, project management is a line with hours or is
    waived with a reason, and where the version needs an exception, a sales manager approved it.
    """

    version: Version
    submitted_on: Day | None = Field(default=None, description="today unless given")


class ReviseProposal(ProposalRevision, Command):
    """Withdraw the current version, so that the next one can be drafted."""


class WinDeal(Acceptance, Command):
    """Record that the customer accepted the submitted version of the proposal.

    `billing` is given for lines that are not billed as proposed or, where nothing was proposed, as
    usual: by time and materials as worked, a retainer by month, a fixed price on the acceptance of
    its deliverables or on the finish. It adds up to the price of the line. A discount names the
    entries that it reduces. The dates are the promised ones unless others are given.
    """

    options: Annotated[tuple[Identifier, ...], Field(max_length=200)] = Field(
        default=(), description="ids of the optional lines that the customer chose"
    )
    billing: Annotated[tuple[LineBilling, ...], Field(max_length=200), DistinctBy("line")] = ()
    starts_on: Day | None = Field(default=None, description="the promised start unless given")
    finishes_on: Day | None = Field(default=None, description="the promised finish unless given")
    payment_terms_days: Days = 30
    won_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(DraftProposal, by=SELLERS)
def draft_proposal(state: Engagement, command: DraftProposal, context: Context) -> Iterable[Event]:
    """Draft the next version; a draft that equals the current one changes nothing.

    Raises Refused where the current version, drafted or submitted, differs from it, or the billing
    that is proposed for a line contradicts it or does not add up to its price.
    """
    require_open_sale(state)
    require_adopted(state)
    require_billed_whole(command.lines)
    price = command.total
    require_currency(state.opportunity.currency, price=price)
    current = state.proposals.current
    version = current.version if current else len(state.proposals.versions) + 1
    drafted = ProposalDrafted(**{**dict(command), "price": price, "version": version})
    if current is None:
        yield drafted
    elif current.drafted != drafted:
        raise Refused(
            "proposal-open",
            f"version {current.version} of the proposal is {current.status}; revise it first",
        )


@capability.decide(ApproveException, by=MANAGERS)
def approve_exception(
    state: Engagement, command: ApproveException, context: Context
) -> Iterable[Event]:
    """Approve all that the version needs an exception for; a repetition changes nothing.

    Raises Refused where it needs none, and where the caller is the author of the version.
    """
    require_open_sale(state)
    proposal = _version(state, command.version)
    grounds = tuple(exception_grounds(state, proposal))
    covered = proposal.exceptions[-1] if proposal.exceptions else None
    if not uncovered_grounds(state, proposal):
        if covered is None:
            raise Refused("exception-not-needed", f"version {proposal.version} needs no exception")
        repeated = ProposalExceptionApproved(**dict(command), grounds=covered.grounds)
        yield from unless_recorded(covered, repeated, "the exception")
        return
    if context.actor == proposal.author:
        raise Refused(
            "approver-is-author",
            f"version {proposal.version} was drafted by {proposal.author}: another sales manager "
            "must approve the exception",
        )
    yield ProposalExceptionApproved(**dict(command), grounds=grounds)


@capability.decide(SubmitProposal, by=SELLERS)
def submit_proposal(
    state: Engagement, command: SubmitProposal, context: Context
) -> Iterable[Event]:
    """Submit the version; raises Refused with all that is missing for gate 1.

    Raises Refused also where it was submitted on another day, or is not valid any more.
    """
    require_open_sale(state)
    proposal = _version(state, command.version)
    known, version = proposal.submitted, proposal.version
    day = same_day("submitted_on", command, known, context)
    event = ProposalSubmitted(version=version, submitted_on=day)
    for new in unless_recorded(known, event, f"the submission of version {version}"):
        gate("proposal-not-ready", waits_for(state, proposal))
        _require_valid("submitted_on", day, proposal)
        yield new


@capability.decide(ReviseProposal, by=SELLERS)
def revise_proposal(
    state: Engagement, command: ReviseProposal, context: Context
) -> Iterable[Event]:
    """Withdraw the version, unless it is withdrawn already."""
    require_open_sale(state)
    if _version(state, command.version, withdrawn=True).status != "withdrawn":
        yield ProposalRevised(**dict(command))


@capability.decide(WinDeal, by=SELLERS)
def win_deal(state: Engagement, command: WinDeal, context: Context) -> Iterable[Event]:
    """Record the deal: the chosen lines of the submitted version with the agreed billing.

    Raises Refused where the version was not submitted or is not valid any more, dates are out of
    order, or options and billing do not fit the proposal. An equal repetition changes nothing.
    """
    won = state.proposals.won
    if won is None:
        require_open_sale(state)
    proposal = _version(state, command.proposal_version)
    if proposal.submitted is None:
        raise Refused(
            "proposal-not-submitted",
            f"version {proposal.version} of the proposal has not been submitted to the customer",
        )
    won_on = same_day("won_on", command, won, context)
    for deal in unless_recorded(won, _deal(proposal, command, won, won_on), "the deal"):
        if won_on < proposal.submitted.submitted_on:
            raise Refused(
                "date-before-submission",
                f"won_on: {won_on} is before {proposal.submitted.submitted_on}, when version "
                f"{proposal.version} was submitted",
            )
        _require_valid("won_on", won_on, proposal)
        yield deal


def _require_valid(field: str, day: date, proposal: Proposal) -> None:
    """Refuse a day after the last one on which the customer may accept the version."""
    valid_until = proposal.drafted.valid_until
    if day > valid_until:
        raise Refused(
            "proposal-expired",
            f"{field}: {day} is after {valid_until}, the last day of version {proposal.version}: "
            "revise it, and draft the next one",
        )


def _version(state: Engagement, version: int, *, withdrawn: bool = False) -> Proposal:
    """Return the version; raises Refused where it is unknown or, unless allowed, withdrawn."""
    if version > len(state.proposals.versions):
        raise Refused("proposal-unknown", f"there is no version {version} of the proposal")
    proposal = state.proposals.versions[version - 1]
    if proposal.status == "withdrawn" and not withdrawn:
        raise Refused("proposal-withdrawn", f"version {version} of the proposal is withdrawn")
    return proposal


def _deal(proposal: Proposal, command: WinDeal, won: DealWon | None, won_on: date) -> DealWon:
    drafted = proposal.drafted
    starts_on = command.starts_on or (won.starts_on if won else drafted.promised_start)
    finishes_on = command.finishes_on or (won.finishes_on if won else drafted.promised_finish)
    if finishes_on < starts_on:
        raise Refused("finish-before-start", f"finishes_on: {finishes_on} is before {starts_on}")
    lines = chosen_lines(drafted, command.options, command.billing, finishes_on)
    return DealWon(
        proposal_version=command.proposal_version,
        payment_terms_days=command.payment_terms_days,
        company=drafted.company,
        lines=lines,
        price=total_price(lines, drafted.price.currency),
        deliverables=deal_deliverables(drafted, lines),
        starts_on=starts_on,
        finishes_on=finishes_on,
        won_on=won_on,
    )


class EstimateView(ViewModel):
    """A version of the estimate: duration in days, confidence, endorsement and price."""

    version: Version
    duration_days: Days | None
    confidence: Confidence | None
    endorsed_by: PersonId | None
    priced: EstimatePriced | None


class ProposalView(ViewModel):
    """A version of the proposal; `waits_for` lists what is missing for its submission (gate 1)."""

    version: Version
    status: Literal["drafted", "submitted", "withdrawn"]
    submitted_on: date | None
    content: ProposalDrafted
    author: PersonId
    review: ProposalReviewed | None
    exceptions: tuple[ProposalExceptionApproved, ...]
    waits_for: tuple[Missing, ...]


class ProposalFields(ViewModel):
    """Estimates, proposals and the won deal in the view of an engagement."""

    estimates: tuple[EstimateView, ...]
    proposals: tuple[ProposalView, ...]
    won: DealWon | None


@capability.view
def proposals_view(state: Engagement) -> ProposalFields:
    """Return estimates, proposals and the won deal for the view of an engagement."""
    return ProposalFields(
        estimates=tuple(_estimate(*each) for each in sorted(state.proposals.estimates.items())),
        proposals=tuple(
            ProposalView(
                version=proposal.version,
                status=proposal.status,
                submitted_on=proposal.submitted.submitted_on if proposal.submitted else None,
                content=proposal.drafted,
                author=proposal.author,
                review=state.proposals.reviews.get(proposal.version),
                exceptions=proposal.exceptions,
                waits_for=waits_for(state, proposal) if proposal.status == "drafted" else (),
            )
            for proposal in state.proposals.versions
        ),
        won=state.proposals.won,
    )


def _estimate(version: int, estimate: Estimate) -> EstimateView:
    submitted = estimate.submitted
    return EstimateView(
        version=version,
        duration_days=submitted.duration_days if submitted else None,
        confidence=submitted.confidence if submitted else None,
        endorsed_by=estimate.endorsed_by,
        priced=estimate.priced,
    )
