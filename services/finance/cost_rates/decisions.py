"""Publish cost rates, what an hour of each role costs, as confidential reference data.

They are effective-dated: on a day, the newest version effective by then applies, and a version is
never changed.
"""

from collections.abc import Iterable
from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command
from chassis.domain.context import Context
from contracts.event import Event
from contracts.money import Rate
from contracts.reference import CostRates, CostRatesPublished
from contracts.values import Day, Percent
from finance.cost_rates.state import CostRateRecord
from finance.policies import require_one_currency
from finance.roles import CONTROLLING

capability = Capability[CostRateRecord](__name__)


class PublishCostRates(CostRates, Command):
    """Publish a version of the cost rates, in force from today unless a day is named.

    `floor` is the lowest margin, in percent, that a price should leave.
    """

    effective_from: Day | None = None


@capability.decide(PublishCostRates, by=CONTROLLING, opens=True)
def publish_cost_rates(
    state: CostRateRecord, command: PublishCostRates, context: Context
) -> Iterable[Event]:
    """Publish the next version, unless it equals the last one.

    Raises Refused where a rate or the record is in another currency.
    """
    require_one_currency(command, state.published)
    effective_from = command.effective_from or context.today
    rates = CostRatesPublished(
        **{**dict(command), "cost_rates": state.cost_rates, "effective_from": effective_from}
    )
    if rates != state.published:
        yield rates


class CostRatesNotice(ViewModel):
    """Roles that have a cost rate, and since when; without the rates."""

    cost_rates: str
    currency: str | None
    effective_from: date | None
    roles: list[str]


class CostRatesFigures(ViewModel):
    """Cost rates per hour by role; `floor` is in percent."""

    rates: dict[str, Rate]
    floor: Percent | None


@capability.view
def cost_rates_notice(state: CostRateRecord) -> CostRatesNotice:
    """Return the view of cost rates without the rates, for maintainers who may not see costs."""
    known = state.published
    return CostRatesNotice(
        cost_rates=state.cost_rates,
        currency=known.currency if known else None,
        effective_from=known.effective_from if known else None,
        roles=list(known.by_role) if known else [],
    )


@capability.confidential_view
def cost_rates_figures(state: CostRateRecord) -> CostRatesFigures:
    """Return the confidential figures of cost rates."""
    known = state.published
    return CostRatesFigures(
        rates=dict(known.by_role) if known else {}, floor=known.floor if known else None
    )
