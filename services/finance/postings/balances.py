"""Convert entries into the currency of the books, with what is on accounts as it was posted.

A balance that goes down takes the same part of its amount in the books, so that an account whose
amount is zero in the engagement's currency is zero in the books, too. An advance is earned at the
rate at which it was invoiced: it is no monetary item (IFRIC 22.8, IAS 21.23(b)).
"""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Final

from contracts.decimals import Rounding
from contracts.finance import InvoiceIssued
from contracts.money import Money
from contracts.reference import LedgerAccount
from contracts.values import Day, Value
from finance.postings.entries import Entry, PostingLine


class Balance(Value):
    """Balance of an account, in the engagement's currency and in that of the books, as posted.

    `base` is None once an entry without an amount in the books moved it; `unknown_since` is then
    the day whose exchange rate was missing. Debits are positive.
    """

    amount: Money
    base: Money | None
    unknown_since: Day | None = None

    def plus(self, line: PostingLine, day: Day) -> "Balance":
        """Return the balance with a line; `day` is that of the rate that is missing, if one is."""
        base: Money | None = None
        since: Day | None = self.unknown_since or day
        if self.base and line.base and self.base.currency == line.base.currency:
            base, since = self.base + line.base, None
        return Balance(amount=self.amount + line.amount, base=base, unknown_since=since)


Balances = dict[str, Balance]
"""Balances that are not zero: of accounts by what they are about, of receivables by invoice.

While an invoice is owed, there is also what it posted to the account of the contract's balance, so
that a voiding takes back the same.
"""

_BY_PART: Final[frozenset[LedgerAccount]] = frozenset(
    {"receivables", "contract-balance", "expected-losses", "loss-provision"}
)
"""Accounts of which each line that lowers the balance takes a part of it, not the rate of a day."""
_AGAINST: Final[tuple[LedgerAccount, ...]] = (
    "contract-balance",
    "receivables",
    "cost-clearing",
    "expected-losses",
)


def in_books(
    entry: Entry,
    base: str,
    balances: Balances,
    worth: Callable[[Money], Money] | None,
    rounding: Rounding,
) -> Entry:
    """Return the entry with its lines in the currency of the books, where that is known.

    `worth` converts an amount at the rate of the entry; None where none is known. Then, and where
    an unknown balance goes down, no line has such an amount. What the parts of balances leave is
    revenue in an entry of revenue, else an exchange difference.
    """
    rated = _at_rate(entry, base, balances, worth, rounding)
    found = [
        each and _posted(entry, line, each, balances, rounding)
        for line, each in zip(entry.lines, rated, strict=True)
    ]
    known = [each for each in found if each is not None]
    if len(known) < len(found):
        unknown = (each.model_copy(update={"base": None}) for each in entry.lines)
        return entry.model_copy(update={"lines": tuple(unknown)})
    for place, line in enumerate(entry.lines):
        if line.account == "revenue":
            earned = known[place] - Money.total(known, base)
            balance = balances.get(next(_keys(entry, line)))
            known[place] = _as_rated(balance, line.amount, earned, rounding) or earned
    lines = (
        line.model_copy(update={"base": each})
        for line, each in zip(entry.lines, known, strict=True)
    )
    rest = _difference(entry, -Money.total(known, base))
    return entry.model_copy(update={"lines": (*lines, *rest)})


def after(balances: Balances, entries: Iterable[Entry]) -> Balances:
    """Return the balances after entries that are posted, without those that are zero."""
    found = dict(balances)
    for entry in entries:
        day = unknown_since(entry, found) or entry.rate_on
        for line in entry.lines:
            for key in _keys(entry, line):
                known = found.pop(key, None) or Balance(
                    amount=Money.zero(line.amount.currency),
                    base=line.base and Money.zero(line.base.currency),
                )
                moved = known.plus(line, day)
                if moved.amount.amount:
                    found[key] = moved
        if entry.invoice and f"receivables/{entry.invoice}" not in found:
            found.pop(_of_invoice(entry), None)
    return found


