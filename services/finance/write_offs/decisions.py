"""Write off what a customer will not pay, and reverse that.

Small differences are written off beside the allocation of a payment; what is written off here is a
debt that is lost.
"""

from collections.abc import Iterable
from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused, refused_field
from chassis.domain.context import Context
from chassis.domain.rules import correction_day, same_day, unless_recorded
from contracts.event import Event
from contracts.finance import WriteOffRecorded
from contracts.money import Money, PositiveMoney
from contracts.values import Correction, Day, Identifier, ShortText
from finance.engagement import Engagement
from finance.policies import day_since_issue, require_at_most, require_open_day, require_receivable
from finance.roles import CONTROLLING
from finance.write_offs.reversal import reversal

capability = Capability[Engagement](__name__)


class WriteOffInvoice(Command):
    """Write off what is outstanding on an invoice, or a part of it: the customer will not pay it.

    What was billed and its tax stay; to give something back to the customer, issue a credit note.
    The same amount for the same reason again changes nothing; to write off as much once more, give
    another reason.
    """

    invoice: Identifier
    """Id of the invoice."""
    amount: PositiveMoney | None = None
    """Amount in the currency of the invoice; all that is outstanding unless given."""
    why: ShortText
    """Reason for it, such as the insolvency of the customer."""
    written_off_on: Day | None = None
    """Day on which it is written off; today unless given."""


class ReverseWriteOff(Correction, Command):
    """Reverse what is left of a write-off, as where the customer pays after all."""

    write_off: Identifier
    """Id of the write-off."""
    reversed_on: Day | None = None
    """Day of the reversal; today unless given."""


@capability.decide(WriteOffInvoice, by=CONTROLLING)
def write_off_invoice(
    state: Engagement, command: WriteOffInvoice, context: Context
) -> Iterable[Event]:
    """Record the write-off, up to what is outstanding.

    An equal repetition changes nothing until the write-off is reversed. Raises Refused where the
    invoice is unknown, not issued, void or paid, the amount is too large or in another currency, an
    equal write-off has another day, or the day is in the future or before the invoice date.
    """
    invoice = require_receivable(state, command.invoice)
    known = next((each for each in invoice.write_offs.values() if _is_same(each, command)), None)
    on = day_since_issue(invoice, "written_off_on", command, context, known)
    if known is not None:
        again = known.model_copy(update={"written_off_on": on})
        yield from unless_recorded(known, again, "the write-off")
        return
    require_open_day(state, "written_off_on", on)
    owed = invoice.outstanding
    if owed.amount <= 0:
        raise Refused("invoice-paid", f"nothing is outstanding on invoice {invoice.number}")
    amount = command.amount or owed
    require_at_most(amount, owed, "write-off-beyond-outstanding", invoice)
    yield WriteOffRecorded(
        write_off=context.new_id("W"),
        invoice=command.invoice,
        amount=amount,
        why=command.why,
        written_off_on=on,
    )


def _is_same(known: WriteOffRecorded, command: WriteOffInvoice) -> bool:
    """Return whether a debt that is lost was written off with this amount and reason."""
    return known.allocation is None and (known.amount, known.why) == (command.amount, command.why)


@capability.decide(ReverseWriteOff, by=CONTROLLING)
def reverse_write_off(
    state: Engagement, command: ReverseWriteOff, context: Context
) -> Iterable[Event]:
    """Record that what is left of the write-off is outstanding again.

    An equal repetition of the last reversal changes nothing. Raises Refused where there is none, it
    was reversed for another reason or on another day, or the day is in the future or before the
    write-off.
    """
    known = next((each for each in _all(state) if each.write_off == command.write_off), None)
    before = state.billing.write_off_reversed
    if known is None and before is not None and before.write_off == command.write_off:
        on = same_day("reversed_on", command, before, context)
        again = before.model_copy(update={"why": command.why, "reversed_on": on})
        yield from unless_recorded(before, again, "the reversal")
        return
    if known is None:
        sentence = f"write_off: {command.write_off} is unknown, or was reversed"
        raise refused_field("write-off-unknown", "write_off", sentence)
    on = correction_day("reversed_on", command, known.written_off_on, context)
    require_open_day(state, "reversed_on", on)
    yield reversal(known, known.amount, command.why, on)


def _all(state: Engagement) -> Iterable[WriteOffRecorded]:
    for invoice in state.billing.receivables:
        yield from invoice.write_offs.values()


class WriteOffView(ViewModel):
    """Write-off, as far as it is not reversed; `allocation` is null for a debt that is lost."""

    write_off: str
    invoice: str
    allocation: str | None
    amount: Money
    why: str
    written_off_on: date


class WriteOffFields(ViewModel):
    """The write-offs in the view of an engagement."""

    write_offs: tuple[WriteOffView, ...]


@capability.view
def write_offs_view(state: Engagement) -> WriteOffFields:
    """Return the write-offs that are in force."""
    shown = (
        WriteOffView(
            write_off=each.write_off,
            invoice=each.invoice,
            allocation=each.allocation,
            amount=each.amount,
            why=each.why,
            written_off_on=each.written_off_on,
        )
        for each in _all(state)
    )
    return WriteOffFields(write_offs=tuple(shown))
