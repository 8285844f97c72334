"""Name what engagements and groups request of the ledger of a company."""

from typing import Annotated, Self

from pydantic import Field

from chassis.domain.commands import Command
from contracts.finance import BookedTotals, PeriodBooked, PeriodCosted
from contracts.money import Currency, Money
from contracts.values import AsNumber, EngagementId, HoursDelta, Value, Version, WorkCount

Number = Annotated[int, Field(ge=0, le=1_000_000), AsNumber]
"""Number of engagements, or of bookings."""


class CompanyTotals(Value):
    """Totals of the bookings of several engagements in one currency; cost is confidential."""

    currency: Currency
    bookings: Number
    billed: Money
    credited: Money
    billed_gross: Money
    credited_gross: Money
    paid: Money
    written_off: Money
    taken_over: Money
    recognised: Money
    hours: HoursDelta
    expenses: Money
    receivables_before: Money
    receivables: Money
    unbilled: Money
    unbilled_unknown: WorkCount
    cost: Money
    uncosted: WorkCount
    recognised_by_cost: Money
    loss: Money

    @classmethod
    def of(cls, booked: PeriodBooked, costed: PeriodCosted) -> "CompanyTotals":
        """Return the totals of one booking."""
        return cls(
            **{name: getattr(booked, name) for name in BookedTotals.model_fields},
            currency=booked.billed.currency,
            bookings=1,
            receivables_before=booked.receivables_before,
            receivables=booked.receivables,
            unbilled=booked.unbilled,
            unbilled_unknown=booked.unbilled_unknown,
            cost=costed.cost,
            uncosted=costed.uncosted,
            recognised_by_cost=costed.recognised_by_cost,
            loss=costed.loss,
        )

    def plus(self, other: Self) -> Self:
        """Return the totals with others of the same currency."""
        fields = set(CompanyTotals.model_fields) - {"currency"}
        return self.model_copy(
            update={name: getattr(self, name) + getattr(other, name) for name in fields}
        )


TotalsByCurrency = dict[str, CompanyTotals]


def added(known: TotalsByCurrency, more: CompanyTotals) -> TotalsByCurrency:
    """Return totals by currency with more of one currency."""
    before = known.get(more.currency)
    return {**known, more.currency: before.plus(more) if before else more}


class RegisterEngagement(Command):
    """Add an engagement of the company to its ledger."""

    engagement: EngagementId


class NoteGroup(Command):
    """Note that all engagements of a group have answered a round.

    `open` engagements have something missing, `open_in_confidence` something that discloses costs,
    and `booked` booked the month in this round, with these totals.
    """

    group: Version
    round: Version
    open: Number
    open_in_confidence: Number = 0
    booked: Number
    totals: tuple[CompanyTotals, ...] = ()
