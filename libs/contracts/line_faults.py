"""Check the lines of a contract, and changes of them, for contradictions.

Commands use it, and events do not: it is apart from the lines, so that a new refusal changes no
projection.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal

from contracts.counting import counted
from contracts.lines import BillingItem, ContractLine, LineScopeChange, LineTerms, hours_by_role
from contracts.money import Money
from contracts.refusals import RefusalCode


def billing_faults(
    lines: Iterable[ContractLine], deliverables: Iterable[str]
) -> Iterator[tuple[RefusalCode, str]]:
    """Yield code and sentence of each contradiction between lines and their billing schedules.

    The entries of a line add up to its price, have ids of their own, and wait only for
    `deliverables`. The entries of a discount reduce entries of other lines, and none by more than
    its amount. By time and materials every role with hours has a rate. Lines in several currencies
    are one fault, and their amounts are not compared.
    """
    lines, known = tuple(lines), {*deliverables}
    currencies = sorted({line.price.currency for line in lines})
    if len(currencies) > 1:
        yield "currency-differs", f"the lines are in {' and '.join(currencies)}"
        return
    entries = [item for line in lines for item in line.billing]
    for name, count in Counter(each.item for each in entries).items():
        if count > 1:
            yield "id-repeated", f"{name} is the id of {count} billing entries"
    for line in lines:
        if line.billed != line.price:
            sentence = f"the billing of line {line.line} adds up to {line.billed}"
            yield "billing-schedule-differs", f"{sentence}, its price is {line.price}"
        named = dict.fromkeys(
            (*line.deliverables, *(each for item in line.billing for each in item.deliverables))
        )
        unknown = [each for each in named if each not in known]
        if unknown:
            sentence = f"line {line.line} names {', '.join(unknown)}"
            yield "deliverable-unknown", f"{sentence}, which is not part of the scope"
        if line.without_rate:
            roles = ", ".join(line.without_rate)
            yield "rates-missing", f"line {line.line} requires a rate for {roles}"
    yield from _beyond(entries)


def _beyond(entries: Iterable[BillingItem]) -> Iterator[tuple[RefusalCode, str]]:
    """Yield the entries that discounts reduce by more than their amount."""
    amounts = {item.item: item.amount for item in entries}
    reductions: dict[str, Money] = {}
    for item in entries:
        if item.reduces:
            known = reductions.get(item.reduces, Money.zero(item.amount.currency))
            reductions[item.reduces] = known - item.amount
    for name, reduction in reductions.items():
        if name not in amounts:
            yield "billing-item-unknown", f"a discount reduces {name}, which is no billing entry"
        elif amounts[name] < reduction:
            yield (
                "discount-too-large",
                f"discounts reduce billing entry {name} of {amounts[name]} by {reduction}",
            )


def scope_faults(
    lines: Iterable[LineTerms], changes: Iterable[LineScopeChange]
) -> Iterator[tuple[RefusalCode, str]]:
    """Yield code and sentence of each change that the lines of a contract do not allow.

    A change names a line of the contract, or a new one with another id; it takes away no more hours
    of a role than are planned.
    """
    before = {line.line: line for line in lines}
    for change in changes:
        known = before.get(change.line)
        if known is None and change.new is None:
            yield "line-unknown", f"the contract has no line {change.line}"
        elif known is not None and change.new is not None:
            yield "id-repeated", f"the contract has a line {change.line} already"
        planned = hours_by_role([known] if known else [])
        for each in change.hours:
            left = planned.get(each.role, Decimal(0)) + each.hours
            if left < 0:
                yield (
                    "hours-below-zero",
                    f"line {change.line} has {counted(-left, 'hour')} of {each.role} too few",
                )
