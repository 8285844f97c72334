"""State of an engagement in Legal.

Legal's own events are applied in `evolution`, those of other departments in `hearing`.
"""

from datetime import date
from typing import Literal

from pydantic import Field

from chassis.domain.commands import Refused
from chassis.domain.decider import Decisions, Evolution
from contracts.delivery import ChangeAssessed, ChangeRequested
from contracts.gateway import Disconnect
from contracts.legal import (
    AmendmentDrafted,
    AmendmentSigned,
    EarlyStartAuthorised,
    EngagementTerminated,
    FileOpened,
    MsaSigned,
    NdaSigned,
    SowDrafted,
    SowRedlined,
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
    Pricing,
    ShortText,
    Signatory,
    Text,
    Value,
    Verdict,
    Version,
)

Reviewer = Literal["delivery", "finance"]
REVIEWERS: tuple[Reviewer, ...] = ("delivery", "finance")
"""Departments that must approve a statement of work before Legal does."""


class Opportunity(Value):
    """Account and title of the engagement, from Sales; the account may be unknown."""

    account: AccountId | None
    title: ShortText


class Review(Value):
    """The latest review of a version of the statement of work by a department."""

    content_hash: ContentHash
    verdict: Verdict
    why: Text | None


class Sow(Value):
    """A version of the statement of work with its redlines, reviews and signatures."""

    drafted: SowDrafted
    redlines: tuple[SowRedlined, ...] = ()
    reviews: dict[Reviewer, Review] = Field(default_factory=dict)
    approved_on: date | None = None
    sent_on: date | None = None
    signatories: tuple[Signatory, ...] = ()

    @property
    def approved(self) -> bool:
        """Return whether Legal approved this version."""
        return self.approved_on is not None

    def signatory(self, party: Party) -> Signatory | None:
        """Return the signatory of this version for the party, or None."""
        return next((each for each in self.signatories if each.party == party), None)


class EarlyStart(Value):
    """An authorisation to work before the signature; `expired` once its end is recorded."""

    authorised: EarlyStartAuthorised
    authorised_by: PersonId
    expired: bool = False


class Contract(Value):
    """The agreed terms: the signed statement of work with all signed amendments.

    `billing_schedule` has the items of all these documents; a price reduction changes the price but
    no item.
    """

    version: Version
    content_hash: ContentHash
    signed_on: date
    price: Money
    pricing: Pricing
    starts_on: date
    finishes_on: date
    deliverables: tuple[Deliverable, ...]
    billing_schedule: tuple[BillingItem, ...]


class Change(Value):
    """A change, as assessed by Delivery and priced by Finance, with the customer's last verdict.

    `approved_on` is the day of approval, limited to the day (UTC) of its event.
    `assessed_at` is the sequence of Delivery's last assessment, `price_knowing` the last sequence
    of Delivery that Finance had processed when it published the price.
    """

    requested: ChangeRequested | None = None
    assessed: ChangeAssessed | None = None
    assessed_at: int = 0
    price: Money | None = None
    price_knowing: int = 0
    verdict: Literal["approved", "rejected"] | None = None
    approved_on: date | None = None
    why_rejected: ShortText | None = None
    implemented_on: date | None = None

    @property
    def priced(self) -> bool:
        """Return whether the price is based on the last assessment."""
        return self.price is not None and self.price_knowing >= self.assessed_at


class Amendment(Value):
    """A drafted amendment, its basis (the change, and the contract's finish), and its signature."""

    drafted: AmendmentDrafted
    assessed: ChangeAssessed | None
    price: Money | None
    contract_finish: date
    signed: AmendmentSigned | None = None


class Receivable(Value):
    """The amount that the customer still owes on an invoice."""

    number: Identifier
    outstanding: Money
    due_on: date
    overdue: bool = False


class Engagement(Value):
    """An engagement in Legal; versions of the statement of work are numbered from 1."""

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
    early_starts: tuple[EarlyStart, ...] = ()
    contract: Contract | None = None
    amendments: dict[Identifier, Amendment] = Field(default_factory=dict)
    terminated: EngagementTerminated | None = None
    disconnects: dict[Identifier, Disconnect] = Field(default_factory=dict)

    @property
    def latest(self) -> Sow | None:
        """Return the newest version of the statement of work, or None."""
        return self.sows[-1] if self.sows else None

    @property
    def over(self) -> str | None:
        """Return how the engagement ended, as the end of a sentence, or None while it is open."""
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
    """Refuse unless the engagement has a file and is not over."""
    if state.over:
        raise Refused("engagement-over", f"the engagement {state.over}")
    if state.file is None:
        raise Refused("file-not-open", "Legal has no file for this engagement: open one first")


def require_past(day: date, today: date, act: str) -> None:
    """Refuse a day after today (UTC); `act` begins the sentence of the refusal."""
    if day > today:
        raise Refused("date-in-future", f"{act} on {day}, which is after today, {today}")


def with_sow(state: Engagement, version: int, **changes: object) -> Engagement:
    """Return the state with fields of one version of the statement of work changed."""
    sows = list(state.sows)
    sows[version - 1] = sows[version - 1].model_copy(update=changes)
    return state.model_copy(update={"sows": tuple(sows)})
