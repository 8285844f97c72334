"""State of the budget and of the signed amendments."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import groupby
from typing import Annotated, Self

from chassis.domain.state import Keep, Part, on_event
from contracts.billable_work import PayingLines, paying_line
from contracts.decimals import ROUNDING, Rounding
from contracts.delivery import ExpenseApproved, TimeApproved
from contracts.finance import (
    BillingEventDue,
    BudgetAmended,
    BudgetCosted,
    BudgetSet,
    InvoiceDrafted,
    RevenueByCostRecognised,
    RevenueMethodChosen,
    RevenueRecognised,
    TreatmentChosen,
    WorkHeld,
    WorkWrittenDown,
)
from contracts.legal import AmendmentSigned
from contracts.lines import (
    HOURLY,
    BillingItem,
    ContractLine,
    PerformanceObligation,
    Treatment,
    total_price,
)
from contracts.money import Money
from contracts.values import Identifier, Month, Value, days_after
from contracts.vocabularies import Unlisted
from finance.calendar_months import end_of, month_of


@dataclass(frozen=True, slots=True)
class Entry:
    """Entry of the billing schedule of a line, with the discounts that reduce it by their line."""

    line: ContractLine
    item: BillingItem
    discounts: Mapping[str, Money]

    @property
    def amount(self) -> Money:
        """Return the amount after discounts."""
        return self.item.amount + Money.total(self.discounts.values(), self.item.amount.currency)

    @property
    def unlimited(self) -> bool:
        """Return whether the amount is an estimate, which billed time may exceed."""
        return self.item.kind == "time" and self.line.cap is None


class Agreed(Value):
    """Lines and obligations of the contract from a signature on.

    `signed_on` is the day of the amendment, None for the contract's own terms, as are `amendment`
    and `treatment`. `recognised_to` is
    the last month with recognised revenue before they were in the budget, and
    `openly_recognised_to` that of revenue which is not by cost, so that nothing open depends on
    costs.
    """

    signed_on: date | None
    lines: tuple[ContractLine, ...]
    obligations: tuple[PerformanceObligation, ...]
    amendment: Identifier | None = None
    treatment: Treatment | None = None
    recognised_to: Month | None = None
    openly_recognised_to: Month | None = None

    @cached_property
    def by_id(self) -> Mapping[str, ContractLine]:
        """Return the lines by id."""
        return {line.line: line for line in self.lines}

    @cached_property
    def hourly(self) -> tuple[ContractLine, ...]:
        """Return the lines whose approved time or expenses are billed."""
        return tuple(line for line in self.lines if line.pricing in HOURLY)

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """Return the entries of all billing schedules but those of discounts, in order."""
        reductions: dict[str, dict[str, Money]] = {}
        for line in self.lines:
            for item in line.billing:
                if item.reduces is not None:
                    of_entry = reductions.setdefault(item.reduces, {})
                    before = of_entry.get(line.line, Money.zero(item.amount.currency))
                    of_entry[line.line] = before + item.amount
        return tuple(
            Entry(line, item, reductions.get(item.item, {}))
            for line in self.lines
            for item in line.billing
            if item.reduces is None
        )

    @cached_property
    def time_entries(self) -> Mapping[str, tuple[Entry, ...]]:
        """Return the entries that bill time, by line."""
        return {
            name: tuple(each for each in entries if each.item.kind == "time")
            for name, entries in groupby(self.entries, lambda each: each.line.line)
        }


class Budget(Value):
    """Budget from the signed contract: the successive terms of the contract, at least one.

    `rounding` is the policy for all amounts that are computed from it. `paying` are the lines for
    work that names no line.
    `cost_by_line` is the cost of the lines as they were signed, empty while it is unknown; an
    amendment's cost is that of its change.
    """

    history: tuple[Agreed, ...]
    paying: PayingLines
    cost: Money | None = None
    cost_by_line: dict[Identifier, Money] = {}
    rounding: Rounding = ROUNDING

    @property
    def currency(self) -> str:
        """Return the currency of the contract."""
        return self.lines[0].price.currency

    @property
    def lines(self) -> tuple[ContractLine, ...]:
        """Return the lines with all amendments."""
        return self.history[-1].lines

    @property
    def obligations(self) -> tuple[PerformanceObligation, ...]:
        """Return the performance obligations with all amendments."""
        return self.history[-1].obligations

    @property
    def price(self) -> Money:
        """Return the price with all amendments."""
        return total_price(self.lines, self.currency)

    @property
    def signed_price(self) -> Money:
        """Return the price without amendments."""
        return total_price(self.history[0].lines, self.currency)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Return the entries of the current billing schedules."""
        return self.history[-1].entries

    @property
    def time_entries(self) -> Mapping[str, tuple[Entry, ...]]:
        """Return the entries that bill time, by line."""
        return self.history[-1].time_entries

    @property
    def unlisted(self) -> tuple[BillingItem, ...]:
        """Return the entries of which this release does not know when they are due."""
        return tuple(each.item for each in self.entries if isinstance(each.item.kind, Unlisted))

    @property
    def hourly_lines(self) -> tuple[ContractLine, ...]:
        """Return the lines whose approved time or expenses are billed."""
        return self.history[-1].hourly

    def bills_work_of(self, on: date) -> bool:
        """Return whether a line whose approved work is billed was signed by a day."""
        hourly = {each.line for each in self.hourly_lines}
        known = self.paying.of_role.get("", ())
        return any(each.line in hourly and each.first_day <= on for each in known)

    def paying_line(self, line: str | None, role: str | None, on: date) -> ContractLine | None:
        """Return the line that work of a role on a day belongs to, or None; see `paying_line`."""
        return paying_line(self.lines, self.paying, line, role, on)

    def line(self, name: str) -> ContractLine | None:
        """Return a line by its id, or None."""
        return self.history[-1].by_id.get(name)

    def entry(self, item: str) -> Entry | None:
        """Return an entry by its id, or None."""
        return next((each for each in self.entries if each.item.item == item), None)

    def agreed_on(self, day: date) -> Agreed:
        """Return the last terms that were signed by a day; the contract's own before that."""
        signed = [each for each in self.history if not each.signed_on or each.signed_on <= day]
        return signed[-1]

    def entry_signed_on(self, item: str) -> date | None:
        """Return the day of the amendment that added an entry; None for the contract's entries."""
        return next(
            agreed.signed_on
            for agreed in self.history
            if any(each.item.item == item for each in agreed.entries)
        )

    def founded(self, obligation: str) -> Agreed:
        """Return the first terms that have an obligation."""
        return next(
            agreed
            for agreed in self.history
            if any(each.obligation == obligation for each in agreed.obligations)
        )


