"""Compute what failed deliveries cost, by cause. Confidential."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from common.figures.figure import Figure, Known, figure, grouped, total
from contracts.money import Money


@dataclass(frozen=True, slots=True)
class Ended:
    """An engagement that was closed or terminated on a day. Amounts are without tax.

    `unbilled_cost` is the cost of what was never billed; `credited` has only credit notes that gave
    back for good, since work that is billed again costs nothing.
    """

    engagement: str
    day: date
    terminated: bool
    cause: str | None
    revenue: Known[Money]
    cost: Known[Money]
    unbilled_cost: Known[Money]
    credited: Known[Money]
    written_off: Known[Money]
    penalties: Known[Money]

    @property
    def has_failed(self) -> Figure[bool]:
        """True if it was terminated, or closed at a loss; unknown where its margin is."""
        if self.terminated:
            return figure(True, self.day)
        revenue, cost = figure(self.revenue, self.day), figure(self.cost, self.day)
        return revenue.with_other(cost, lambda earned, spent: earned < spent)

    def part(self, amount: Known[Money]) -> tuple[Known[Money], ...]:
        """Return what an amount of it adds to the cost, or all that is missing to know that."""
        return self.has_failed.missing or (amount,)


@dataclass(frozen=True, slots=True)
class FailureCost:
    """Costs of the failed deliveries of one cause, and their sum.

    `engagements` has the ids of those that failed, and of those of which it is not known.
    """

    engagements: tuple[str, ...]
    unbilled_cost: Figure[Money]
    credited: Figure[Money]
    written_off: Figure[Money]
    penalties: Figure[Money]
    cost: Figure[Money]


def cost_of_failed_delivery(
    ended: Iterable[Ended], currency: str, first: date, as_of: date
) -> dict[str | None, FailureCost]:
    """Return what engagements cost that ended from `first` to `as_of` and failed, by cause.

    Those without a cause are under None. The amounts of a cause are unknown where it is not known
    of an engagement whether it was closed at a loss. Raises CurrencyMismatch where an amount is not
    in `currency`.
    """
    failed = (
        each for each in ended if first <= each.day <= as_of and each.has_failed.value is not False
    )
    causes = grouped(failed, lambda each: each.cause)
    return {cause: _cost(causes[cause], currency, as_of) for cause in causes}


def _cost(failed: list[Ended], currency: str, as_of: date) -> FailureCost:
    unbilled = [part for each in failed for part in each.part(each.unbilled_cost)]
    credited = [part for each in failed for part in each.part(each.credited)]
    written_off = [part for each in failed for part in each.part(each.written_off)]
    penalties = [part for each in failed for part in each.part(each.penalties)]
    return FailureCost(
        engagements=tuple(each.engagement for each in failed),
        unbilled_cost=total(unbilled, currency, as_of),
        credited=total(credited, currency, as_of),
        written_off=total(written_off, currency, as_of),
        penalties=total(penalties, currency, as_of),
        cost=total([*unbilled, *credited, *written_off, *penalties], currency, as_of),
    )
