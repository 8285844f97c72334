"""Post the entries of a month when it is booked, in the currency of the company's books, too."""

from collections import Counter
from collections.abc import Iterable

from chassis.domain.commands import Missing
from chassis.domain.context import ReferenceData
from chassis.domain.reference import known_on
from common.exchange import dated_rate
from contracts.counting import counted
from contracts.event import Event
from contracts.money import Money
from contracts.reference import CompanyPublished
from contracts.values import Month
from finance.calendar_months import end_of
from finance.engagement import Engagement
from finance.policies import rounding_of
from finance.postings.entries import Entry, entry_of_loss, in_books
from finance.postings.events import PeriodPosted, PeriodPostedInConfidence
from finance.provisions.losses import Loss


def posted(
    state: Engagement, records: ReferenceData, company: str, month: Month
) -> Iterable[Event]:
    """Yield the entries of days to the end of a month, the confidential ones apart.

    Where no exchange rate is known, an entry has no amounts in the currency of the books.
    """
    base = _base(state, records, company, month)
    if entries := state.postings.open_to(month):
        converted = tuple(_in_books(state, records, each, base) for each in entries)
        yield PeriodPosted(month=month, base_currency=base, entries=converted)
    loss = state.provisions.loss_to(month)
    kept = (*state.postings.confidential_to(month), *_loss(state, month, loss))
    if kept:
        converted = tuple(_in_books(state, records, each, base) for each in kept)
        yield PeriodPostedInConfidence(
            month=month, base_currency=base, loss=loss, entries=converted
        )


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


def _in_books(state: Engagement, records: ReferenceData, entry: Entry, base: str) -> Entry:
    """Return the entry in the currency of the books; all of it is in the engagement's currency."""
    if state.money == base:
        return in_books(entry, base, lambda amount: amount)
    rate = dated_rate(records, state.money, base, entry.rate_on)
    rounding = rounding_of(state, records, entry.rate_on)
    return in_books(
        entry, base, lambda amount: rate.converted(amount, rounding) if rate is not None else None
    )
