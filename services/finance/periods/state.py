"""State of the accounting periods of an engagement: running totals since the last booking.

Each entry changes one number, so a booking does not sum over entries, and an entry is in one
booking. Partly confidential.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Self

from chassis.domain.state import Keep, Kept, Part, on_event
from contracts.delivery import (
    ExpenseApproved,
    ExpenseRejected,
    ExpenseReversed,
    ExpenseSubmitted,
    ExpenseWithdrawn,
    TimeApproved,
    TimeEntry,
    TimeRejected,
    TimeReversed,
    TimeSubmitted,
    TimeWithdrawn,
)
from contracts.finance import (
    CostAccrued,
    CostReversed,
    CreditNoteIssued,
    EngagementImported,
    ExpenseConversionReversed,
    ExpenseConverted,
    InvoiceIssued,
    PaymentAllocated,
    PaymentDeallocated,
    PeriodBooked,
    PeriodCosted,
    RevenueByCostRecognised,
    RevenueRecognised,
    WriteOffRecorded,
    WriteOffReversed,
)
from contracts.money import Money
from contracts.values import Identifier, Month, PersonId, Value
from finance.calendar_months import end_of
from finance.periods.events import BookedWithOpenItems, PeriodChecked, RegisteredWithLedger

NOTHING = Decimal(0)
HoursByDay = dict[date, Decimal]


class Unbooked(Value):
    """Totals since the last booking, in the engagement's currency; `expenses` by currency."""

    billed: Decimal = NOTHING
    credited: Decimal = NOTHING
    billed_gross: Decimal = NOTHING
    credited_gross: Decimal = NOTHING
    paid: Decimal = NOTHING
    written_off: Decimal = NOTHING
    taken_over: Decimal = NOTHING
    recognised: Decimal = NOTHING
    hours: Decimal = NOTHING
    expenses: dict[str, Decimal] = {}
    cost: Decimal = NOTHING
    recognised_by_cost: Decimal = NOTHING

    @property
    def owed(self) -> Decimal:
        """Return by how much the customer owes more, with tax."""
        more = self.taken_over + self.billed_gross
        return more - self.credited_gross - self.paid - self.written_off

    def plus(self, **amounts: Decimal) -> "Unbooked":
        """Return the totals with more added."""
        changed = {name: getattr(self, name) + amount for name, amount in amounts.items()}
        return self.model_copy(update=changed)

    def with_expense(self, currency: str, amount: Decimal) -> "Unbooked":
        """Return the totals with an expense in a currency added; a reversed one is negative."""
        known = {**self.expenses, currency: self.expenses.get(currency, NOTHING) + amount}
        return self.model_copy(
            update={"expenses": {name: one for name, one in known.items() if one}}
        )


