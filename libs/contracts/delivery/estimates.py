"""Define the events of estimates."""

from typing import Annotated

from pydantic import Field

from contracts.channels import DELIVERY
from contracts.event import Event
from contracts.purchases import EstimatedPurchases
from contracts.values import (
    AsNumber,
    Confidence,
    Identifier,
    ItemLine,
    JudgedPercent,
    PersonId,
    ShortText,
    Value,
    Version,
)

Duration = Annotated[int, Field(ge=1, le=10_000), AsNumber]
"""Duration of the work in calendar days, at least one."""
EstimateLines = Annotated[tuple[ItemLine, ...], Field(max_length=500)]
"""Lines of an estimate, at most 500."""


class EstimateContent(Value):
    """An estimate without its version and assumptions."""

    template: Identifier
    """Id of the template that the estimate was made from."""
    lines: EstimateLines
    """Hours by phase and role, without the contingency."""
    purchases: EstimatedPurchases = ()
    """Things to be bought, in the currency of the engagement; the contingency adds nothing."""
    contingency: JudgedPercent
    """Percent to be added to the hours of every line."""
    duration_days: Duration
    """Duration of the work in calendar days."""
    confidence: Confidence
    """Confidence of the authors in the estimate."""


class EstimateSubmitted(EstimateContent, Event, channel=DELIVERY, consumed_by=("sales", "finance")):
    """Delivery submitted a version of the estimate: hours of work, and things to be bought.

    Published by Delivery. Project management hours are among the lines.
    """

    version: Version
    """Counts the engagement's estimates from 1."""
    assumptions: Annotated[tuple[ShortText, ...], Field(max_length=101)] = ()
    """Assumptions, among them the reason why no line is project management."""
    template_version: Version | None = None
    """Version of the template that the lines were made from; null where they were entered."""


class EstimateEndorsed(Event, channel=DELIVERY, consumed_by=("sales", "finance")):
    """The assigned engagement manager endorsed a version of the estimate. Published by Delivery."""

    version: Version
    """Version of the estimate."""
    manager: PersonId
    """Engagement manager who endorsed it."""
