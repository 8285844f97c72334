"""Amounts of a disconnect: its exposure, and what of that is at stake. Unknown is None, not zero.

Each amount is calculated exactly and rounded once, half up: it is an indication, never booked.
"""

from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from decimal import Decimal

from contracts.decimals import ROUNDING
from contracts.lines import ContractLine
from contracts.money import Money, Rate
from gateway.view.engagement_view import View


def agreed_lines(view: View) -> Sequence[ContractLine]:
    """Return the lines of the contract with signed amendments, or else those of the deal."""
    if view.legal.contract_lines:
        return view.legal.contract_lines
    return view.sales.won.event.lines if view.sales.won is not None else ()


def total(amounts: Iterable[Money | None]) -> Money | None:
    """Return the sum of amounts without their signs.

    Return None where there is none, one is unknown, or they are in several currencies.
    """
    result: Money | None = None
    for amount in amounts:
        if amount is None or (result is not None and result.currency != amount.currency):
            return None
        result = absolute(amount) if result is None else result + absolute(amount)
    return result


def absolute(amount: Money) -> Money:
    """Return an amount without its sign."""
    return -amount if amount.amount < 0 else amount


def at_most(amount: Money | None, limit: Money | None) -> Money | None:
    """Return an amount, or the limit where that is lower; both without their signs.

    The amount is not cut where the limit is unknown or in another currency.
    """
    if amount is None or limit is None or amount.currency != limit.currency:
        return amount
    return min(absolute(amount), absolute(limit))


def difference(one: Money, other: Money) -> Money | None:
    """Return by how much two amounts differ, or None where they are in different currencies."""
    return absolute(one - other) if one.currency == other.currency else None


def price_of_lines(view: View, names: Collection[str | None]) -> Money | None:
    """Return the price of the agreed lines with these ids.

    Return the whole price where a name is None or no agreed line has it, and where there are no
    names.
    """
    lines = {line.line: line.price for line in agreed_lines(view)}
    prices = [lines.get(name) if name is not None else None for name in set(names)]
    return total(prices) or view.price


def price_of_deliverables(
    lines: Sequence[ContractLine], names: Collection[str], whole: Money | None
) -> Money | None:
    """Return the price of the lines that pay for these deliverables, each line once.

    Return the whole price where no line pays for one of them.
    """
    paying = {line.line: line for line in lines if set(line.deliverables) & set(names)}
    paid = {name for line in lines for name in line.deliverables}
    return total(line.price for line in paying.values()) if paid.issuperset(names) else whole


def only_rate(rates: Iterable[Rate | None]) -> Rate | None:
    """Return the rate that all are equal to; None where they differ or one is unknown."""
    different = set(rates)
    return different.pop() if len(different) == 1 else None


def rate_of_lines(lines: Iterable[ContractLine], on: date) -> Rate | None:
    """Return the one bill rate on a day of all hours of lines, or None where there is not one."""
    return only_rate(line.rate_on(part.role, on) for line in lines for part in line.hours)


def rate_of_work(
    view: View, line: str | None, role: str, on: date, lines: Sequence[ContractLine] = ()
) -> Rate | None:
    """Return the bill rate of a role on a day: that of the line, or the one of all that have it.

    Before there is a contract, it is that of the deal, else of the proposal, else of the newest
    priced estimate. None where no line has a rate, or they differ. `lines` replace those of the
    contract.
    """
    known = _rates(lines or agreed_lines(view), line, role, on)
    if not known and not view.legal.contract_lines:
        proposal = view.sales.latest_proposal
        known = _rates(proposal.lines if proposal else (), line, role, on)
        if not known:
            return view.finance.estimated_rate(role)
    return only_rate(known)


def _rates(
    lines: Sequence[ContractLine], line: str | None, role: str, on: date
) -> AbstractSet[Rate]:
    """Return the rates of a role in the line with this id, or in all lines where none has it."""
    named = [each for each in lines if each.line == line]
    return {rate for each in named or lines if (rate := each.rate_on(role, on)) is not None}


def value_of_hours(parts: Iterable[tuple[Decimal, Rate | None]]) -> Money | None:
    """Return hours x rate, without their signs, in total; None where a rate is unknown."""
    exact = Decimal(0)
    currencies = set()
    for hours, rate in parts:
        if rate is None:
            return None
        exact += abs(hours) * rate.amount
        currencies.add(rate.currency)
    return Money.nearest(exact, currencies.pop(), ROUNDING) if len(currencies) == 1 else None


def cost_of_delay(view: View, days: int) -> Money | None:
    """Return days x the agreed cost of delay per day, or None where none is signed."""
    sow = view.legal.signed_sow
    per_day = sow.event.cost_of_delay_per_day if sow is not None else None
    return per_day * days if per_day is not None else None
