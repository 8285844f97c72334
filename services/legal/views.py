"""Views and list rows of engagements in Legal."""

from datetime import date
from typing import Literal

from chassis.base.view_model import ViewModel, whole
from chassis.domain.commands import Missing
from contracts.delivery import ChangeAssessed, ChangeRequested
from contracts.gateway import Disconnect
from contracts.legal import (
    AmendmentDrafted,
    EngagementTerminated,
    FileOpened,
    MsaSigned,
    NdaSigned,
    SowDrafted,
    SowRedlined,
)
from contracts.money import MINOR_UNITS, Money
from contracts.sales import DealWon
from contracts.values import (
    AccountId,
    ContentHash,
    Hours,
    Identifier,
    PersonId,
    ShortText,
    Signatory,
    Version,
)
from legal.amendments import amendment_of, waits_for
from legal.sows import missing_approvals
from legal.state import (
    Amendment,
    Change,
    Contract,
    EarlyStart,
    Engagement,
    Receivable,
    Review,
    Reviewer,
    Sow,
)

Stage = Literal[
    "unfiled",
    "filed",
    "drafting",
    "reviewing",
    "approved",
    "sent",
    "signed",
    "terminated",
    "lost",
    "closed",
]
"""Stage of the contract documents. `drafting` waits for Legal, because the latest version was
redlined or objected to; `reviewing` waits for the approvals of the latest version."""

SowStatus = Literal["drafted", "approved", "sent", "signed", "superseded"]


class SowView(ViewModel):
    """A version of the statement of work; `waits_for` lists the missing approvals."""

    version: Version
    content_hash: ContentHash
    status: SowStatus
    content: SowDrafted
    redlines: tuple[SowRedlined, ...]
    reviews: dict[Reviewer, Review]
    sent_on: date | None
    signatories: tuple[Signatory, ...]
    waits_for: tuple[Missing, ...]


class EarlyStartView(ViewModel):
    """An authorisation of work before the signature; it is replaced by the signed contract."""

    cap_hours: Hours
    expires_on: date
    reason: ShortText
    authorised_by: PersonId
    status: Literal["authorised", "expired", "replaced"]


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


class ProposalView(ViewModel):
    """The newest proposal of Sales, with the terms that the contract documents are based on."""

    version: Version
    price: Money
    promised_start: date
    promised_finish: date
    assumptions: tuple[ShortText, ...]
    exclusions: tuple[ShortText, ...]
    submitted_on: date | None


class EngagementView(ViewModel):
    """An engagement, as Legal shows it."""

    engagement: str
    account: AccountId | None
    title: ShortText | None
    stage: Stage
    file: FileOpened | None
    nda: NdaSigned | None
    msa: MsaSigned | None
    proposal: ProposalView | None
    won: DealWon | None
    statements_of_work: tuple[SowView, ...]
    early_starts: tuple[EarlyStartView, ...]
    contract: Contract | None
    changes: tuple[ChangeView, ...]
    receivables: tuple[Receivable, ...]
    settled_on: date | None
    terminated: EngagementTerminated | None
    disconnects: tuple[Disconnect, ...]


def engagement_view(state: Engagement) -> EngagementView:
    """Return the view of an engagement for counsel and contract managers."""
    known = state.file or state.opportunity
    return EngagementView(
        engagement=state.engagement,
        account=known.account if known else None,
        title=known.title if known else None,
        stage=stage(state),
        file=state.file,
        nda=state.nda,
        msa=state.msa,
        proposal=_proposal(state),
        won=state.won,
        statements_of_work=tuple(_sow(state, sow) for sow in state.sows),
        early_starts=tuple(_early_start(state, early) for early in state.early_starts),
        contract=state.contract,
        changes=tuple(_change(state, name, change) for name, change in state.changes.items()),
        receivables=tuple(state.receivables.values()),
        settled_on=state.settled_on,
        terminated=state.terminated,
        disconnects=tuple(state.disconnects.values()),
    )


LISTED = (
    "account",
    "title",
    "stage",
    "signed_on",
    "price_minor_units",
    "currency",
    "open_amendments",
)
"""Fields by which engagements are filtered and sorted. `price_minor_units` is the current contract
price in the smallest unit of the currency (EUR: cents), at most 2^53 - 1."""


def listed(state: Engagement) -> dict[str, str | int | None]:
    """Return the list row of an engagement."""
    known, contract = state.file or state.opportunity, state.contract
    price = contract.price if contract else None
    return {
        "account": known.account if known else None,
        "title": known.title if known else None,
        "stage": stage(state),
        "signed_on": contract.signed_on.isoformat() if contract else None,
        "price_minor_units": (
            whole(price.amount.scaleb(MINOR_UNITS[price.currency])) if price else None
        ),
        "currency": price.currency if price else None,
        "open_amendments": open_amendments(state),
    }


def stage(state: Engagement) -> Stage:
    """Return the stage of the contract documents."""
    if state.terminated:
        return "terminated"
    if state.lost_on:
        return "lost"
    if state.closed_on:
        return "closed"
    if state.contract:
        return "signed"
    sow = state.latest
    if sow is None:
        return "filed" if state.file else "unfiled"
    if sow.sent_on:
        return "sent"
    if sow.approved:
        return "approved"
    objected = any(review.verdict == "objected" for review in sow.reviews.values())
    return "drafting" if objected or sow.redlines else "reviewing"


def open_amendments(state: Engagement) -> int:
    """Return the number of drafted amendments of approved changes that are not signed."""
    return sum(
        amendment.signed is None and state.changes[amendment.drafted.change].verdict == "approved"
        for amendment in state.amendments.values()
    )


def _sow(state: Engagement, sow: Sow) -> SowView:
    status = _status(state, sow)
    waits = status in {"drafted", "approved", "sent"} and not state.over
    return SowView(
        version=sow.drafted.version,
        content_hash=sow.drafted.content_hash,
        status=status,
        content=sow.drafted,
        redlines=sow.redlines,
        reviews=sow.reviews,
        sent_on=sow.sent_on,
        signatories=sow.signatories,
        waits_for=tuple(missing_approvals(sow)) if waits else (),
    )


def _status(state: Engagement, sow: Sow) -> SowStatus:
    if state.contract and state.contract.version == sow.drafted.version:
        return "signed"
    if state.latest and state.latest.drafted.version > sow.drafted.version:
        return "superseded"
    if sow.sent_on:
        return "sent"
    return "approved" if sow.approved else "drafted"


def _early_start(state: Engagement, early: EarlyStart) -> EarlyStartView:
    return EarlyStartView(
        cap_hours=early.authorised.cap_hours,
        expires_on=early.authorised.expires_on,
        reason=early.authorised.reason,
        authorised_by=early.authorised_by,
        status="expired" if early.expired else "replaced" if state.contract else "authorised",
    )


def _change(state: Engagement, name: str, change: Change) -> ChangeView:
    amendment = state.amendments.get(amendment_of(name))
    return ChangeView(
        change=name,
        requested=change.requested,
        assessed=change.assessed,
        price=change.price,
        implemented_on=change.implemented_on,
        waits_for=tuple(waits_for(state, name, change)),
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


def _proposal(state: Engagement) -> ProposalView | None:
    known = state.proposal
    if known is None:
        return None
    return ProposalView(
        version=known.version,
        price=known.price,
        promised_start=known.promised_start,
        promised_finish=known.promised_finish,
        assumptions=known.assumptions,
        exclusions=known.exclusions,
        submitted_on=state.proposal_submitted_on,
    )
