"""Compute what a credit note takes back, by line of its invoice and by work."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from pydantic import Field

from chassis.domain.commands import Refused
from chassis.domain.rules import require_currency
from contracts.counting import counted
from contracts.decimals import Rounding
from contracts.finance import CreditedLine, CreditedWork, CreditIntent, InvoiceLine
from contracts.money import ItemMoney, Money
from contracts.values import Identifier, Value
from finance.billing.state import Invoice
from finance.engagement import Engagement
from finance.work.state import billed_work
from finance.work.works import NOTHING, Bill, Work

Works = Mapping[str, tuple[Work, Bill]]
"""Works that a line bills, by their key."""
SMALLEST = Decimal("0.00000001")
"""Smallest part of an hour: with as many decimals, hours times rate are an amount to the cent."""


class LineCredit(Value):
    """Line of an invoice that is credited."""

    invoice_line: Identifier
    """Id of the line of the invoice."""
    amount: ItemMoney | None = Field(default=None)
    """Amount without tax, of the sign of the line; null for all that is left of it."""


def of_lines(
    state: Engagement, invoice: Invoice, intent: CreditIntent, named: Iterable[LineCredit]
) -> tuple[CreditedLine, ...]:
    """Return what is credited of named lines.

    A line that bills works is billed again whole: with all of them, as far as they were not given
    back for good. Raises Refused where a line is unknown, less is left of it, or only a part of its
    works would be billed again.
    """
    lines = {each.invoice_line: each for each in invoice.lines}
    unknown = [each.invoice_line for each in named if each.invoice_line not in lines]
    if unknown:
        raise Refused(
            "invoice-line-unknown",
            f"lines: invoice {invoice.number} has no line {', '.join(unknown)}, but"
            f" {', '.join(lines)}",
        )
    found = []
    for each in named:
        line = lines[each.invoice_line]
        left = invoice.left_of(line)
        amount = left if each.amount is None else each.amount
        require_currency(left.currency, lines=amount)
        is_within = 0 <= amount.amount <= left.amount or left.amount <= amount.amount <= 0
        if not is_within:
            raise Refused(
                "credit-too-large",
                f"lines: {left} is left of line {line.invoice_line}, not {amount}",
            )
        works = _works_on(state, invoice, line) if intent == "cancel-and-rebill" else {}
        worth = _amount(state, works.values())
        if worth.amount and not left.amount:
            works = {}  # given back whole; works of a line that was edited to zero have no amount
        if works and amount != left:
            raise Refused(
                "works-not-named",
                f"lines: line {line.invoice_line} bills {counted(len(works), 'work')}: name what to"
                f" bill again in entries and expenses, or credit all that is left, {left}",
            )
        given_back = worth + _ahead(state, invoice, line) - left
        parts = _billed_again(state, invoice, line, tuple(works.values()), given_back)
        found.append(_credited(line, amount, parts))
    return tuple(each for each in found if each.amount.amount or each.works)


def of_works(
    state: Engagement, invoice: Invoice, intent: CreditIntent, keys: Iterable[str]
) -> tuple[CreditedLine, ...]:
    """Return what is credited of named works, by the lines that bill them.

    What was given back of a line before is not credited again: works that come to more than is left
    of it are billed again in part. Raises Refused where the invoice does not bill a work, nothing
    is left of its line, less is left than is to be given back, or the approval of a work that is to
    be given back was reversed.
    """
    billed = [(line, _works_on(state, invoice, line)) for line in invoice.lines]
    wanted = tuple(keys)
    back = {key for _, key in invoice.given_back_works}.intersection(wanted)
    if back:
        names = ", ".join(key.partition(":")[2] for key in wanted if key in back)
        sentence = f"nothing is left of {names}: it was given back for good before"
        raise Refused("credit-too-large", sentence)
    unknown = [key for key in wanted if not any(key in works for _, works in billed)]
    if unknown:
        names = ", ".join(key.partition(":")[2] for key in unknown)
        raise Refused("work-not-on-invoice", f"invoice {invoice.number} does not bill {names}")
    gone = _reversed(state, invoice)
    reversed_ = [key.partition(":")[2] for key in wanted if key in gone]
    if reversed_ and intent == "give-back":
        raise Refused(
            "work-reversed",
            f"intent: the approval of {', '.join(reversed_)} was reversed: cancel-and-rebill takes"
            " it off the invoice",
        )
    found = []
    for line, works in billed:
        named = [works[key] for key in wanted if key in works]
        if not named:
            continue
        left, amount = invoice.left_of(line), _amount(state, named)
        is_too_large = left < amount and (intent == "give-back" or not left.amount)
        if is_too_large and not all(work.key in gone for work, _ in named):
            raise Refused(
                "credit-too-large",
                f"{left} is left of line {line.invoice_line}; the works come to {amount}",
            )
        parts = _billed_again(state, invoice, line, named, amount - left)
        found.append(_credited(line, min(left, amount), parts))
    return tuple(found)


def shared(invoice: Invoice, amount: Money, rounding: Rounding) -> tuple[LineCredit, ...]:
    """Return an amount as shares of the lines, in proportion to what is left of each.

    The shares add up to the amount, and none exceeds what is left of its line.
    """
    left = [invoice.left_of(line) for line in invoice.lines]
    return tuple(
        LineCredit(invoice_line=line.invoice_line, amount=share)
        for line, share in zip(invoice.lines, _shares(amount, left, rounding), strict=True)
    )


def _shares(amount: Money, parts: Sequence[Money], rounding: Rounding) -> Iterator[Money]:
    """Yield the shares of an amount in proportion to parts: they add up, and none exceeds its part.

    The amount is not more than the sum of the parts.
    """
    whole = Money.total(parts, amount.currency)
    to_here, given = Money.zero(amount.currency), Money.zero(amount.currency)
    for part in parts:
        to_here = to_here + part
        exact = amount.amount * to_here.amount / whole.amount
        share = Money.nearest(exact, amount.currency, rounding) - given
        given = given + share
        yield share


def _reversed(state: Engagement, invoice: Invoice) -> set[str]:
    """Return the keys of the works that an invoice bills and whose approval was reversed."""
    return {each.key for each in state.work.to_credit().get(invoice.invoice, ())}


def _ahead(state: Engagement, invoice: Invoice, line: InvoiceLine) -> Money:
    """Return what a line of an exception bills ahead of approvals."""
    return Money.total(
        (
            each.amount
            for of_key in state.work.ahead.values()
            for each in of_key
            if (each.invoice, each.invoice_line) == (invoice.invoice, line.invoice_line)
        ),
        state.money,
    )


def _billed_again(
    state: Engagement,
    invoice: Invoice,
    line: InvoiceLine,
    works: Sequence[tuple[Work, Bill]],
    given_back: Money,
) -> tuple[CreditedWork, ...]:
    """Return works of a line as a credit note takes them off it.

    What was `given_back` for good of them before stays on the invoice; nothing where it is not
    positive. Works share it in proportion to their amounts. The hours of what is billed again come
    to its amount at the rate of the line; what rounding adds to one work is taken from the next.
    Works whose approval was reversed leave the invoice whole.
    """
    gone, whole = _reversed(state, invoice), _amount(state, works)
    back = max(min(given_back, whole), Money.zero(state.money))
    amounts = [bill.amount for _, bill in works]
    shares = list(_shares(back, amounts, state.rounding)) if back.amount else [back] * len(works)
    found, rest = dict[str, CreditedWork](), NOTHING
    for (work, bill), share in sorted(
        zip(works, shares, strict=True), key=lambda each: each[1].amount > 0
    ):
        taken = CreditedWork(**dict(billed_work(work, bill)))
        if work.key not in gone:
            part: dict[str, object] = {}
            if share.amount:
                part = {"amount": bill.amount - share, "given_back": share}
            if line.rate is not None:
                hours, rate = bill.hours, line.rate.amount
                rest += taken.whole.amount - share.amount
                if share.amount:
                    hours = min(max(rest / rate, NOTHING), hours).quantize(SMALLEST)
                    part |= {"hours": hours, "given_back_hours": bill.hours - hours}
                rest -= hours * rate
            taken = taken.model_copy(update=part)
        found[work.key] = taken
    return tuple(found[work.key] for work, _ in works)


def _works_on(state: Engagement, invoice: Invoice, line: InvoiceLine) -> Works:
    """Return the works on a line of which something is left to credit.

    That are neither those of credit notes that wait for their number, nor those that were given
    back for good by name.
    """
    back = invoice.given_back_works
    works = {
        work.key: (work, bill)
        for work, bill in state.work.bills_of(invoice.invoice)
        if bill.invoice_line == line.invoice_line and (line.invoice_line, work.key) not in back
    }
    for note in invoice.credits_approved:
        for each in note.works if note.intent == "cancel-and-rebill" else ():
            works.pop(each.key, None)
    return works


def _credited(line: InvoiceLine, amount: Money, works: Iterable[CreditedWork]) -> CreditedLine:
    return CreditedLine(
        invoice_line=line.invoice_line,
        line=line.line,
        role=line.role,
        amount=amount,
        works=tuple(works),
    )


def _amount(state: Engagement, works: Iterable[tuple[Work, Bill]]) -> Money:
    return Money.total((bill.amount for _, bill in works), state.money)
