"""Publish rate cards, the bill rates per hour, as reference data.

They are effective-dated: on a day, the newest version effective by then applies, and a version is
never changed.
"""

from collections.abc import Iterable

from chassis.domain.capability import Capability
from chassis.domain.context import Context
from chassis.domain.reference import Publish, Record, next_version
from contracts.event import Event
from contracts.reference import RateCardPublished, Rates
from finance.policies import require_one_currency
from finance.roles import CONTROLLING

capability = Capability[Record[RateCardPublished]](__name__)


class PublishRateCard(Rates, Publish):
    """Publish a version of the rate card, in force from today unless a day is named."""


@capability.decide(PublishRateCard, by=CONTROLLING, opens=True)
def publish_rate_card(
    state: Record[RateCardPublished], command: PublishRateCard, context: Context
) -> Iterable[Event]:
    """Publish the next version, unless it equals the last one.

    Raises Refused where a rate or the record is in another currency.
    """
    require_one_currency(command, state.newest)
    yield from next_version(state, command, from_day=context.today)
