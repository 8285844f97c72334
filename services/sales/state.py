"""What Sales knows of one engagement and of one account.

How its own events change that stands in `evolution`, how other departments' events do in `hearing`.
"""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from chassis.domain.decider import Decisions, Evolution
from contracts.delivery import (
    EngagementPutOnHold,
    EstimateSubmitted,
    StatusReportPublished,
    SurveyAnswered,
)
from contracts.event import Recorded
from contracts.finance import EstimatePriced, InvoiceIssued
from contracts.gateway import Disconnect
from contracts.legal import EngagementTerminated, MsaSigned, NdaSigned
from contracts.money import Money
from contracts.reference import AccountPublished
from contracts.sales import (
    DealLost,
    DealWon,
    EstimateRequested,
    OpportunityImported,
    OpportunityOpened,
    OpportunityQualified,
    PipelineStage,
    ProposalDrafted,
)
from contracts.values import AccountId, Identifier, Percent, PersonId, Value, Version

Stage = Literal["prospecting", "qualifying", "proposing", "negotiating", "won", "lost"]
"""Where the sale stands; terminated and closed engagements stay won."""


class Proposal(Value):
    """A version of the proposal: what it says, and how far it went."""

    drafted: ProposalDrafted
    status: Literal["drafted", "submitted", "withdrawn"] = "drafted"
    submitted_on: date | None = None

    @property
    def version(self) -> int:
        """Its number, from 1."""
        return self.drafted.version


class Estimate(Value):
    """What Sales has heard of one version of the estimate."""

    submitted: EstimateSubmitted | None = None
    endorsed_by: PersonId | None = None
    priced: EstimatePriced | None = None


class Amendment(Value):
    """A change order's paper: what it adds to the price, the finish it agrees, and its signature.

    `signed_on` is None while it is only drafted. An engagement keeps them in the order of signing.
    """

    change: Identifier
    price_delta: Money
    finishes_on: date
    signed_on: date | None = None


class Invoice(Value):
    """An invoice: what was paid of it and given back on it, and whether it is void."""

    issued: InvoiceIssued
    paid: Money
    credited: Money
    voided: bool = False
    fell_due: bool = False

    @property
    def overdue(self) -> bool:
        """Whether its due day passed while something is still owed on it."""
        owed = not self.voided and self.paid + self.credited < self.issued.amount
        return self.fell_due and owed


class Statement(Value):
    """How far the newest version of the statement of work went, in Legal's hands."""

    version: Version
    status: Literal["drafted", "redlined", "approved", "sent", "signed"]
    signed_on: date | None = None


class Engagement(BaseModel):
    """One engagement, as Sales knows it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engagement: str
    opened: OpportunityOpened | None = None
    imported: OpportunityImported | None = None
    opened_on: date | None = None
    pipeline_stage: PipelineStage = "prospecting"
    probability: Percent | None = None
    qualified: OpportunityQualified | None = None
    estimate_requested: EstimateRequested | None = None
    proposals: tuple[Proposal, ...] = ()
    won: DealWon | None = None
    lost: DealLost | None = None

    manager: PersonId | None = None
    managed_since: date | None = None
    estimates: dict[int, Estimate] = {}
    changes: dict[str, Money] = {}
    kicked_off_on: date | None = None
    status_report: StatusReportPublished | None = None
    held: EngagementPutOnHold | None = None
    live_on: date | None = None
    survey: SurveyAnswered | None = None
    closed_on: date | None = None

    nda: NdaSigned | None = None
    msa: MsaSigned | None = None
    statement: Statement | None = None
    amendments: dict[str, Amendment] = {}
    terminated: EngagementTerminated | None = None

    invoices: dict[str, Invoice] = {}
    disconnects: dict[str, Disconnect] = {}

    @property
    def account(self) -> AccountId | None:
        """The customer; None where a CRM named none and nobody has since."""
        known = self.opened or self.imported
        return known.account if known else None

    @property
    def expected_value(self) -> Money | None:
        """What the deal may be worth; None while nobody said."""
        if self.opened:
            return self.opened.expected_value
        return self.imported.value if self.imported else None

    @property
    def currency(self) -> str | None:
        """The one currency of all this engagement's money; None while no amount is known."""
        return self.expected_value.currency if self.expected_value else None

    @property
    def stage(self) -> Stage:
        """Where the sale stands."""
        if self.lost:
            return "lost"
        if self.won:
            return "won"
        if self.imported and self.imported.outcome != "open":
            return self.imported.outcome
        return self.pipeline_stage

    @property
    def standing(self) -> Proposal | None:
        """The version of the proposal that was not withdrawn, if there is one."""
        newest = self.proposals[-1] if self.proposals else None
        return None if newest is None or newest.status == "withdrawn" else newest

    @property
    def promised_finish(self) -> date | None:
        """The last day promised to the customer, by amendment, by the deal, or in the proposal."""
        signed = [a for a in self.amendments.values() if a.signed_on is not None]
        if signed:
            return signed[-1].finishes_on
        if self.won:
            return self.won.finishes_on
        return self.standing.drafted.promised_finish if self.standing else None


evolve = Evolution[Engagement]()
decide = Decisions[Engagement]()


class Account(BaseModel):
    """One customer organisation: the newest version of its record."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: str
    published: AccountPublished | None = None


evolve_account = Evolution[Account]()
decide_account = Decisions[Account]()


@evolve_account.on(AccountPublished)
def _published(state: Account, recorded: Recorded[AccountPublished]) -> Account:
    return state.model_copy(update={"published": recorded.event})
