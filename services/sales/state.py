"""State of an engagement and of an account in Sales.

Sales' own events are applied in `evolution`, those of other departments in `hearing`.
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
"""Stage of the sale; terminated and closed engagements stay won."""


class Proposal(Value):
    """A version of the proposal, and its status."""

    drafted: ProposalDrafted
    status: Literal["drafted", "submitted", "withdrawn"] = "drafted"
    submitted_on: date | None = None

    @property
    def version(self) -> int:
        """Return the version number, counted from 1."""
        return self.drafted.version


class Estimate(Value):
    """A version of the estimate, as far as Delivery and Finance have published it."""

    submitted: EstimateSubmitted | None = None
    endorsed_by: PersonId | None = None
    priced: EstimatePriced | None = None


class Amendment(Value):
    """An amendment: the change it is for, what it adds to the price, and the agreed finish.

    `signed_on` is None until both parties have signed. Signed amendments of an engagement are
    kept in the order of signing.
    """

    change: Identifier
    price_delta: Money
    finishes_on: date
    signed_on: date | None = None


class Invoice(Value):
    """An invoice, with the amounts paid and credited.

    `fell_due` says that Finance published it as overdue.
    """

    issued: InvoiceIssued
    paid: Money
    credited: Money
    voided: bool = False
    fell_due: bool = False

    @property
    def overdue(self) -> bool:
        """Return whether the invoice is overdue and neither void nor fully paid or credited."""
        owed = not self.voided and self.paid + self.credited < self.issued.amount
        return self.fell_due and owed


class Statement(Value):
    """The newest version of the statement of work, and its status in Legal."""

    version: Version
    status: Literal["drafted", "redlined", "approved", "sent", "signed"]
    signed_on: date | None = None


class Engagement(BaseModel):
    """An engagement in Sales."""

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
    on_hold: EngagementPutOnHold | None = None
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
        """Return the customer account, or None where it is not known (a CRM may not have it)."""
        known = self.opened or self.imported
        return known.account if known else None

    @property
    def expected_value(self) -> Money | None:
        """Return the expected value of the deal, or None where it is not known."""
        if self.opened:
            return self.opened.expected_value
        return self.imported.value if self.imported else None

    @property
    def currency(self) -> str | None:
        """Return the currency of all amounts of this engagement; None while no amount is known."""
        return self.expected_value.currency if self.expected_value else None

    @property
    def stage(self) -> Stage:
        """Return the stage of the sale."""
        if self.lost:
            return "lost"
        if self.won:
            return "won"
        if self.imported and self.imported.outcome != "open":
            return self.imported.outcome
        return self.pipeline_stage

    @property
    def current_proposal(self) -> Proposal | None:
        """Return the newest version of the proposal; None where it is withdrawn or none exists."""
        newest = self.proposals[-1] if self.proposals else None
        return None if newest is None or newest.status == "withdrawn" else newest

    @property
    def promised_finish(self) -> date | None:
        """Return the last day promised to the customer, or None.

        It is that of the amendment signed last, else of the won deal, else of the current proposal.
        """
        signed = [a for a in self.amendments.values() if a.signed_on is not None]
        if signed:
            return signed[-1].finishes_on
        if self.won:
            return self.won.finishes_on
        return self.current_proposal.drafted.promised_finish if self.current_proposal else None


evolve = Evolution[Engagement]()
decide = Decisions[Engagement]()


class Account(BaseModel):
    """An account: the newest published version of its record."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: str
    published: AccountPublished | None = None


evolve_account = Evolution[Account]()
decide_account = Decisions[Account]()


@evolve_account.on(AccountPublished)
def _published(state: Account, recorded: Recorded[AccountPublished]) -> Account:
    return state.model_copy(update={"published": recorded.event})
