"""Compute what a credit note takes back, by line of its invoice and by work."""

from collections.abc import Iterable, Mapping

from pydantic import Field

from chassis.domain.commands import Refused
from chassis.domain.rules import require_currency
from contracts.counting import counted
from contracts.decimals import Rounding
from contracts.finance import BilledWork, CreditedLine, CreditIntent, InvoiceLine
from contracts.money import ItemMoney, Money
from contracts.values import Identifier, Value
from finance.billing.state import Invoice
from finance.engagement import Engagement
from finance.work.state import billed_work

Works = Mapping[str, BilledWork]
"""Works that a line bills, by their key."""


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

    A line that bills works is billed again whole: with all of them. Raises Refused where a line is
    unknown, less is left of it, only a part of its works would be billed again, or works of which a
    part was given back for good.
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
        worth = _sum(works.values(), state.money)
        if worth.amount and not left.amount:
            works = {}  # given back whole; works of a line that was edited to zero have no amount
        if works and amount != left:
            raise Refused(
                "works-not-named",
                f"lines: line {line.invoice_line} bills {counted(len(works), 'work')}: name what to"
                f" bill again in entries and expenses, or credit all that is left, {left}",
            )
        if works and left < worth and not works.keys() <= _reversed(state, invoice):
            raise Refused(
                "works-not-named",
                f"lines: {left} is left of line {line.invoice_line}, less than its works, since a"
                " part was given back for good: name works that come to no more, or give it back",
            )
        found.append(_credited(line, amount, works.values()))
    return tuple(each for each in found if each.amount.amount or each.works)


def of_works(
    state: Engagement, invoice: Invoice, intent: CreditIntent, keys: Iterable[str]
) -> tuple[CreditedLine, ...]:
    """Return what is credited of named works, by the lines that bill them.

    What was given back of a line before is not credited again for works whose approval was
    reversed. Raises Refused where the invoice does not bill a work, less is left of its line, or
    one whose approval was reversed is to be given back.
    """
    billed = [(line, _works_on(state, invoice, line)) for line in invoice.lines]
    wanted = tuple(keys)
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
        left, amount = invoice.left_of(line), _sum(named, state.money)
        if left < amount:
            if not all(each.key in gone for each in named):
                raise Refused(
                    "credit-too-large",
                    f"{left} is left of line {line.invoice_line}; the works come to {amount}",
                )
            amount = left
        found.append(_credited(line, amount, named))
    return tuple(found)


def shared(invoice: Invoice, amount: Money, rounding: Rounding) -> tuple[LineCredit, ...]:
    """Return an amount as shares of the lines, in proportion to what is left of each.

    The shares add up to the amount, and none exceeds what is left of its line.
    """
    left = [(line, invoice.left_of(line)) for line in invoice.lines]
    whole = Money.total((each for _, each in left), amount.currency)
    shares, to_here, given = [], Money.zero(amount.currency), Money.zero(amount.currency)
    for line, of_line in left:
        to_here = to_here + of_line
        exact = amount.amount * to_here.amount / whole.amount
        share = Money.nearest(exact, amount.currency, rounding) - given
        given = given + share
        shares.append(LineCredit(invoice_line=line.invoice_line, amount=share))
    return tuple(shares)


def _reversed(state: Engagement, invoice: Invoice) -> set[str]:
    """Return the keys of the works that an invoice bills and whose approval was reversed."""
    return {each.key for each in state.work.to_credit().get(invoice.invoice, ())}


def _works_on(state: Engagement, invoice: Invoice, line: InvoiceLine) -> Works:
    """Return the works on a line but those of credit notes that wait for their number."""
    works = {
        work.key: billed_work(work, bill)
        for work, bill in state.work.bills_of(invoice.invoice)
        if bill.invoice_line == line.invoice_line
    }
    for note in invoice.credits_approved:
        for each in note.works if note.intent == "cancel-and-rebill" else ():
            works.pop(each.key, None)
    return works


def _credited(line: InvoiceLine, amount: Money, works: Iterable[BilledWork]) -> CreditedLine:
    return CreditedLine(
        invoice_line=line.invoice_line,
        line=line.line,
        role=line.role,
        amount=amount,
        works=tuple(works),
    )


def _sum(items: Iterable[BilledWork], currency: str) -> Money:
    return Money.total((each.amount for each in items), currency)
