"""Check what several decisions of Sales require: an open sale, one currency, a past day."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta

from chassis.domain.commands import Refused
from chassis.domain.context import Context
from contracts.money import Money, Rate
from sales.state import Engagement


def require_open_sale(state: Engagement) -> None:
    """Refuse unless an opportunity exists and the deal is neither won nor over."""
    if state.opened is None and state.imported is None:
        raise Refused(
            "opportunity-not-opened", "no opportunity has been opened for this engagement"
        )
    require_not_ended(state)
    if state.stage == "won":
        raise Refused("deal-won", "the deal is already won; request a change instead")


def require_not_ended(state: Engagement) -> None:
    """Refuse a deal that was lost or imported as ended, a terminated or closed engagement."""
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


def require_adopted(state: Engagement) -> None:
    """Refuse an imported opportunity that has not been adopted.

    It has no expected close, and often no value or account. The other departments get all three
    with OpportunityOpened, which adoption publishes.
    """
    if state.opened is None:
        raise Refused(
            "opportunity-not-opened",
            "the opportunity was imported: adopt it first, so that others can work on it",
        )


def require_currency(currency: str | None, **amounts: Money | Rate | None) -> None:
    """Refuse an amount in another currency; the refusal names the field (the keyword)."""
    for field, money in amounts.items():
        if currency is not None and money is not None and money.currency != currency:
            raise Refused(
                "currency-differs",
                f"{field}: is in {money.currency}, but all amounts of this engagement are in "
                f"{currency}",
            )


def past_day(field: str, day: date | None, context: Context) -> date:
    """Return the day on which something happened: `day`, or today (UTC) where it is None.

    Raises Refused where it is later than tomorrow (UTC): east of UTC it may be tomorrow already.
    """
    if day is not None and day > context.today + timedelta(days=1):
        raise Refused("date-to-come", f"{field}: {day} is in the future")
    return day or context.today


def distinct(ids: Iterable[str]) -> None:
    """Raise ValueError where an id appears more than once; pydantic reports it for the field."""
    repeated = [name for name, times in Counter(ids).items() if times > 1]
    if repeated:
        raise ValueError(f"{', '.join(repeated)} appears more than once")
