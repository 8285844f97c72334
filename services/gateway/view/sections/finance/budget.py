"""Keep the budget as it is set and amended."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from contracts import finance
from contracts.billable_work import PayingLines, paying_line
from contracts.decimals import Number, Rounding
from contracts.event import Recorded
from contracts.lines import HOURLY, ContractLine, PerformanceObligation
from contracts.money import Money
from gateway.formatting import listed, money, words
from gateway.view.sections.sentences import total_hours
from gateway.view.sections.steps import PartSteps, Ref, line_hours, ref, unbilled


@dataclass(slots=True)
class Budget:
    """The budget as set and then amended."""

    price: Money
    lines: list[ContractLine]
    hours: Number
    obligations: list[PerformanceObligation]
    rounding: Rounding
    """Policy by which Finance rounds the amounts of the contract."""
    paying: PayingLines
    """Lines that pay for work that names no line."""
    amended_for: list[str]
    said: Ref

    def paying_line(self, line: str | None, role: str | None, on: date) -> ContractLine | None:
        """Return the line that work of a role on a day belongs to, or None; see `paying_line`."""
        return paying_line(self.lines, self.paying, line, role, on)

    def bills_work_of(self, on: date) -> bool:
        """Return whether a line that bills approved work was signed by a day."""
        hourly = {each.line for each in self.lines if each.pricing in HOURLY}
        known = self.paying.of_role.get("", ())
        return any(each.line in hourly and each.first_day <= on for each in known)


class Fields(Protocol):
    """Fields of the section that these steps change."""

    budget: Budget | None


steps = PartSteps[Fields](ignored=[finance.TreatmentChosen])


def _methods(obligations: Iterable[PerformanceObligation]) -> str:
    return listed(
        f"revenue of {each.obligation} recognised {words(each.method)}" for each in obligations
    )


steps.describe(
    finance.BudgetSet,
    lambda event, _: (
        f"Budget set: {money(event.price)}, {total_hours(event.lines)}; "
        f"{_methods(event.obligations)}."
    ),
)


@steps.on(finance.BudgetSet)
def _budget(section: Fields, recorded: Recorded[finance.BudgetSet]) -> None:
    event = recorded.event
    section.budget = Budget(
        price=event.price,
        lines=unbilled(event.lines),
        hours=line_hours(event.lines),
        obligations=list(event.obligations),
        rounding=event.rounding,
        paying=PayingLines().after(event.lines),
        amended_for=[],
        said=ref(recorded),
    )


steps.describe(
    finance.TreatmentChosen,
    lambda event, _: (
        f"Amendment {event.amendment} will be accounted for as {words(event.treatment)}: "
        f"“{event.why}”"
    ),
)
steps.describe(
    finance.BudgetAmended,
    lambda event, _: (
        f"Budget amended for change {event.change}: now {money(event.price)}, "
        f"{total_hours(event.lines)}; accounted for as {words(event.treatment)}: “{event.why}”"
    ),
)


@steps.on(finance.BudgetAmended)
def _amended(section: Fields, recorded: Recorded[finance.BudgetAmended]) -> None:
    budget, event = section.budget, recorded.event
    if budget is not None:
        budget.price = event.price
        budget.lines, budget.hours = unbilled(event.lines), line_hours(event.lines)
        budget.obligations = list(event.obligations)
        budget.paying = budget.paying.after(event.lines, event.signed_on, event.unnamed_work_from)
        budget.amended_for.append(event.change)
