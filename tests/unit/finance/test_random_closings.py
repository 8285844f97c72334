"""Check random bookings beside late work, corrections, credit notes and payments.

A booked month keeps its figures to the cent. Each amount is in one booking: that of its day, or
the first after it. What is owed and unbilled is that of the documents to the end of the month.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
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
from contracts.reference import Reference
from contracts.values import Month
from finance.allocations.requests import GiveBackAllocation
from finance.calendar_months import after, end_of
from finance.drafts.decisions import EditInvoice
from finance.engagement import Engagement
from finance.invoices.decisions import VoidInvoice
from finance.periods.requests import BookPeriod
from finance.postings.events import PeriodPosted
from finance.revenue.decisions import RecogniseRevenue
from finance.write_offs.decisions import ReverseWriteOff, WriteOffInvoice
from testkit.scenario import Outcome, Scenario
from tests.amounts import eur, usd
from tests.invoices import NO_TAX
from tests.unit.finance.builders import CARD, COSTS, MONDAY, allocate, exchange, expense
from tests.unit.finance.month_streams import MonthStreams
from tests.unit.finance.test_random_work import END, RATES, Story

DAYS = (
    *("issue_on", "voided_on", "issued_on", "received_on"),
    *("deallocated_on", "written_off_on", "reversed_on"),
)
"""Fields of commands that are the day of a document."""
MONTHS = tuple(f"2026-{month:02}" for month in range(3, 12))
OF_DAY: dict[type[Event], tuple[str, int, str]] = {
    InvoiceIssued: ("billed", 1, "issued_on"),
    InvoiceVoided: ("billed", -1, "voided_on"),
    CreditNoteIssued: ("credited", 1, "issued_on"),
    PaymentAllocated: ("paid", 1, "received_on"),
    PaymentDeallocated: ("paid", -1, "deallocated_on"),
    WriteOffRecorded: ("written_off", 1, "written_off_on"),
    WriteOffReversed: ("written_off", -1, "reversed_on"),
    ExpenseApproved: ("expenses", 1, "spent_on"),
    ExpenseReversed: ("expenses", -1, "spent_on"),
    ExpenseConverted: ("expenses", 1, "spent_on"),
    ExpenseConversionReversed: ("expenses", -1, "spent_on"),
}
"""Total in which an event counts, its sign, and the field with its day."""


def amount_of(event: Event) -> Money:
    if isinstance(event, PaymentAllocated | PaymentDeallocated):
        return event.paid
    if isinstance(event, ExpenseConverted | ExpenseConversionReversed):
        return event.conversion.converted
    amount: Money = getattr(event, "amount")  # noqa: B009
    return amount


def numbers(event: Event, *names: str) -> dict[str, Decimal]:
    """Return the totals of a booking by name."""
    found = {name: getattr(event, name) for name in names}
    return {name: each.amount if name != "hours" else each for name, each in found.items()}


@dataclass
class Bookings:
    """Entries that are not booked, with their days, and the bookings as they were published."""

    entries: list[tuple[str, date, Decimal]] = field(default_factory=list)
    booked: list[PeriodBooked] = field(default_factory=list)
    costed: list[PeriodCosted] = field(default_factory=list)
    gross: dict[str, Decimal] = field(default_factory=dict)
    waited: int = 0
    """Number of entries that a booking left to later months."""

    @property
    def with_tax(self) -> bool:
        """Return whether what was billed in a month differs with and without tax."""
        return any(each.billed != each.billed_gross for each in self.booked)

    def sum(self, name: str) -> Decimal:
        """Return what is not booked."""
        return sum((amount for each, _, amount in self.entries if each == name), Decimal(0))

    def count(self, event: Event) -> None:
        """Count an event; a booking has to contain what was counted and is of its days."""
        if isinstance(event, PeriodBooked):
            self._require(event, event.month, *BookedTotals.model_fields)
            before = self.booked[-1].receivables if self.booked else eur(0)
            more = event.taken_over + event.billed_gross - event.credited_gross
            assert event.receivables_before == before
            assert event.receivables == before + more - event.paid - event.written_off
            self.booked.append(event)
        elif isinstance(event, PeriodCosted):
            self._require(event, event.month, "cost", "recognised_by_cost", "loss")
            assert event.recognised == self.booked[-1].recognised
            self.costed.append(event)
        else:
            self.entries += self._entries(event)

    def _entries(self, event: Event) -> Iterator[tuple[str, date, Decimal]]:
        if isinstance(event, TimeApproved | TimeReversed):
            sign = 1 if isinstance(event, TimeApproved) else -1
            yield from (("hours", each.day, sign * each.hours) for each in event.entries)
        elif isinstance(event, CostAccrued | CostReversed):
            sign = 1 if isinstance(event, CostAccrued) else -1
            yield from (("cost", each.day, sign * each.cost.amount) for each in event.entries)
        elif isinstance(event, RevenueRecognised | RevenueByCostRecognised):
            by_cost = isinstance(event, RevenueByCostRecognised)
            name = "recognised_by_cost" if by_cost else "recognised"
            yield name, end_of(event.month), event.amount.amount
        elif isinstance(event, LossProvided | LossReleased):
            sign = 1 if isinstance(event, LossProvided) else -1
            yield "loss", end_of(event.month), sign * event.amount.amount
        elif type(event) in OF_DAY:
            name, sign, of = OF_DAY[type(event)]
            amount, day = amount_of(event), getattr(event, of)
            if amount.currency == "EUR":
                yield name, day, sign * amount.amount
            if isinstance(event, InvoiceIssued | CreditNoteIssued):
                yield f"{name}_gross", day, event.tax.gross.amount
            if isinstance(event, InvoiceIssued):
                self.gross[event.invoice] = event.tax.gross.amount
            if isinstance(event, InvoiceVoided):
                yield "billed_gross", day, -self.gross.pop(event.invoice)

    def _require(self, event: Event, month: Month, *names: str) -> None:
        expected = dict.fromkeys(names, Decimal(0))
        left = list[tuple[str, date, Decimal]]()
        for name, day, amount in self.entries:
            if name in names and day <= end_of(month):
                expected[name] += amount
            else:
                left.append((name, day, amount))
                self.waited += name in names
        self.entries = left
        assert numbers(event, *names) == expected


@dataclass
class Documents:
    """Parts of works that invoices bill, by the days of the documents."""

    parts: list[tuple[str, date, Money]] = field(default_factory=list)
    ended: int = 0

    def count(self, event: Event) -> None:
        """Count the works of an invoice, and those that are taken off it to be billed again."""
        if isinstance(event, InvoiceIssued):
            works = [work for line in event.lines for work in line.works]
            self.parts += ((each.key, event.issued_on, each.amount) for each in works)
        elif isinstance(event, InvoiceVoided):
            self.parts += ((each.key, event.voided_on, -each.amount) for each in event.works)
            self.ended += len(event.works)
        elif isinstance(event, CreditNoteIssued) and event.intent == "cancel-and-rebill":
            self.parts += ((each.key, event.issued_on, -each.amount) for each in event.works)
            self.ended += len(event.works)

    def billed(self, key: str, day: date) -> Money:
        """Return what documents up to a day bill of a work."""
        parts = (amount for name, on, amount in self.parts if name == key and on <= day)
        return Money.total(parts, "EUR")


class ClosingStory(Story):
    """The random story of a contract whose months are booked meanwhile."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        tax = NO_TAX.model_copy(update={"percent": Decimal(19)})
        days = (date(2026, 3, 1) + timedelta(days=20 * nth) for nth in range(30))
        rates = (exchange(f"1.{day.month * 7 % 10}5", day) for day in days)
        known: list[Reference] = [CARD, COSTS, *rates, tax]
        self.engagement = self.engagement.knowing(*known)
        self.bookings, self.documents = Bookings(), Documents()
        self.months = MonthStreams()
        self.consumed: list[Event] = []
        self.converted: dict[str, Money] = {}
        self.differs = 0
        self.posted = 0
        self.accounts = defaultdict[str, Decimal](Decimal)
        self.in_books = defaultdict[str, Decimal](Decimal)

    def happens(self) -> Outcome[Engagement]:
        """Return the outcome of a random event or command, which is counted."""
        self.consumed.clear()
        command = self._command() if self.random.random() < 0.35 else None
        outcome = super().happens() if command is None else self.engagement.when(command)
        for event in self.consumed:
            self.bookings.count(event)
        for recorded in outcome.published:
            self._count(recorded.event)
        self._require_posted(outcome.events)
        return outcome

    def _require_posted(self, events: Iterable[Event]) -> None:
        """Require that the entries posted with a booking come to its totals."""
        booked = [each for each in events if isinstance(each, PeriodBooked)]
        if not booked:
            return
        openly, costs = self.bookings.booked[-1], self.bookings.costed[-1]
        all_posted = [each for each in events if isinstance(each, PeriodPosted)]
        self._require_zero_in_books(all_posted)
        posted = balances(all_posted)
        earned = openly.recognised + costs.recognised_by_cost
        billed = openly.billed - openly.credited
        taxed = openly.billed_gross - openly.credited_gross - billed
        on_contract = posted["contract-balance"] + posted["loss-provision"]
        assert posted["receivables"] == openly.receivables - openly.receivables_before
        assert posted["revenue"] == -earned
        assert posted["write-offs"] == openly.written_off
        assert on_contract == earned - billed - costs.loss
        assert posted["tax"] == -taxed
        assert posted["cost"] == costs.cost == -posted["cost-clearing"]
        assert posted["expected-losses"] == costs.loss
        self.posted += len(posted) > 1

    def _require_zero_in_books(self, posted: Iterable[PeriodPosted]) -> None:
        """Require that accounts that are zero are zero in the currency of the books, USD."""
        for line in (line for each in posted for entry in each.entries for line in entry.lines):
            assert line.base is not None
            self.accounts[line.account] += line.amount.amount
            self.in_books[line.account] += line.base.amount
        for account, amount in self.accounts.items():
            if not amount and account != "exchange-differences":
                assert self.in_books[account] == 0, account

    def settle(self, engagement: Scenario[Engagement]) -> None:
        """Go on after all requests to the streams of months."""
        self.engagement = self.months.after(engagement)
        for event in self.months.published:
            self._count(event)
        self.months.published.clear()

    def _count(self, event: Event) -> None:
        if isinstance(event, PeriodBooked):
            self._require_unbilled(event)
        if isinstance(event, ExpenseConverted):
            self.converted[event.expense] = event.conversion.converted
        self.bookings.count(event)
        self.documents.count(event)

    def _require_unbilled(self, event: PeriodBooked) -> None:
        """Require that what is unbilled follows from the works and documents of days to the end."""
        end, total = end_of(event.month), eur(0)
        for key, on, worth in self._works():
            if on <= end:
                drafted = self._drafted(key)
                left = worth - self.documents.billed(key, end) - drafted
                now = worth - self.documents.billed(key, date.max) - drafted
                if not self._is_written_down(key, on) and left.amount > 0:
                    total = total + left
                    self.differs += left != now
        assert event.unbilled == total

    def _works(self) -> Iterator[tuple[str, date, Money]]:
        """Yield the keys, days and worths of approved works."""
        for approved in self.approved.times.values():
            for each in approved.entries:
                if each.billable and approved.why_not_billed is None:
                    yield f"time:{each.entry}", each.day, eur(RATES.get(each.role, 0) * each.hours)
        for spent in self.approved.billed_on:
            worth = self.converted.get(spent.expense, spent.amount)
            if worth.currency == "EUR":
                yield f"expense:{spent.expense}", spent.spent_on, worth

    def _drafted(self, key: str) -> Money:
        state = self.engagement.state
        drafts = [each.invoice for each in state.billing.live if each.stage != "issued"]
        works = (each for draft in drafts for each in state.work.billed_on(draft))
        return Money.total((each.amount for each in works if each.key == key), "EUR")

    def _is_written_down(self, key: str, on: date) -> bool:
        work = self.engagement.state.work.known(key, on) or self.months.works(f"{on:%Y-%m}")[key]
        return work.written_down is not None

    def thing(self) -> Command | Event:
        """Return a random command, whose document has a day of its own, or an event."""
        thing = super().thing()
        return self._dated(thing) if isinstance(thing, Command) else thing

    def _dated(self, command: Command) -> Command:
        """Return a command with a day that is in no booked month, nor before its invoice."""
        state = self.engagement.state
        first = state.periods.first_open_day or MONDAY
        invoice = state.billing.invoices.get(getattr(command, "invoice", ""))
        if invoice is not None:
            due = state.billing.events.get(invoice.billing_event)
            first = max(first, invoice.issue_on or (due.due_on if due else first))
        day = min(first + timedelta(days=self.random.randint(0, 45)), END)
        return command.model_copy(
            update={name: day for name in DAYS if name in type(command).model_fields}
        )

    def edit(self) -> Command | None:
        """Return an edit that does not lower amounts, so that hours are billed at their rates."""
        edit = super().edit()
        assert edit is None or isinstance(edit, EditInvoice)
        lowered = edit is not None and any(each.amount is not None for each in edit.lines)
        return None if lowered else edit

    def _command(self) -> Command:
        """Return a booking, the revenue of the next month, or a payment, back or forth."""
        if self.random.random() < 0.2:
            return self._booking()
        commands: list[Command] = [self._revenue()]
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
                GiveBackAllocation(allocation=each, why="Wrong.", deallocated_on=MONDAY)
                for each in invoice.allocations
            )
        return self._dated(self.random.choice(commands))

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


def balances(posted: Iterable[PeriodPosted]) -> dict[str, Money]:
    """Return the balances of all accounts, which add up to zero."""
    found = defaultdict[str, Money](lambda: eur(0))
    for line in (line for each in posted for entry in each.entries for line in entry.lines):
        found[line.account] = found[line.account] + line.amount
    assert Money.total(found.values(), "EUR") == eur(0)
    return found


def owed_since(state: Engagement) -> Decimal:
    """Return what is owed by the bookings, and by what came since."""
    return state.periods.receivables + state.periods.unbooked_to().owed


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
        assert steps < 900, "no invoice with tax was booked"
        story.settle(story.happens().after)
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
    cost = sum((each.cost.amount for each in bookings.costed), bookings.sum("cost"))
    assert cost == (state.work.cost_to_date or eur(0)).amount
    assert len(months) > 1
    assert bookings.waited
    assert story.posted
