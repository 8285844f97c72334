"""Define the events of work before the signature."""

from typing import Self

from pydantic import model_validator

from contracts.channels import LEGAL
from contracts.event import Event
from contracts.money import PositiveMoney
from contracts.values import Day, ShortText, SomeHours, Value


class EarlyStart(Value):
    """An authorisation to work before the signature, up to a cap and a last day.

    The cap is a number of hours, an amount at bill rates, or both; the first to be reached counts.
    """

    cap_hours: SomeHours | None = None
    """Hours that may be worked under this authorisation; null where only an amount limits it."""
    cap_amount: PositiveMoney | None = None
    """Amount at bill rates that may be worked; null where only a number of hours limits it."""
    expires_on: Day
    """Last day of the authorisation (UTC)."""
    reason: ShortText
    """Reason for starting before the signature."""

    @model_validator(mode="after")
    def _capped(self) -> Self:
        if self.cap_hours is None and self.cap_amount is None:
            raise ValueError("cap_hours, cap_amount or both are required")
        return self


class EarlyStartAuthorised(EarlyStart, Event, channel=LEGAL, consumed_by=("delivery", "finance")):
    """Work before the signature was authorised between two days, up to hours or an amount.

    Published by Legal. The caps of several authorisations add up.
    """

    starts_on: Day
    """First day of the authorisation; it may be before the day on which it was given."""


class EarlyStartExpired(Event, channel=LEGAL):
    """Early-start authorisations expired before the statement of work was signed.

    Published by Legal, one event for all authorisations with the same last day.
    """

    expired_on: Day
    """Last day of the authorisations (UTC)."""
