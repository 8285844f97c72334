"""What decisions of Sales ask first: is there still something to sell, and in what money."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta

from chassis.domain.decider import Context, Refused
from contracts.money import Money
from sales.state import Engagement


def still_selling(state: Engagement) -> None:
    """Refuse what makes no sense any more, or not yet: the sale must be open."""
    if state.opened is None and state.imported is None:
        raise Refused("opportunity-not-opened", "no opportunity was opened for this engagement yet")
    not_over(state)
    if state.stage == "won":
        raise Refused("deal-won", "the deal is won already; what follows is a change request")


def not_over(state: Engagement) -> None:
    """Refuse once the engagement has ended, in whatever way."""
    if state.lost:
        raise Refused("engagement-over", f"the deal was lost on {state.lost.lost_on}")
    if state.imported and state.imported.outcome != "open":
        ended = f"{state.imported.outcome} on {state.imported.closed_on}"
        raise Refused("engagement-over", f"the deal was {ended}, before it was imported")
    if state.terminated:
        ended = f"terminated on {state.terminated.terminated_on}"
        raise Refused("engagement-over", f"the engagement was {ended}")
    if state.closed_on:
        raise Refused("engagement-over", f"the engagement was closed on {state.closed_on}")


def known_to_all(state: Engagement) -> None:
    """Refuse while the other departments have not heard of the engagement.

    An imported opportunity has no expected close and often neither value nor account, and they are
    not told of it before a person has opened it with all three.
    """
    if state.opened is None:
        raise Refused(
            "opportunity-not-opened",
            "the opportunity was imported: adopt it first, so that the other departments hear of "
            "it",
        )


def one_currency(currency: str | None, **amounts: Money | None) -> None:
    """Refuse an amount, by the name of its field, that is in another currency."""
    for field, money in amounts.items():
        if currency is not None and money is not None and money.currency != currency:
            raise Refused(
                "currency-differs",
                f"{field}: is in {money.currency}, but all money of this engagement is in "
                f"{currency}",
            )


def happened(field: str, day: date | None, context: Context) -> date:
    """The day on which it happened: today unless given; refused where it is yet to come.

    One day of grace, since it is tomorrow already east of here.
    """
    if day is not None and day > context.today + timedelta(days=1):
        raise Refused("date-to-come", f"{field}: {day} is yet to come")
    return day or context.today


def distinct(ids: Iterable[str]) -> None:
    """Raise ValueError, for a model to pass on, where an id stands more than once."""
    repeated = [name for name, times in Counter(ids).items() if times > 1]
    if repeated:
        raise ValueError(f"{', '.join(repeated)} stands more than once")
