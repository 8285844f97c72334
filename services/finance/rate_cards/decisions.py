"""Publish rate cards, the bill rates per hour, as reference data.

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
from contracts.reference import RateCardPublished, Rates
from contracts.values import Day
from finance.policies import require_one_currency
from finance.rate_cards.state import RateCard
from finance.roles import CONTROLLING

capability = Capability[RateCard](__name__)


class PublishRateCard(Rates, Command):
    """Publish a version of the rate card, in force from today unless a day is named."""

    effective_from: Day | None = None


@capability.decide(PublishRateCard, by=CONTROLLING, opens=True)
def publish_rate_card(
    state: RateCard, command: PublishRateCard, context: Context
) -> Iterable[Event]:
    """Publish the next version, unless it equals the last one.

    Raises Refused where a rate or the record is in another currency.
    """
    require_one_currency(command, state.published)
    effective_from = command.effective_from or context.today
    card = RateCardPublished(
        **{**dict(command), "rate_card": state.rate_card, "effective_from": effective_from}
    )
    if card != state.published:
        yield card


class RateCardView(ViewModel):
    """Newest version of a rate card."""

    rate_card: str
    currency: str | None
    effective_from: date | None
    rates: dict[str, Rate]


@capability.view
def rate_card_view(state: RateCard) -> RateCardView:
    """Return the view of a rate card."""
    known = state.published
    return RateCardView(
        rate_card=state.rate_card,
        currency=known.currency if known else None,
        effective_from=known.effective_from if known else None,
        rates=dict(known.by_role) if known else {},
    )