def unknown_since(entry: Entry, balances: Balances) -> Day | None:
    """Return the first day whose missing rate makes a balance of an entry unknown, or None."""
    keys = (key for line in entry.lines for key in _keys(entry, line))
    days = (balances[key].unknown_since for key in keys if key in balances)
    return min((each for each in days if each is not None), default=None)


def _keys(entry: Entry, line: PostingLine) -> Iterator[str]:
    about = entry.invoice if line.account == "receivables" else line.about
    yield f"{line.account}/{about}" if about else line.account
    if line.account == "contract-balance" and entry.invoice:
        yield _of_invoice(entry)


def _of_invoice(entry: Entry) -> str:
    return f"contract-balance/{entry.invoice}"


def _at_rate(
    entry: Entry,
    base: str,
    balances: Balances,
    worth: Callable[[Money], Money] | None,
    rounding: Rounding,
) -> tuple[Money | None, ...]:
    """Return the lines at the rate of the entry; None for each where one is not known.

    The line that everything else is set against takes what rounding leaves. Revenue that is taken
    back is part of what was earned before, where that is known. What a line is worth by itself, as
    money that came in, replaces its amount at the rate.
    """
    own = [each.base for each in entry.lines]
    if worth is None or any(each and each.currency != base for each in own):
        return (None,) * len(own)
    rated = [worth(each.amount) for each in entry.lines]
    for place, line in enumerate(entry.lines):
        if line.account == "revenue":
            earned = balances.get(next(_keys(entry, line)))
            rated[place] = _by_part(earned, line.amount, rated[place], rounding) or rated[place]
    accounts = [each.account for each in entry.lines]
    place = next((accounts.index(each) for each in _AGAINST if each in accounts), -1)
    rated[place] -= Money.total(rated, base)
    return tuple(itself or at_rate for itself, at_rate in zip(own, rated, strict=True))


def _posted(
    entry: Entry, line: PostingLine, rated: Money, balances: Balances, rounding: Rounding
) -> Money | None:
    """Return what a line is in the books, with its amount at the rate of the entry."""
    key = next(_keys(entry, line))
    balance = balances.get(key)
    takes_back = entry.invoice is not None and entry.event != InvoiceIssued.type
    if line.account == "contract-balance" and takes_back:
        of_invoice = balances.get(_of_invoice(entry))
        back = _by_part(of_invoice, line.amount, rated, rounding)
        return back and _as_rated(balance, line.amount, back, rounding)
    if line.account in _BY_PART:
        return _by_part(balance, line.amount, rated, rounding)
    return _as_rated(balance, line.amount, rated, rounding)


def _by_part(
    balance: Balance | None, amount: Money, rated: Money, rounding: Rounding
) -> Money | None:
    """Return the part of a balance that an amount takes, and what is beyond it at the rate.

    None where it takes a part of an unknown balance.
    """
    if balance is None or balance.amount.amount * amount.amount >= 0:
        return rated
    if balance.base is None or balance.base.currency != rated.currency:
        return None
    beyond = balance.amount.amount + amount.amount
    if beyond * balance.amount.amount > 0:
        return _share(balance.base, amount.amount, balance.amount.amount, rounding)
    return _share(rated, beyond, amount.amount, rounding) - balance.base


def _as_rated(
    balance: Balance | None, amount: Money, rated: Money, rounding: Rounding
) -> Money | None:
    """Return an amount at the rate, unless it leaves a balance that is zero in one currency only.

    Nor may it leave a debit in one currency and a credit in the other.
    """
    if balance is None or balance.base is None or balance.base.currency != rated.currency:
        return rated
    left, left_in_books = balance.amount + amount, balance.base + rated
    if left.amount * left_in_books.amount > 0:
        return rated
    return _by_part(balance, amount, rated, rounding)


def _share(amount: Money, part: Decimal, whole: Decimal, rounding: Rounding) -> Money:
    return Money.nearest(amount.amount * part / whole, amount.currency, rounding)


def _difference(entry: Entry, rest: Money) -> Iterator[PostingLine]:
    """Yield the line of an exchange difference, unless it is zero."""
    if rest.amount:
        nothing = Money.zero(entry.lines[0].amount.currency)
        yield PostingLine(account="exchange-differences", amount=nothing, base=rest)
