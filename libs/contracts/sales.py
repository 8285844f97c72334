"""Events that Sales publishes, from the first call to a deal won or lost.

Days are business days (UTC) unless the person who recorded them gave another day.
"""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from contracts.channels import SALES
from contracts.event import Event
from contracts.lines import (
    BillingItems,
    ContractLines,
    LineTerms,
    ProposedLine,
    ProposedLines,
    total_price,
)
from contracts.money import Money, NotNegativeMoney, PositiveTotal
from contracts.questions import AnsweredQuestion, AskedQuestion
from contracts.values import (
    AccountId,
    Day,
    Days,
    Identifier,
    Percent,
    PersonId,
    ShortText,
    SomeDeliverables,
    Text,
    Value,
    Version,
    YesNo,
)
from contracts.vocabularies import OPEN, Unlisted

PipelineStage = Annotated[
    Literal["prospecting", "qualifying", "proposing", "negotiating"] | Unlisted, OPEN
]


class OpportunityDetails(Value):
    """An opportunity as a person of Sales opens it."""

    account: AccountId
    """Id of the customer's organisation."""
    title: ShortText
    """Name of the opportunity, as people use it."""
    contacts: Annotated[tuple[PersonId, ...], Field(max_length=50)] = ()
    """Ids of the customer's people."""
    expected_value: NotNegativeMoney
    """Expected price; its currency is that of the engagement."""
    expected_close: Day
    """Day on which Sales expects the customer's decision."""
    owner: PersonId
    """Person of Sales who is responsible."""
    next_step: ShortText | None = None
    """Next thing that Sales does."""
    region: ShortText | None = None
    """Region that the sale counts for."""
    kind_of_work: ShortText | None = None
    """Kind of work, such as migration or training."""

    @property
    def details(self) -> "OpportunityDetails":
        """Return the details alone, of an event that contains them."""
        fields = {name: getattr(self, name) for name in OpportunityDetails.model_fields}
        return OpportunityDetails.model_construct(**fields)


class OpportunityOpened(
    OpportunityDetails, Event, channel=SALES, consumed_by=("delivery", "legal", "finance")
):
    """An opportunity was opened: a customer may buy work. It is the start of an engagement.

    Published by Sales.
    """


class OpportunityUpdated(
    OpportunityDetails, Event, channel=SALES, consumed_by=("delivery", "legal", "finance")
):
    """Details of an opportunity changed. Contains all of them; account and currency never change.

    Published by Sales.
    """


class ImportedOpportunity(Value):
    """An opportunity as a CRM had it; what the CRM did not know is null."""

    source: ShortText
    """Name of the CRM or of its export."""
    external_id: Identifier
    """Key of the opportunity in the CRM."""
    account: AccountId | None
    """Id of the customer's organisation."""
    title: ShortText
    """Name of the opportunity in the CRM."""
    product: ShortText
    """Product or service that is sold, as the CRM names it."""
    owner: PersonId
    """Person of Sales who is responsible in the CRM."""
    outcome: Literal["open", "won", "lost"]
    """Outcome in the CRM: still open, won or lost."""
    pipeline_stage: PipelineStage
    """Stage of the sale."""
    opened_on: Day | None
    """Day on which the CRM opened it; null where it is not known."""
    closed_on: Day | None
    """Day on which the CRM closed it; null while it is open."""
    value: NotNegativeMoney | None
    """Value in the CRM; null where it has none."""


class OpportunityImported(
    ImportedOpportunity, Event, channel=SALES, consumed_by=("legal", "delivery")
):
    """An opportunity was imported from a CRM, with its own dates. Published by Sales.

    What the CRM did not know is null. An imported engagement is not judged for disconnects.
    """


class Qualification(Value):
    """Judgement of an opportunity: budget, authority, need and timing, confirmed or not."""

    budget: YesNo
    """True if the customer has the money."""
    authority: YesNo
    """True if Sales talks to a person who may decide."""
    need: YesNo
    """True if the customer has a need that the company can meet."""
    timing: YesNo
    """True if the customer wants to start within a known time."""
    score: Percent
    """Overall judgement from 0 to 100."""


