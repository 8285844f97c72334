"""Post the entries of a month when it is booked, in the currency of the company's books, too."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date

from chassis.domain.commands import Missing
from chassis.domain.context import ReferenceData
from chassis.domain.reference import known_on
from common.exchange import dated_rate
from contracts.counting import counted
from contracts.event import Event
from contracts.money import Money
from contracts.reference import CompanyPublished
from contracts.values import Day, Month
from finance.calendar_months import end_of
from finance.engagement import Engagement
from finance.policies import rounding_of
from finance.postings.balances import after, in_books, unknown_since
from finance.postings.entries import Entry, entry_of_loss
from finance.postings.events import PeriodPosted
from finance.provisions.losses import Loss


def posted(
    state: Engagement, records: ReferenceData, company: str, month: Month
) -> Iterable[Event]:
    """Yield the entries of days to the end of a month, by day; open ones of a day come first.

    Where no exchange rate is known, an entry has no amounts in the currency of the books.
    """
    base = _base(state, records, company, month)
    entries = tuple(each for each, _ in _converted(state, records, base, month))
    if entries:
        loss = state.provisions.loss_to(month)
        yield PeriodPosted(month=month, base_currency=base, loss=loss, entries=entries)


def without_rate(
    state: Engagement,
    records: ReferenceData,
    company: str,
    month: Month,
    entries: Iterable[Entry],
) -> Iterable[Missing]:
    """Yield the exchange rates without which entries of a month have no amounts in the books."""
    base = _base(state, records, company, month)
    if state.currency is None or state.money == base:
        return
    for day, number in sorted(Counter(each.rate_on for each in entries).items()):
        if dated_rate(records, state.money, base, day) is None:
            yield Missing(
                "exchange-rate-missing",
                f"the exchange rate {state.money} to {base} on {day} is missing:"
                f" {counted(number, 'posting has', 'postings have')} no amounts in {base}",
                "finance",
            )


def without_balance(
    state: Engagement, records: ReferenceData, company: str, month: Month
) -> Iterable[Missing]:
    """Yield the exchange rates without which balances in the books are unknown to later entries.

    Which entries of a month these are depends on costs, and is confidential.
    """
    base = _base(state, records, company, month)
    if state.currency is None or state.money == base:
        return
    days = Counter(since for _, since in _converted(state, records, base, month) if since)
    for day, number in sorted(days.items()):
        yield Missing(
            "exchange-rate-missing",
            f"the exchange rate {state.money} to {base} on {day} was missing for earlier postings:"
            f" {counted(number, 'posting has', 'postings have')} no amounts in {base}",
            "finance",
        )


def _base(state: Engagement, records: ReferenceData, company: str, month: Month) -> str:
    """Return the currency of the books of a company at the end of a month."""
    known = known_on(records, CompanyPublished, company, end_of(month))
    return known.event.base_currency if known else state.money


def _loss(state: Engagement, month: Month, loss: Loss) -> Iterable[Entry]:
    """Yield the entry of the change of the expected loss since it was posted last, if any."""
    change = loss.plus(state.postings.loss, -1)
    if change != Loss():
        expected, written_down = (
            Money(amount=each, currency=state.money)
            for each in (change.expected, change.written_down)
        )
        yield entry_of_loss(month, expected, written_down)


def _converted(
    state: Engagement, records: ReferenceData, base: str, month: Month
) -> Iterator[tuple[Entry, Day | None]]:
    """Yield the entries to the end of a month in the currency of the books, too.

    With each comes the day since which a balance of it is unknown, if that is why it has no amounts
    in the books.
    """
    postings = state.postings
    loss = _loss(state, month, state.provisions.loss_to(month))
    entries = (*postings.open_to(month), *postings.confidential_to(month), *loss)
    balances = postings.balances
    for each in sorted(entries, key=lambda entry: entry.day):
        worth = _worth(state, records, base, each.rate_on)
        rounding = rounding_of(state, records, each.rate_on)
        entry = in_books(each, base, balances, worth, rounding)
        is_unknown = worth is not None and entry.lines[0].base is None
        yield entry, unknown_since(entry, balances) if is_unknown else None
        balances = after(balances, (entry,))


def _worth(
    state: Engagement, records: ReferenceData, base: str, day: date
) -> Callable[[Money], Money] | None:
    """Return what converts into the currency of the books at the rate of a day; None without."""
    if state.money == base:
        return lambda amount: amount
    rate = dated_rate(records, state.money, base, day)
    rounding = rounding_of(state, records, day)
    return None if rate is None else lambda amount: rate.converted(amount, rounding)
