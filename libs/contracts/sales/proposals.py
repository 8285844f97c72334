"""Define the events of proposals."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from contracts.channels import SALES
from contracts.event import Event
from contracts.lines import LineTerms, ProposedLine, ProposedLines, total_price
from contracts.money import Money, PositiveTotal
from contracts.values import Day, Identifier, ShortText, SomeDeliverables, Text, Value, Version
from contracts.vocabularies import OPEN, Unlisted


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
    """Reason why no line is project management; null where one is."""
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
        agreed = (line.price for line in lines if not line.optional)
        if Money.total(agreed, lines[0].price.currency).amount <= 0:
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

ExceptionGround = Annotated[
    Literal["below-floor", "third-price", "hours-differ", "purchases-differ"] | Unlisted, OPEN
]
"""Why a proposal needs an exception: its price is below the minimum margin, it is the third
different offer (price, hours or purchases) on one estimate, or the hours or the purchases of its
lines differ from it."""


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

    grounds: Annotated[tuple[ExceptionGround, ...], Field(min_length=1, max_length=20)]
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
