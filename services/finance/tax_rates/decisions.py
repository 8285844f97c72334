"""Publish tax rates as reference data; the rate of a day is the one in force on it."""

from collections.abc import Iterable

from chassis.domain.capability import Capability
from chassis.domain.commands import Refused
from chassis.domain.context import Context
from chassis.domain.reference import Publish, Record, next_version
from contracts.event import Event
from contracts.reference import TaxRateDetails, TaxRatePublished
from finance.roles import CONTROLLING

capability = Capability[Record[TaxRatePublished]](__name__)


class PublishTaxRate(TaxRateDetails, Publish):
    """Publish a version of a tax rate, in force from today unless a day is named."""


@capability.decide(PublishTaxRate, by=CONTROLLING, opens=True)
def publish_tax_rate(
    state: Record[TaxRatePublished], command: PublishTaxRate, context: Context
) -> Iterable[Event]:
    """Publish the next version, unless it equals the one in force.

    Raises Refused where the code belongs to another country.
    """
    newest = state.newest
    if newest is not None and newest.country != command.country:
        raise Refused("country-differs", f"country: the tax code {state.id} is of {newest.country}")
    yield from next_version(state, command, context, from_today=True)
