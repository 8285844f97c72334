"""Events that Sales publishes, from the first call to a deal won or lost.

Days are business days (UTC) unless the person who recorded them gave another day.
"""

from typing import Literal

from contracts.channels import SALES
from contracts.event import Event
from contracts.money import NotNegativeMoney, PositiveTotal
from contracts.values import (
    AccountId,
    BillingItem,
    Day,
    Days,
    Deliverable,
    Identifier,
    Percent,
    PersonId,
    PricedLine,
    Pricing,
    RoleRate,
    ShortText,
    Text,
    Version,
)

PipelineStage = Literal["prospecting", "qualifying", "proposing", "negotiating"]


class OpportunityOpened(Event, channel=SALES, consumed_by=("delivery", "legal", "finance")):
    """An opportunity was opened: a customer may buy work. It is the start of an engagement.

    Published by Sales.
    """

    account: AccountId
    """Id of the customer's organisation."""
    title: ShortText
    contacts: tuple[PersonId, ...] = ()
    """Ids of the customer's people."""
    expected_value: NotNegativeMoney
    """Expected price; its currency is that of the engagement."""
    expected_close: Day
    """Day on which Sales expects the customer's decision."""
    owner: PersonId
    """Person of Sales who is responsible."""


class OpportunityImported(
    Event,
    channel=SALES,
    consumed_by=(
        "legal",
        "delivery",
    ),
):
    """An opportunity was imported from a CRM, with its own dates. Published by Sales.

    What the CRM did not know is null. An imported engagement is not judged for disconnects.
    """

    source: ShortText
    """Name of the CRM or of its export."""
    external_id: Identifier
    """Key of the opportunity in the CRM."""
    account: AccountId | None
    """Id of the customer's organisation."""
    title: ShortText
    product: ShortText
    owner: PersonId
    outcome: Literal["open", "won", "lost"]
    pipeline_stage: PipelineStage
    opened_on: Day | None
    closed_on: Day | None
    value: NotNegativeMoney | None


class OpportunityQualified(Event, channel=SALES, consumed_by=("delivery",)):
    """An opportunity was qualified: budget, authority, need and timing were checked.

    Published by Sales; again when the judgement changes.
    """

    budget: bool
    authority: bool
    need: bool
    timing: bool
    score: Percent
    """Overall judgement from 0 to 100."""


class OpportunityAdvanced(Event, channel=SALES):
    """An opportunity moved to a pipeline stage, or its probability changed. Published by Sales."""

    pipeline_stage: PipelineStage
    probability: Percent
    """Probability in percent that the deal is won."""


class EstimateRequested(Event, channel=SALES, consumed_by=("delivery",)):
    """Sales requested an estimate from Delivery; a later request replaces this one.

    Published by Sales.
    """

    scope_summary: Text
    deliverables: tuple[Deliverable, ...]
    wanted_finish: Day | None = None
    """Finish that the customer wants."""


class ProposalDrafted(
    Event,
    channel=SALES,
    consumed_by=(
        "legal",
        "delivery",
        "finance",
    ),
):
    """A version of the proposal was drafted, based on one version of the estimate.

    Published by Sales. All amounts are in one currency.
    """

    version: Version
    """Counts the versions of the proposal from 1."""
    estimate_version: Version
    deliverables: tuple[Deliverable, ...]
    lines: tuple[PricedLine, ...]
    """Hours and price by role; discounts are included in the lines."""
    project_management_waiver: ShortText | None = None
    """Reason why no line is project management."""
    price: PositiveTotal
    """Sum of the lines."""
    pricing: Pricing
    promised_start: Day
    promised_finish: Day
    method: Text
    """The method by which the work will be done."""
    assumptions: tuple[ShortText, ...] = ()
    exclusions: tuple[ShortText, ...] = ()


class ProposalSubmitted(
    Event,
    channel=SALES,
    consumed_by=(
        "legal",
        "delivery",
    ),
):
    """A version of the proposal was submitted to the customer (gate 1). Published by Sales."""

    version: Version
    submitted_on: Day


class ProposalRevised(Event, channel=SALES):
    """A version of the proposal was withdrawn, so that a next one can be drafted.

    Published by Sales.
    """

    version: Version
    """Version that was withdrawn."""
    reason: ShortText


class DealWon(Event, channel=SALES, consumed_by=("legal", "delivery", "finance")):
    """The customer accepted a version of the proposal. Published by Sales."""

    proposal_version: Version
    price: PositiveTotal
    """Price of the accepted version."""
    pricing: Pricing
    deliverables: tuple[Deliverable, ...]
    starts_on: Day
    """Agreed start: the promised one unless another was agreed."""
    finishes_on: Day
    """Agreed finish: the promised one unless another was agreed."""
    billing_schedule: tuple[BillingItem, ...]
    """Entries whose amounts add up to the price."""
    rates: tuple[RoleRate, ...] = ()
    """Agreed bill rates per hour; for time and materials, one for every role."""
    payment_terms_days: Days
    """Calendar days from the invoice date to the due day."""
    won_on: Day


class DealLost(Event, channel=SALES, consumed_by=("legal", "delivery", "finance")):
    """The deal was lost: the customer declined, or took no decision. Published by Sales."""

    reason: Literal["price", "scope", "timing", "competitor", "no-decision", "withdrawn"]
    comment: Text | None = None
    competitor: ShortText | None = None
    """Competitor who won the deal."""
    lost_on: Day
