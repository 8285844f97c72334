"""Define the events of opportunities."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.channels import SALES
from contracts.event import Event
from contracts.money import NotNegativeMoney
from contracts.values import (
    AccountId,
    Day,
    JudgedPercent,
    PersonId,
    ShortText,
    SomeDeliverables,
    Text,
    Value,
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
    """Expected price without tax; its currency is that of the engagement."""
    expected_close: Day
    """Day on which Sales expects the customer's decision."""
    owner: PersonId
    """Person of Sales who is responsible."""
    next_step: ShortText | None = None
    """Next thing that Sales does; null where none is named."""
    region: ShortText | None = None
    """Region that the sale counts for; null where none is named."""
    kind_of_work: ShortText | None = None
    """Kind of work, such as migration or training; null where none is named."""

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
    score: JudgedPercent
    """Overall judgement from 0 to 100."""


class OpportunityQualified(Qualification, Event, channel=SALES):
    """An opportunity was qualified: budget, authority, need and timing were checked.

    Published by Sales; again when the judgement changes.
    """


class PipelinePosition(Value):
    """The stage of an opportunity in the pipeline."""

    pipeline_stage: PipelineStage
    """Stage of the sale."""
    probability: JudgedPercent
    """Probability in percent that the deal is won."""


class OpportunityAdvanced(PipelinePosition, Event, channel=SALES):
    """An opportunity moved to a pipeline stage, or its probability changed.

    Published by Sales; not when the deal is won or lost, after which the stage has no meaning.
    """


class EstimateScope(Value):
    """The scope for which an estimate is requested."""

    scope_summary: Text
    """The work in outline."""
    deliverables: SomeDeliverables
    """Deliverables that the customer receives."""
    wanted_finish: Day | None = None
    """Finish that the customer wants; null where the customer named none."""


class EstimateRequested(EstimateScope, Event, channel=SALES, consumed_by=("delivery",)):
    """Sales requested an estimate from Delivery; a later request replaces this one.

    Published by Sales.
    """
