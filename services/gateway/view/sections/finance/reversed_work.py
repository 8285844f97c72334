"""Keep work that a draft or an invoice bills and whose approval was reversed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from contracts import finance
from contracts.event import Recorded
from contracts.money import Money
from gateway.formatting import money
from gateway.view.sections.finance.lines import WORKS_OF_PEOPLE, BilledLine, reduced
from gateway.view.sections.steps import PartSteps, Ref, ref


@dataclass(slots=True)
class ReversedWork:
    """Work that an invoice bills and whose approval was reversed.

    `lines` are what the lines of the invoice bill too much, by id. `works` are the works, by kind
    and id. `to_credit` is what of them is on no credit note yet, by line of the invoice.
    """

    lines: dict[str, BilledLine]
    works: set[str]
    to_credit: dict[str, Money]
    said: Ref


class Fields(Protocol):
    """Fields of the section that these steps change."""

    reversed: dict[str, ReversedWork]
    given_back: dict[str, set[str]]


steps = PartSteps[Fields]()
steps.of_people(finance.BilledWorkReversed, hidden=WORKS_OF_PEOPLE)

steps.describe(
    finance.BilledWorkReversed,
    lambda event, _: (
        f"The approval of work was reversed that an invoice bills at {money(event.amount)}."
    ),
)


@steps.on(finance.BilledWorkReversed)
def _billed_work_reversed(section: Fields, recorded: Recorded[finance.BilledWorkReversed]) -> None:
    event = recorded.event
    nothing = Money.zero(event.amount.currency)
    known = section.reversed.setdefault(event.invoice, ReversedWork({}, set(), {}, ref(recorded)))
    known.said = ref(recorded)
    for work in event.works:
        known.works.add(work.key)
        name = work.invoice_line
        is_back = f"{name}/{work.key}" in section.given_back.get(event.invoice, ())
        owed = nothing if is_back else work.amount
        known.to_credit[name] = known.to_credit.get(name, nothing) + owed
        line = known.lines.setdefault(
            name, BilledLine(name, work.line, nothing, work.role, Decimal(0), work.rate, nothing)
        )
        line.amount = line.amount + work.whole
        line.written_down = line.written_down + (work.written_down or nothing)
        if work.hours is not None and line.hours is not None:
            line.hours += work.hours
            line.days[work.on] = line.days.get(work.on, Decimal(0)) + work.hours


def without_reversed(
    lines: Iterable[BilledLine], gone: ReversedWork | None
) -> Iterator[BilledLine]:
    """Yield lines of an invoice without the work on them whose approval was reversed."""
    left = dict(gone.lines) if gone is not None else {}
    for line in lines:
        less = left.pop(line.invoice_line, None) if left else None
        yield line if less is None else reduced(line, less)
