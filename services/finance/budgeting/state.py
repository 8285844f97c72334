"""State of the budget and of the signed amendments."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Self

from chassis.domain.state import Keep, Kept, Part, on_event
from contracts.event import Recorded
from contracts.finance import (
    BudgetAmended,
    BudgetCosted,
    BudgetSet,
    ChangePriced,
    RevenueMethodChosen,
)
from contracts.legal import AmendmentSigned
from contracts.money import Money, Rate
from contracts.values import (
    BillingItem,
    EstimateLine,
    Identifier,
    RevenueMethod,
    RoleRate,
    Value,
)
from contracts.vocabularies import Unlisted


class Schedule(Value):
    """Billing schedule, and the day on which its amendment was signed; None for the contract's."""

    signed_on: date | None
    items: tuple[BillingItem, ...]


class Budget(Value):
    """Budget from the signed contract; `signed_price` is without amendments, `price` with them.

    `hours` and `cost` are those of the statement of work; an amendment's are those of its change.
    `schedules` are the successive billing schedules, at least one.
    """

    signed_price: Money
    price: Money
    hours: tuple[EstimateLine, ...]
    revenue_method: RevenueMethod
    schedules: tuple[Schedule, ...]
    rates: tuple[RoleRate, ...] = ()
    cost: Money | None = None

    @property
    def schedule(self) -> tuple[BillingItem, ...]:
        """Return the current billing schedule."""
        return self.schedules[-1].items

    @property
    def time_items(self) -> tuple[BillingItem, ...]:
        """Return the entries of the current schedule that bill time."""
        return tuple(item for item in self.schedule if item.kind == "time")

    @property
    def unlisted(self) -> tuple[BillingItem, ...]:
        """Return the entries of the billing schedule of which it is not known when they are due."""
        return tuple(item for item in self.schedule if isinstance(item.kind, Unlisted))

    @property
    def rate_by_role(self) -> Mapping[str, Rate]:
        """Return the contracted bill rate per hour by role."""
        return {rate.role: rate.rate for rate in self.rates}

    def schedule_on(self, day: date) -> tuple[BillingItem, ...]:
        """Return the last billing schedule signed by a day; the contract's own before that."""
        signed = [each for each in self.schedules if not each.signed_on or each.signed_on <= day]
        return signed[-1].items

    def agreed_on(self, item: str) -> date | None:
        """Return the day of the amendment that added an entry; None for the contract's entries."""
        return next(
            schedule.signed_on
            for schedule in self.schedules
            if any(each.item == item for each in schedule.items)
        )


class Budgeting(Part):
    """The budget once it is set, its sources, and the signed amendments.

    `amendments` are in the order of arrival; `amended` names those that are in the budget.
    """

    chosen: Kept[RevenueMethodChosen] = None
    change_prices: Annotated[dict[str, ChangePriced], Keep(by="change")] = {}
    amendments: Annotated[tuple[AmendmentSigned, ...], Keep()] = ()
    budget: Budget | None = None
    amended: tuple[Identifier, ...] = ()

    @on_event
    def _set(self, event: BudgetSet) -> Self:
        budget = Budget(
            signed_price=event.price,
            price=event.price,
            hours=event.hours,
            revenue_method=event.revenue_method,
            schedules=(Schedule(signed_on=None, items=event.billing_schedule),),
            rates=event.rates,
        )
        return self.updated(budget=budget)

    @on_event
    def _costed(self, event: BudgetCosted) -> Self:
        return self._with(cost=event.cost)

    @on_event
    def _amended(self, recorded: Recorded[BudgetAmended]) -> Self:
        """Apply the amendment's price and schedule, dated by its signature.

        Roles without a contracted rate get the rate at which the change was priced.
        """
        event, budget = recorded.event, self.budget
        if budget is None:
            return self
        signed_on = next(
            (each.signed_on for each in self.amendments if each.amendment == event.amendment),
            recorded.occurred_at.date(),
        )
        priced = self.change_prices.get(event.change)
        added = {line.role: line.rate for line in (priced.lines if priced else ())}
        contracted = budget.rate_by_role
        amended = self._with(
            price=event.price,
            schedules=(
                *budget.schedules,
                Schedule(signed_on=signed_on, items=event.billing_schedule),
            ),
            rates=(
                *budget.rates,
                *(
                    RoleRate(role=role, rate=rate)
                    for role, rate in added.items()
                    if role not in contracted and rate.amount > 0
                ),
            ),
        )
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
