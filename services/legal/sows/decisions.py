"""Decide on the statement of work: draft, redline and approve its latest version.

After an objection, Legal drafts the next version.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Literal, Self

from pydantic import model_validator

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from contracts.documents import STATEMENT_OF_WORK, UNSEALED, seal
from contracts.event import Event
from contracts.legal import BillingSchedule, Redline, SowApproved, SowDrafted, SowRedlined
from contracts.money import PositiveTotal
from contracts.sales import DealWon
from contracts.values import (
    ContentHash,
    Day,
    Days,
    Pricing,
    RoleRates,
    Signatory,
    SomeDeliverables,
    Text,
    Version,
)
from legal.engagement import Engagement
from legal.policies import (
    missing_approvals,
    require_latest,
    require_open,
    require_unsigned,
    schedule_faults,
)
from legal.roles import CONTRACTS, COUNSEL
from legal.sows.state import Review, Reviewer, Sow

capability = Capability[Engagement](__name__)


class DraftSow(Command):
    """Draft the next version of the statement of work.

    Fields that are not given are taken from the won deal. The previous version is superseded; its
    reviews, approval and signatures do not count for the new one. A signed contract is changed by
    amendments instead.
    """

    scope: Text
    deliverables: SomeDeliverables | None = None
    price: PositiveTotal | None = None
    pricing: Pricing | None = None
    starts_on: Day | None = None
    finishes_on: Day | None = None
    billing_schedule: BillingSchedule | None = None
    rates: RoleRates | None = None
    payment_terms_days: Days | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.starts_on and self.finishes_on and self.finishes_on < self.starts_on:
            raise ValueError("finishes_on must not be before starts_on")
        return self


class RedlineSow(Redline, Command):
    """Record that a party wants to change a clause of the latest version."""


class ApproveSow(Command):
    """Approve the latest version for Legal, after Delivery and Finance approved it."""

    version: Version


@capability.decide(DraftSow, by=CONTRACTS)
def draft_sow(state: Engagement, command: DraftSow, context: Context) -> Iterable[Event]:
    """Draft the next version; a draft with the terms of the latest one changes nothing.

    Raises Refused where the deal is not won, the contract is signed, or the terms are inconsistent.
    """
    require_open(state)
    require_unsigned(state, "draft an amendment instead")
    if state.deal.won is None:
        raise Refused("deal-not-won", "Sales has not won this deal: there is nothing to contract")
    drafted = _drafted(command, state.deal.won, len(state.sows.versions) + 1)
    gate("sow-inconsistent", _faults(drafted))
    latest = state.sows.latest
    if latest is None or not _same_terms(latest.drafted, drafted):
        yield drafted


@capability.decide(RedlineSow, by=CONTRACTS)
def redline_sow(state: Engagement, command: RedlineSow, context: Context) -> Iterable[Event]:
    """Record the redline once; raises Refused unless the version is the latest and not signed."""
    require_open(state)
    sow = require_latest(state, command.version)
    redline = SowRedlined(**dict(command))
    if redline not in sow.redlines:
        require_unsigned(state, "a change to it goes through change control")
        yield redline


@capability.decide(ApproveSow, by=COUNSEL)
def approve_sow(state: Engagement, command: ApproveSow, context: Context) -> Iterable[Event]:
    """Approve for Legal (gate 2), if Delivery and Finance approved exactly this content."""
    require_open(state)
    sow = require_latest(state, command.version)
    if not sow.approved_on:
        gate("sow-not-approved", missing_approvals(sow))
        yield SowApproved(version=command.version, content_hash=sow.drafted.content_hash)


def _drafted(command: DraftSow, won: DealWon, version: int) -> SowDrafted:
    terms = {
        name: getattr(won, name) if given is None else given
        for name, given in dict(command).items()
    }
    numbered = {
        "version": version,
        "content_hash": UNSEALED,
        "proposal_version": won.proposal_version,
    }
    return seal(STATEMENT_OF_WORK, SowDrafted.model_validate({**terms, **numbered}))


def _faults(sow: SowDrafted) -> Iterator[Missing]:
    document = f"version {sow.version}"
    if sow.finishes_on < sow.starts_on:
        yield Missing(
            "finish-before-start", f"{document} finishes on {sow.finishes_on}, before it starts"
        )
    if any(rate.rate.currency != sow.price.currency for rate in sow.rates):
        yield Missing(
            "currency-differs", f"the rates of {document} must be in {sow.price.currency}"
        )
    deliverables = (part.deliverable for part in sow.deliverables)
    yield from schedule_faults(sow.billing_schedule, sow.price, deliverables, document)


def _same_terms(one: SowDrafted, other: SowDrafted) -> bool:
    numbering = {"version": other.version, "content_hash": other.content_hash}
    return one.model_copy(update=numbering) == other


class SowView(ViewModel):
    """A version of the statement of work; `waits_for` lists the missing approvals."""

    version: Version
    content_hash: ContentHash
    status: Literal["drafted", "approved", "sent", "signed", "superseded"]
    content: SowDrafted
    redlines: tuple[SowRedlined, ...]
    reviews: dict[Reviewer, Review]
    sent_on: date | None
    signatories: tuple[Signatory, ...]
    waits_for: tuple[Missing, ...]


class SowFields(ViewModel):
    """The statements of work in the view of an engagement."""

    statements_of_work: tuple[SowView, ...]


@capability.view
def sows_view(state: Engagement) -> SowFields:
    """Return the statements of work for the view of an engagement."""
    return SowFields(statements_of_work=tuple(_shown(state, sow) for sow in state.sows.versions))


def _shown(state: Engagement, sow: Sow) -> SowView:
    status = _status(state, sow)
    waits = status in {"drafted", "approved", "sent"} and not state.ending.over
    return SowView(
        version=sow.drafted.version,
        content_hash=sow.drafted.content_hash,
        status=status,
        content=sow.drafted,
        redlines=sow.redlines,
        reviews=sow.reviews,
        sent_on=sow.sent.sent_on if sow.sent else None,
        signatories=sow.signatories,
        waits_for=tuple(missing_approvals(sow)) if waits else (),
    )


def _status(
    state: Engagement, sow: Sow
) -> Literal["drafted", "approved", "sent", "signed", "superseded"]:
    if state.contract and state.contract.version == sow.drafted.version:
        return "signed"
    if sow is not state.sows.latest:
        return "superseded"
    if sow.sent:
        return "sent"
    return "approved" if sow.approved_on else "drafted"
