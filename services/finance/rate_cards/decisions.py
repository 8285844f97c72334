"""Publish rate cards, the bill rates per hour, as reference data.

They are effective-dated: a version applies from its first day until that of the next one, and is
never changed. The standard card of a currency applies to all accounts that have no card of their
own in it.
"""

from collections.abc import Iterable

from chassis.domain.capability import Capability
from chassis.domain.commands import Refused
from chassis.domain.context import Context
from chassis.domain.reference import Publish, Record, next_version, require_record
from contracts.event import Event
from contracts.reference import AccountPublished, RateCard, RateCardPublished
from finance.policies import require_one_currency
from finance.rate_cards.pricing import rate_card_id
from finance.roles import CONTROLLING

capability = Capability[Record[RateCardPublished]](__name__)


class PublishRateCard(RateCard, Publish):
    """Publish a version of the rate card, in force from today unless a day is named.

    Its id is `standard-EUR`, or with an account the account, a dash and the currency.
    """


@capability.decide(PublishRateCard, by=CONTROLLING, opens=True)
def publish_rate_card(
    state: Record[RateCardPublished], command: PublishRateCard, context: Context
) -> Iterable[Event]:
    """Publish the next version, unless it equals the one in force.

    Raises Refused where a rate or the record is in another currency, where the account is unknown,
    or where the id is not that of the account and currency.
    """
    require_one_currency(command, state.newest)
    require_record("account-unknown", "account", AccountPublished, command.account, context)
    expected = rate_card_id(command.currency, command.account)
    if state.id != expected:
        raise Refused(
            "rate-card-misnamed",
            f"the rate card of this account and currency is {expected}, not {state.id}",
        )
    yield from next_version(state, command, context, from_today=True)
