"""Keep costs, margins and revenue by cost: the section of Finance's confidential channel."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from contracts import finance
from contracts.counting import counted
from contracts.event import Recorded
from contracts.money import Money
from contracts.values import Margin, Month
from gateway.formatting import FORMULAS, day, hours, money, percent, ratio
from gateway.view.sections.finance.conversions import original_amount
from gateway.view.sections.finance.revenue import (
    cumulative_revenue,
    recognised_month,
    total_revenue,
)
from gateway.view.sections.sentences import if_given
from gateway.view.sections.steps import FieldPaths, Kept, Steps, each_by, newest, ref


@dataclass(slots=True)
class ConfidentialSection:
    """Costs and margins, for readers with the role `confidential`.

    `margin_sold` comes from the budget until Finance has measured it, and then from Finance's last
    measurement, with the changes that it includes.
    """

    estimate_costs: dict[int, Kept[finance.EstimateCosted]] = each_by(
        finance.EstimateCosted, lambda event: event.estimate_version
    )
    budget: Kept[finance.BudgetCosted] | None = newest(finance.BudgetCosted)
    margin_sold: Margin | None = None
    cost: Money | None = None
    costed_works: int = 0
    """The time entries and expenses that `cost` contains."""
    project_management_cost: Money | None = None
    performance: Kept[finance.PerformanceMeasured] | None = None
    """The measurement of the newest report; an older one may be measured later."""
    margins: Kept[finance.MarginMeasured] | None = None
    """The margins of the latest day."""
    expected: Kept[finance.MarginMeasured] | None = None
    """The margins measured for the newest report, or for the end: all of one scope."""
    revenue: dict[str, Kept[Money]] = each_by(
        finance.RevenueByCostRecognised, lambda event: event.obligation, kept=cumulative_revenue
    )
    """Revenue to date by obligation, of the method that uses cost."""
    recognised_to: dict[str, Kept[str]] = each_by(
        finance.RevenueByCostRecognised, lambda event: event.obligation, kept=recognised_month
    )
    cost_by_month: dict[Month, Money] = field(default_factory=dict)
    """Cost to date by the month of the work."""
    periods: dict[str, Kept[finance.PeriodCosted]] = each_by(
        finance.PeriodCosted, lambda event: event.month
    )
    """The cost of the booked months."""
    expected_losses: dict[str, Money] = field(default_factory=dict)
    """The losses that are provided for, by contract: an amendment that is one of its own, or ""."""
    imported: Kept[finance.OpeningCostRecorded] | None = newest(finance.OpeningCostRecorded)
    """Cost and revenue by cost from before; no other figure contains them."""

    @property
    def balances(self) -> tuple[finance.ContractBalance, ...]:
        """The revenue and billing of each contract at the end of the last booked month."""
        return self.periods[max(self.periods)].event.contracts if self.periods else ()

    @property
    def recognised(self) -> Money | None:
        """The revenue recognised to date in proportion to cost, or None."""
        return total_revenue(self.revenue)


steps = Steps(ConfidentialSection, ignored=[finance.ChangeCosted])


_OF_PERSON: FieldPaths = {
    "week": True,
    "entries": {"__all__": dict.fromkeys(("role", "kind", "hours", "cost"), True)},
    "cost": True,
    "cumulative": True,
}
steps.of_person(finance.CostAccrued, _OF_PERSON)
steps.of_person(finance.CostReversed, _OF_PERSON)


def _costed(entries: Sequence[finance.CostedWork]) -> str:
    """Return the hours of the entries, such as "40 h", or what an expense was converted from."""
    if worked := sum((each.hours for each in entries), Decimal(0)):
        return hours(worked)
    return f"an expense{if_given(' of {}', entries[0].conversion, original_amount)}"


def _ratio(margin: Margin | None) -> Decimal | None:
    return margin.margin if margin is not None else None


steps.describe(
    finance.EstimateCosted,
    lambda event, _: (
        f"Estimate {event.estimate_version} would cost {money(event.cost)}"
        f"{if_given(', a margin of {}', event.margin, percent)}."
    ),
)
steps.describe(
    finance.ChangeCosted,
    lambda event, _: (
        f"Change {event.change} would cost {money(event.cost)}"
        f"{if_given(', a margin of {}', event.margin, percent)}."
    ),
)
steps.describe(
    finance.BudgetCosted,
    lambda event, _: (
        f"Budgeted cost {money(event.cost)}; sold at a margin of "
        f"{percent(event.margin_sold.margin)}."
    ),
)


@steps.on(finance.BudgetCosted)
def _budget_costed(section: ConfidentialSection, recorded: Recorded[finance.BudgetCosted]) -> None:
    section.margin_sold = recorded.event.margin_sold


steps.describe(
    finance.CostAccrued,
    lambda event, _: (
        f"{money(event.cost)} of cost accrued for {_costed(event.entries)}, "
        f"{money(event.cumulative)} to date."
    ),
)


def _add_by_month(
    section: ConfidentialSection, event: finance.CostAccrued | finance.CostReversed, sign: int
) -> None:
    for each in event.entries:
        month = f"{each.day:%Y-%m}"
        before = section.cost_by_month.get(month, Money.zero(each.cost.currency))
        section.cost_by_month[month] = before + each.cost if sign > 0 else before - each.cost


@steps.on(finance.CostAccrued)
def _accrued(section: ConfidentialSection, recorded: Recorded[finance.CostAccrued]) -> None:
    event = recorded.event
    section.cost = event.cumulative
    _add_by_month(section, event, 1)
    section.costed_works += len(event.entries)
    for each in event.entries:
        if each.kind == "project-management":
            before = section.project_management_cost or Money.zero(each.cost.currency)
            section.project_management_cost = before + each.cost


steps.describe(
    finance.CostReversed,
    lambda event, _: (
        f"{money(event.cost)} of cost reversed for {_costed(event.entries)}, "
        f"{money(event.cumulative)} to date."
    ),
)


@steps.on(finance.CostReversed)
def _cost_reversed(section: ConfidentialSection, recorded: Recorded[finance.CostReversed]) -> None:
    event = recorded.event
    section.cost = event.cumulative
    _add_by_month(section, event, -1)
    section.costed_works -= len(event.entries)
    for each in event.entries:
        if each.kind == "project-management" and section.project_management_cost is not None:
            section.project_management_cost = section.project_management_cost - each.cost


steps.describe(
    finance.PerformanceMeasured,
    lambda event, _: (
        f"Performance at {day(event.as_of)}: planned {money(event.planned_value)}, earned "
        f"{money(event.earned_value)}, spent {money(event.actual_cost)}"
        f"{if_given('; CPI {}', event.cost_performance_index, ratio)}"
        f"{if_given(', SPI {}', event.schedule_performance_index, ratio)}"
        f"{if_given('; forecast {}', event.estimate_at_completion, money)}"
        f"{if_given(' by {}', event.forecast_choice, lambda each: FORMULAS[each.method])}."
    ),
)
steps.describe(
    finance.MarginMeasured,
    lambda event, _: (
        f"Margin at {day(event.as_of)}{if_given(': sold {}', _ratio(event.margin_sold), percent)}"
        f"{if_given('; billed {}', _ratio(event.margin_billed), percent)}"
        f"{if_given('; recognised {}', _ratio(event.margin_recognised), percent)}"
        f"{if_given('; forecast {}', _ratio(event.margin_forecast), percent)}"
        f"{if_given(', by trend {}', _ratio(event.margin_by_trend), percent)}."
    ),
)


@steps.on(finance.PerformanceMeasured)
def _performance(
    section: ConfidentialSection, recorded: Recorded[finance.PerformanceMeasured]
) -> None:
    known = section.performance
    if known is None or known.event.report.report <= recorded.event.report.report:
        section.performance = Kept(recorded.event, ref(recorded))


@steps.on(finance.MarginMeasured)
def _margins(section: ConfidentialSection, recorded: Recorded[finance.MarginMeasured]) -> None:
    event, known, kept = recorded.event, section.expected, Kept(recorded.event, ref(recorded))
    if section.margins is None or section.margins.event.as_of <= event.as_of:
        section.margins = kept
        section.margin_sold = event.margin_sold or section.margin_sold
    if event.month is None and (known is None or event.follows(known.event)):
        section.expected = kept


steps.describe(
    finance.RevenueByCostRecognised,
    lambda event, _: (
        f"{money(event.amount)} of revenue of {event.obligation} recognised for {event.month} by "
        f"cost, {money(event.cumulative)} to date."
    ),
)


def _works(number: int) -> str:
    return counted(number, "work whose cost is not known", "works whose cost is not known")


steps.describe(
    finance.PeriodCosted,
    lambda event, _: (
        f"Cost of {event.month} booked: {money(event.cost)}"
        f"{if_given(', without that of {}', event.uncosted or None, _works)}; "
        f"{money(event.recognised_by_cost)} recognised by cost"
        f"{if_given(', {} of expected losses', event.loss if event.loss.amount else None, money)}"
        f"{if_given(', a margin of {}', _ratio(event.margin), percent)}."
    ),
)


@steps.on(finance.LossProvided, finance.LossReleased)
def _loss(
    section: ConfidentialSection,
    recorded: Recorded[finance.LossProvided | finance.LossReleased],
) -> None:
    event = recorded.event
    contract, amount = event.amendment or "", event.amount
    before = section.expected_losses.get(contract, Money.zero(amount.currency))
    more = -amount if isinstance(event, finance.LossReleased) else amount
    section.expected_losses[contract] = before + more


steps.describe(
    finance.LossProvided,
    lambda event, _: (
        f"{money(event.amount)} provided for the loss that is expected"
        f"{if_given(' of amendment {}', event.amendment)} at {day(event.as_of)}, "
        f"{money(event.expected_loss)} in all."
    ),
)
steps.describe(
    finance.LossReleased,
    lambda event, _: (
        f"{money(event.amount)} of the loss that was expected"
        f"{if_given(' of amendment {}', event.amendment)} released at {day(event.as_of)}, "
        f"{money(event.expected_loss)} is left."
    ),
)
steps.describe(
    finance.OpeningCostRecorded,
    lambda event, _: (
        f"Cost to {day(event.as_of)} taken over{if_given(': {}', event.cost, money)}"
        f"{if_given('; corrected: “{}”', event.why)}."
    ),
)
