"""Define the reference data of Finance: rate cards and, in confidence, cost rates."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from contracts.channels import FINANCE_CONFIDENTIAL_REFERENCE, FINANCE_REFERENCE
from contracts.money import Currency, Rate
from contracts.reference.record import Reference
from contracts.values import DistinctBy, Identifier, Percent, RoleRate, Value

HIGHEST_RATE = Decimal(10) ** 8
"""Maximum of a published rate, per hour."""


def _within_bounds(rates: tuple[RoleRate, ...]) -> tuple[RoleRate, ...]:
    if any(rate.rate.amount > HIGHEST_RATE for rate in rates):
        raise ValueError(f"must be {HIGHEST_RATE:,} an hour at most")
    return rates


class Rates(Value):
    """The rates per hour of roles, in one currency."""

    currency: Currency
    rates: Annotated[
        tuple[RoleRate, ...],
        Field(min_length=1, max_length=200),
        DistinctBy("role"),
        AfterValidator(_within_bounds),
    ]

    @property
    def by_role(self) -> Mapping[str, Rate]:
        """Return the rate per hour by role."""
        return {rate.role: rate.rate for rate in self.rates}


class RateCardPublished(Rates, Reference, channel=FINANCE_REFERENCE):
    """A version of a rate card: the bill rate per hour of each role, in one currency.

    Published by Finance.
    """

    kind: ClassVar[str] = "rate-card"
    rate_card: Identifier
    """Id of the rate card; `standard-EUR` prices the engagements in euro."""


class CostRates(Rates):
    """The cost rates per hour of roles, and the margin that a price should leave over them."""

    floor: Percent = Decimal(20)
    """Minimum margin in percent that the price of an estimate should leave."""


class CostRatesPublished(CostRates, Reference, channel=FINANCE_CONFIDENTIAL_REFERENCE):
    """A version of the cost rates: what an hour of each role costs the company, in one currency.

    Published by Finance in confidence.
    """

    kind: ClassVar[str] = "cost-rates"
    cost_rates: Identifier
    """Id of the record; `standard-EUR` applies to the engagements in euro."""