class Periods(Part):
    """The bookings by month, and the totals since the last one.

    `company` is that whose ledger knows the engagement. `waiting` are the hours of each person that
    are submitted and neither approved nor rejected, by day, and `waiting_expenses` such expenses.
    `checked` is what was missing when that was last asked for, `with_open_items` what was missing
    when a month was booked. `receivables` is what the customer owed at the last booking, `opening`
    what was taken over of it; both are with tax.
    """

    company: Identifier | None = None
    unbooked: Unbooked = Unbooked()
    receivables: Decimal = NOTHING
    opening: Decimal = NOTHING
    waiting: dict[PersonId, HoursByDay] = {}
    waiting_expenses: Annotated[
        dict[Identifier, ExpenseSubmitted],
        Keep(by="expense", until=(ExpenseApproved, ExpenseRejected, ExpenseWithdrawn)),
    ] = {}
    booked: Annotated[dict[Month, PeriodBooked], Keep(by="month")] = {}
    costed: Annotated[dict[Month, PeriodCosted], Keep(by="month")] = {}
    checked: Kept[PeriodChecked] = None
    with_open_items: Annotated[dict[Month, BookedWithOpenItems], Keep(by="month")] = {}

    @property
    def booked_to(self) -> Month | None:
        """Return the last booked month, or None before the first."""
        return max(self.booked, default=None)

    @property
    def first_open_day(self) -> date | None:
        """Return the first day after the booked months; None where every day is open."""
        last = self.booked_to
        return end_of(last) + timedelta(days=1) if last else None

    @on_event
    def _registered(self, event: RegisteredWithLedger) -> Self:
        return self.updated(company=event.company)

    @on_event
    def _submitted(self, event: TimeSubmitted) -> Self:
        """Replace what waits of the week."""
        others = {
            day: hours
            for day, hours in self.waiting.get(event.person, {}).items()
            if not 0 <= (day - event.week).days < 7
        }
        return self._waiting(event.person, _added(others, event.entries, 1))

    @on_event
    def _decided(self, event: TimeApproved | TimeRejected | TimeWithdrawn) -> Self:
        known = self.waiting.get(event.person, {})
        return self._waiting(event.person, _added(known, event.entries, -1))

    @on_event
    def _issued(self, event: InvoiceIssued) -> Self:
        return self._counted(billed=event.amount.amount, billed_gross=event.tax.gross.amount)

    def voided(self, amount: Money, gross: Money) -> Self:
        """Return the part after an invoice over this amount, with tax `gross`, was voided."""
        return self._counted(billed=-amount.amount, billed_gross=-gross.amount)

    @on_event
    def _credited(self, event: CreditNoteIssued) -> Self:
        return self._counted(credited=event.amount.amount, credited_gross=event.tax.gross.amount)

    @on_event
    def _written_off(self, event: WriteOffRecorded | WriteOffReversed) -> Self:
        sign = -1 if isinstance(event, WriteOffReversed) else 1
        return self._counted(written_off=sign * event.amount.amount)

    @on_event
    def _taken_over(self, event: EngagementImported) -> Self:
        """Count what is owed on invoices from before; a correction counts by the difference."""
        opening = sum((each.open.amount for each in event.receivables), NOTHING)
        counted = self._counted(taken_over=opening - self.opening)
        return counted.updated(opening=opening)

    @on_event
    def _paid(self, event: PaymentAllocated) -> Self:
        return self._counted(paid=event.paid.amount)

    @on_event
    def _taken_back(self, event: PaymentDeallocated) -> Self:
        return self._counted(paid=-event.paid.amount)

    @on_event
    def _recognised(self, event: RevenueRecognised) -> Self:
        return self._counted(recognised=event.amount.amount)

    @on_event
    def _worked(self, event: TimeApproved | TimeReversed) -> Self:
        hours = sum((each.hours for each in event.entries), NOTHING)
        sign = -1 if isinstance(event, TimeReversed) else 1
        return self._counted(hours=sign * hours)

    @on_event
    def _spent(self, event: ExpenseApproved | ExpenseReversed) -> Self:
        sign = -1 if isinstance(event, ExpenseReversed) else 1
        amount = event.amount
        return self.updated(
            unbooked=self.unbooked.with_expense(amount.currency, sign * amount.amount)
        )

    @on_event
    def _converted(self, event: ExpenseConverted | ExpenseConversionReversed) -> Self:
        """Move an expense to the engagement's currency, or back where its approval was reversed."""
        sign = -1 if isinstance(event, ExpenseConversionReversed) else 1
        before, after = event.conversion.amount, event.conversion.converted
        moved = self.unbooked.with_expense(before.currency, -sign * before.amount)
        moved = moved.with_expense(after.currency, sign * after.amount)
        return self.updated(unbooked=moved)

    @on_event
    def _costed(self, event: CostAccrued | CostReversed) -> Self:
        sign = -1 if isinstance(event, CostReversed) else 1
        return self._counted(cost=sign * event.cost.amount)

    @on_event
    def _recognised_by_cost(self, event: RevenueByCostRecognised) -> Self:
        amount = event.amount.amount
        return self._counted(recognised_by_cost=amount)

    @on_event
    def _booked(self, event: PeriodBooked) -> Self:
        """Begin anew, but for confidential totals and for expenses that are not converted."""
        left = {
            name: amount
            for name, amount in self.unbooked.expenses.items()
            if name != event.expenses.currency
        }
        kept = {"cost", "recognised_by_cost"}
        confidential = {name: getattr(self.unbooked, name) for name in kept}
        return self.updated(
            unbooked=Unbooked(expenses=left, **confidential), receivables=event.receivables.amount
        )

    @on_event
    def _cost_booked(self, event: PeriodCosted) -> Self:
        booked = self.unbooked.plus(
            cost=-event.cost.amount, recognised_by_cost=-event.recognised_by_cost.amount
        )
        return self.updated(unbooked=booked)

    def _waiting(self, person: PersonId, hours: HoursByDay) -> Self:
        others = {name: each for name, each in self.waiting.items() if name != person}
        return self.updated(waiting={**others, person: hours} if hours else others)

    def _counted(self, **amounts: Decimal) -> Self:
        return self.updated(unbooked=self.unbooked.plus(**amounts))


def _added(known: HoursByDay, entries: Iterable[TimeEntry], sign: int) -> HoursByDay:
    """Return hours by day with those of entries added, or taken away where `sign` is -1."""
    hours = dict(known)
    for each in entries:
        hours[each.day] = hours.get(each.day, NOTHING) + sign * each.hours
    return {day: left for day, left in hours.items() if left > 0}
