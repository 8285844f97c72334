"""Decide on proposals: draft on an estimate, submit (gate 1), revise, win the deal."""

from collections.abc import Iterable
from datetime import date
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from chassis.domain.rules import require_currency, same_day, unless_recorded
from contracts.event import Event
from contracts.finance import EstimatePriced
from contracts.money import Money, PositiveTotal
from contracts.sales import (
    BillingTerms,
    DealWon,
    ProposalContent,
    ProposalDrafted,
    ProposalRevised,
    ProposalRevision,
    ProposalSubmitted,
)
from contracts.values import Confidence, Day, Days, PersonId, Version
from sales.engagement import Engagement
from sales.policies import require_adopted, require_open_sale
from sales.proposals.state import Estimate, Proposal
from sales.roles import SELLERS

capability = Capability[Engagement](__name__)


class DraftProposal(ProposalContent, Command):
    """Draft the next version of the proposal, based on a version of the estimate.

    All lines are in one currency. The price is the sum of the lines and may be omitted. Project
    management is a line (kind ``project-management``) or is waived with a reason. The dates are
    those promised to the customer.
    """

    price: PositiveTotal | None = Field(default=None, description="the sum of the lines")

    @field_validator("price")
    @classmethod
    def _adds_up(cls, price: PositiveTotal | None, info: ValidationInfo) -> PositiveTotal | None:
        lines = info.data.get("lines")
        if price is not None and lines:
            total = Money.total((line.amount for line in lines), lines[0].amount.currency)
            if price != total:
                raise ValueError(f"must be the sum of the lines, {total}")
        return price


class SubmitProposal(Command):
    """Record that a drafted version is submitted to the customer.

    Gate 1: an engagement manager is assigned and endorsed the estimate of the proposal, Finance
    priced that estimate, and project management is a line with hours or is waived with a reason.
    """

    version: Version
    submitted_on: Day | None = Field(default=None, description="today unless given")


class ReviseProposal(ProposalRevision, Command):
    """Withdraw the current version, so that the next one can be drafted."""


class WinDeal(BillingTerms, Command):
    """Record that the customer accepted the submitted version of the proposal.

    The billing schedule adds up to its price. Billing items that wait for acceptance name
    deliverables of the proposal. Time and materials requires a rate for each role. The dates are
    the promised ones unless others are given.
    """

    starts_on: Day | None = Field(default=None, description="the promised start unless given")
    finishes_on: Day | None = Field(default=None, description="the promised finish unless given")
    payment_terms_days: Days = 30
    won_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(DraftProposal, by=SELLERS)
def draft_proposal(state: Engagement, command: DraftProposal, context: Context) -> Iterable[Event]:
    """Draft the next version; a draft that equals the current one changes nothing.

    Raises Refused where the current version, drafted or submitted, differs from it.
    """
    require_open_sale(state)
    require_adopted(state)
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


