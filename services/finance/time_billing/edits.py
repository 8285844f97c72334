"""Change a line of a draft: works taken off it, fewer hours, a lower amount.

What a line can bill at most follows from the contract: hours times rate, the expenses, or the part
of the entry of the schedule. An amount below that is written down; its works share both parts.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal

from contracts.finance import BilledWork, InvoiceLine
from contracts.money import Money
from finance.billing.state import Invoice
from finance.engagement import Engagement
from finance.time_billing.unbilled import days_of
from finance.work.state import billed_work

_NONE = Decimal(0)


def works_of(state: Engagement, invoice: Invoice) -> Mapping[str, tuple[BilledWork, ...]]:
    """Return the works on a draft by the id of the line, those that it billed ahead among them."""
    found: dict[str, list[BilledWork]] = {}
    for work, bill in state.work.bills_of(invoice.invoice):
        found.setdefault(bill.invoice_line, []).append(billed_work(work, bill))
    return {name: tuple(works) for name, works in found.items()}


def with_works(line: InvoiceLine, on_draft: Mapping[str, tuple[BilledWork, ...]]) -> InvoiceLine:
    """Return a line with all works that it bills now; the order of known ones is kept."""
    now = {each.key: each for each in on_draft.get(line.invoice_line, ())}
    known = [now.pop(each.key) for each in line.works if each.key in now]
    return line.model_copy(update={"works": (*known, *now.values())})


def without_works(
    state: Engagement, line: InvoiceLine, gone: Collection[str], hours: Decimal | None = None
) -> InvoiceLine | None:
    """Return a line without some of its works, and with fewer hours; None where nothing is left.

    With fewer hours, the works of the last days go first. Hours times rate is rounded once; as much
    as before is written down.
    """
    left = [each for each in line.works if each.key not in gone]
    off = [each for each in line.works if each.key in gone]
    if not off and hours in {None, line.hours}:
        return line
    rest, whole = None, line.whole - Money.total((each.whole for each in off), state.money)
    if line.hours is not None:
        rest = line.hours - sum((each.hours or _NONE for each in off), _NONE)
        if hours is not None and hours < rest:
            whole = Money.nearest(whole.amount * hours / rest, state.money, state.rounding)
            rest, left = hours, list(_first(left, hours))
        if line.rate is not None:
            whole = line.rate.for_hours(rest, state.rounding)
    if (rest is not None and rest <= 0) or (not left and whole.amount <= 0):
        return None
    less = min(line.written_down or Money.zero(state.money), whole)
    fields = {"hours": rest, "amount": whole, "written_down": None, "works": tuple(left)}
    return at_amount(state, line.model_copy(update=fields), whole - less)


def _first(works: Iterable[BilledWork], hours: Decimal) -> Iterator[BilledWork]:
    """Yield the works of the first days, the last one in part, up to a number of hours."""
    left = hours
    for each in sorted(works, key=lambda work: work.on):
        part = min(each.hours or _NONE, left)
        if part > 0:
            yield each.model_copy(update={"hours": part})
        left -= part


def at_amount(state: Engagement, line: InvoiceLine, amount: Money) -> InvoiceLine:
    """Return a line with another amount; what it is lower by than the whole is written down.

    Works share the whole, and what is written down, in proportion to their hours or expenses.
    """
    whole, nothing = line.whole, Money.zero(state.money)
    lower = whole - amount
    of_all = whole.amount if line.hours is None else line.hours
    parts, to_here, full_before, less_before = list[BilledWork](), _NONE, nothing, nothing
    for work in line.works:
        to_here += work.whole.amount if line.hours is None else work.hours or _NONE
        full = _part(state, whole, to_here, of_all)
        if line.rate is not None:
            full = line.rate.for_hours(to_here, state.rounding)
        less = min(_part(state, lower, to_here, of_all), full)
        written_down = less - less_before
        fields = {
            "amount": full - full_before - written_down,
            "written_down": written_down if written_down.amount else None,
        }
        parts.append(work.model_copy(update=fields))
        full_before, less_before = full, less
    changed = {
        "amount": amount,
        "written_down": lower if lower.amount else None,
        "works": tuple(parts),
        "days": days_of(parts) if line.days and parts else (),
    }
    return line.model_copy(update=changed)


def _part(state: Engagement, whole: Money, part: Decimal, of_all: Decimal) -> Money:
    if not of_all:
        return Money.zero(state.money)
    return Money.nearest(whole.amount * part / of_all, state.money, state.rounding)
