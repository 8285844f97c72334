"""Publish rates as reference data: bill rates (open) and cost rates (confidential), per hour.

Both are effective-dated: on a day, the newest version effective by then applies, and a version is
never changed. Engagements in euro are priced by the rate card ``standard-EUR`` and costed by the
cost rates ``standard-EUR``; other currencies likewise.
"""

from collections.abc import Iterable
from decimal import Decimal

from pydantic import Field, field_validator

from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.decider import Decider, Decisions, Evolution
from contracts.event import Event, Recorded
from contracts.money import Currency
from contracts.reference import CostRatesPublished, RateCardPublished
from contracts.values import Day, Percent, RoleRate, Value

_HIGHEST = Decimal(10) ** 8


class _PublishRates(Command):
    currency: Currency
    rates: tuple[RoleRate, ...] = Field(min_length=1, max_length=200)
    effective_from: Day | None = None

    @field_validator("rates")
    @classmethod
    def _sensible(cls, rates: tuple[RoleRate, ...]) -> tuple[RoleRate, ...]:
        roles = [rate.role for rate in rates]
        if len(set(roles)) < len(roles):
            raise ValueError("must name each role once")
        if any(rate.rate.amount > _HIGHEST for rate in rates):
            raise ValueError(f"must be {_HIGHEST:,} an hour at most")
        return rates


class PublishRateCard(_PublishRates):
    """Publish a version of the rate card, in force from today unless a day is named."""


class PublishCostRates(_PublishRates):
    """Publish a version of the cost rates, in force from today unless a day is named.

    `floor` is the lowest margin, in percent, that a price should leave.
    """

    floor: Percent = Decimal(20)


class RateCard(Value):
    """Rate card and its newest version."""

    rate_card: str
    latest: RateCardPublished | None = None


class CostRates(Value):
    """Record of cost rates and its newest version."""

    cost_rates: str
    latest: CostRatesPublished | None = None


evolve_card: Evolution[RateCard] = Evolution()
decide_card: Decisions[RateCard] = Decisions()
evolve_costs: Evolution[CostRates] = Evolution()
decide_costs: Decisions[CostRates] = Decisions()


@evolve_card.on(RateCardPublished)
def _card_published(state: RateCard, recorded: Recorded[RateCardPublished]) -> RateCard:
    return state.model_copy(update={"latest": recorded.event})


@evolve_costs.on(CostRatesPublished)
def _costs_published(state: CostRates, recorded: Recorded[CostRatesPublished]) -> CostRates:
    return state.model_copy(update={"latest": recorded.event})


@decide_card.on(PublishRateCard)
def publish_rate_card(
    state: RateCard, command: PublishRateCard, context: Context
) -> Iterable[Event]:
    """Publish the next version, unless it equals the last one.

    Raises Refused where a rate or the record is in another currency.
    """
    _one_currency(command, state.latest.currency if state.latest else command.currency)
    card = RateCardPublished(
        effective_from=command.effective_from or context.today,
        rate_card=state.rate_card,
        currency=command.currency,
        rates=command.rates,
    )
    if card != state.latest:
        yield card


@decide_costs.on(PublishCostRates)
def publish_cost_rates(
    state: CostRates, command: PublishCostRates, context: Context
) -> Iterable[Event]:
    """Publish the next version, unless it equals the last one.

    Raises Refused where a rate or the record is in another currency.
    """
    _one_currency(command, state.latest.currency if state.latest else command.currency)
    rates = CostRatesPublished(
        effective_from=command.effective_from or context.today,
        cost_rates=state.cost_rates,
        currency=command.currency,
        rates=command.rates,
        floor=command.floor,
    )
    if rates != state.latest:
        yield rates


def _one_currency(command: _PublishRates, before: str) -> None:
    if command.currency != before:
        raise Refused("currency-differs", f"this record is in {before}, not in {command.currency}")
    if any(rate.rate.currency != command.currency for rate in command.rates):
        raise Refused("currency-differs", f"every rate must be in {command.currency}")


RATE_CARD: Decider[RateCard] = Decider(
    department="finance",
    kind="rate-card",
    initial=lambda subject: RateCard(rate_card=subject),
    evolve=evolve_card,
    decide=decide_card,
    opens=frozenset({PublishRateCard}),
)

COST_RATES: Decider[CostRates] = Decider(
    department="finance",
    kind="cost-rates",
    initial=lambda subject: CostRates(cost_rates=subject),
    evolve=evolve_costs,
    decide=decide_costs,
    opens=frozenset({PublishCostRates}),
)
