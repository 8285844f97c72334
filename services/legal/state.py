"""What Legal knows of one engagement, and how its own facts change that.

What other departments' facts change stands in `hearing`.
"""

from datetime import date
from typing import Literal

from pydantic import Field

from chassis.decider import Decisions, Evolution, Refused
from contracts.delivery import ChangeAssessed, ChangeRequested
from contracts.fact import Recorded
from contracts.legal import (
    AmendmentDrafted,
    AmendmentSigned,
    EarlyStartAuthorised,
    EarlyStartExpired,
    EngagementTerminated,
    FileOpened,
    MsaSigned,
    NdaSigned,
    SowApproved,
    SowDrafted,
    SowRedlined,
    SowSentForSignature,
    SowSignatureRecorded,
    SowSigned,
)
from contracts.money import Money
from contracts.sales import DealWon, ProposalDrafted
from contracts.values import (
    AccountId,
    BillingItem,
    ContentHash,
    Deliverable,
    Identifier,
    Party,
    PersonId,
    ShortText,
    Signatory,
    Text,
    Value,
    Verdict,
    Version,
)

Reviewer = Literal["delivery", "finance"]
REVIEWERS: tuple[Reviewer, ...] = ("delivery", "finance")
"""The departments that have to stand behind a statement of work before Legal approves it."""


class Opportunity(Value):
    """Whom the engagement is for, as far as Sales knows it, and what it is called."""

    account: AccountId | None
    title: ShortText


class Review(Value):
    """What a department last said of a version of the statement of work."""

    content_hash: ContentHash
    verdict: Verdict
    why: Text | None


class Sow(Value):
    """A version of the statement of work, and how far it came."""

    drafted: SowDrafted
    redlines: tuple[SowRedlined, ...] = ()
    reviews: dict[Reviewer, Review] = Field(default_factory=dict)
    approved: bool = False
    sent_on: date | None = None
    signatories: tuple[Signatory, ...] = ()

    def signatory(self, party: Party) -> Signatory | None:
        """Who signed this version for the party, if anybody."""
        return next((one for one in self.signatories if one.party == party), None)


class EarlyStart(Value):
    """The last authorisation to work before the signature; `expired` once its end is recorded."""

    authorised: EarlyStartAuthorised
    authorised_by: PersonId
    expired: bool = False


class Contract(Value):
    """What is agreed, as it stands after the statement of work and every signed amendment.

    `billing_schedule` has every entry of the papers; a price cut changes the price and no entry.
    """

    version: Version
    content_hash: ContentHash
    signed_on: date
    price: Money
    starts_on: date
    finishes_on: date
    deliverables: tuple[Deliverable, ...]
    billing_schedule: tuple[BillingItem, ...]


class Change(Value):
    """What Delivery and Finance said of a change; `verdict` is the customer's, last heard.

    `assessed_at` is the sequence of Delivery's last assessment, `price_knowing` how far Finance
    had heard Delivery when it said the price.
    """

    requested: ChangeRequested | None = None
    assessed: ChangeAssessed | None = None
    assessed_at: int = 0
    price: Money | None = None
    price_knowing: int = 0
    verdict: Literal["approved", "rejected"] | None = None
    why_rejected: ShortText | None = None
    implemented_on: date | None = None

    @property
    def priced(self) -> bool:
        """Whether the price is that of the last assessment."""
        return self.price is not None and self.price_knowing >= self.assessed_at


class Amendment(Value):
    """A drafted amendment, what it rests on (change and finish as they were), its signature."""

    drafted: AmendmentDrafted
    assessed: ChangeAssessed | None
    price: Money | None
    contract_finish: date
    signed: AmendmentSigned | None = None


class Receivable(Value):
    """What the customer still owes on an invoice."""

    number: Identifier
    outstanding: Money
    due_on: date
    overdue: bool = False


class Engagement(Value):
    """Legal's knowledge of one engagement. Versions of the statement of work count from 1."""

    engagement: str
    opportunity: Opportunity | None = None
    proposal: ProposalDrafted | None = None
    proposal_submitted_on: date | None = None
    won: DealWon | None = None
    lost_on: date | None = None
    closed_on: date | None = None
    settled_on: date | None = None
    changes: dict[Identifier, Change] = Field(default_factory=dict)
    receivables: dict[Identifier, Receivable] = Field(default_factory=dict)

    file: FileOpened | None = None
    nda: NdaSigned | None = None
    msa: MsaSigned | None = None
    sows: tuple[Sow, ...] = ()
    early_start: EarlyStart | None = None
    contract: Contract | None = None
    amendments: dict[Identifier, Amendment] = Field(default_factory=dict)
    terminated: EngagementTerminated | None = None

    @property
    def latest(self) -> Sow | None:
        """The newest version of the statement of work."""
        return self.sows[-1] if self.sows else None

    @property
    def over(self) -> str | None:
        """How the engagement ended, as the end of a sentence; None while it goes on."""
        if self.terminated:
            return f"was terminated on {self.terminated.terminated_on}"
        if self.lost_on:
            return f"was lost on {self.lost_on}"
        if self.closed_on:
            return f"was closed on {self.closed_on}"
        return None


evolve: Evolution[Engagement] = Evolution()
decide: Decisions[Engagement] = Decisions()


def require_open(state: Engagement) -> None:
    """Refuse what makes no sense without a file, or after the end."""
    if state.over:
        raise Refused("engagement-over", f"the engagement {state.over}")
    if state.file is None:
        raise Refused("file-not-open", "Legal keeps no file for this engagement: open one first")


