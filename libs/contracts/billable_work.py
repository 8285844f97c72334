"""Assign work to the lines of a contract, and count the hours that no invoice bills.

Finance bills by it, and the gateway shows the same amounts.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from contracts.decimals import Rounding
from contracts.lines import HOURLY, ContractLine
from contracts.money import Money, Rate

HoursByRate = Mapping[tuple[str, Rate], Decimal]
"""Hours by role and bill rate."""


def paying_line(
    lines: Sequence[ContractLine], line: str | None, role: str | None, on: date
) -> ContractLine | None:
    """Return the line that work of a role on a day belongs to, or None; expenses have no role.

    It is the named line. Without one it is, for time, the only line by time and materials or at
    cost that has a rate for the role on the day; for expenses the only line of kind expenses, or
    else the only line by time and materials or at cost.
    """
    if line is not None:
        return next((each for each in lines if each.line == line), None)
    hourly = [each for each in lines if each.pricing in HOURLY]
    if role is not None:
        return _only(each for each in hourly if each.rate_on(role, on))
    return _only([each for each in lines if each.kind == "expenses"] or hourly)


def unbilled_hours(
    worked: HoursByRate, billed: Iterable[tuple[str | None, Rate | None, Decimal | None]]
) -> dict[tuple[str, Rate], Decimal]:
    """Return the hours of a line that are left after what invoices bill by role, rate and hours.

    Hours that were billed at another rate count for the rates of their role in the order of
    `worked`.
    """
    hours = dict(worked)
    for role, rate, number in billed:
        taken = number or Decimal(0)
        if role is not None and rate is not None and (role, rate) in hours:
            hours[role, rate] -= taken
            continue
        for key in [one for one in hours if one[0] == role]:
            part = max(min(taken, hours[key]), Decimal(0))
            hours[key] -= part
            taken -= part
    return {key: left for key, left in hours.items() if left > 0}


def worth_of_hours(hours: HoursByRate, currency: str, rounding: Rounding) -> Money:
    """Return the worth of hours by role and rate: what the lines of an invoice charge for them.

    The amount of each role and rate is rounded, as that of an invoice line is.
    """
    amounts = (rate.for_hours(number, rounding) for (_, rate), number in hours.items())
    return Money.total(amounts, currency)


def _only(lines: Iterable[ContractLine]) -> ContractLine | None:
    found = tuple(lines)
    return found[0] if len(found) == 1 else None
