"""State of the works that moved to the streams of their months: what of them is asked back.

It grows with months, not with works.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Self

from chassis.domain.pending import OutcomeRecorded
from chassis.domain.state import Keep, Part, on_event
from contracts.delivery import ExpenseReversed, TimeReversed
from contracts.finance import BudgetAmended
from contracts.values import Identifier, Month, Value
from finance.calendar_months import month_of
from finance.moved_works.events import (
    CorrectionBegun,
    CorrectionMade,
    CorrectionRefused,
    CostsAskedToNote,
    WorksAskedFor,
    WorksLeft,
    WorksReturned,
)


class MovedMonth(Value):
    """Month with moved works, and what the engagement knows of them.

    `invoices` bill some of them, `unbilled` says that there are some that are neither billed nor
    written down. `is_full` says that the stream of the month did not take works.
    """

    invoices: tuple[Identifier, ...] = ()
    unbilled: bool = False
    is_full: bool = False


class Asked(Value):
    """A request to the stream of a month whose outcome is not known; `invoices` are asked for."""

    month: Month
    invoices: tuple[Identifier, ...] = ()


class MovedWorks(Part):
    """The months with moved works, and what is asked of them.

    `pending` are the requests without an outcome, by their items. `telling` are the months of those
    that tell costs: nothing that readers see waits for these. `reversals` are the keys of
    reversed works that may have moved, and `reassigned` the months whose unbilled works an
    amendment may assign to other lines; they are asked for next. `corrections` wait for the works
    of their invoices.
    """

    months: dict[Month, MovedMonth] = {}
    pending: dict[str, Asked] = {}
    telling: dict[str, Month] = {}
    reversals: dict[Month, tuple[str, ...]] = {}
    reassigned: frozenset[Month] = frozenset()
    corrections: Annotated[
        dict[Identifier, CorrectionBegun],
        Keep(by="invoice", until=(CorrectionMade, CorrectionRefused)),
    ] = {}
    refused: Annotated[
        dict[Identifier, CorrectionRefused],
        Keep(by="invoice", until=(CorrectionBegun, CorrectionMade)),
    ] = {}

    def is_asked(self, month: Month) -> bool:
        """Return whether an outcome of the stream of a month is not known."""
        return any(each.month == month for each in self.pending.values())

    def has_works_of(self, invoice: str) -> bool:
        """Return whether works that an invoice bills have moved, and are not back."""
        moved = any(invoice in each.invoices for each in self.months.values())
        return moved or any(invoice in each.invoices for each in self.pending.values())

    @on_event
    def _left(self, event: WorksLeft) -> Self:
        known = self.months.get(event.month, MovedMonth())
        invoices = tuple(sorted({*known.invoices, *event.invoices}))
        month = known.model_copy(
            update={"invoices": invoices, "unbilled": known.unbilled or event.unbilled}
        )
        return self.updated(
            months={**self.months, event.month: month},
            pending={**self.pending, event.item: Asked(month=event.month)},
        )

    @on_event
    def _asked_for(self, event: WorksAskedFor) -> Self:
        known = self.months[event.month]
        invoices = tuple(each for each in known.invoices if each not in event.invoices)
        month = known.model_copy(
            update={"invoices": invoices, "unbilled": known.unbilled and not event.unbilled}
        )
        asked = Asked(month=event.month, invoices=event.invoices)
        return self.updated(
            months={**self.months, event.month: month},
            pending={**self.pending, event.item: asked},
            reversals=_without(self.reversals, event.month, event.works),
            reassigned=self.reassigned - {event.month},
        )

    @on_event
    def _costs(self, event: CostsAskedToNote) -> Self:
        return self.updated(telling={**self.telling, event.item: event.month})

    @on_event
    def _answered(self, event: OutcomeRecorded) -> Self:
        pending = {item: each for item, each in self.pending.items() if item != event.item}
        telling = {item: month for item, month in self.telling.items() if item != event.item}
        return self.updated(pending=pending, telling=telling)

    @on_event
    def _returned(self, event: WorksReturned) -> Self:
        month = self.months[event.month]
        full = month.model_copy(update={"is_full": month.is_full or event.refused})
        gone = tuple(each.key for each in event.reversed)
        return self.updated(
            months={**self.months, event.month: full},
            reversals=_without(self.reversals, event.month, gone),
        )

    @on_event
    def _time_reversed(self, event: TimeReversed) -> Self:
        return self._reversed((month_of(each.day), f"time:{each.entry}") for each in event.entries)

    @on_event
    def _expense_reversed(self, event: ExpenseReversed) -> Self:
        return self._reversed([(month_of(event.spent_on), f"expense:{event.expense}")])

    def _reversed(self, works: Iterable[tuple[Month, str]]) -> Self:
        """Ask for reversed works of months with moved ones; some may be in the engagement."""
        known = dict(self.reversals)
        for month, key in works:
            if month in self.months:
                known[month] = (*known.get(month, ()), key)
        return self.updated(reversals=known)

    @on_event
    def _amended(self, event: BudgetAmended) -> Self:
        """Ask for the unbilled works that lines of the amendment may pay: of its week, or later."""
        first = month_of(event.signed_on - timedelta(days=event.signed_on.weekday()))
        months = {name for name, each in self.months.items() if each.unbilled and name >= first}
        return self.updated(reassigned=self.reassigned | months)


def _without(
    reversals: dict[Month, tuple[str, ...]], month: Month, keys: Iterable[str]
) -> dict[Month, tuple[str, ...]]:
    gone = set(keys)
    left = tuple(each for each in reversals.get(month, ()) if each not in gone)
    others = {name: each for name, each in reversals.items() if name != month}
    return {**others, month: left} if left else others