def require_past(day: date, today: date, act: str) -> None:
    """Refuse an act that is said to be done on a day yet to come."""
    if day > today:
        raise Refused("date-in-future", f"{act} on {day}, which is after today, {today}")


@evolve.on(FileOpened)
def file_opened(state: Engagement, recorded: Recorded[FileOpened]) -> Engagement:
    """There is a file."""
    return state.model_copy(update={"file": recorded.fact})


@evolve.on(NdaSigned)
def nda_signed(state: Engagement, recorded: Recorded[NdaSigned]) -> Engagement:
    """The last non-disclosure agreement is the one in force."""
    return state.model_copy(update={"nda": recorded.fact})


@evolve.on(MsaSigned)
def msa_signed(state: Engagement, recorded: Recorded[MsaSigned]) -> Engagement:
    """The last master services agreement is the one in force."""
    return state.model_copy(update={"msa": recorded.fact})


@evolve.on(SowDrafted)
def sow_drafted(state: Engagement, recorded: Recorded[SowDrafted]) -> Engagement:
    """A new version begins with no review, approval or signature."""
    return state.model_copy(update={"sows": (*state.sows, Sow(drafted=recorded.fact))})


@evolve.on(SowRedlined)
def sow_redlined(state: Engagement, recorded: Recorded[SowRedlined]) -> Engagement:
    """Redlines stay with the version they are about."""
    sow = state.sows[recorded.fact.version - 1]
    return with_sow(state, recorded.fact.version, redlines=(*sow.redlines, recorded.fact))


@evolve.on(SowApproved)
def sow_approved(state: Engagement, recorded: Recorded[SowApproved]) -> Engagement:
    """The version may be sent."""
    return with_sow(state, recorded.fact.version, approved=True)


@evolve.on(SowSentForSignature)
def sow_sent(state: Engagement, recorded: Recorded[SowSentForSignature]) -> Engagement:
    """The version may be signed."""
    return with_sow(state, recorded.fact.version, sent_on=recorded.fact.sent_on)


@evolve.on(SowSignatureRecorded)
def signature_recorded(state: Engagement, recorded: Recorded[SowSignatureRecorded]) -> Engagement:
    """One party signed."""
    sow, fact = state.sows[recorded.fact.version - 1], recorded.fact
    return with_sow(state, fact.version, signatories=(*sow.signatories, fact.signatory))


@evolve.on(SowSigned)
def sow_signed(state: Engagement, recorded: Recorded[SowSigned]) -> Engagement:
    """The signed version becomes the contract."""
    drafted = state.sows[recorded.fact.version - 1].drafted
    contract = Contract(
        version=drafted.version,
        content_hash=drafted.content_hash,
        signed_on=recorded.fact.signed_on,
        price=drafted.price,
        starts_on=drafted.starts_on,
        finishes_on=drafted.finishes_on,
        deliverables=drafted.deliverables,
        billing_schedule=drafted.billing_schedule,
    )
    return state.model_copy(update={"contract": contract})


@evolve.on(EarlyStartAuthorised)
def early_start_authorised(
    state: Engagement, recorded: Recorded[EarlyStartAuthorised]
) -> Engagement:
    """The newest authorisation counts."""
    early = EarlyStart(authorised=recorded.fact, authorised_by=recorded.actor)
    return state.model_copy(update={"early_start": early})


@evolve.on(EarlyStartExpired)
def early_start_expired(state: Engagement, recorded: Recorded[EarlyStartExpired]) -> Engagement:
    """Its end is on record."""
    early = state.early_start and state.early_start.model_copy(update={"expired": True})
    return state.model_copy(update={"early_start": early})


@evolve.on(AmendmentDrafted)
def amendment_drafted(state: Engagement, recorded: Recorded[AmendmentDrafted]) -> Engagement:
    """A draft replaces an earlier one of the same amendment."""
    fact, contract = recorded.fact, state.contract
    change = state.changes.get(fact.change, Change())
    amendment = Amendment(
        drafted=fact,
        assessed=change.assessed,
        price=change.price,
        contract_finish=contract.finishes_on if contract else fact.finishes_on,
    )
    return state.model_copy(update={"amendments": {**state.amendments, fact.amendment: amendment}})


@evolve.on(AmendmentSigned)
def amendment_signed(state: Engagement, recorded: Recorded[AmendmentSigned]) -> Engagement:
    """The contract is from now on what the amendment makes of it."""
    fact, contract = recorded.fact, state.contract
    signed = state.amendments[fact.amendment].model_copy(update={"signed": fact})
    amended = contract and contract.model_copy(
        update={
            "price": contract.price + fact.price_delta,
            "finishes_on": fact.finishes_on,
            "deliverables": (
                *(
                    deliverable
                    for deliverable in contract.deliverables
                    if deliverable.deliverable not in fact.deliverables_descoped
                ),
                *fact.deliverables_added,
            ),
            "billing_schedule": (*contract.billing_schedule, *fact.billing_schedule),
        }
    )
    return state.model_copy(
        update={
            "amendments": {**state.amendments, fact.amendment: signed},
            "contract": amended,
        }
    )


@evolve.on(EngagementTerminated)
def engagement_terminated(
    state: Engagement, recorded: Recorded[EngagementTerminated]
) -> Engagement:
    """Nothing is drafted or signed any more."""
    return state.model_copy(update={"terminated": recorded.fact})


def with_sow(state: Engagement, version: int, **changes: object) -> Engagement:
    """The state with one version of the statement of work changed in these fields."""
    sows = list(state.sows)
    sows[version - 1] = sows[version - 1].model_copy(update=changes)
    return state.model_copy(update={"sows": tuple(sows)})
