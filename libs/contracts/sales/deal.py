"""Define the events of deals that are won or lost."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.channels import SALES
from contracts.event import Event
from contracts.lines import BillingItems, ContractLines
from contracts.money import PositiveTotal
from contracts.values import (
    ContentHash,
    Correction,
    Day,
    Days,
    Identifier,
    ShortText,
    SomeDeliverables,
    Text,
    Value,
    Version,
)
from contracts.vocabularies import OPEN, Unlisted


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


class ContractConfirmation(Value):
    """The signed version of the statement of work that is what was sold, and why."""

    content_hash: ContentHash
    """SHA-256 of the content of the signed version."""
    reason: Text
    """Why the contract differs from the deal, or that it does not."""


class ContractConfirmed(ContractConfirmation, Event, channel=SALES):
    """The seller confirmed that the signed contract is valid, even where the deal differs.

    Published by Sales; again where another reason is given.
    """


LossReason = Annotated[
    Literal["price", "scope", "timing", "competitor", "no-decision", "withdrawn"] | Unlisted, OPEN
]


class Loss(Value):
    """Why a deal was lost. A customer who does not decide is a reason, too (`no-decision`)."""

    reason: LossReason
    """Main reason for the loss."""
    comment: Text | None = None
    """Further explanation; null where there is none."""
    competitor: ShortText | None = None
    """Competitor who won the deal; null where none is known."""


class DealLost(Loss, Event, channel=SALES, consumed_by=("legal", "delivery", "finance")):
    """The deal was lost: the customer declined, or took no decision. Published by Sales."""

    lost_on: Day
    """Day on which the deal was lost."""


class DealReopened(Correction, Event, channel=SALES, consumed_by=("legal", "delivery", "finance")):
    """A deal that was lost, here or in a CRM, is open again, at the stage before the loss.

    Published by Sales. Work goes on as if the deal had not been lost, but people who were released
    at the loss stay released until they are allocated again.
    """

    lost_on: Day | None
    """Day of the loss that is taken back; null where the CRM knew none."""
    reopened_on: Day
    """Day on which the deal was reopened."""
