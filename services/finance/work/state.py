"""State of the approved work: time and expenses, with the cost that accrued."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Self

from chassis.domain.state import Part, on_event
from contracts.delivery import ExpenseApproved, TimeApproved
from contracts.finance import (
    CostAccrued,
    CostKind,
    ExpenseConverted,
    WorkHeld,
    WorkKind,
    WorkOfLine,
    WorkReleased,
    WorkWrittenDown,
)
from contracts.money import Money
from contracts.values import (
    Conversion,
    Hours,
    Identifier,
    PersonId,
    ProjectRole,
    ShortText,
    Value,
    Week,
)


class Withheld(Value):
    """Why a work is not billed, its line, and its worth when that was decided."""

    line: Identifier
    why: ShortText
    worth: Money


class Work(Value):
    """Approved time, or an approved expense (which has an amount, but no role and no hours).

    `on` is its date: the Monday of the week, or the day on which the money was spent. `line` is the
    contract line that Delivery's plan or the approval of an expense names, if any. `conversion` is
    that of an expense in another currency than the engagement's, once its rate is known.
    `released` counts the releases up to its own, 0 if it was never held: what is billed counts for
    works in the order of approval, and for released ones afterwards.
    """

    entry: Identifier
    person: PersonId
    kind: CostKind
    on: date
    billable: bool
    line: Identifier | None = None
    role: ProjectRole | None = None
    week: Week | None = None
    hours: Hours = Decimal(0)
    amount: Money | None = None
    cost: Money | None = None
    conversion: Conversion | None = None
    held: Withheld | None = None
    written_down: Withheld | None = None
    released: int = 0

    @property
    def work_kind(self) -> WorkKind:
        """Return whether it is time or an expense."""
        return "expense" if self.role is None else "time"

    @property
    def key(self) -> str:
        """Return its key among the approved works."""
        return f"{self.work_kind}:{self.entry}"

    def expense_in(self, currency: str) -> Money | None:
        """Return the amount of an expense; None for time, and while it is not converted."""
        amount = self.conversion.converted if self.conversion else self.amount
        return amount if amount is not None and amount.currency == currency else None


class ApprovedWork(Part):
    """Approved work in the order of approval, and its accrued cost.

    Keys are ``time:`` or ``expense:`` and the id, since an entry and an expense may have one id.
    """

    by_id: dict[str, Work] = {}
    cost_to_date: Money | None = None
    releases: int = 0

    @on_event
    def _time(self, event: TimeApproved) -> Self:
        work = Work(
            entry=event.entry,
            person=event.person,
            kind=event.kind,
            on=event.week,
            billable=event.billable,
            line=event.line,
            role=event.role,
            week=event.week,
            hours=event.hours,
        )
        return self._with(f"time:{event.entry}", work)

    @on_event
    def _expense(self, event: ExpenseApproved) -> Self:
        work = Work(
            entry=event.expense,
            person=event.person,
            kind="expense",
            on=event.spent_on,
            billable=event.billable,
            line=event.line,
            amount=event.amount,
        )
        return self._with(f"expense:{event.expense}", work)

    @on_event
    def _converted(self, event: ExpenseConverted) -> Self:
        key = f"expense:{event.expense}"
        converted = self.by_id[key].model_copy(update={"conversion": event.conversion})
        return self._with(key, converted)

    @on_event
    def _accrued(self, event: CostAccrued) -> Self:
        key = f"expense:{event.entry}" if event.role is None else f"time:{event.entry}"
        costed = self.by_id[key].model_copy(update={"cost": event.cost})
        return self._with(key, costed).updated(cost_to_date=event.cumulative)

    @on_event
    def _held(self, event: WorkHeld) -> Self:
        return self._marked(
            event,
            lambda worth: {"held": Withheld(line=event.line, why=event.why, worth=worth)},
        )

    @on_event
    def _released(self, event: WorkReleased) -> Self:
        count = self.releases + 1
        released = self._marked(event, lambda _: {"held": None, "released": count})
        return released.updated(releases=count)

    @on_event
    def _written_down(self, event: WorkWrittenDown) -> Self:
        return self._marked(
            event,
            lambda worth: {"written_down": Withheld(line=event.line, why=event.why, worth=worth)},
        )

    @property
    def entries(self) -> tuple[Work, ...]:
        """Return all approved work, in the order of approval."""
        return tuple(self.by_id.values())

    def costed(
        self, count: int | None = None, *, until: date = date.max
    ) -> tuple[Work, ...] | None:
        """Return the first `count` entries of work (or all) dated up to a day.

        None while the cost of one is unknown.
        """
        works = tuple(work for work in self.entries[:count] if work.on <= until)
        return works if all(work.cost is not None for work in works) else None

    def _marked(self, event: WorkOfLine, fields: Callable[[Money], dict[str, object]]) -> Self:
        changed = {
            key: self.by_id[key].model_copy(update=fields(each.worth))
            for each in event.works
            for key in (f"{each.kind}:{each.entry}",)
        }
        return self.updated(by_id={**self.by_id, **changed})

    def unconverted(self, currency: str) -> tuple[tuple[Work, Money], ...]:
        """Return the expenses in another currency that are not converted, with their amounts."""
        return tuple(
            (work, work.amount)
            for work in self.entries
            if work.amount is not None and work.expense_in(currency) is None
        )

    def _with(self, key: str, work: Work) -> Self:
        return self.updated(by_id={**self.by_id, key: work})
