"""State of the accounting periods of an engagement: running totals of what is not booked, by month.

An entry counts in the month of its day or, where that is booked, in the first one that is not. It
changes one number, so a booking does not sum over entries, and an entry is in one booking. Partly
confidential.
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
    InvoiceVoided,
    LossProvided,
    LossReleased,
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
from finance.calendar_months import after, end_of, month_of
from finance.periods.events import BookedWithOpenItems, PeriodChecked, RegisteredWithLedger

NOTHING = Decimal(0)
HoursByDay = dict[date, Decimal]


class Unbooked(Value):
    """Totals of what is not booked, in the engagement's currency; `expenses` by currency."""

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
    loss: Decimal = NOTHING

    @property
    def owed(self) -> Decimal:
        """Return by how much the customer owes more, with tax."""
        more = self.taken_over + self.billed_gross
        return more - self.credited_gross - self.paid - self.written_off

    def plus(self, more: "Unbooked") -> "Unbooked":
        """Return the totals with others added."""
        spent = dict(self.expenses)
        for currency, amount in more.expenses.items():
            spent[currency] = spent.get(currency, NOTHING) + amount
        expenses = {currency: amount for currency, amount in spent.items() if amount}
        amounts = {
            name: getattr(self, name) + amount
            for name, amount in more
            if name != "expenses" and amount
        }
        return self.model_copy(update={**amounts, "expenses": expenses})


