"""What Sales says: from the first call to a deal won or lost."""

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


class OpportunityOpened(Event, channel=SALES, heard_by=("delivery", "legal", "finance")):
    """An engagement begins: a customer may buy work. Contacts and owner are ids of people."""

    account: AccountId
    title: ShortText
    contacts: tuple[PersonId, ...] = ()
    expected_value: NotNegativeMoney
    expected_close: Day
    owner: PersonId


class OpportunityImported(
    Event,
    channel=SALES,
    heard_by=(
        "legal",
        "delivery",
    ),
):
    """History taken over from a CRM, with its own dates; gates that lie in its past are not judged.

    `external_id` is the CRM's own key. `account` is missing where the CRM had none. A value is
    unknown, not zero, while the CRM had none.
    """

    source: ShortText
    external_id: Identifier
    account: AccountId | None
    title: ShortText
    product: ShortText
    owner: PersonId
    outcome: Literal["open", "won", "lost"]
    pipeline_stage: PipelineStage
    opened_on: Day | None
    closed_on: Day | None
    value: NotNegativeMoney | None


class OpportunityQualified(Event, channel=SALES, heard_by=("delivery",)):
    """Budget, authority, need and timing were checked; score is 0 to 100."""

    budget: bool
    authority: bool
    need: bool
    timing: bool
    score: Percent


class OpportunityAdvanced(Event, channel=SALES):
    """The opportunity stands at this pipeline stage, to be won with this probability (percent)."""

    pipeline_stage: PipelineStage
    probability: Percent


class EstimateRequested(Event, channel=SALES, heard_by=("delivery",)):
    """Delivery is asked what the work would take: scope in brief, and what the customer wants."""

    scope_summary: Text
    deliverables: tuple[Deliverable, ...]
    wanted_finish: Day | None = None


class ProposalDrafted(
    Event,
    channel=SALES,
    heard_by=(
        "legal",
        "delivery",
        "finance",
    ),
):
    """A version of the proposal, resting on one version of the estimate.

    Project management is a line of it, or the waiver says why not. Price is the sum of the lines
    less any discount the lines already carry, in one currency. Dates are what is promised.
    """

    version: Version
    estimate_version: Version
    deliverables: tuple[Deliverable, ...]
    lines: tuple[PricedLine, ...]
    project_management_waiver: ShortText | None = None
    price: PositiveTotal
    pricing: Pricing
    promised_start: Day
    promised_finish: Day
    method: Text
    assumptions: tuple[ShortText, ...] = ()
    exclusions: tuple[ShortText, ...] = ()


class ProposalSubmitted(
    Event,
    channel=SALES,
    heard_by=(
        "legal",
        "delivery",
    ),
):
    """This version went to the customer."""

    version: Version
    submitted_on: Day


class ProposalRevised(Event, channel=SALES):
    """This version is withdrawn, to be followed by a next one, for this reason."""

    version: Version
    reason: ShortText


class DealWon(Event, channel=SALES, heard_by=("legal", "delivery", "finance")):
    """The customer said yes to this version: price, dates and how it will be billed.

    The billing schedule adds up to the price. Rates are those contracted for time and materials.
    """

    proposal_version: Version
    price: PositiveTotal
    pricing: Pricing
    deliverables: tuple[Deliverable, ...]
    starts_on: Day
    finishes_on: Day
    billing_schedule: tuple[BillingItem, ...]
    rates: tuple[RoleRate, ...] = ()
    payment_terms_days: Days
    won_on: Day


class DealLost(Event, channel=SALES, heard_by=("legal", "delivery", "finance")):
    """The customer said no, or nothing any more: why, and to whom it went."""

    reason: Literal["price", "scope", "timing", "competitor", "no-decision", "withdrawn"]
    comment: Text | None = None
    competitor: ShortText | None = None
    lost_on: Day
