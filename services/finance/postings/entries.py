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
    LossProvided,
    LossReleased,
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
from finance.billing.receivables import Receivable
from finance.calendar_months import end_of, month_of


class PostingLine(Value):
    """A line of an entry: the account, what it is about, and the amount.

    `amount` is a debit where it is positive, and a credit where it is negative. `base` is that in
    the currency of the company's books; None where it is not known or, before the entry is posted,
    follows from the exchange rate and the balances. `about` is the tax code, the method of revenue
    or the kind of cost, by which a company may have several accounts.
    """

    account: LedgerAccount
    about: ShortText | None = None
    amount: Money
    base: Money | None = None

    def reversed(self) -> "PostingLine":
        """Return the line with debit and credit exchanged."""
        base = None if self.base is None else -self.base
        return self.model_copy(update={"amount": -self.amount, "base": base})


class Entry(Value):
    """The entry of a document, or of the revenue or the cost of a month.

    `event` is the type of the event, `document` the number of the document or the id of what the
    entry is about, and `invoice` the id of the invoice that it concerns. `rate_on` is the day whose
    exchange rate converts it: of what concerns an invoice, its date. Raises ValueError where debits
    and credits differ.
    """

    event: ShortText
    document: ShortText
    invoice: Identifier | None = None
    day: Day
    rate_on: Day
    lines: tuple[PostingLine, ...]

    @model_validator(mode="after")
    def _balances(self) -> Self:
        in_books = [each.base for each in self.lines if each.base is not None]
        sums = [sum(each.amount.amount for each in self.lines)]
        if len(in_books) == len(self.lines):
            sums.append(sum(each.amount for each in in_books))
        for total in sums:
            if total:
                raise invalid(
                    "lines", "must have equal debits and credits, so that the sum is 0", total
                )
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
    event: Accounted | RevenueByCostRecognised, owing: Callable[[Identifier], Receivable]
) -> Entry:
    """Return the entry of an event; `owing` returns an invoice by its id."""
    match event:
        case InvoiceIssued():
            lines = _billed(event.amount, event.tax)
            return _entry(event, event.number, event.issued_on, lines, invoice=event.invoice)
        case CreditNoteIssued():
            lines = _reversed(_billed(event.amount, event.tax))
            return _on_invoice(
                event, owing(event.invoice), event.issued_on, lines, number=event.number
            )
        case PaymentAllocated():
            return _on_invoice(event, owing(event.invoice), event.received_on, _paid(event))
        case PaymentDeallocated():
            lines = _reversed(_paid(event))
            return _on_invoice(event, owing(event.invoice), event.deallocated_on, lines)
        case WriteOffRecorded():
            lines = _written_off(event.amount)
            return _on_invoice(event, owing(event.invoice), event.written_off_on, lines)
        case WriteOffReversed():
            lines = _reversed(_written_off(event.amount))
            return _on_invoice(event, owing(event.invoice), event.reversed_on, lines)
        case RevenueRecognised() | RevenueByCostRecognised():
            revenue = PostingLine(account="revenue", about=event.method, amount=-event.amount)
            lines = (PostingLine(account="contract-balance", amount=event.amount), revenue)
            return _entry(event, event.obligation, end_of(event.month), lines)
        case _:
            assert_never(event)


def entry_of_voiding(event: InvoiceVoided, tax: TaxTotals, invoice: Receivable) -> Entry:
    """Return the entry of a voided invoice, which had this tax: that of the invoice, reversed."""
    lines = _reversed(_billed(event.amount, tax))
    return _on_invoice(event, invoice, event.voided_on, lines)


def entry_of_loss(month: Month, expected: Money, written_down: Money) -> Entry:
    """Return the entry of what is lost in a month by expectation, negative where it is released.

    The contract asset is written down first, by `written_down`; the rest is a provision (IAS
    37.69).
    """
    kind = LossProvided if expected.amount >= 0 else LossReleased
    lines = (
        PostingLine(account="expected-losses", amount=expected),
        PostingLine(account="contract-balance", amount=-written_down),
        PostingLine(account="loss-provision", amount=written_down - expected),
    )
    day = end_of(month)
    return Entry(event=kind.type, document=month, day=day, rate_on=day, lines=_summed(lines))


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


def _on_invoice(
    event: Accounted | InvoiceVoided,
    invoice: Receivable,
    day: Day,
    lines: Iterable[PostingLine],
    number: ShortText | None = None,
) -> Entry:
    document = number or invoice.number or invoice.invoice
    return _entry(event, document, day, lines, invoice.issue_on, invoice.invoice)


def _entry(
    event: Accounted | RevenueByCostRecognised | InvoiceVoided | CostAccrued | CostReversed,
    document: str,
    day: Day,
    lines: Iterable[PostingLine],
    rate_on: Day | None = None,
    invoice: Identifier | None = None,
) -> Entry:
    return Entry(
        event=event.type,
        document=document,
        invoice=invoice,
        day=day,
        rate_on=rate_on or day,
        lines=_summed(lines),
    )


def _summed(lines: Iterable[PostingLine]) -> tuple[PostingLine, ...]:
    """Return one line for each account and what it is about, without those of no amount."""
    sums: dict[tuple[LedgerAccount, str | None], PostingLine] = {}
    for each in lines:
        known = sums.get((each.account, each.about))
        sums[each.account, each.about] = each if known is None else _sum(known, each)
    return tuple(
        each for each in sums.values() if each.amount.amount or (each.base and each.base.amount)
    )


def _sum(one: PostingLine, other: PostingLine) -> PostingLine:
    base = one.base + other.base if one.base and other.base else None
    return one.model_copy(update={"amount": one.amount + other.amount, "base": base})


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
    """Return the lines of an allocation: the money came in with the payment before.

    The money is in the books as it was on the day on which it came in, where that is known.
    """
    money = PostingLine(account="payments-received", amount=event.amount)
    if event.exchange_difference is not None:
        received = event.received.converted if event.received else event.used
        money = money.model_copy(update={"base": received})
    charge = event.bank_charge
    return (
        money,
        *([PostingLine(account="bank-charges", amount=charge)] if charge else []),
        PostingLine(account="receivables", amount=-event.paid),
    )


def _written_off(amount: Money) -> tuple[PostingLine, ...]:
    return (
        PostingLine(account="write-offs", amount=amount),
        PostingLine(account="receivables", amount=-amount),
    )