class Periods(Part):
    """The bookings by month, and the totals of what is not booked.

    `unbooked` has the totals by the month whose booking will contain them: an entry is in that of
    its day, or in the first one after the booked months. Months in which they are zero are left
    out.

    `company` is that whose ledger knows the engagement, and `closed_before` the last month that it
    had closed before. `waiting` are the hours of each person that
    are submitted and neither approved nor rejected, by day, and `waiting_expenses` such expenses.
    `checked` is what was missing when that was last asked for, `with_open_items` what was missing
    when a month was booked. `receivables` is what the customer owed at the last booking, `opening`
    what was taken over of it; both are with tax.
    """

    company: Identifier | None = None
    closed_before: Month | None = None
    unbooked: dict[Month, Unbooked] = {}
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
    def closed_to(self) -> Month | None:
        """Return the last month that is booked, or that the company closed before, or None."""
        return max(filter(None, (self.booked_to, self.closed_before)), default=None)

    @property
    def first_open_day(self) -> date | None:
        """Return the first day after the closed months; None where every day is open."""
        last = self.closed_to
        return end_of(last) + timedelta(days=1) if last else None

    def unbooked_to(self, month: Month | None = None) -> Unbooked:
        """Return the totals that the booking of a month would contain; without one, all."""
        total = Unbooked()
        for name, each in self.unbooked.items():
            if month is None or name <= month:
                total = total.plus(each)
        return total

    def counted(self, on: date, more: Unbooked) -> Self:
        """Return the part with more in the month of a day, or the first that is not booked."""
        last, month = self.booked_to, month_of(on)
        place = max(month, after(last)) if last else month
        others = {name: each for name, each in self.unbooked.items() if name != place}
        total = self.unbooked.get(place, Unbooked()).plus(more)
        left = {} if total == Unbooked() else {place: total}
        return self.updated(unbooked={**others, **left})

    @on_event
    def _registered(self, event: RegisteredWithLedger) -> Self:
        return self.updated(company=event.company, closed_before=event.closed_to)

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
        amount, gross = event.amount.amount, event.tax.gross.amount
        return self._counted(event.issued_on, billed=amount, billed_gross=gross)

    def voided(self, event: InvoiceVoided, gross: Money) -> Self:
        """Return the part after an invoice, with tax over `gross`, was voided."""
        amount = event.amount.amount
        return self._counted(event.voided_on, billed=-amount, billed_gross=-gross.amount)

    @on_event
    def _credited(self, event: CreditNoteIssued) -> Self:
        amount, gross = event.amount.amount, event.tax.gross.amount
        return self._counted(event.issued_on, credited=amount, credited_gross=gross)

    @on_event
    def _written_off(self, event: WriteOffRecorded) -> Self:
        return self._counted(event.written_off_on, written_off=event.amount.amount)

    @on_event
    def _write_off_reversed(self, event: WriteOffReversed) -> Self:
        return self._counted(event.reversed_on, written_off=-event.amount.amount)

    @on_event
    def _taken_over(self, event: EngagementImported) -> Self:
        """Count what is owed on invoices from before; a correction counts by the difference."""
        opening = sum((each.open.amount for each in event.receivables), NOTHING)
        counted = self._counted(event.as_of, taken_over=opening - self.opening)
        return counted.updated(opening=opening)

    @on_event
    def _paid(self, event: PaymentAllocated) -> Self:
        return self._counted(event.received_on, paid=event.paid.amount)

    @on_event
    def _taken_back(self, event: PaymentDeallocated) -> Self:
        return self._counted(event.deallocated_on, paid=-event.paid.amount)

    @on_event
    def _recognised(self, event: RevenueRecognised) -> Self:
        return self._counted(end_of(event.month), recognised=event.amount.amount)

    @on_event
    def _worked(self, event: TimeApproved | TimeReversed) -> Self:
        sign = -1 if isinstance(event, TimeReversed) else 1
        return self._summed("hours", ((each.day, sign * each.hours) for each in event.entries))

    @on_event
    def _spent(self, event: ExpenseApproved | ExpenseReversed) -> Self:
        sign = -1 if isinstance(event, ExpenseReversed) else 1
        spent = {event.amount.currency: sign * event.amount.amount}
        return self.counted(event.spent_on, Unbooked(expenses=spent))

    @on_event
    def _converted(self, event: ExpenseConverted | ExpenseConversionReversed) -> Self:
        """Move an expense to the engagement's currency, or back where its approval was reversed."""
        sign = -1 if isinstance(event, ExpenseConversionReversed) else 1
        before, after = event.conversion.amount, event.conversion.converted
        moved = {before.currency: -sign * before.amount, after.currency: sign * after.amount}
        return self.counted(event.spent_on, Unbooked(expenses=moved))

    @on_event
    def _costed(self, event: CostAccrued | CostReversed) -> Self:
        sign = -1 if isinstance(event, CostReversed) else 1
        return self._summed("cost", ((each.day, sign * each.cost.amount) for each in event.entries))

    @on_event
    def _recognised_by_cost(self, event: RevenueByCostRecognised) -> Self:
        amount = event.amount.amount
        return self._counted(end_of(event.month), recognised_by_cost=amount)

    @on_event
    def _loss(self, event: LossProvided | LossReleased) -> Self:
        sign = -1 if isinstance(event, LossReleased) else 1
        return self._counted(end_of(event.month), loss=sign * event.amount.amount)

    @on_event
    def _booked(self, event: PeriodBooked) -> Self:
        """Keep the later months, and what is not booked yet: costs, and unconverted expenses."""
        booked = self.unbooked_to(event.month)
        left = Unbooked(
            expenses={
                currency: amount
                for currency, amount in booked.expenses.items()
                if currency != event.expenses.currency
            },
            cost=booked.cost,
            recognised_by_cost=booked.recognised_by_cost,
            loss=booked.loss,
        )
        later = {month: each for month, each in self.unbooked.items() if month > event.month}
        kept = self.updated(unbooked=later, receivables=event.receivables.amount)
        return kept.counted(end_of(event.month), left)

    @on_event
    def _cost_booked(self, event: PeriodCosted) -> Self:
        return self._counted(
            end_of(event.month),
            cost=-event.cost.amount,
            recognised_by_cost=-event.recognised_by_cost.amount,
            loss=-event.loss.amount,
        )

    def _waiting(self, person: PersonId, hours: HoursByDay) -> Self:
        others = {name: each for name, each in self.waiting.items() if name != person}
        return self.updated(waiting={**others, person: hours} if hours else others)

    def _counted(self, on: date, **amounts: Decimal) -> Self:
        return self.counted(on, Unbooked().model_copy(update=amounts))

    def _summed(self, name: str, amounts: Iterable[tuple[date, Decimal]]) -> Self:
        """Count amounts of several days, which are of one month or two."""
        months = dict[date, Decimal]()
        for on, amount in amounts:
            first = on.replace(day=1)
            months[first] = months.get(first, NOTHING) + amount
        counted = self
        for first, amount in months.items():
            counted = counted._counted(first, **{name: amount})
        return counted


def _added(known: HoursByDay, entries: Iterable[TimeEntry], sign: int) -> HoursByDay:
    """Return hours by day with those of entries added, or taken away where `sign` is -1."""
    hours = dict(known)
    for each in entries:
        hours[each.day] = hours.get(each.day, NOTHING) + sign * each.hours
    return {day: left for day, left in hours.items() if left > 0}
