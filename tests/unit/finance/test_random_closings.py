"""Check random bookings beside late work, corrections, credit notes and payments.

A booked month keeps its figures to the cent, and each amount is in exactly one booking.
"""

from collections import defaultdict
from decimal import Decimal

import pytest

from chassis.domain.commands import Command
from contracts.delivery import ExpenseApproved, ExpenseReversed, TimeApproved, TimeReversed
from contracts.event import Event
from contracts.finance import (
    BookedTotals,
    CostAccrued,
    CostReversed,
    CreditNoteIssued,
    ExpenseConversionReversed,
    ExpenseConverted,
    InvoiceIssued,
    InvoiceVoided,
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
from finance.allocations.requests import GiveBackAllocation
from finance.calendar_months import after
from finance.engagement import Engagement
from finance.invoices.decisions import VoidInvoice
from finance.periods.requests import BookPeriod
from finance.revenue.decisions import RecogniseRevenue
from finance.write_offs.decisions import ReverseWriteOff, WriteOffInvoice
from testkit.scenario import Outcome
from tests.amounts import eur, usd
from tests.invoices import NO_TAX
from tests.unit.finance.builders import CARD, COSTS, MONDAY, allocate, exchange, expense
from tests.unit.finance.test_random_work import END, Story

MONTHS = tuple(f"2026-{month:02}" for month in range(3, 12))
COUNTED: dict[type[Event], tuple[str, int]] = {
    InvoiceIssued: ("billed", 1),
    InvoiceVoided: ("billed", -1),
    CreditNoteIssued: ("credited", 1),
    PaymentAllocated: ("paid", 1),
    PaymentDeallocated: ("paid", -1),
    WriteOffRecorded: ("written_off", 1),
    WriteOffReversed: ("written_off", -1),
    RevenueRecognised: ("recognised", 1),
    ExpenseApproved: ("expenses", 1),
    ExpenseReversed: ("expenses", -1),
    ExpenseConverted: ("expenses", 1),
    ExpenseConversionReversed: ("expenses", -1),
    CostAccrued: ("cost", 1),
    CostReversed: ("cost", -1),
    RevenueByCostRecognised: ("recognised_by_cost", 1),
}
"""Total in which an event counts, and its sign."""


def amount_of(event: Event) -> Money:
    if isinstance(event, PaymentAllocated | PaymentDeallocated):
        return event.paid
    if isinstance(event, ExpenseConverted | ExpenseConversionReversed):
        return event.conversion.converted
    amount: Money = getattr(
        event, "cost" if isinstance(event, CostAccrued | CostReversed) else "amount"
    )
    return amount


def numbers(event: Event, *names: str) -> dict[str, Decimal]:
    """Return the totals of a booking by name."""
    found = {name: getattr(event, name) for name in names}
    return {name: each.amount if name != "hours" else each for name, each in found.items()}


class Bookings:
    """Totals since the last booking, and the bookings as they were published."""

    def __init__(self) -> None:
        self.totals: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.booked: list[PeriodBooked] = []
        self.costed: list[PeriodCosted] = []
        self.gross: dict[str, Decimal] = {}

    @property
    def with_tax(self) -> bool:
        """Return whether what was billed in a month differs with and without tax."""
        return any(each.billed != each.billed_gross for each in self.booked)

    def count(self, event: Event) -> None:
        """Count an event; a booking has to hold what was counted since the one before."""
        if isinstance(event, PeriodBooked):
            self._require(event, *BookedTotals.model_fields)
            before = self.booked[-1].receivables if self.booked else eur(0)
            more = event.taken_over + event.billed_gross - event.credited_gross
            assert event.receivables_before == before
            assert event.receivables == before + more - event.paid - event.written_off
            self.booked.append(event)
        elif isinstance(event, PeriodCosted):
            self._require(event, "cost", "recognised_by_cost")
            assert event.recognised == self.booked[-1].recognised
            self.costed.append(event)
        elif isinstance(event, TimeApproved | TimeReversed):
            hours = sum((each.hours for each in event.entries), Decimal(0))
            self.totals["hours"] += hours if isinstance(event, TimeApproved) else -hours
        elif type(event) in COUNTED:
            self._count_gross(event)
            name, sign = COUNTED[type(event)]
            amount = amount_of(event)
            if amount.currency == "EUR":
                self.totals[name] += sign * amount.amount

    def _count_gross(self, event: Event) -> None:
        if isinstance(event, InvoiceIssued | CreditNoteIssued):
            name = "billed_gross" if isinstance(event, InvoiceIssued) else "credited_gross"
            self.totals[name] += event.tax.gross.amount
        if isinstance(event, InvoiceIssued):
            self.gross[event.invoice] = event.tax.gross.amount
        if isinstance(event, InvoiceVoided):
            self.totals["billed_gross"] -= self.gross.pop(event.invoice)

    def _require(self, event: Event, *names: str) -> None:
        expected = {name: self.totals.pop(name, Decimal(0)) for name in names}
        assert numbers(event, *names) == expected


class ClosingStory(Story):
    """The random story of a contract whose months are booked meanwhile."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        tax = NO_TAX.model_copy(update={"percent": Decimal(19)})
        known = (CARD, COSTS, exchange("1.25", MONDAY), tax)
        self.engagement = self.engagement.knowing(*known)
        self.bookings = Bookings()
        self.consumed: list[Event] = []

    def happens(self) -> Outcome[Engagement]:
        """Return the outcome of a random event or command, which is counted."""
        self.consumed.clear()
        command = self._command() if self.random.random() < 0.35 else None
        outcome = super().happens() if command is None else self.engagement.when(command)
        for event in self.consumed:
            self.bookings.count(event)
        for recorded in outcome.published:
            self.bookings.count(recorded.event)
        return outcome

    def _command(self) -> Command:
        """Return a booking, the revenue of the next month, or a payment, back or forth."""
        commands: list[Command] = [self._booking(), self._revenue()]
        for invoice in self.engagement.state.billing.live:
            if invoice.stage == "issued" and invoice.outstanding > eur(0):
                commands.append(allocate(invoice.invoice, invoice.outstanding))
                commands.append(WriteOffInvoice(invoice=invoice.invoice, why="Insolvent."))
            commands += (
                ReverseWriteOff(write_off=each, why="They pay.") for each in invoice.write_offs
            )
            if invoice.stage == "issued":
                commands.append(VoidInvoice(invoice=invoice.invoice, why="Wrong."))
            commands += (
                GiveBackAllocation(allocation=each, why="Wrong.", deallocated_on=END)
                for each in invoice.allocations
            )
        return self.random.choice(commands)

    def _booking(self) -> BookPeriod:
        """Return the booking of the next month or of one before."""
        booked = len(self.bookings.booked)
        month = self.random.choice(MONTHS[: booked + 1][-2:])
        return BookPeriod(company="us", month=month, accepted="Why.")

    def _revenue(self) -> RecogniseRevenue:
        view = self.engagement.view
        known = [each for each in (view["recognised_to"], view["booked_to"]) if each is not None]
        return RecogniseRevenue(month=after(max(known)) if known else MONTHS[0])

    def time(self) -> Event:
        return self._heard(super().time())

    def expense(self) -> Event:
        """Return an expense, of which some are in another currency."""
        spent = super().expense()
        if self.random.random() < 0.4:
            spent = expense(f"x{self.number}", usd(self.random.randint(1, 900)), MONDAY)
            self.approved.expenses[spent.expense] = spent
        return self._heard(spent)

    def reverse_time(self) -> Event | None:
        event = super().reverse_time()
        return self._heard(event) if event is not None else None

    def reverse_expense(self) -> Event | None:
        event = super().reverse_expense()
        return self._heard(event) if event is not None else None

    def _heard(self, event: Event) -> Event:
        self.consumed.append(event)
        return event


def owed_since(state: Engagement) -> Decimal:
    """Return what is owed by the bookings, and by what came since."""
    return state.periods.receivables + state.periods.unbooked.owed


def owed(state: Engagement) -> Decimal:
    """Return what is owed on the invoices; a credit note counts once it has its number."""
    return sum((-each.overpaid.amount for each in state.billing.issued), Decimal(0))


@pytest.mark.parametrize("seed", range(8))
def test_a_booked_month_never_changes_and_nothing_is_booked_twice(seed: int) -> None:
    story = ClosingStory(seed)
    bookings = story.bookings
    steps = 0
    while steps < 90 or not bookings.with_tax:
        steps += 1
        assert steps < 300, "no invoice with tax was booked"
        story.engagement = story.happens().after
        view = story.engagement.view
        assert view["periods"] == bookings.booked
        assert view["periods_costed"] == bookings.costed
        assert owed_since(story.engagement.state) == owed(story.engagement.state)
    state = story.engagement.state
    again = type(state).model_validate_json(state.model_dump_json())
    assert [*again.periods.booked.values()] == bookings.booked
    assert [*again.periods.costed.values()] == bookings.costed
    months = [each.month for each in bookings.booked]
    assert months == [each.month for each in bookings.costed] == list(MONTHS[: len(months)])
    cost = sum((each.cost.amount for each in bookings.costed), bookings.totals["cost"])
    assert cost == (state.work.cost_to_date or eur(0)).amount
    assert len(months) > 1