class OpportunityQualified(Qualification, Event, channel=SALES):
    """An opportunity was qualified: budget, authority, need and timing were checked.

    Published by Sales; again when the judgement changes.
    """


class PipelinePosition(Value):
    """The stage of an opportunity in the pipeline."""

    pipeline_stage: PipelineStage
    """Stage of the sale."""
    probability: Percent
    """Probability in percent that the deal is won."""


class OpportunityAdvanced(PipelinePosition, Event, channel=SALES):
    """An opportunity moved to a pipeline stage, or its probability changed. Published by Sales."""


class EstimateScope(Value):
    """The scope for which an estimate is requested."""

    scope_summary: Text
    """The work in outline."""
    deliverables: SomeDeliverables
    """Deliverables that the customer receives."""
    wanted_finish: Day | None = None
    """Finish that the customer wants."""


class EstimateRequested(EstimateScope, Event, channel=SALES, consumed_by=("delivery",)):
    """Sales requested an estimate from Delivery; a later request replaces this one.

    Published by Sales.
    """


def sold_deliverables(
    deliverables: Iterable[str], offered: Iterable[LineTerms], sold: Iterable[LineTerms]
) -> tuple[str, ...]:
    """Return the deliverables without those of offered lines only that are not sold, in order."""
    paid = {each for line in sold for each in line.deliverables}
    left_out = {each for line in offered for each in line.deliverables} - paid
    return tuple(each for each in deliverables if each not in left_out)


class ProposalContent(Value):
    """A proposal without its version and price. All amounts are in one currency."""

    company: Identifier
    """Id of the company that sells."""
    estimate_version: Version
    """Version of the estimate that the proposal is based on."""
    deliverables: SomeDeliverables
    """Deliverables that the customer receives."""
    lines: ProposedLines
    """The offer; the customer may leave out optional lines."""
    project_management_waiver: ShortText | None = None
    """Reason why no line is project management."""
    promised_start: Day
    """First day that is promised to the customer."""
    promised_finish: Day
    """Last day that is promised to the customer."""
    valid_until: Day
    """Last day on which the customer may accept the proposal."""
    method: Text
    """The method by which the work will be done."""
    assumptions: Annotated[tuple[ShortText, ...], Field(max_length=100)] = ()
    """Conditions of the price and the days, each in one line."""
    exclusions: Annotated[tuple[ShortText, ...], Field(max_length=100)] = ()
    """Things that the price does not include, each in one line."""

    @field_validator("lines")
    @classmethod
    def _priced(cls, lines: tuple[ProposedLine, ...]) -> tuple[ProposedLine, ...]:
        if sum(line.price.amount for line in lines if not line.optional) <= 0:
            raise ValueError("must add up to more than zero without the optional ones")
        return lines

    @field_validator("lines")
    @classmethod
    def _of_deliverables(
        cls, lines: tuple[ProposedLine, ...], info: ValidationInfo
    ) -> tuple[ProposedLine, ...]:
        known = [each.deliverable for each in info.data.get("deliverables") or ()]
        named = {each for line in lines for each in line.deliverables}
        unknown = sorted(named - {*known})
        if known and unknown:
            raise ValueError(f"{', '.join(unknown)} is no deliverable of the proposal")
        if known and not sold_deliverables(known, lines, [x for x in lines if not x.optional]):
            raise ValueError("must leave a deliverable without the optional ones")
        return lines

    @field_validator("promised_finish")
    @classmethod
    def _in_order(cls, finish: date, info: ValidationInfo) -> date:
        start = info.data.get("promised_start")
        if start is not None and finish < start:
            raise ValueError("must not be before promised_start")
        return finish

    @property
    def total(self) -> Money:
        """Return the sum of the lines that are not optional."""
        required = (line for line in self.lines if not line.optional)
        return total_price(required, self.lines[0].price.currency)


