"""Keep the invoices that were not paid when the engagement was taken over."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from contracts import finance
from contracts.counting import counted
from contracts.event import Recorded
from contracts.money import Money
from gateway.formatting import day, money
from gateway.view.sections.sentences import if_given
from gateway.view.sections.steps import PartSteps, Ref


@dataclass(slots=True)
class OpeningInvoice:
    """An unpaid invoice from before the take-over, with what is paid and written off here.

    Amounts are with tax; `open` is what was owed at the take-over.
    """

    number: str
    gross: Money
    open: Money
    due_on: date
    paid: Money
    written_off: Money
    overdue: Ref | None = None

    @property
    def outstanding(self) -> Money:
        """The amount that the customer still owes on it."""
        return self.open - self.paid - self.written_off


class Fields(Protocol):
    """Fields of the section that these steps change."""

    opening: dict[str, OpeningInvoice]


steps = PartSteps[Fields]()


def _unpaid(balances: finance.EngagementImported) -> str:
    if not balances.receivables:
        return ""
    owed = Money.total((each.open for each in balances.receivables), balances.billed.currency)
    return f", {money(owed)} with tax is unpaid on {counted(len(balances.receivables), 'invoice')}"


steps.describe(
    finance.EngagementImported,
    lambda event, _: (
        f"Balances to {day(event.as_of)} taken over: {money(event.billed)} billed, "
        f"{money(event.paid)} paid, without tax{_unpaid(event)}"
        f"{if_given('; corrected: “{}”', event.why)}."
    ),
)


@steps.on(finance.EngagementImported)
def _taken_over(section: Fields, recorded: Recorded[finance.EngagementImported]) -> None:
    """Replace the invoices from before; what is paid here of one stays."""
    before, section.opening = section.opening, {}
    for each in recorded.event.receivables:
        nothing, known = Money.zero(each.gross.currency), before.get(each.invoice)
        section.opening[each.invoice] = OpeningInvoice(
            number=each.number,
            gross=each.gross,
            open=each.open,
            due_on=each.due_on,
            paid=known.paid if known else nothing,
            written_off=known.written_off if known else nothing,
            overdue=known.overdue if known else None,
        )