@capability.decide(SubmitProposal, by=SELLERS)
def submit_proposal(
    state: Engagement, command: SubmitProposal, context: Context
) -> Iterable[Event]:
    """Submit the version; raises Refused with all that is missing for gate 1.

    Raises Refused also where it was submitted on another day.
    """
    require_open_sale(state)
    proposal = _version(state, command.version)
    known, version = proposal.submitted, proposal.version
    day = same_day("submitted_on", command, known, context)
    event = ProposalSubmitted(version=version, submitted_on=day)
    for new in unless_recorded(known, event, f"the submission of version {version}"):
        gate("proposal-not-ready", waits_for(state, proposal))
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
    """Record the deal: the content of the submitted version with the agreed billing terms.

    Raises Refused where the version was not submitted, dates are out of order, or billing schedule
    and rates do not fit the proposal. An equal repetition changes nothing.
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
        _require_sound(deal, proposal)
        yield deal


def _require_sound(deal: DealWon, proposal: Proposal) -> None:
    """Refuse a deal with dates out of order, or with billing terms that do not fit its proposal."""
    submitted = proposal.submitted
    if submitted and deal.won_on < submitted.submitted_on:
        raise Refused(
            "date-before-submission",
            f"won_on: {deal.won_on} is before {submitted.submitted_on}, when version "
            f"{submitted.version} was submitted",
        )
    if deal.finishes_on < deal.starts_on:
        raise Refused(
            "finish-before-start", f"finishes_on: {deal.finishes_on} is before {deal.starts_on}"
        )
    _require_billable(deal)
    _require_rated(deal, proposal)


def waits_for(state: Engagement, proposal: Proposal) -> tuple[Missing, ...]:
    """Return what is missing for gate 1; empty where the version may be submitted."""
    drafted = proposal.drafted
    version = drafted.estimate_version
    estimate = state.proposals.estimates.get(version, Estimate())
    manager = _manager(state)
    managed = any(line.kind == "project-management" and line.hours for line in drafted.lines)
    missing = (
        Missing("manager-not-assigned", "no engagement manager is assigned", "delivery")
        if manager is None
        else None,
        _endorsement(state, version, estimate),
        Missing("estimate-not-priced", f"estimate {version} is not priced by Finance", "finance")
        if estimate.priced is None
        else None,
        Missing(
            "project-management-missing",
            f"version {proposal.version} has neither a project management line with hours nor a "
            "waiver",
            "sales",
        )
        if not managed and drafted.project_management_waiver is None
        else None,
    )
    return tuple(item for item in missing if item is not None)


def _manager(state: Engagement) -> PersonId | None:
    assigned = state.progress.manager
    return assigned.manager if assigned else None


def _endorsement(state: Engagement, version: int, estimate: Estimate) -> Missing | None:
    by, manager = estimate.endorsed_by, _manager(state)
    if by is not None and by == manager:
        return None
    if by is None or manager is None:
        sentence = f"estimate {version} is not endorsed by the engagement manager"
    else:
        sentence = f"estimate {version} is endorsed by {by}, but the manager is now {manager}"
    return Missing("estimate-not-endorsed", sentence, "delivery")


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
    starts_on = won.starts_on if won else drafted.promised_start
    finishes_on = won.finishes_on if won else drafted.promised_finish
    return DealWon(
        **{
            **dict(command),
            "price": drafted.price,
            "pricing": drafted.pricing,
            "deliverables": drafted.deliverables,
            "starts_on": command.starts_on or starts_on,
            "finishes_on": command.finishes_on or finishes_on,
            "won_on": won_on,
        }
    )


def _require_billable(won: DealWon) -> None:
    """Refuse a billing schedule that differs from the price or names an unsold deliverable."""
    for item in won.billing_schedule:
        require_currency(won.price.currency, **{f"billing_schedule {item.item}": item.amount})
    total = Money.total((item.amount for item in won.billing_schedule), won.price.currency)
    if total != won.price:
        raise Refused(
            "billing-schedule-differs",
            f"billing_schedule: adds up to {total}, but the price is {won.price}",
        )
    sold = {item.deliverable for item in won.deliverables}
    for item in won.billing_schedule:
        unsold = [each for each in item.deliverables if each not in sold]
        if unsold:
            raise Refused(
                "deliverable-unknown",
                f"billing_schedule: {item.item} waits for {', '.join(unsold)}, which is "
                f"not a deliverable of version {won.proposal_version}",
            )


def _require_rated(won: DealWon, proposal: Proposal) -> None:
    """Refuse rates in another currency, and time and materials where a role has no rate."""
    for rate in won.rates:
        require_currency(won.price.currency, **{f"rates {rate.role}": rate.rate})
    worked = {line.role for line in proposal.drafted.lines if line.kind != "expense"}
    without = sorted(worked - {rate.role for rate in won.rates})
    if won.pricing == "time-and-materials" and without:
        raise Refused(
            "rates-missing", f"rates: time and materials requires a rate for {', '.join(without)}"
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
