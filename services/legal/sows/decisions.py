"""Decide on the statement of work: draft, redline and approve its latest version.

After an objection or an accepted redline, Legal drafts the next version.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Literal, Self

from pydantic import Field, model_validator

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from chassis.domain.rules import same_day, unless_recorded
from contracts.documents import (
    STATEMENT_OF_WORK,
    UNSEALED,
    BaseDocument,
    DocumentHead,
    content_hash,
    seal,
)
from contracts.event import Event
from contracts.legal import (
    AcceptanceTerms,
    Redline,
    RedlineResolution,
    RedlineResolved,
    SignatureDeclined,
    SowApproved,
    SowDrafted,
    SowRedlined,
    SowTerms,
)
from contracts.line_faults import billing_faults
from contracts.lines import (
    ContractLines,
    total_price,
    with_usual_billing,
)
from contracts.money import PositiveMoney
from contracts.sales import DealWon
from contracts.values import (
    ContentHash,
    Day,
    Days,
    Identifier,
    Signatory,
    SomeDeliverables,
    Text,
    Version,
)
from legal.engagement import Engagement
from legal.policies import (
    agreement_in_force,
    missing_approvals,
    missing_resolutions,
    require_latest,
    require_open,
    require_unsigned,
)
from legal.roles import CONTRACTS, COUNSEL
from legal.sows import work_items
from legal.sows.state import Review, Reviewer, Sow

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)


class DraftSow(Command):
    """Draft the next version of the statement of work.

    Deliverables, lines, days and payment terms that are not given are taken from the won deal; a
    line without a billing schedule is billed as usual. The previous version is superseded; its
    reviews, approval and signatures do not count for the new one. A signed contract is changed by
    amendments instead.
    """

    scope: Text
    deliverables: SomeDeliverables | None = None
    lines: ContractLines | None = None
    starts_on: Day | None = None
    finishes_on: Day | None = None
    effective_on: Day | None = Field(
        default=None, description="first day that the contract covers; the start unless given"
    )
    acceptance_terms: AcceptanceTerms = AcceptanceTerms()
    cost_of_delay_per_day: PositiveMoney | None = None
    payment_terms_days: Days | None = None
    template: Identifier = STATEMENT_OF_WORK
    template_version: Version = 1

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.starts_on and self.finishes_on and self.finishes_on < self.starts_on:
            raise ValueError("finishes_on must not be before starts_on")
        return self


class RedlineSow(Redline, Command):
    """Record that a party wants to change a clause of the latest version."""


class ResolveRedline(RedlineResolution, Command):
    """Record how the parties resolved a redline.

    An accepted one becomes part of the next version: the version it is on cannot be approved.
    """

    resolved_on: Day | None = Field(default=None, description="today unless given")


class ApproveSow(Command):
    """Approve the latest version for Legal, after Delivery and Finance approved it.

    No redline may be open.
    """

    version: Version


@capability.decide(DraftSow, by=CONTRACTS)
def draft_sow(state: Engagement, command: DraftSow, context: Context) -> Iterable[Event]:
    """Draft the next version; a draft with the terms of the latest one changes nothing.

    Raises Refused where the deal is not won, the contract is signed, the terms are inconsistent, or
    are those of the latest version, of which a redline was accepted since.
    """
    require_open(state)
    require_unsigned(state, "draft an amendment instead")
    won, file = state.deal.won, state.file.opened
    if won is None or file is None:
        raise Refused("deal-not-won", "Sales has not won this deal: there is nothing to contract")
    terms = _with_defaults(command, won)
    gate("sow-inconsistent", _faults(terms, won.price.currency))
    head = DocumentHead(
        engagement=state.engagement,
        company=won.company,
        customer=file.account,
        template=command.template,
        template_version=command.template_version,
        base=_master_agreement(state, context.today, context),
    )
    drafted = _drafted(head, terms, won, len(state.sows.versions) + 1)
    latest = state.sows.latest
    if latest is None or not _same_terms(latest.drafted, drafted):
        yield drafted
    elif accepted := [
        each for each in missing_resolutions(state, latest) if each.code == "redline-accepted"
    ]:
        gate("redline-accepted", accepted)


@capability.decide(RedlineSow, by=CONTRACTS)
def redline_sow(state: Engagement, command: RedlineSow, context: Context) -> Iterable[Event]:
    """Record the redline, unless an equal one is open.

    Raises Refused unless the version is the latest and not signed.
    """
    require_open(state)
    sow = require_latest(state, command.version)
    redline = SowRedlined(**dict(command), redline=context.new_id("R"))
    known = (each for each in sow.redlines if each in state.sows.open_redlines)
    if all(each.model_copy(update={"redline": redline.redline}) != redline for each in known):
        require_unsigned(state, "a change to it goes through change control")
        yield redline


@capability.decide(ResolveRedline, by=CONTRACTS)
def resolve_redline(
    state: Engagement, command: ResolveRedline, context: Context
) -> Iterable[Event]:
    """Record the resolution once; raises Refused for an unknown redline, or another resolution."""
    require_open(state)
    redlines = (each for sow in state.sows.versions for each in sow.redlines)
    if all(each.redline != command.redline for each in redlines):
        raise Refused("redline-unknown", f"redline: there is no redline {command.redline}")
    known = state.sows.resolutions.get(command.redline)
    event = RedlineResolved(
        redline=command.redline,
        outcome=command.outcome,
        note=command.note,
        resolved_on=same_day("resolved_on", command, known, context),
    )
    yield from unless_recorded(known, event, f"the resolution of redline {command.redline}")


@capability.decide(ApproveSow, by=COUNSEL)
def approve_sow(state: Engagement, command: ApproveSow, context: Context) -> Iterable[Event]:
    """Approve for Legal (gate 2), if Delivery and Finance approved exactly this content.

    Raises Refused also while a redline is open.
    """
    require_open(state)
    sow = require_latest(state, command.version)
    if not sow.approved_on:
        gate("sow-not-approved", [*missing_approvals(sow), *missing_resolutions(state, sow)])
        yield SowApproved(version=command.version, content_hash=sow.drafted.content_hash)


def _with_defaults(command: DraftSow, won: DealWon) -> SowTerms:
    """Return the terms given, else those of the deal; their lines may contradict each other."""
    finishes_on, starts_on = command.finishes_on or won.finishes_on, command.starts_on
    lines, terms_days = command.lines or won.lines, command.payment_terms_days
    given = {name: getattr(command, name) for name in SowTerms.model_fields}
    return SowTerms.model_construct(
        **{
            **given,
            "deliverables": command.deliverables or won.deliverables,
            "lines": tuple(with_usual_billing(line, finishes_on) for line in lines),
            "starts_on": starts_on or won.starts_on,
            "finishes_on": finishes_on,
            "effective_on": command.effective_on or starts_on or won.starts_on,
            "payment_terms_days": won.payment_terms_days if terms_days is None else terms_days,
        }
    )


def _drafted(head: DocumentHead, terms: SowTerms, won: DealWon, version: int) -> SowDrafted:
    numbered = {
        "version": version,
        "content_hash": UNSEALED,
        "proposal_version": won.proposal_version,
        "price": total_price(terms.lines, won.price.currency),
    }
    return seal(
        STATEMENT_OF_WORK, SowDrafted.model_validate({**dict(head), **dict(terms), **numbered})
    )


def _master_agreement(state: Engagement, day: date, context: Context) -> BaseDocument | None:
    """Return the account's master services agreement that is in force on a day, or None.

    Its hash is that of the signed document or, where that is not kept, of its record.
    """
    msa = agreement_in_force(state, "msa", day, context)
    if msa is None:
        return None
    title = f"Master services agreement of {msa.signed_on}"
    hashed = msa.document or content_hash("master-services-agreement", msa)
    return BaseDocument(title=title, content_hash=hashed)


def _faults(terms: SowTerms, currency: str) -> Iterator[Missing]:
    if terms.finishes_on < terms.starts_on:
        sentence = f"the finish, {terms.finishes_on}, is before the start"
        yield Missing("finish-before-start", sentence, field="finishes_on")
    if terms.finishes_on < terms.effective_on:
        sentence = f"the effective day, {terms.effective_on}, is after the finish"
        yield Missing("finish-before-start", sentence, field="effective_on")
    delay = terms.cost_of_delay_per_day
    if delay is not None and delay.currency != currency:
        sentence = f"the cost of delay must be in {currency}"
        yield Missing("currency-differs", sentence, field="cost_of_delay_per_day")
    if any(line.price.currency != currency for line in terms.lines):
        yield Missing("currency-differs", f"the lines must be in {currency}", field="lines")
        return
    price = total_price(terms.lines, currency)
    if price.amount <= 0:
        yield Missing("price-below-zero", f"the price would be {price}", field="lines")
    deliverables = (part.deliverable for part in terms.deliverables)
    for code, sentence in billing_faults(terms.lines, deliverables):
        yield Missing(code, sentence, field="lines")


def _same_terms(one: SowDrafted, other: SowDrafted) -> bool:
    numbering = {"version": other.version, "content_hash": other.content_hash}
    return one.model_copy(update=numbering) == other


class SowView(ViewModel):
    """A version of the statement of work.

    `waits_for` lists the missing approvals and the open redlines.
    """

    version: Version
    content_hash: ContentHash
    status: Literal["drafted", "approved", "sent", "signed", "superseded"]
    content: SowDrafted
    redlines: tuple[SowRedlined, ...]
    resolutions: tuple[RedlineResolved, ...]
    reviews: dict[Reviewer, Review]
    sent_on: date | None
    declined: SignatureDeclined | None
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
        resolutions=tuple(
            state.sows.resolutions[each.redline]
            for each in sow.redlines
            if each.redline in state.sows.resolutions
        ),
        reviews=sow.reviews,
        sent_on=sow.sent.sent_on if sow.sent else None,
        declined=sow.declined,
        signatories=sow.signatories,
        waits_for=((*missing_approvals(sow), *missing_resolutions(state, sow)) if waits else ()),
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
