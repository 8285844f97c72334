"""Check the postings of Finance: each event as balanced debits and credits, once a period."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from types import UnionType
from typing import Literal, get_args, get_type_hints

import pytest
from pydantic import ValidationError

from contracts.event import EVENTS, Event
from contracts.finance import (
    CostAccrued,
    CostedWork,
    CostReversed,
    InvoiceIssued,
    InvoiceVoided,
    LossProvided,
    LossReleased,
    PaymentAllocated,
    PaymentDeallocated,
    RevenueRecognised,
    WriteOffRecorded,
    WriteOffReversed,
)
from contracts.money import Money
from contracts.reference import AccountMappingDetails, AccountNumber
from finance.billing.receivables import OpeningInvoice, Receivable
from finance.engagement import Engagement
from finance.periods.events import PeriodChecked
from finance.periods.requests import BookPeriod, CheckPeriod
from finance.posting_exports.table import COLUMNS, header, lines_of
from finance.postings.entries import (
    Entry,
    PostingLine,
    entries_of_cost,
    entry_of,
    entry_of_loss,
    entry_of_voiding,
)
from finance.postings.events import PeriodPosted
from finance.provisions.losses import Loss
from testkit.scenario import Outcome, Scenario
from tests.accounts import ACCOUNTS
from tests.amounts import eur, usd
from tests.invoices import taxes, untaxed
from tests.unit.finance.builders import APRIL_1, contracted, exchange, hearing, pay, sent, time

APRIL, MAY_1, MAY = date(2026, 4, 30), date(2026, 5, 1), date(2026, 5, 12)
WorkCost = Literal["delivery", "project-management", "expense"]
WITHOUT_ENTRY = {
    "account-reopened": "its amounts are those of other events",
    "account-settled": "its amounts are those of other events",
    "amendment-reviewed": "no amount",
    "billed-work-reversed": "a credit note or a voiding follows",
    "billing-event-due": "an invoice follows",
    "budget-amended": "a plan",
    "budget-costed": "a plan",
    "budget-set": "a plan",
    "change-costed": "a plan",
    "change-priced": "a plan",
    "draft-withdrawn": "a draft",
    "engagement-imported": "the books of the company contain what was before",
    "estimate-costed": "a plan",
    "estimate-priced": "a plan",
    "expense-conversion-reversed": "the cost of the expense has an entry",
    "expense-converted": "the cost of the expense has an entry",
    "invoice-approved": "it is issued when it has its number",
    "invoice-drafted": "a draft",
    "invoice-edited": "a draft",
    "invoice-held": "a draft",
    "invoice-rejected": "a draft",
    "invoice-released": "a draft",
    "margin-measured": "a figure",
    "opening-cost-recorded": "the books of the company contain what was before",
    "payment-overdue": "nothing moves",
    "performance-measured": "a figure",
    "period-booked": "its amounts are those of other events",
    "period-costed": "its amounts are those of other events",
    "proposal-reviewed": "no amount",
    "question-answered": "no amount",
    "question-asked": "no amount",
    "revenue-method-chosen": "no amount",
    "treatment-chosen": "no amount",
    "sow-reviewed": "no amount",
    "withheld-work-reversed": "unbilled work is revenue by its own event",
    "work-held": "unbilled work is revenue by its own event",
    "work-released": "unbilled work is revenue by its own event",
    "work-written-down": "unbilled work is revenue by its own event",
}
"""Events of Finance about engagements without an entry, and why."""


def short(kind: type[Event]) -> str:
    return kind.type.split(".")[2]


def test_each_event_of_finance_has_an_entry_or_a_reason_why_not() -> None:
    accounted = get_type_hints(entry_of)["event"]
    assert isinstance(accounted, UnionType)
    posted = {
        *get_args(accounted),
        InvoiceVoided,
        CostAccrued,
        CostReversed,
        LossProvided,
        LossReleased,
    }
    about_engagements = {
        kind
        for kind in EVENTS.values()
        if kind.channel.department == "finance" and kind.channel.kind != "reference"
    }
    assert {short(each) for each in about_engagements - posted} == WITHOUT_ENTRY.keys()


def lines(entry: Entry) -> dict[str, int | Decimal]:
    """Return the amounts by account, debits positive."""
    names = [f"{each.account}/{each.about}" if each.about else each.account for each in entry.lines]
    amounts = [each.amount.amount for each in entry.lines]
    return dict(zip(names, amounts, strict=True))


def owing(invoice: str) -> Receivable:
    return OpeningInvoice(
        invoice=invoice,
        number=f"no-{invoice}",
        gross=eur(1_190),
        open=eur(1_190),
        issued_on=APRIL,
        due_on=MAY,
    )


def invoice_issued(net: int, tax: int = 0) -> InvoiceIssued:
    return InvoiceIssued(
        invoice="i",
        number="2026-00001",
        billing_event="due-i",
        kind="on-signature",
        **{**untaxed(eur(net)), "tax": taxes(eur(net), eur(tax) if tax else None)},
        advance_drawn=eur(0),
        issued_on=APRIL,
        due_on=MAY,
    )


def allocation(kind: type[PaymentAllocated | PaymentDeallocated], **more: object) -> Entry:
    terms = {
        "payment": "p",
        "allocation": "a",
        "invoice": "i",
        "amount": eur(1_180),
        "bank_charge": eur(10),
        "received_on": APRIL,
    }
    event = kind.model_validate({**terms, **more})
    return entry_of(event, owing)


def revenue(amount: int, month: str = "2026-04") -> RevenueRecognised:
    return RevenueRecognised(
        month=month,
        obligation="fixed",
        method="at-acceptance",
        amount=eur(amount),
        cumulative=eur(amount),
    )


# ---- entries ---------------------------------------------------------------------------------


def test_an_invoice_is_owed_with_tax_and_is_no_revenue() -> None:
    invoice = invoice_issued(1_000, 190)
    entry = entry_of(invoice, owing)
    assert lines(entry) == {
        "receivables": 1_190,
        "contract-balance": -1_000,
        "tax/DE-standard": -190,
    }
    assert (entry.document, entry.day) == ("2026-00001", APRIL)


def test_an_invoice_under_reverse_charge_has_no_tax() -> None:
    entry = entry_of(invoice_issued(1_000), owing)
    assert lines(entry) == {"receivables": 1_000, "contract-balance": -1_000}


def test_a_contract_asset_is_what_is_recognised_before_it_is_billed() -> None:
    """IFRS 15, Illustrative Examples, Example 39: A for 400 and B for 600, billed after both.

    The asset of 400 for A becomes a receivable of 1,000, with the revenue of 600 for B.
    """
    first, second = revenue(400), revenue(600)
    assert lines(entry_of(first, owing)) == {
        "contract-balance": 400,
        "revenue/at-acceptance": -400,
    }
    invoice = invoice_issued(1_000)
    total = sum_of(entry_of(each, owing) for each in (first, second, invoice))
    assert total == {
        "receivables": 1_000,
        "contract-balance": 0,
        "revenue/at-acceptance": -1_000,
    }


def test_an_advance_is_a_contract_liability_until_revenue_is_recognised() -> None:
    """IFRS 15, Illustrative Examples, Example 38, case B: billed 1,000 in advance, then earned."""
    invoice = entry_of(invoice_issued(1_000), owing)
    assert lines(invoice)["contract-balance"] == -1_000
    total = sum_of((invoice, entry_of(revenue(1_000), owing)))
    assert total["contract-balance"] == 0


def test_a_voided_invoice_takes_its_entry_back() -> None:
    tax = taxes(eur(1_000), eur(190))
    voided = InvoiceVoided(
        invoice="i",
        number="2026-00001",
        amount=eur(1_000),
        why="Wrong.",
        voided_on=MAY,
        ends_event=False,
    )
    back = entry_of_voiding(voided, tax, owing("i"))
    total = sum_of((entry_of(invoice_issued(1_000, 190), owing), back))
    assert {*total.values()} == {0}
    assert back.day == MAY


def test_what_banks_keep_is_a_cost_and_is_paid_for_the_customer() -> None:
    entry = allocation(PaymentAllocated)
    assert lines(entry) == {"payments-received": 1_180, "bank-charges": 10, "receivables": -1_190}
    assert entry.document == "no-i"


def test_an_allocation_that_is_given_back_is_posted_on_its_own_day() -> None:
    entry = allocation(PaymentDeallocated, why="Wrong.", deallocated_on=MAY)
    assert lines(entry) == {"payments-received": -1_180, "bank-charges": -10, "receivables": 1_190}
    assert entry.day == MAY


def test_a_write_off_is_a_loss_until_it_is_reversed() -> None:
    terms = {"write_off": "w", "invoice": "i", "amount": eur(5), "why": "Insolvent."}
    written = WriteOffRecorded.model_validate({**terms, "written_off_on": APRIL})
    back = WriteOffReversed.model_validate({**terms, "reversed_on": MAY})
    assert lines(entry_of(written, owing)) == {"write-offs": 5, "receivables": -5}
    assert lines(entry_of(back, owing)) == {"write-offs": -5, "receivables": 5}


def cost(entry: str, amount: int, day: date, kind: WorkCost = "delivery") -> CostedWork:
    of_time = kind != "expense"
    return CostedWork(
        entry=entry,
        day=day,
        role="developer" if of_time else None,
        kind=kind,
        hours=Decimal(8 if of_time else 0),
        cost=eur(amount),
    )


def week(*entries: CostedWork) -> CostAccrued:
    total = Money.total((each.cost for each in entries), "EUR")
    return CostAccrued(
        person="dev", week=date(2026, 4, 27), entries=entries, cost=total, cumulative=total
    )


def test_the_cost_of_a_week_is_in_the_months_of_its_days() -> None:
    accrued = week(
        cost("a", 400, date(2026, 4, 29)),
        cost("b", 100, APRIL, "project-management"),
        cost("c", 300, date(2026, 5, 1)),
    )
    april, may = entries_of_cost(accrued)
    assert (april.document, april.day) == ("2026-04", APRIL)
    assert lines(april) == {
        "cost/delivery": 400,
        "cost/project-management": 100,
        "cost-clearing/time": -500,
    }
    assert (may.document, lines(may)["cost/delivery"]) == ("2026-05", 300)
    back = entries_of_cost(CostReversed.model_validate(dict(accrued)))
    assert {*sum_of((april, may, *back)).values()} == {0}


def test_an_expense_is_owed_to_who_spent_it() -> None:
    (entry,) = entries_of_cost(week(cost("x", 80, APRIL, "expense")))
    assert lines(entry) == {"cost/expense": 80, "cost-clearing/expense": -80}


def test_an_expected_loss_writes_the_contract_asset_down_first() -> None:
    """IAS 37.69: an asset is written down before a provision is made for what is beyond it."""
    assert lines(entry_of_loss("2026-04", eur(400), eur(300))) == {
        "expected-losses": 400,
        "contract-balance": -300,
        "loss-provision": -100,
    }
    used_up = entry_of_loss("2026-05", eur(-150), eur(-250))
    assert lines(used_up) == {
        "expected-losses": -150,
        "contract-balance": 250,
        "loss-provision": -100,
    }
    assert used_up.event == "concord.finance.loss-released.v1"


def test_an_entry_whose_debits_and_credits_differ_is_refused() -> None:
    wrong = PostingLine(account="receivables", amount=eur(1))
    with pytest.raises(ValidationError, match="must have equal debits and credits"):
        Entry(event="x", document="y", day=APRIL, rate_on=APRIL, lines=(wrong,))


def sum_of(entries: Iterable[Entry]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for entry in entries:
        for name, amount in lines(entry).items():
            total[name] = total.get(name, Decimal(0)) + amount
    return total


# ---- periods ---------------------------------------------------------------------------------


def posted(scenario: Scenario[Engagement], month: str) -> tuple[Outcome[Engagement], list[Entry]]:
    outcome = scenario.when(BookPeriod(company="us", month=month, accepted="Why."))
    found = [
        entry
        for event in outcome.events
        if isinstance(event, PeriodPosted)
        for entry in event.entries
    ]
    return outcome, found


def documents(entries: Iterable[Entry]) -> list[tuple[str, str]]:
    return [(each.event.split(".")[2], each.document) for each in entries]


def test_each_entry_is_posted_with_one_month() -> None:
    worked = hearing(sent(), time("a", hours=8), time("b", hours=8, day=date(2026, 4, 7)))
    april, entries = posted(worked.on(date(2026, 5, 4)), "2026-04")
    assert documents(entries) == [
        ("invoice-issued", "2026-00007"),
        ("cost-accrued", "2026-04"),
    ]
    paid = april.then_accepted().after(pay(5_000, received_on=APRIL))
    may, entries = posted(paid.on(date(2026, 6, 4)), "2026-05")
    assert documents(entries) == [("payment-allocated", "2026-00007")]
    assert entries[0].day == APRIL, "the day stays that of the payment"
    _, entries = posted(may.then_accepted().on(date(2026, 7, 6)), "2026-06")
    assert entries == []


def test_what_is_dated_in_the_next_month_waits_for_it() -> None:
    april, entries = posted(
        sent().on(date(2026, 5, 4)).after(pay(5_000, received_on=MAY_1)), "2026-04"
    )
    assert documents(entries) == [("invoice-issued", "2026-00007")]
    _, entries = posted(april.then_accepted().on(date(2026, 6, 4)), "2026-05")
    assert documents(entries) == [("payment-allocated", "2026-00007")]


def test_costs_of_a_month_are_one_entry_however_many_there_are() -> None:
    worked = contracted()
    for day in range(1, 11):
        worked = hearing(worked, time(f"t{day}", hours=8, day=date(2026, 4, day)))
    (entry,) = worked.state.postings.confidential
    assert len(entry.lines) == 2


def test_what_is_posted_is_confidential() -> None:
    worked = hearing(sent(), time("a", hours=8))
    outcome, _ = posted(worked.on(date(2026, 5, 4)), "2026-04")
    (event,) = (each for each in outcome.events if isinstance(each, PeriodPosted))
    assert event.is_confidential


APRIL_RATE, MAY_RATE = exchange("1.20", APRIL_1), exchange("1.10", MAY_1)
"""USD for one EUR: the books are in USD."""


def test_a_later_month_earns_an_advance_at_the_rate_of_its_invoice() -> None:
    known = sent().knowing(APRIL_RATE, MAY_RATE).on(date(2026, 5, 4))
    april, _ = posted(known, "2026-04")
    earned = april.then_accepted().published(revenue(5_000, "2026-05"))
    _, (entry,) = posted(earned.on(date(2026, 6, 4)), "2026-05")
    assert [each.base for each in entry.lines] == [usd(6_000), usd(-6_000)]


def test_what_cannot_be_posted_as_an_earlier_rate_was_missing_is_named_in_confidence() -> None:
    april, _ = posted(sent().knowing(MAY_RATE).on(date(2026, 5, 4)), "2026-04")
    known = april.then_accepted().knowing(APRIL_RATE, MAY_RATE)
    earned = known.published(revenue(5_000, "2026-05")).on(date(2026, 6, 4))
    (checked,) = earned.when(CheckPeriod(company="us", month="2026-05")).events
    assert isinstance(checked, PeriodChecked)
    sentence = (
        "the exchange rate EUR to USD on 2026-04-01 was missing for earlier postings:"
        " 1 posting has no amounts in USD"
    )
    assert sentence in {each.sentence for each in checked.in_confidence.items}
    assert "exchange-rate-missing" not in {each.code for each in checked.missing.items}
    _, (entry,) = posted(earned, "2026-05")
    assert [each.base for each in entry.lines] == [None, None]


# ---- accounts and the table ------------------------------------------------------------------


def test_each_kind_of_account_needs_a_number() -> None:
    with pytest.raises(ValidationError, match="must have an account for receivables"):
        AccountMappingDetails(accounts=ACCOUNTS.accounts[1:])
    with pytest.raises(ValidationError, match="receivables for all others is named twice"):
        AccountMappingDetails(accounts=(*ACCOUNTS.accounts, ACCOUNTS.accounts[0]))
    with pytest.raises(ValidationError):
        AccountNumber(account="revenue", number="=1+1")


def test_the_table_names_accounts_by_what_they_are_about() -> None:
    entry = entry_of(revenue(1_000), owing)
    rows = lines_of(
        "us",
        "2026-04",
        "E-1",
        [PeriodPosted(month="2026-04", base_currency="EUR", loss=Loss(), entries=(entry,))],
        ACCOUNTS,
    )
    first, second = (dict(zip(COLUMNS, row.strip().split(","), strict=True)) for row in rows)
    assert header().strip().split(",") == [*COLUMNS]
    assert (first["account"], first["debit"], first["credit"]) == (
        "contract-balance",
        "1000",
        "",
    )
    assert (second["number"], second["about"], second["credit"]) == (
        "8400",
        "at-acceptance",
        "1000",
    )
    assert first["posting"] == second["posting"] == "E-1/2026-04/1"
