"""Decide on proposals: draft on an estimate, submit (gate 1), revise, win the deal."""

from collections.abc import Iterable
from datetime import date

from pydantic import Field, ValidationInfo, field_validator

from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from contracts.event import Event
from contracts.money import Money, PositiveTotal
from contracts.sales import DealWon, ProposalDrafted, ProposalRevised, ProposalSubmitted
from contracts.values import (
    BillingItem,
    Day,
    Days,
    Deliverable,
    PricedLine,
    Pricing,
    RoleRate,
    ShortText,
    Text,
    Version,
)
from sales.policies import distinct, past_day, require_adopted, require_currency, require_open_sale
from sales.state import Engagement, Estimate, Proposal, decide


class DraftProposal(Command):
    """Draft the next version of the proposal, based on a version of the estimate.

    All lines are in one currency. The price is the sum of the lines and may be omitted. Project
    management is a line (kind ``project-management``) or is waived with a reason. The dates are
    those promised to the customer.
    """

    estimate_version: Version
    deliverables: tuple[Deliverable, ...] = Field(min_length=1, max_length=200)
    lines: tuple[PricedLine, ...] = Field(min_length=1, max_length=200)
    project_management_waiver: ShortText | None = None
    price: PositiveTotal | None = Field(default=None, description="the sum of the lines")
    pricing: Pricing
    promised_start: Day
    promised_finish: Day
    method: Text
    assumptions: tuple[ShortText, ...] = Field(default=(), max_length=100)
    exclusions: tuple[ShortText, ...] = Field(default=(), max_length=100)

    @field_validator("deliverables")
    @classmethod
    def _distinct(cls, deliverables: tuple[Deliverable, ...]) -> tuple[Deliverable, ...]:
        distinct(item.deliverable for item in deliverables)
        return deliverables

    @field_validator("lines")
    @classmethod
    def _in_one_currency(cls, lines: tuple[PricedLine, ...]) -> tuple[PricedLine, ...]:
        currencies = sorted({line.amount.currency for line in lines})
        if len(currencies) > 1:
            raise ValueError(f"must be in one currency, not in {' and '.join(currencies)}")
        if not sum(line.amount.amount for line in lines):
            raise ValueError("must add up to more than zero")
        return lines

    @field_validator("price")
    @classmethod
    def _adds_up(cls, price: PositiveTotal | None, info: ValidationInfo) -> PositiveTotal | None:
        lines = info.data.get("lines")
        if price is not None and lines and price != _total(lines):
            raise ValueError(f"must be the sum of the lines, {_total(lines)}")
        return price

    @field_validator("promised_finish")
    @classmethod
    def _in_order(cls, finish: date, info: ValidationInfo) -> date:
        start = info.data.get("promised_start")
        if start is not None and finish < start:
            raise ValueError("must not be before promised_start")
        return finish


class SubmitProposal(Command):
    """Record that a drafted version is submitted to the customer.

    Gate 1: an engagement manager is assigned and endorsed the estimate of the proposal, Finance
    priced that estimate, and project management is a line with hours or is waived with a reason.
    """

    version: Version
    submitted_on: Day | None = Field(default=None, description="today unless given")


class ReviseProposal(Command):
    """Withdraw the current version, so that the next one can be drafted."""

    version: Version
    reason: ShortText


class WinDeal(Command):
    """Record that the customer accepted the submitted version of the proposal.

    The billing schedule adds up to its price. Billing items that wait for acceptance name
    deliverables of the proposal. Time and materials requires a rate for each role. The dates are
    the promised ones unless others are given.
    """

    proposal_version: Version
    starts_on: Day | None = Field(default=None, description="the promised start unless given")
    finishes_on: Day | None = Field(default=None, description="the promised finish unless given")
    billing_schedule: tuple[BillingItem, ...] = Field(min_length=1, max_length=500)
    rates: tuple[RoleRate, ...] = Field(default=(), max_length=200)
    payment_terms_days: Days = 30
    won_on: Day | None = Field(default=None, description="today unless given")

    @field_validator("billing_schedule")
    @classmethod
    def _distinct_items(cls, schedule: tuple[BillingItem, ...]) -> tuple[BillingItem, ...]:
        distinct(item.item for item in schedule)
        return schedule

    @field_validator("rates")
    @classmethod
    def _distinct_roles(cls, rates: tuple[RoleRate, ...]) -> tuple[RoleRate, ...]:
        distinct(rate.role for rate in rates)
        return rates


@decide.on(DraftProposal)
def draft_proposal(state: Engagement, command: DraftProposal, context: Context) -> Iterable[Event]:
    """Draft the next version; a draft that equals the current one changes nothing.

    Raises Refused where the current version, drafted or submitted, differs from it.
    """
    require_open_sale(state)
    require_adopted(state)
    price = _total(command.lines)
    require_currency(state.currency, price=price)
    current = state.current_proposal
    version = current.version if current else len(state.proposals) + 1
    drafted = ProposalDrafted(**{**dict(command), "price": price, "version": version})
    if current is None:
        yield drafted
    elif current.drafted != drafted:
        raise Refused(
            "proposal-open",
            f"version {current.version} of the proposal is {current.status}; revise it first",
        )


