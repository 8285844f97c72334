"""Publish cost rates, what an hour of a role, grade or person costs, in confidence.

They are effective-dated: a version applies from its first day until that of the next one, and is
never changed.
"""

from collections.abc import Iterable
from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.context import Context
from chassis.domain.reference import Publish, Record, next_version
from contracts.event import Event
from contracts.reference import CostRates, CostRatesPublished
from finance.policies import require_one_currency
from finance.roles import CONTROLLING

capability = Capability[Record[CostRatesPublished]](__name__)


class PublishCostRates(CostRates, Publish):
    """Publish a version of the cost rates, in force from today unless a day is named.

    The most specific rate of a person applies: their own, else their grade's, else their role's.
    `floor` is the lowest margin, in percent, that a price should leave.
    """


@capability.decide(PublishCostRates, by=CONTROLLING, opens=True)
def publish_cost_rates(
    state: Record[CostRatesPublished], command: PublishCostRates, context: Context
) -> Iterable[Event]:
    """Publish the next version, unless it equals the one in force.

    Raises Refused where a rate or the record is in another currency.
    """
    require_one_currency(command, state.newest)
    yield from next_version(state, command, context, from_today=True)


class CostRatesNotice(ViewModel):
    """Roles that have a cost rate, and since when; without the rates."""

    cost_rates: str
    currency: str | None
    effective_from: date | None
    roles: list[str]


@capability.view
def cost_rates_notice(state: Record[CostRatesPublished]) -> CostRatesNotice:
    """Return the view of cost rates without the rates, for maintainers who may not see costs."""
    known = state.newest
    return CostRatesNotice(
        cost_rates=state.id,
        currency=known.currency if known else None,
        effective_from=known.effective_from if known else None,
        roles=list(known.by_role) if known else [],
    )
