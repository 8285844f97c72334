"""Assign work to the lines of a contract, and count the hours that no invoice bills.

Finance bills by it, and the gateway shows the same amounts.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from decimal import Decimal
from typing import NamedTuple, Self

from pydantic import Field

from contracts.decimals import Rounding
from contracts.lines import HOURLY, ContractLine
from contracts.money import Money, Rate
from contracts.values import Identifier, Value

HoursByDay = Mapping[tuple[str, Rate], Mapping[date, Decimal]]
"""Hours by role and bill rate, and by day."""


class BilledHours(NamedTuple):
    """Hours that a line of an invoice bills; `days` are those of which it names the day."""

    role: str | None
    rate: Rate | None
    hours: Decimal | None
    days: Mapping[date, Decimal]


class PayingLine(Value):
    """A line that can pay for work which names no line, in one of the terms of its contract.

    `terms` counts in the order in which terms came into the budget; 0 is the contract, others are
    amendments. `first_day` is the first day of the work that the line can pay, and `from_day` the
    first on which it counts as much as the lines of earlier terms. The terms `ended` take the price
    of the line away, from the day `until` on.
    """

    line: Identifier
    terms: int
    first_day: date
    from_day: date
    ended: int | None = None
    until: date = date.max

    def rank(self, on: date) -> int:
        """Return the place of the line among those that can pay for work of a day, 0 first.

        Later terms have a later place, so that they never change what earlier ones decide.
        """
        if on < self.from_day:
            return self.terms
        return self.ended if self.ended is not None and self.until <= on else 0


class PayingLines(Value):
    """The lines that can pay for work which names no line, after a number of terms.

    The keys are the roles, and an empty text for expenses.
    """

    of_role: dict[str, tuple[PayingLine, ...]] = Field(default_factory=dict)
    terms: int = 0

    def after(
        self,
        lines: Iterable[ContractLine],
        signed_on: date = date.min,
        from_day: date = date.min,
    ) -> Self:
        """Return the paying lines after the next terms: all lines of the contract or an amendment.

        What an amendment adds pays for work from its signature on; before `from_day`, only where no
        line of earlier terms pays. Which days a contract covers is decided before work is approved.
        """
        signed = {each.line: each.first_day for each in self.of_role.get("", ())}
        after = dict(self.of_role)
        for line in lines:
            gone = not line.price.amount
            ending = {"ended": self.terms, "until": from_day} if gone else {}
            for role, days in _first_days(line, signed.get(line.line, signed_on)).items():
                known = [
                    each.model_copy(update=ending)
                    if each.line == line.line and each.ended is None
                    else each
                    for each in after.get(role, ())
                ]
                own = [each for each in known if each.line == line.line]
                paid = {each.first_day for each in own if gone or each.ended is None}
                known += [
                    PayingLine(
                        line=line.line, terms=self.terms, first_day=day, from_day=from_day
                    ).model_copy(update=ending)
                    for day in sorted(days - paid)
                ]
                after[role] = tuple(known)
        return self.model_copy(update={"of_role": after, "terms": self.terms + 1})


def _first_days(line: ContractLine, signed_on: date) -> Mapping[str, AbstractSet[date]]:
    """Return the days from which a line pays, by role; nothing where it pays for no such work."""
    days: dict[str, set[date]] = {}
    if line.pricing in HOURLY or line.kind == "expenses":
        days[""] = {signed_on}
    for rate in line.rates if line.pricing in HOURLY else ():
        days.setdefault(rate.role, set()).add(max(signed_on, rate.from_day or signed_on))
    return days


def paying_line(
    lines: Sequence[ContractLine],
    paying: PayingLines,
    line: str | None,
    role: str | None,
    on: date,
) -> ContractLine | None:
    """Return the line that work of a role on a day belongs to, or None; expenses have no role.

    It is the named line. Without one it is, for time, the only line by time and materials or at
    cost that has a rate for the role on the day; for expenses the only line of kind expenses, or
    else the only line by time and materials or at cost. Only lines that were signed by the day
    count; one whose price was taken away counts only where no other line does.
    """
    if line is not None:
        return next((each for each in lines if each.line == line), None)
    ranked: dict[int, set[str]] = {}
    for each in paying.of_role.get(role or "", ()):
        if each.first_day <= on:
            ranked.setdefault(each.rank(on), set()).add(each.line)
    names: set[str] = set()
    for rank in sorted(ranked):
        names |= ranked[rank]
        able = [each for each in lines if each.line in names]
        of_kind = [each for each in able if role is None and each.kind == "expenses"]
        found = of_kind or able
        if len(found) == 1:
            return found[0]
    return None


def unbilled_hours(
    worked: HoursByDay, billed: Iterable[BilledHours]
) -> dict[tuple[str, Rate], dict[date, Decimal]]:
    """Return the hours of a line that are left after what invoices bill of them.

    Billed hours count for their role and day, also where the rate of the day was changed since.
    Those without a day count for the first days with their rate or, where no hours have it, for the
    first days of their role.
    """
    left = {key: dict(days) for key, days in worked.items()}
    of_day = {(role, on): days for (role, _), days in left.items() for on in days}
    others: list[tuple[str, Rate | None, Decimal]] = []
    for role, rate, hours, days in billed:
        if role is None or hours is None:
            continue
        of_days = Decimal(0)
        for on, number in days.items():
            of_days += _take(of_day.get((role, on), {}), on, number)
        others.append((role, rate, hours - of_days))
    for role, rate, hours in others:
        own = [key for key in left if key == (role, rate)]
        keys = own or [key for key in left if key[0] == role]
        rest = hours
        for on in sorted(on for key in keys for on in left[key]):
            rest -= _take(of_day[role, on], on, rest)
    return {
        key: waiting
        for key, days in left.items()
        if (waiting := {on: number for on, number in days.items() if number > 0})
    }


def _take(days: dict[date, Decimal], on: date, hours: Decimal) -> Decimal:
    """Take hours from those of a day, as far as there are any, and return their number."""
    taken = min(max(days.get(on, Decimal(0)), Decimal(0)), hours)
    if taken:
        days[on] -= taken
    return taken


def worth_of_hours(hours: HoursByDay, currency: str, rounding: Rounding) -> Money:
    """Return the worth of hours: what the lines of an invoice charge for them.

    The amount of each role and rate is rounded, as that of an invoice line is.
    """
    amounts = (
        rate.for_hours(sum(days.values(), Decimal(0)), rounding)
        for (_, rate), days in hours.items()
    )
    return Money.total(amounts, currency)
