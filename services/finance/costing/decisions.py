"""Cost estimates, changes, the budget and approved work. Confidential.

The cost rates are those in force on the day of an estimate or of the assessment of a change, on the
day of the signature for the budget, and on the day of approved time. Planned hours cost the rate
of their role, approved time that of the person. An expense costs its amount, converted where it is
in another currency. Where there is no rate, the cost is unknown and computed later.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.context import Context, ReferenceData
from contracts.delivery import MOST_ENTRIES
from contracts.event import Event
from contracts.finance import (
    BudgetCosted,
    ChangeCosted,
    CostAccrued,
    CostedWork,
    CostOfWeek,
    CostReversed,
    EstimateCosted,
    LineCost,
)
from contracts.money import Money
from finance.costing import rates
from finance.engagement import Engagement
from finance.policies import rounding_of
from finance.work.works import Work

capability = Capability[Engagement](__name__)


@capability.react
def costs(state: Engagement, context: Context) -> Iterable[Event]:
    """Yield the costs of priced estimates and changes, of the budget and of approved work."""
    if state.currency is not None:
        yield from _of_estimates(state, state.currency, context.reference_data)
        yield from _of_changes(state, state.currency, context.reference_data)
        yield from _of_budget(state, state.currency, context.reference_data)
        yield from _accruals(state, state.currency, context.reference_data)


def _of_estimates(state: Engagement, currency: str, records: ReferenceData) -> Iterable[Event]:
    for estimate in state.estimates.by_version.values():
        if estimate.price is None or estimate.cost is not None:
            continue
        hours, day = estimate.with_contingency, estimate.submitted_on
        rounding = rounding_of(state, records, day)
        on_day = rates.cost_rates_on(records, currency, day)
        exact = rates.exact_cost(hours, on_day, estimate.purchases)
        if exact is not None:
            cost = Money.nearest(exact, currency, rounding)
            margin = rates.margin_ratio(estimate.price, cost)
            yield EstimateCosted(estimate_version=estimate.version, cost=cost, margin=margin)


def _of_changes(state: Engagement, currency: str, records: ReferenceData) -> Iterable[Event]:
    """Yield the cost of each change, by its last priced assessment.

    A change that cannot be priced is costed once its amendment, which has a price, is in the
    budget.
    """
    signed = {each.change: each.price_delta for each in state.budgeting.applied}
    for change in state.changes.names:
        assessment = state.changes.in_force(change)
        price = assessment.price or signed.get(change)
        if price is None or assessment.cost is not None:
            continue
        day = assessment.assessed_on
        on_day = rates.cost_rates_on(records, currency, day)
        rounding = rounding_of(state, records, day)
        lines = [
            LineCost(line=each.line, cost=cost)
            for each in assessment.changes
            if (cost := rates.cost_of_hours(each.hours, on_day, rounding)) is not None
        ]
        if len(lines) == len(assessment.changes):
            cost = Money.total((each.cost for each in lines), currency)
            # Of a cut of scope, both are negative: it is the margin of what is taken away.
            margin = rates.ratio((price - cost).amount, price.amount)
            yield ChangeCosted(change=change, cost=cost, lines=tuple(lines), margin=margin)


def _of_budget(state: Engagement, currency: str, records: ReferenceData) -> Iterable[Event]:
    """Yield the cost of the budget at the cost rates of the signature, or of the take-over."""
    taken_over = state.importing.taken_over
    budget, day = state.budget, taken_over.as_of if taken_over else state.signed_on
    if budget is None or budget.cost is not None or day is None:
        return
    on_day, signed = rates.cost_rates_on(records, currency, day), budget.history[0].lines
    rounding = rounding_of(state, records, day)
    lines = [
        LineCost(line=line.line, cost=Money.nearest(exact, currency, rounding))
        for line in signed
        if (exact := rates.cost_of_line(line, on_day)) is not None
    ]
    if len(lines) == len(signed):
        cost = Money.total((each.cost for each in lines), currency)
        margin = rates.margin(budget.signed_price, cost)
        yield BudgetCosted(cost=cost, lines=tuple(lines), margin_sold=margin)


def _accruals(state: Engagement, currency: str, records: ReferenceData) -> Iterable[Event]:
    """Yield accrued costs, one event for each person and week, and reversed ones.

    They are in the order of approval; work with an unknown cost is left for later.
    """
    cumulative = state.work.cost_to_date or Money.zero(currency)
    costed = (
        (work, cost)
        for work in state.work.without_cost
        if (cost := _of_work(state, work, currency, records)) is not None
    )
    for accrued in _by_week(costed, currency, cumulative, 1):
        cumulative = accrued.cumulative
        yield CostAccrued(**dict(accrued))
    gone = ((work, work.cost) for work in state.work.reversed.values() if work.cost is not None)
    for accrued in _by_week(gone, currency, cumulative, -1):
        yield CostReversed(**dict(accrued))


def _by_week(
    works: Iterable[tuple[Work, Money]], currency: str, cumulative: Money, sign: int
) -> Iterable[CostOfWeek]:
    """Yield the cost of works by person and week, each expense alone.

    `cumulative` is the cost to date before; `sign` is 1 where costs are added, -1 where they are
    subtracted.
    """
    weeks: dict[tuple[str, date | str, int], list[tuple[Work, Money]]] = {}
    numbers = Counter[tuple[str, date | str]]()
    for work, cost in works:
        week = work.person, work.week or work.key
        weeks.setdefault((*week, numbers[week] // MOST_ENTRIES), []).append((work, cost))
        numbers[week] += 1
    for entries in weeks.values():
        total = Money.total((cost for _, cost in entries), currency)
        cumulative = cumulative + total * sign
        yield CostOfWeek(
            person=entries[0][0].person,
            week=entries[0][0].week,
            entries=tuple(
                CostedWork(
                    entry=work.entry,
                    day=work.on,
                    role=work.role,
                    kind=work.kind,
                    hours=work.hours,
                    cost=cost,
                    conversion=work.conversion,
                )
                for work, cost in entries
            ),
            cost=total,
            cumulative=cumulative,
        )


def _of_work(state: Engagement, work: Work, currency: str, records: ReferenceData) -> Money | None:
    """Return the cost of approved time or an expense; None while it is unknown.

    An expense in another currency has none before its conversion.
    """
    if work.role is None:
        return work.expense_in(currency)
    published = rates.cost_rates_on(records, currency, work.on)
    rounding = rounding_of(state, records, work.on)
    return rates.cost_of_person(
        work.hours, work.role, work.person, work.on, published, records, rounding
    )


class CostFigures(ViewModel):
    """Costs in the view of an engagement, for callers who may see them.

    `cost_unknown` is the number of approved time entries and expenses that `cost_to_date` does not
    contain, because a cost rate or an exchange rate is missing; `waiting` and `waiting_for_costs`
    name them.
    """

    estimate_costs: dict[int, Money]
    change_costs: dict[str, Money]
    budget_cost: Money | None
    cost_to_date: Money | None
    cost_unknown: int


@capability.confidential_view
def costs_view(state: Engagement) -> CostFigures:
    """Return the costs for the confidential view of an engagement."""
    estimates, assessments = state.estimates.by_version, state.changes.assessments
    return CostFigures(
        estimate_costs={name: each.cost for name, each in estimates.items() if each.cost},
        change_costs={each.change: each.cost for each in assessments if each.cost},
        budget_cost=state.budget.cost if state.budget else None,
        cost_to_date=state.work.cost_to_date,
        cost_unknown=len(state.work.uncosted),
    )
