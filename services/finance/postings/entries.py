"""Write each accounting event as an entry: debits and credits that add up to zero.

An invoice is no revenue: it goes to the account of the contract's balance, and revenue is taken
from there as it is recognised. What is on that account of an engagement is its contract asset or,
where it is a credit balance, its contract liability (IFRS 15.105). Opening balances have no entry:
the books of the company contain them already.
"""

from collections.abc import Callable, Iterable
from typing import Self, assert_never

from pydantic import model_validator

from contracts.finance import (
    CostAccrued,
    CostReversed,
    CreditNoteIssued,
    InvoiceIssued,
    InvoiceVoided,
    PaymentAllocated,
    PaymentDeallocated,
    RevenueByCostRecognised,
    RevenueRecognised,
    TaxTotals,
    WriteOffRecorded,
    WriteOffReversed,
)
from contracts.money import Money, invalid
from contracts.reference import LedgerAccount
from contracts.values import Day, Identifier, Month, ShortText, Value
from finance.calendar_months import end_of, month_of


class PostingLine(Value):
    """A line of an entry: the account, what it is about, and the amount.

    `amount` is a debit where it is positive, and a credit where it is negative. `about` is the tax
    code, the method of revenue or the kind of cost, by which a company may have several accounts.
    """

    account: LedgerAccount
    about: ShortText | None = None
    amount: Money

    def reversed(self) -> "PostingLine":
        """Return the line with debit and credit exchanged."""
        return self.model_copy(update={"amount": -self.amount})


class Entry(Value):
    """The entry of a document, or of the revenue or the cost of a month.

    `event` is the type of the event, `document` the number of the document or the id of what the
    entry is about. Raises ValueError where debits and credits differ.
    """

    event: ShortText
    document: ShortText
    day: Day
    lines: tuple[PostingLine, ...]

    @model_validator(mode="after")
    def _balances(self) -> Self:
        total = sum((each.amount.amount for each in self.lines), start=0)
        if total:
            raise invalid("lines", "debits and credits must be equal, the difference is 0", total)
        return self

    @property
    def is_nothing(self) -> bool:
        """Return whether no line has an amount."""
        return not self.lines


Accounted = (
    InvoiceIssued
    | CreditNoteIssued
    | PaymentAllocated
    | PaymentDeallocated
    | WriteOffRecorded
    | WriteOffReversed
    | RevenueRecognised
)
"""Open events with one entry, which follows from the event alone."""


def entry_of(
    event: Accounted | RevenueByCostRecognised, number_of: Callable[[Identifier], str]
) -> Entry:
    """Return the entry of an event; `number_of` returns the number of an invoice by its id."""
    match event:
        case InvoiceIssued():
            lines = _billed(event.amount, event.tax)
            return _entry(event, event.number, event.issued_on, lines)
        case CreditNoteIssued():
            lines = _reversed(_billed(event.amount, event.tax))
            return _entry(event, event.number, event.issued_on, lines)
        case PaymentAllocated():
            number = number_of(event.invoice)
            return _entry(event, number, event.received_on, _paid(event))
        case PaymentDeallocated():
            number = number_of(event.invoice)
            return _entry(event, number, event.deallocated_on, _reversed(_paid(event)))
        case WriteOffRecorded():
            number = number_of(event.invoice)
            return _entry(event, number, event.written_off_on, _written_off(event.amount))
        case WriteOffReversed():
            number = number_of(event.invoice)
            lines = _reversed(_written_off(event.amount))
            return _entry(event, number, event.reversed_on, lines)
        case RevenueRecognised() | RevenueByCostRecognised():
            revenue = PostingLine(account="revenue", about=event.method, amount=-event.amount)
            lines = (PostingLine(account="contract-balance", amount=event.amount), revenue)
            return _entry(event, event.obligation, end_of(event.month), lines)
        case _:
            assert_never(event)


def entry_of_voiding(event: InvoiceVoided, tax: TaxTotals) -> Entry:
    """Return the entry of a voided invoice, which had this tax: that of the invoice, reversed."""
    lines = _reversed(_billed(event.amount, tax))
    return _entry(event, event.number, event.voided_on, lines)


def entries_of_cost(event: CostAccrued | CostReversed) -> Iterable[Entry]:
    """Yield an entry for each month of a week's cost, or of an expense, at the month's end.

    What the company owes to its people and their expenses is credited to `cost-clearing`, which the
    payroll and the payments of expenses debit.
    """
    months: dict[Month, list[PostingLine]] = {}
    for each in event.entries:
        lines = months.setdefault(month_of(each.day), [])
        lines.append(PostingLine(account="cost", about=each.kind, amount=each.cost))
        about = "expense" if each.kind == "expense" else "time"
        lines.append(PostingLine(account="cost-clearing", about=about, amount=-each.cost))
    for month, lines in months.items():
        of_week = lines if isinstance(event, CostAccrued) else _reversed(lines)
        yield _entry(event, month, end_of(month), of_week)


def added(entries: tuple[Entry, ...], more: Entry) -> tuple[Entry, ...]:
    """Return entries with one more, added to that of the same event, document and day."""
    for place, each in enumerate(entries):
        if (each.event, each.document, each.day) == (more.event, more.document, more.day):
            whole = each.model_copy(update={"lines": _summed((*each.lines, *more.lines))})
            kept = () if whole.is_nothing else (whole,)
            return (*entries[:place], *kept, *entries[place + 1 :])
    return entries if more.is_nothing else (*entries, more)


def _entry(
    event: Accounted | RevenueByCostRecognised | InvoiceVoided | CostAccrued | CostReversed,
    document: str,
    day: Day,
    lines: Iterable[PostingLine],
) -> Entry:
    return Entry(event=event.type, document=document, day=day, lines=_summed(lines))


def _summed(lines: Iterable[PostingLine]) -> tuple[PostingLine, ...]:
    """Return one line for each account and what it is about, without those of no amount."""
    sums: dict[tuple[LedgerAccount, str | None], Money] = {}
    for each in lines:
        key = each.account, each.about
        sums[key] = sums[key] + each.amount if key in sums else each.amount
    return tuple(
        PostingLine(account=account, about=about, amount=amount)
        for (account, about), amount in sums.items()
        if amount.amount
    )


def _reversed(lines: Iterable[PostingLine]) -> tuple[PostingLine, ...]:
    return tuple(each.reversed() for each in lines)


def _billed(net: Money, tax: TaxTotals) -> tuple[PostingLine, ...]:
    return (
        PostingLine(account="receivables", amount=tax.gross),
        PostingLine(account="contract-balance", amount=-net),
        *(
            PostingLine(account="tax", about=each.tax_code, amount=-each.tax)
            for each in tax.by_code
        ),
    )


def _paid(event: PaymentAllocated | PaymentDeallocated) -> tuple[PostingLine, ...]:
    """Return the lines of an allocation: the money came in with the payment before."""
    charge = event.bank_charge
    return (
        PostingLine(account="payments-received", amount=event.amount),
        *([PostingLine(account="bank-charges", amount=charge)] if charge else []),
        PostingLine(account="receivables", amount=-event.paid),
    )


def _written_off(amount: Money) -> tuple[PostingLine, ...]:
    return (
        PostingLine(account="write-offs", amount=amount),
        PostingLine(account="receivables", amount=-amount),
    )
