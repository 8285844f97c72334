"""Define the events of prices and costs of estimates."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.channels import FINANCE, FINANCE_CONFIDENTIAL
from contracts.event import Event
from contracts.money import NotNegativeTotal, PositiveTotal
from contracts.purchases import EstimatedPurchases
from contracts.values import ComputedPercent, Identifier, PricedLine, Ratio, Version

Floor = Literal["above", "below", "unknown"]
"""Comparison of a price with the minimum margin; unknown where a cost rate is."""


class EstimatePriced(Event, channel=FINANCE, consumed_by=("sales", "delivery")):
    """A version of the estimate was priced at the rates of a rate card.

    Published by Finance as soon as a rate card with every role is known. The rates are those in
    force on the day (UTC) on which the estimate was submitted.
    """

    estimate_version: Version
    """Version of the estimate."""
    rate_card: Identifier
    """Id of the rate card, such as `standard-EUR`."""
    rate_card_version: Version
    """Version of the rate card."""
    lines: Annotated[tuple[PricedLine, ...], Field(max_length=500)]
    """Price by role and kind of work, with the contingency in the hours."""
    purchases: EstimatedPurchases = ()
    """Things to be bought, as they were estimated: the customer is charged their amounts."""
    price: PositiveTotal
    """Sum of the lines and purchases."""
    project_management_share: ComputedPercent
    """Amount of the project management lines in percent of the price."""
    floor: Floor
    """`above` if the price leaves the minimum margin, which is itself confidential.

    `unknown` where the cost rate of a role was not known, and for all but the first two different
    estimates of an engagement.
    """


class EstimateCosted(Event, channel=FINANCE_CONFIDENTIAL):
    """The cost of a priced version of the estimate was calculated.

    Published by Finance in confidence once the cost rates are known. The rates are those in force
    on the day (UTC) on which the estimate was submitted.
    """

    estimate_version: Version
    """Version of the estimate."""
    cost: NotNegativeTotal
    """Cost to the company of the priced hours, with the contingency, and of the purchases."""
    margin: Ratio | None
    """(price - cost) / price, as a ratio; null where the price is zero."""