@decide.on(SubmitProposal)
def submit_proposal(
    state: Engagement, command: SubmitProposal, context: Context
) -> Iterable[Event]:
    """Submit the version; raises Refused with all that is missing for gate 1."""
    require_open_sale(state)
    proposal = _version(state, command.version)
    if proposal.status == "submitted":
        if command.submitted_on in {None, proposal.submitted_on}:
            return
        raise Refused(
            "proposal-submitted",
            f"version {proposal.version} was already submitted on {proposal.submitted_on}",
        )
    submitted_on = past_day("submitted_on", command.submitted_on, context)
    gate("proposal-not-ready", waits_for(state, proposal))
    yield ProposalSubmitted(version=proposal.version, submitted_on=submitted_on)


@decide.on(ReviseProposal)
def revise_proposal(
    state: Engagement, command: ReviseProposal, context: Context
) -> Iterable[Event]:
    """Withdraw the version, unless it is withdrawn already."""
    require_open_sale(state)
    if _version(state, command.version, withdrawn=True).status != "withdrawn":
        yield ProposalRevised(**dict(command))


@decide.on(WinDeal)
def win_deal(state: Engagement, command: WinDeal, context: Context) -> Iterable[Event]:
    """Record the deal: the content of the submitted version with the agreed billing terms.

    Raises Refused where the version was not submitted, dates are out of order, or billing schedule
    and rates do not fit the proposal. An equal repetition changes nothing.
    """
    if state.won and _is_repeated(state, state.won, command):
        return
    require_open_sale(state)
    proposal = _version(state, command.proposal_version)
    if proposal.submitted_on is None:
        raise Refused(
            "proposal-not-submitted",
            f"version {proposal.version} of the proposal has not been submitted to the customer",
        )
    won_on = past_day("won_on", command.won_on, context)
    if won_on < proposal.submitted_on:
        raise Refused(
            "date-before-submission",
            f"won_on: {won_on} is before {proposal.submitted_on}, when version "
            f"{proposal.version} was submitted",
        )
    won = _won(state, command, won_on)
    if won.finishes_on < won.starts_on:
        raise Refused(
            "finish-before-start", f"finishes_on: {won.finishes_on} is before {won.starts_on}"
        )
    _billable(won)
    _rated(won, proposal)
    yield won


def waits_for(state: Engagement, proposal: Proposal) -> tuple[Missing, ...]:
    """Return what is missing for gate 1; empty where the version may be submitted."""
    drafted = proposal.drafted
    version = drafted.estimate_version
    estimate = state.estimates.get(version, Estimate())
    managed = any(line.kind == "project-management" and line.hours for line in drafted.lines)
    missing = (
        Missing("manager-not-assigned", "no engagement manager is assigned", "delivery")
        if state.manager is None
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


def _endorsement(state: Engagement, version: int, estimate: Estimate) -> Missing | None:
    by = estimate.endorsed_by
    if by is not None and by == state.manager:
        return None
    if by is None or state.manager is None:
        sentence = f"estimate {version} is not endorsed by the engagement manager"
    else:
        sentence = f"estimate {version} is endorsed by {by}, but the manager is now {state.manager}"
    return Missing("estimate-not-endorsed", sentence, "delivery")


def _version(state: Engagement, version: int, *, withdrawn: bool = False) -> Proposal:
    """Return the version; raises Refused where it is unknown or, unless allowed, withdrawn."""
    if version > len(state.proposals):
        raise Refused("proposal-unknown", f"there is no version {version} of the proposal")
    proposal = state.proposals[version - 1]
    if proposal.status == "withdrawn" and not withdrawn:
        raise Refused("proposal-withdrawn", f"version {version} of the proposal is withdrawn")
    return proposal


def _won(state: Engagement, command: WinDeal, won_on: date) -> DealWon:
    drafted = _version(state, command.proposal_version).drafted
    return DealWon(
        proposal_version=drafted.version,
        price=drafted.price,
        pricing=drafted.pricing,
        deliverables=drafted.deliverables,
        starts_on=command.starts_on or drafted.promised_start,
        finishes_on=command.finishes_on or drafted.promised_finish,
        billing_schedule=command.billing_schedule,
        rates=command.rates,
        payment_terms_days=command.payment_terms_days,
        won_on=won_on,
    )


def _is_repeated(state: Engagement, won: DealWon, command: WinDeal) -> bool:
    same_version = command.proposal_version == won.proposal_version
    return same_version and _won(state, command, command.won_on or won.won_on) == won


def _billable(won: DealWon) -> None:
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


def _rated(won: DealWon, proposal: Proposal) -> None:
    """Refuse rates in another currency, and time and materials where a role has no rate."""
    for rate in won.rates:
        require_currency(won.price.currency, **{f"rates {rate.role}": rate.rate})
    worked = {line.role for line in proposal.drafted.lines if line.kind != "expense"}
    without = sorted(worked - {rate.role for rate in won.rates})
    if won.pricing == "time-and-materials" and without:
        raise Refused(
            "rates-missing", f"rates: time and materials requires a rate for {', '.join(without)}"
        )


def _total(lines: Iterable[PricedLine]) -> Money:
    amounts = [line.amount for line in lines]
    return Money.total(amounts, amounts[0].currency)