class ProposalDrafted(
    ProposalContent, Event, channel=SALES, consumed_by=("legal", "delivery", "finance")
):
    """A version of the proposal was drafted, based on one version of the estimate.

    Published by Sales. All amounts are in one currency.
    """

    version: Version
    """Counts the versions of the proposal from 1."""
    price: PositiveTotal
    """Sum of the lines that are not optional."""


MOST_OFFERS = 2
"""Number of different offers on one estimate that need no exception.

Each comparison with the minimum margin tells something about cost rates, so there are few.
"""

ExceptionGround = Literal["below-floor", "third-price", "hours-differ"]
"""Why a proposal needs an exception: its price is below the minimum margin, it is the third
different offer (price or hours) on one estimate, or the hours of its lines differ from it."""


class ProposalException(Value):
    """Why a version of the proposal may be submitted although it needs an exception."""

    version: Version
    """Version of the proposal."""
    why: ShortText
    """Reason for the exception."""


class ProposalExceptionApproved(ProposalException, Event, channel=SALES, consumed_by=("finance",)):
    """A sales manager approved a proposal that differs from the estimate or misses the floor.

    Published by Sales; again where the version needs an exception on another ground.
    """

    grounds: Annotated[tuple[ExceptionGround, ...], Field(min_length=1, max_length=3)]
    """All that the version needed an exception for; the approval covers no more."""


class ProposalSubmitted(Event, channel=SALES, consumed_by=("legal", "delivery")):
    """A version of the proposal was submitted to the customer (gate 1). Published by Sales."""

    version: Version
    """Version of the proposal."""
    submitted_on: Day
    """Day of the submission."""


class ProposalRevision(Value):
    """The withdrawal of a version of the proposal."""

    version: Version
    """Version that was withdrawn."""
    reason: ShortText
    """Reason for a new version."""


class ProposalRevised(ProposalRevision, Event, channel=SALES):
    """A version of the proposal was withdrawn, so that a next one can be drafted.

    Published by Sales.
    """


class LineBilling(Value):
    """The billing schedule of a line, as it was agreed when the deal was won."""

    line: Identifier
    billing: Annotated[BillingItems, Field(min_length=1)]
    """Entries that add up to the price of the line."""


class Acceptance(Value):
    """The accepted version of the proposal, and the payment terms."""

    proposal_version: Version
    """Version of the proposal."""
    payment_terms_days: Days
    """Calendar days from the invoice date to the due day."""


class DealWon(Acceptance, Event, channel=SALES, consumed_by=("legal", "delivery", "finance")):
    """The customer accepted a version of the proposal. Published by Sales."""

    company: Identifier
    """Id of the company that sells."""
    lines: ContractLines
    """The lines that the customer chose, each with its billing schedule."""
    price: PositiveTotal
    """Sum of the lines."""
    deliverables: SomeDeliverables
    """Deliverables that the customer receives."""
    starts_on: Day
    """Agreed start: the promised one unless another was agreed."""
    finishes_on: Day
    """Agreed finish: the promised one unless another was agreed."""
    won_on: Day
    """Day on which the deal was won."""


LossReason = Annotated[
    Literal["price", "scope", "timing", "competitor", "no-decision", "withdrawn"] | Unlisted, OPEN
]


class Loss(Value):
    """Why a deal was lost. A customer who does not decide is a reason, too (`no-decision`)."""

    reason: LossReason
    """Main reason for the loss."""
    comment: Text | None = None
    """Further explanation."""
    competitor: ShortText | None = None
    """Competitor who won the deal."""


class DealLost(Loss, Event, channel=SALES, consumed_by=("legal", "delivery", "finance")):
    """The deal was lost: the customer declined, or took no decision. Published by Sales."""

    lost_on: Day
    """Day on which the deal was lost."""


class QuestionAsked(
    AskedQuestion, Event, channel=SALES, consumed_by=("legal", "delivery", "finance")
):
    """Sales asked another department or a contact of the customer a question.

    Published by Sales.
    """


class QuestionAnswered(
    AnsweredQuestion, Event, channel=SALES, consumed_by=("legal", "delivery", "finance")
):
    """Sales answered a question to it, or recorded the answer of a contact that it had asked.

    Published by Sales.
    """