class Budgeting(Part):
    """The budget once it is set, its sources, and the signed amendments.

    `amendments` are in the order of arrival; `amended` names those that are in the budget.
    `chosen` are the revenue methods by obligation, `treatments` those of amendments. Before the day
    `undecided_from`, work was billed or withheld, and an amendment that comes later does not move
    it to other lines. `last_work` is the last day of all approved work, and `last_billable` the
    last day whose work an invoice may bill, by the id of the billing event; exceptions have none.
    """

    chosen: Annotated[dict[str, RevenueMethodChosen], Keep(by="obligation")] = {}
    treatments: Annotated[dict[str, TreatmentChosen], Keep(by="amendment")] = {}
    amendments: Annotated[tuple[AmendmentSigned, ...], Keep()] = ()
    budget: Budget | None = None
    amended: tuple[Identifier, ...] = ()
    recognised_to: Month | None = None
    openly_recognised_to: Month | None = None
    last_work: date = date.min
    last_billable: dict[Identifier, date] = {}
    undecided_from: date = date.min

    @on_event
    def _set(self, event: BudgetSet) -> Self:
        agreed = Agreed(signed_on=None, lines=event.lines, obligations=event.obligations)
        paying = PayingLines().after(event.lines)
        budget = Budget(history=(agreed,), paying=paying, rounding=event.rounding)
        return self.updated(budget=budget)

    @on_event
    def _costed(self, event: BudgetCosted) -> Self:
        return self._with(
            cost=event.cost, cost_by_line={each.line: each.cost for each in event.lines}
        )

    @on_event
    def _recognised(self, event: RevenueRecognised | RevenueByCostRecognised) -> Self:
        last, openly = self.recognised_to or event.month, self.openly_recognised_to
        if isinstance(event, RevenueRecognised):
            openly = max(openly or event.month, event.month)
        return self.updated(recognised_to=max(last, event.month), openly_recognised_to=openly)

    @on_event
    def _worked(self, event: TimeApproved | ExpenseApproved) -> Self:
        if isinstance(event, TimeApproved):
            on = max(each.day for each in event.entries)
        else:
            on = event.spent_on
        return self.updated(last_work=max(self.last_work, on))

    @on_event
    def _due(self, event: BillingEventDue) -> Self:
        """Note the end of the month that is billed."""
        if event.kind != "time" or event.exception is not None:
            return self
        last = end_of(month_of(event.due_on))
        return self.updated(last_billable={**self.last_billable, event.billing_event: last})

    @on_event
    def _drafted(self, event: InvoiceDrafted) -> Self:
        """Decide about work up to the last day that is billed, or may be where one is not named."""
        if event.kind != "time":
            return self
        charges = [line for line in event.lines if line.amount.amount > 0]
        days = [each.day for line in charges for each in line.days]
        unnamed = any(not line.days for line in charges)
        if unnamed:
            days.append(self.last_billable.get(event.billing_event, date.max))
        last = max(days, default=date.min)
        return self._decided(min(last, self.last_work))

    @on_event
    def _withheld(self, event: WorkHeld | WorkWrittenDown) -> Self:
        return self._decided(max(each.on for each in event.works))

    def _decided(self, day: date) -> Self:
        return self.updated(undecided_from=max(self.undecided_from, days_after(day, 1)))

    @on_event
    def _amended(self, event: BudgetAmended) -> Self:
        """Apply the lines and obligations of an amendment, dated by its signature."""
        budget = self.budget
        if budget is None:
            return self
        agreed = Agreed(
            signed_on=event.signed_on,
            lines=event.lines,
            obligations=event.obligations,
            amendment=event.amendment,
            treatment=event.treatment,
            recognised_to=self.recognised_to,
            openly_recognised_to=self.openly_recognised_to,
        )
        paying = budget.paying.after(event.lines, event.signed_on, event.unnamed_work_from)
        amended = self._with(history=(*budget.history, agreed), paying=paying)
        return amended.updated(amended=(*self.amended, event.amendment))

    @property
    def applied(self) -> tuple[AmendmentSigned, ...]:
        """Return the amendments that are in the budget, in the order in which they arrived."""
        return tuple(each for each in self.amendments if each.amendment in self.amended)

    @property
    def waiting(self) -> tuple[AmendmentSigned, ...]:
        """Return the signed amendments that are not in the budget yet."""
        return tuple(each for each in self.amendments if each.amendment not in self.amended)

    def _with(self, **fields: object) -> Self:
        return self.updated(budget=self.budget and self.budget.model_copy(update=fields))
