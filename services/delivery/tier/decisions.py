"""Choose the method tier."""

from collections.abc import Iterable
from decimal import Decimal

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command
from chassis.domain.context import Context
from contracts.delivery import TierChoice, TierChosen
from contracts.event import Event
from contracts.money import Money
from contracts.reference import AccountPublished
from contracts.values import Tier, YesNo
from delivery.engagement import Engagement
from delivery.policies import require_open
from delivery.roles import MANAGERS

capability = Capability[Engagement](__name__)

COMPARABLE = frozenset({"EUR", "USD", "GBP", "CHF", "CAD", "AUD", "NZD", "SGD"})
"""Currencies whose units are of the same order of magnitude. A price in another currency is not
used to propose a tier."""

SMALL, LARGE, HUGE = Decimal(60_000), Decimal(200_000), Decimal(500_000)
"""Prices, in whole units of a comparable currency, from which an engagement is not small, is
large (critical if novel) and is critical in any case."""

SHORT_DAYS, LONG_DAYS = 60, 270


class ChooseTier(TierChoice, Command):
    """Choose the method tier of the engagement and give a reason.

    The tier that the platform proposes is recorded beside it. `novel`: the work is new to the
    company.
    """

    novel: YesNo = False


def proposed_tier(
    price: Money | None, duration_days: int | None, *, novel: bool, customer_pmo: bool
) -> Tier:
    """Return the tier proposed for price, calendar days, novelty and the customer's own PMO.

    Critical: very large, long, or both large and novel. Light: small, short and not novel, unless
    the customer has its own PMO, which wants the artefacts. Otherwise standard, also where the
    price (in a comparable currency) or the duration is unknown.
    """
    amount = price.amount if price and price.currency in COMPARABLE else None
    if amount is not None and (amount >= HUGE or (novel and amount >= LARGE)):
        return "critical"
    if duration_days is not None and duration_days >= LONG_DAYS:
        return "critical"
    small = amount is not None and amount < SMALL
    short = duration_days is not None and duration_days <= SHORT_DAYS
    return "light" if small and short and not novel and not customer_pmo else "standard"


@capability.decide(ChooseTier, by=MANAGERS)
def choose_tier(state: Engagement, command: ChooseTier, context: Context) -> Iterable[Event]:
    """Record the chosen tier beside the proposed one.

    The proposal is computed from the newest known price and duration and from the account's record.
    """
    require_open(state)
    account = context.reference_data.latest(AccountPublished, state.deal.account or "")
    newest = state.estimates.newest
    proposed = proposed_tier(
        _price(state),
        newest.submitted.duration_days if newest else None,
        novel=command.novel,
        customer_pmo=account is not None and account.event.own_pmo,
    )
    chosen = TierChosen(tier=command.tier, proposed=proposed, reason=command.reason)
    if chosen != state.tier.chosen:
        yield chosen


def _price(state: Engagement) -> Money | None:
    if state.deal.won:
        return state.deal.won.price
    prices = state.estimates.prices
    if prices:
        return prices[max(prices)].price
    return state.deal.opened.expected_value if state.deal.opened else None


class TierFields(ViewModel):
    """The method tier in the view of an engagement."""

    tier: TierChosen | None


@capability.view
def tier_view(state: Engagement) -> TierFields:
    """Return the method tier for the view of an engagement."""
    return TierFields(tier=state.tier.chosen)
