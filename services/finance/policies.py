"""Check what several decisions of Finance require: a budget, an open account, an issued invoice."""

from datetime import date

from chassis.domain.commands import Command, Refused, refused_field
from chassis.domain.context import Context, ReferenceData
from chassis.domain.rules import require_currency, same_day
from contracts.decimals import Rounding
from contracts.event import Event
from contracts.money import Money
from contracts.reference import Rates
from contracts.refusals import RefusalCode
from finance.billing.receivables import Receivable
from finance.billing.state import Invoice
from finance.budgeting.state import Budget
from finance.companies.policy import rounding_on
from finance.engagement import Engagement


def rounding_of(state: Engagement, records: ReferenceData, day: date) -> Rounding:
    """Return the rounding policy of the contract or, before it is signed, of the company on a day.

    So a company that changes its policy changes no figure of a contract.
    """
    return state.rounding if state.budget else rounding_on(records, state.company, day)


def require_running(state: Engagement) -> None:
    """Refuse a command once the engagement is lost, terminated or closed."""
    if state.end:
        how, ended_on = state.end
        raise Refused("engagement-over", f"the engagement was {how} on {ended_on}")


def require_budget(state: Engagement) -> Budget:
    """Return the budget.

    Raises Refused where there is none: the contract is not signed, or not all of it is known.
    """
    if state.budget is None:
        raise Refused(
            "budget-not-set", "no budget is set: it follows from the signed statement of work"
        )
    return state.budget


def require_company(state: Engagement) -> str:
    """Return the company that sells.

    Raises Refused where it is unknown: no series can number its documents.
    """
    if state.company is None:
        raise Refused(
            "company-unknown", "the company that sells is unknown: Sales has not won the deal"
        )
    return state.company


def require_open_account(state: Engagement) -> None:
    """Refuse to bill or credit after the account was settled."""
    settled_on = state.settlement.settled_on
    if settled_on is not None:
        raise Refused("account-settled", f"the account was settled on {settled_on}")


def require_invoice(state: Engagement, invoice: str) -> Invoice:
    """Return an invoice; raises Refused where it is unknown."""
    known = state.billing.invoices.get(invoice)
    if known is None:
        raise Refused("invoice-unknown", f"there is no invoice {invoice}")
    return known


def require_draft(invoice: Invoice) -> Invoice:
    """Return the draft; raises Refused where it is approved, issued, voided or rejected."""
    if invoice.stage != "drafted":
        sentence = f"invoice {invoice.invoice} is {invoice.stage}, not a draft"
        raise Refused("invoice-not-draft", sentence)
    return invoice


def require_issued(state: Engagement, invoice: str) -> Invoice:
    """Return an issued invoice; raises Refused where it is unknown, not issued, or void."""
    known = require_invoice(state, invoice)
    if known.stage != "issued":
        raise Refused("invoice-not-issued", f"invoice {invoice} is {known.stage}, not issued")
    return known


def require_receivable(state: Engagement, invoice: str) -> Receivable:
    """Return an issued invoice, or an unpaid one from before the take-over.

    Raises Refused where it is unknown, not issued, or void.
    """
    return state.billing.opening.get(invoice) or require_issued(state, invoice)


def day_since_issue(
    invoice: Receivable, field: str, command: Command, context: Context, known: Event | None = None
) -> date:
    """Return the day of an act on an issued invoice: see `same_day`, but at least the invoice date.

    An invoice may be dated tomorrow, a day that has begun in UTC+14. Raises Refused where the
    command names a day in the future or before the invoice date.
    """
    on = same_day(field, command, known, context)
    if invoice.issue_on is not None and on < invoice.issue_on:
        if getattr(command, field) is None:
            return invoice.issue_on
        raise Refused(
            "date-before-issue",
            f"{field}: invoice {invoice.number} was issued on {invoice.issue_on}, after {on}",
        )
    return on


def require_open_day(state: Engagement, field: str, day: date) -> date:
    """Return a day of a document; raises Refused where it is in a month that is booked."""
    first = state.periods.first_open_day
    if first is not None and day < first:
        sentence = f"{field}: {day} is in a booked month; the first open day is {first}"
        raise refused_field("date-in-booked-month", field, sentence)
    return day


def require_at_most(amount: Money, most: Money, code: RefusalCode, invoice: Receivable) -> None:
    """Refuse an amount in another currency, or above `most`."""
    require_currency(most.currency, amount=amount)
    if most < amount:
        most = max(most, Money.zero(most.currency))
        raise Refused(
            code, f"on invoice {invoice.number} the amount can be {most} at most, not {amount}"
        )


def require_one_currency(rates: Rates, known: Rates | None) -> None:
    """Refuse rates in another currency than that of their record, which never changes."""
    if known is not None and rates.currency != known.currency:
        raise Refused(
            "currency-differs", f"this record is in {known.currency}, not in {rates.currency}"
        )
    if any(each.currency != rates.currency for each in rates.every_rate):
        raise Refused("currency-differs", f"every rate must be in {rates.currency}")
