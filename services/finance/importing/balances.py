"""Compare opening balances with the contract that Legal took over, and spread them on entries."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from chassis.domain.commands import Missing
from contracts import legal
from contracts.finance import BilledEntry, OpeningBalance, OpeningBalances
from contracts.lines import ContractLine
from contracts.money import Money
from finance.budgeting.obligations import METHODS


def differences(contract: legal.EngagementImported, balances: OpeningBalances) -> Iterator[Missing]:
    """Yield what contradicts the contract: the day, lines, their prices, amounts and methods."""
    begins = min(contract.signed_on, contract.effective_on)
    if balances.as_of < begins:
        sentence = f"as_of: the contract of Legal begins on {begins}"
        yield Missing("date-before-contract", sentence, field="as_of")
    agreed = {line.line: line for line in contract.scheduled_lines}
    for balance in balances.lines:
        line = agreed.pop(balance.line, None)
        if line is None:
            sentence = f"lines: the contract of Legal has no line {balance.line}"
            yield Missing("line-unknown", sentence, field="lines")
        else:
            yield from _faults(line, balance)
    if agreed:
        sentence = f"lines: the contract of Legal has {', '.join(agreed)}, too"
        yield Missing("line-missing", sentence, field="lines")


def _faults(line: ContractLine, balance: OpeningBalance) -> Iterator[Missing]:
    """Yield what contradicts a line of the contract.

    The price of a line that is only estimated limits nothing. A discount has the method of the
    lines that it reduces.
    """
    where = f"lines: {line.line}"
    if balance.price != line.price:
        sentence = f"{where}: the price in the contract of Legal is {line.price}"
        yield Missing("field-differs", sentence, field="lines")
        return
    limit = None if line.estimated else abs(line.price.amount)
    if limit is not None and abs(balance.billed.amount) > limit:
        sentence = f"{where}: more than its price, {line.price}, was billed"
        yield Missing("billing-beyond-price", sentence, field="lines")
    recognised = balance.recognised
    if limit is not None and recognised is not None and abs(recognised.amount) > limit:
        sentence = f"{where}: more than its price, {line.price}, was recognised"
        yield Missing("revenue-beyond-price", sentence, field="lines")
    fitting = METHODS.get(line.pricing)
    if line.kind != "discount" and fitting is not None and balance.method not in fitting:
        sentence = f"{where}: of {line.pricing}, revenue is recognised {' or '.join(fitting)}"
        yield Missing("method-does-not-fit", sentence, field="lines")
    yield from _entry_faults(line, balance)


def _entry_faults(line: ContractLine, balance: OpeningBalance) -> Iterator[Missing]:
    """Yield the entries that the line does not have, or of which more was billed than they are.

    An entry that bills time of a line without a cap is only estimated.
    """
    where, most = f"lines: {line.line}", dict(_amounts(line))
    kinds = {item.item: item.kind for item in line.billing}
    for each in balance.entries:
        amount = most.get(each.item)
        unlimited = line.estimated and kinds.get(each.item) == "time"
        if amount is None:
            sentence = f"{where}: its billing schedule has no entry {each.item}"
            yield Missing("billing-item-unknown", sentence, field="lines")
        elif not unlimited and abs(each.amount.amount) > abs(amount.amount):
            sentence = f"{where}: more than the amount of {each.item}, {amount}, was billed"
            yield Missing("amount-beyond-schedule", sentence, field="lines")


def spread(
    contract: legal.EngagementImported, lines: Iterable[OpeningBalance]
) -> tuple[OpeningBalance, ...]:
    """Return balances with what was billed by entry: in order of the schedule where not given.

    What a line without a cap billed beyond its estimate belongs to its last entry. Balances in
    another currency than the line's are refused, and stay as they are.
    """
    agreed = {line.line: line for line in contract.scheduled_lines}
    currencies = {name: line.price.currency for name, line in agreed.items()}
    return tuple(
        each.model_copy(update={"entries": _spread(agreed[each.line], each)})
        if not each.entries and currencies.get(each.line) == each.price.currency
        else each
        for each in lines
    )


def _spread(line: ContractLine, balance: OpeningBalance) -> tuple[BilledEntry, ...]:
    left, entries = balance.billed, list[BilledEntry]()
    amounts: Sequence[tuple[str, Money]] = tuple(_amounts(line))
    for number, (item, amount) in enumerate(amounts, start=1):
        last = number == len(amounts)
        part = left if last or abs(left.amount) < abs(amount.amount) else amount
        if part.amount:
            entries.append(BilledEntry(item=item, amount=part))
            left = left - part
    return tuple(entries)


def _amounts(line: ContractLine) -> Iterator[tuple[str, Money]]:
    """Yield the entries of a line with their amounts; of a discount, those that it reduces."""
    for item, same in groupby(line.billing, lambda each: each.reduces or each.item):
        yield item, Money.total((each.amount for each in same), line.price.currency)
