"""What Legal knows of one engagement.

How its own events change that stands in `evolution`, how other departments' events do in `hearing`.
"""

from datetime import date
from typing import Literal

from pydantic import Field

from chassis.domain.decider import Decisions, Evolution, Refused
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
    approved_on: date | None = None
    sent_on: date | None = None
    signatories: tuple[Signatory, ...] = ()

    @property
    def approved(self) -> bool:
        """Whether Legal approved this version."""
        return self.approved_on is not None

    def signatory(self, party: Party) -> Signatory | None:
        """Who signed this version for the party, if anybody."""
        return next((one for one in self.signatories if one.party == party), None)


class EarlyStart(Value):
    """An authorisation to work before the signature; `expired` once its end is recorded."""

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
    pricing: Pricing
    starts_on: date
    finishes_on: date
    deliverables: tuple[Deliverable, ...]
    billing_schedule: tuple[BillingItem, ...]


class Change(Value):
    """What Delivery and Finance said of a change; `verdict` is the customer's, last heard.

    `approved_on` is the day of an approval, no later than its record. `assessed_at` is the sequence
    of Delivery's last assessment, `price_knowing` how far Finance had heard Delivery when it said
    the price.
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
    early_starts: tuple[EarlyStart, ...] = ()
    contract: Contract | None = None
    amendments: dict[Identifier, Amendment] = Field(default_factory=dict)
    terminated: EngagementTerminated | None = None
    disconnects: dict[Identifier, Disconnect] = Field(default_factory=dict)

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


def with_sow(state: Engagement, version: int, **changes: object) -> Engagement:
    """The state with one version of the statement of work changed in these fields."""
    sows = list(state.sows)
    sows[version - 1] = sows[version - 1].model_copy(update=changes)
    return state.model_copy(update={"sows": tuple(sows)})
