"""Test the tax of invoices and credit notes: rates, rounding, parties, purchase orders, periods.

Worked examples of tax by code are those of the European Commission's test files for EN 16931
(github.com/ConnectingEurope/eInvoicing-EN16931, folder ubl/examples).
"""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from contracts.decimals import Rounding
from contracts.finance import (
    AccountSettled,
    InvoiceApproved,
    InvoiceIssued,
    MarginMeasured,
    PaymentAllocated,
    PaymentOverdue,
    TaxTotals,
)
from contracts.lines import BillingItem, ContractLine
from contracts.money import Rate
from contracts.reference import AccountPublished, CompanyPublished, Reference, TaxRatePublished
from contracts.refusals import RefusalCode
from finance.billing.decisions import BillOutsideSchedule
from finance.billing.state import Invoice
from finance.engagement import Engagement
from finance.invoices.decisions import ApproveInvoice, VoidInvoice
from finance.number_series.events import NumberTaken
from finance.pending.decisions import CatchUp
from finance.settlement.decisions import SettleAccount
from finance.tax.invoice_tax import Taxed, taxed
from finance.time_billing.decisions import BillTime
from testkit.scenario import Scenario, like
from tests.amounts import eur, usd
from tests.unit.finance.builders import (
    APRIL_1,
    TERMINATED,
    accepted,
    contracted,
    credit,
    credit_issued,
    drafts_and_invoices,
    exchange,
    fixed_line,
    hearing,
    hourly_line,
    issued,
    newest_invoice,
    pay,
    sow_of,
    time,
)

APPROVE = ApproveInvoice(invoice="invoice-start")


def seller(**more: Any) -> CompanyPublished:
    """Return a company in Germany with a tax code for each treatment."""
    codes = [
        {"treatment": "domestic", "tax_code": "DE-19"},
        {"treatment": "reverse-charge", "tax_code": "DE-reverse"},
        {"treatment": "exempt", "tax_code": "DE-exempt"},
    ]
    return CompanyPublished.model_validate(
        {
            "company": "us",
            "legal_name": "Concord Consulting GmbH",
            "address": "Uferstrasse 12\n80331 Munich",
            "country": "DE",
            "vat_id": "DE136695976",
            "bank_accounts": [
                {"bank_account": "dollars", "currency": "USD", "number": "4417"},
                {"bank_account": "main", "currency": "EUR", "iban": "DE89370400440532013000"},
            ],
            "tax_codes": codes,
            "base_currency": "EUR",
            "time_zone": "Europe/Berlin",
            **more,
        }
    )


def customer(treatment: str = "domestic", **more: Any) -> AccountPublished:
    """Return an account in Germany with this treatment, and a VAT id."""
    tax: dict[str, Any] = {"treatment": treatment, "vat_id": "DE271828180"}
    if treatment == "exempt":
        tax["exemption"] = "Article 151 of Directive 2006/112/EC"
    return AccountPublished.model_validate(
        {
            "account": "acme",
            "name": "Acme",
            "legal_name": "Acme Logistik GmbH",
            "tax": tax,
            "billing": {
                "bill_to": "Acme, Rechnungseingang",
                "address": "Kai 1\n20457 Hamburg",
                "country": "DE",
                "payment_terms_days": 30,
                "currency": "EUR",
            },
            **more,
        }
    )


def tax_rate(code: str, percent: str, **more: Any) -> TaxRatePublished:
    return TaxRatePublished.model_validate(
        {"tax_rate": code, "name": code, "country": "DE", "percent": percent, **more}
    )


RATES = (
    tax_rate("DE-19", "19"),
    tax_rate("DE-7", "7"),
    tax_rate("DE-reverse", "0", treatment="reverse-charge"),
    tax_rate("DE-exempt", "0", treatment="exempt", note="Section 4 UStG"),
)


def drafted(*records: Reference, **line: Any) -> Scenario[Engagement]:
    """Return a contract with its first draft, of 5,000 EUR, and these or the usual records."""
    usual = [seller(), customer(), *RATES]
    kinds = {type(each) for each in records}
    kept = [each for each in usual if type(each) not in kinds]
    sow = sow_of(fixed_line(**line)) if line else sow_of(fixed_line())
    return contracted(sow).on(APRIL_1).knowing(*kept, *records)


def approval(scenario: Scenario[Engagement], **more: Any) -> InvoiceApproved:
    [event] = scenario.when(APPROVE.model_copy(update=more)).events
    assert isinstance(event, InvoiceApproved)
    return event


def sent(*records: Reference) -> Scenario[Engagement]:
    return issued(drafted(*records), "invoice-start", "2026-00001", APRIL_1)


def by_code(tax: TaxTotals) -> dict[str, tuple[Decimal, Decimal]]:
    return {each.tax_code: (each.net.amount, each.tax.amount) for each in tax.by_code}


def test_an_invoice_states_net_tax_and_gross() -> None:
    tax = approval(drafted()).tax
    assert by_code(tax) == {"DE-19": (Decimal(5_000), Decimal(950))}
    assert (tax.total, tax.gross, tax.in_base_currency) == (eur(950), eur(5_950), None)
    assert tax.by_code[0].note is None
    numbered = sent()
    shown = drafts_and_invoices(numbered)["invoice-start"]
    assert (shown.amount, shown.tax, shown.outstanding) == (eur(5_000), tax, eur(5_950))


def test_an_issued_invoice_repeats_what_was_approved_whatever_is_published_since() -> None:
    approved = drafted().after(APPROVE)
    recorded = approved.state.billing.invoices["invoice-start"].approved
    assert recorded is not None
    moved = approved.knowing(seller(address="Berlin"), customer("exempt"), tax_rate("DE-19", "25"))
    taken = NumberTaken(number=1, on=APRIL_1)
    moved.when_outcome("invoice.invoice-start", "1", taken).then(
        like(InvoiceIssued, tax=recorded.tax, details=recorded.details)
    )


def test_parties_are_named_as_they_were_on_the_invoice_day() -> None:
    later = seller(address="Berlin", effective_from="2026-04-02")
    renamed = customer(legal_name="Acme SE", effective_from="2026-04-02")
    details = approval(drafted(seller(), later, customer(), renamed)).details
    assert details.seller.address == "Uferstrasse 12\n80331 Munich"
    assert (details.seller.vat_id, details.seller.country) == ("DE136695976", "DE")
    assert (details.customer.legal_name, details.customer.account) == ("Acme Logistik GmbH", "acme")
    assert details.customer.bill_to == "Acme, Rechnungseingang"
    assert details.customer.vat_id == "DE271828180"
    assert details.bank_account is not None
    assert details.bank_account.bank_account == "main"
    tomorrow = drafted(seller(), later, customer(), renamed).on(date(2026, 4, 2))
    assert approval(tomorrow).details.customer.legal_name == "Acme SE"


def test_a_line_is_billed_to_the_account_that_it_names() -> None:
    holding = customer("reverse-charge", account="holding", legal_name="Acme Holding GmbH")
    event = approval(drafted(customer(), holding, bill_to="holding"))
    assert event.details.customer.legal_name == "Acme Holding GmbH"
    assert event.tax.by_code[0].tax_code == "DE-reverse"


def test_the_customer_owes_the_tax_under_reverse_charge() -> None:
    tax = approval(drafted(customer("reverse-charge"))).tax
    assert (tax.total, tax.gross) == (eur(0), eur(5_000))
    assert [(each.treatment, each.note) for each in tax.by_code] == [
        ("reverse-charge", "Reverse charge")
    ]


def test_an_exemption_names_its_reason_first_that_of_the_account() -> None:
    of_account = approval(drafted(customer("exempt"))).tax
    assert [each.note for each in of_account.by_code] == ["Article 151 of Directive 2006/112/EC"]
    of_code = approval(drafted(tax_code="DE-exempt")).tax
    assert [each.note for each in of_code.by_code] == ["Section 4 UStG"]


def test_a_tax_code_of_the_contract_line_goes_first() -> None:
    assert by_code(approval(drafted(tax_code="DE-7")).tax) == {
        "DE-7": (Decimal(5_000), Decimal(350))
    }


# Test files ubl-tc434-example1.xml and -example2.xml (its exempt part left out): net and tax by
# rate, and the totals. In the second, 25 % of 1,460.50 are exactly 365.125.
DUTCH = ({"6": ("183.23", "10.99"), "21": ("46.37", "9.74")}, "20.73", "250.33")
NORWEGIAN = ({"25": ("1460.50", "365.13"), "15": ("1.00", "0.15")}, "365.28", "1826.78")


@pytest.mark.parametrize(("parts", "total", "gross"), [DUTCH, NORWEGIAN])
def test_tax_is_rounded_once_by_code(
    parts: dict[str, tuple[str, str]], total: str, gross: str
) -> None:
    assert taxes_of(parts) == (
        {f"DE-{percent}": (Decimal(net), Decimal(tax)) for percent, (net, tax) in parts.items()},
        eur(total),
        eur(gross),
    )


def test_tax_is_rounded_by_the_policy_of_the_company() -> None:
    found, total, _ = taxes_of({"25": ("1460.50", "")}, "half-even")
    assert (found["DE-25"][1], total) == (Decimal("365.12"), eur("365.12"))


def taxes_of(parts: dict[str, tuple[str, str]], rounding: Rounding = "half-up") -> Any:
    """Return tax by code, total and gross of an invoice with one contract line for each rate."""
    known, one = draft_of(parts, rounding)
    found = taxed(known.state, one, APRIL_1, known.records)
    assert isinstance(found, Taxed)
    return by_code(found.tax), found.tax.total, found.tax.gross


def draft_of(
    parts: dict[str, tuple[str, str]], rounding: Rounding = "half-up"
) -> tuple[Scenario[Engagement], Invoice]:
    """Return a draft with two lines for each rate in percent, which add up to its net amount."""
    lines = [
        fixed_line(
            BillingItem(item=f"item-{percent}", kind="on-signature", amount=eur(net)),
            line=f"line-{percent}",
            price=eur(net),
            tax_code=f"DE-{percent}",
        )
        for percent, (net, _) in parts.items()
    ]
    rates = [tax_rate(f"DE-{percent}", percent) for percent in parts]
    known = contracted(sow_of(*lines)).on(APRIL_1)
    known = known.knowing(seller(rounding=rounding), customer(), *rates)
    drafts = [*known.state.billing.invoices.values()]
    every = tuple(
        line.model_copy(update={"amount": eur(part)})
        for draft in drafts
        for line in draft.lines
        for part in halves(line.amount.amount)
    )
    amount = eur(sum(each.amount.amount for each in every))
    return known, drafts[0].model_copy(update={"lines": every, "amount": amount})


def halves(amount: Decimal) -> tuple[Decimal, Decimal]:
    """Return two lines of an amount, so that rounding each would give another tax."""
    return Decimal("0.11"), amount - Decimal("0.11")


def test_tax_is_stated_in_the_currency_of_the_books_too() -> None:
    rate = exchange("1.25", date(2026, 3, 31))
    books = seller(base_currency="USD")
    tax = approval(drafted(books, rate)).tax
    assert tax.in_base_currency is not None
    assert tax.in_base_currency.amount == usd("1187.50")
    assert tax.in_base_currency.exchange_rate == "EUR-USD-2026-03-31"
    assert tax.in_base_currency.version == 1
    drafted(books).when(APPROVE).then_refused(
        "amount-not-billable",
        missing={"exchange-rate-missing"},
        saying="EUR to USD on 2026-04-01 is missing",
    )
    untaxed = approval(drafted(books, customer("reverse-charge"))).tax
    assert untaxed.in_base_currency is None


def test_the_rate_is_that_of_the_day_of_supply() -> None:
    rates = (tax_rate("DE-19", "19"), tax_rate("DE-19", "20", effective_from="2026-05-05"))
    later = hearing(drafted(*rates), accepted("design", date(2026, 5, 4))).on(date(2026, 5, 6))
    [event] = later.when(ApproveInvoice(invoice="invoice-design")).events
    assert isinstance(event, InvoiceApproved)
    assert event.tax.total == eur(1_140)
    assert (event.details.supplied_from, event.details.supplied_to) == (date(2026, 5, 4),) * 2
    [advance] = later.when(APPROVE).events
    assert isinstance(advance, InvoiceApproved)
    assert advance.tax.total == eur(1_000)
    assert (advance.details.supplied_from, advance.details.supplied_to) == (None, None)


def hourly(*records: Reference) -> Scenario[Engagement]:
    """Return a contract by time and materials whose April is drafted on 4 May."""
    known = contracted(sow_of(hourly_line())).knowing(seller(), customer(), *RATES, *records)
    first = issued(known, "invoice-advance", "2026-00001", APRIL_1)
    worked = hearing(first, time("a", hours=20), time("b", hours=60, day=date(2026, 4, 20)))
    return worked.on(date(2026, 5, 4)).after(BillTime(month="2026-04"))


def test_time_has_its_first_and_last_day_and_less_tax_by_that_of_the_advance() -> None:
    billed = hourly()
    [event] = billed.when(ApproveInvoice(invoice=newest_invoice(billed))).events
    assert isinstance(event, InvoiceApproved)
    details = event.details
    assert (details.supplied_from, details.supplied_to) == (date(2026, 4, 6), date(2026, 4, 20))
    # 80 hours at 100, less the advance of 4,000, whose tax its own invoice states
    assert by_code(event.tax) == {"DE-19": (Decimal(4_000), Decimal(760))}


def supplied(scenario: Scenario[Engagement], invoice: str = "") -> tuple[date, date] | None:
    """Return the period of supply of the newest or a named invoice, which is approved."""
    approve = ApproveInvoice(invoice=invoice or newest_invoice(scenario))
    [event] = scenario.when(approve, by="cora").events
    assert isinstance(event, InvoiceApproved)
    details = event.details
    if details.supplied_from is None or details.supplied_to is None:
        assert details.supplied_from == details.supplied_to
        return None
    return details.supplied_from, details.supplied_to


def dated(line: ContractLine) -> Scenario[Engagement]:
    """Return a contract of one line of 20,000 EUR whose dated entry is drafted on 1 August."""
    known = contracted(sow_of(line)).knowing(seller(), customer(), *RATES)
    worked = hearing(known, accepted("design"), time("a", hours=20))
    return worked.when_deadline("due-dated").then_accepted().on(AUGUST_1)


AUGUST_1 = date(2026, 8, 1)
MAY_4 = date(2026, 5, 4)
BEGINS = date(2026, 4, 6)
"""First day of the work that the contract covers."""


def entry(due_on: date) -> BillingItem:
    return BillingItem(item="dated", kind="on-date", amount=eur(20_000), due_on=due_on)


@pytest.mark.parametrize(
    ("line", "days"),
    [
        (fixed_line(entry(AUGUST_1)), (AUGUST_1, AUGUST_1)),
        (fixed_line(entry(AUGUST_1), deliverables=()), (AUGUST_1, AUGUST_1)),
        (fixed_line(entry(AUGUST_1), deliverables=("design",)), (MAY_4, MAY_4)),
        (fixed_line(entry(date(2026, 4, 20)), deliverables=("design",)), (date(2026, 4, 20),) * 2),
        (fixed_line(entry(BEGINS)), None),
        (hourly_line(entry(AUGUST_1)), None),
    ],
    ids=["agreed", "delivers nothing", "accepted before", "accepted later", "ahead", "advance"],
)
def test_an_instalment_is_supplied_on_its_day_unless_it_is_paid_on_account(
    line: ContractLine, days: tuple[date, date] | None
) -> None:
    assert supplied(dated(line), "invoice-dated") == days


@pytest.mark.parametrize(
    ("item", "accepted_before", "days"),
    [
        ("design", False, (date(2026, 5, 6),) * 2),
        ("care", False, (date(2026, 5, 6),) * 2),
        ("care", True, (MAY_4, MAY_4)),
    ],
)
def test_an_exception_is_supplied_with_the_acceptance_or_else_on_the_invoice_day(
    item: str, accepted_before: bool, days: tuple[date, date]
) -> None:
    known = drafted()
    if accepted_before:
        known = hearing(known, accepted("design"), accepted("portal", date(2026, 4, 30)))
    assert supplied(known.on(date(2026, 5, 6)).after(outside(item, amount=eur(2_000)))) == days


def outside(item: str, **more: Any) -> BillOutsideSchedule:
    line = {"description": "Work", "line": "work", **more}
    return BillOutsideSchedule.model_validate({"item": item, "lines": [line], "reason": "Year end"})


def test_an_exception_is_supplied_on_the_days_of_its_works_unless_it_is_paid_on_account() -> None:
    known = contracted(sow_of(hourly_line())).knowing(seller(), customer(), *RATES)
    worked = hearing(known, time("a", hours=20), time("b", hours=4, day=date(2026, 4, 20)))
    rate = Rate(amount=Decimal(90), currency="EUR")
    billed = {"role": "developer", "rate": rate}
    whole = worked.on(MAY_4).after(outside("time", amount=eur(2_160), hours=24, **billed))
    assert supplied(whole) == (date(2026, 4, 6), date(2026, 4, 20))
    named = {"amount": eur(180), "hours": 2, "days": [{"day": "2026-04-21", "hours": 2}]}
    assert supplied(worked.on(MAY_4).after(outside("time", **named, **billed))) == (
        date(2026, 4, 21),
        date(2026, 4, 21),
    )
    ahead = contracted(sow_of(hourly_line(entry(AUGUST_1)))).knowing(seller(), customer(), *RATES)
    assert supplied(ahead.on(MAY_4).after(outside("dated", amount=eur(180)))) is None
    nothing = contracted(sow_of(hourly_line())).knowing(seller(), customer(), *RATES).on(MAY_4)
    assert supplied(nothing.after(outside("time", amount=eur(180), hours=2, **billed))) == (
        MAY_4,
        MAY_4,
    )


DOLLARS = {"bank_account": "dollars", "currency": "USD", "number": "4417"}
FRANCS = {"bank_account": "francs", "currency": "CHF", "number": "4418"}
EUROS = {"bank_account": "main", "currency": "EUR", "number": "4419"}


@pytest.mark.parametrize(
    ("accounts", "named"),
    [
        ([DOLLARS, EUROS], "main"),
        ([DOLLARS, FRANCS], "dollars"),
        ([], None),
    ],
)
def test_the_account_to_pay_to_is_in_the_currency_of_the_invoice_or_else_the_first(
    accounts: list[dict[str, str]], named: str | None
) -> None:
    account = approval(drafted(seller(bank_accounts=accounts))).details.bank_account
    assert (account.bank_account if account else None) == named


def test_a_required_purchase_order_is_given_once() -> None:
    strict = customer()
    assert strict.billing is not None
    billing = strict.billing.model_copy(update={"purchase_order_required": True})
    waits = drafted(strict.model_copy(update={"billing": billing})).after(CatchUp())
    [missing] = drafts_and_invoices(waits)["invoice-start"].missing
    assert (missing.code, missing.owed_by) == ("purchase-order-missing", None)
    waits.when(APPROVE).then_refused(
        "amount-not-billable", missing={"purchase-order-missing"}, fields={"purchase_order"}
    )
    ordered = APPROVE.model_copy(update={"purchase_order": "PO-7"})
    named = waits.after(ordered)
    named.when(APPROVE).then_nothing()
    named.when(ordered).then_nothing()
    other = APPROVE.model_copy(update={"purchase_order": "PO-8"})
    named.when(other).then_refused("already-recorded", fields={"details"})
    second = hearing(named, accepted("design", APRIL_1))
    assert drafts_and_invoices(second)["invoice-design"].missing == []
    [event] = second.when(ApproveInvoice(invoice="invoice-design")).events
    assert isinstance(event, InvoiceApproved)
    assert event.details.purchase_order == "PO-7"


@pytest.mark.parametrize(
    ("records", "line", "code", "owed_by"),
    [
        ((seller(company="other"),), {}, "company-unknown", "finance"),
        ((customer(account="other"),), {}, "account-unknown", "sales"),
        ((customer(legal_name=None),), {}, "legal-name-missing", "sales"),
        ((customer(billing=None),), {}, "billing-data-missing", "finance"),
        ((customer(tax=None),), {}, "tax-data-missing", "finance"),
        ((seller(tax_codes=()),), {}, "tax-code-missing", "finance"),
        ((), {"tax_code": "DE-9"}, "tax-rate-missing", "finance"),
        ((tax_rate("DE-19", "9", effective_from="2026-04-02"),), {}, "tax-rate-missing", "finance"),
        ((customer(tax=None),), {"tax_code": "DE-reverse"}, "vat-id-missing", "finance"),
        ((seller(vat_id=None),), {}, "vat-id-missing", "finance"),
    ],
)
def test_what_is_missing_is_named_on_the_draft_and_refuses_its_approval_alone(
    records: tuple[Reference, ...], line: dict[str, Any], code: RefusalCode, owed_by: str
) -> None:
    waits = drafted(*records, **line).after(CatchUp())
    found = drafts_and_invoices(waits)["invoice-start"].missing
    assert [(each.code, each.owed_by) for each in found] == [(code, owed_by)]
    waits.when(APPROVE).then_refused("amount-not-billable", missing={code})
    hearing(waits, accepted("design", APRIL_1)).then_view(billed=eur(0))
    whole = waits.knowing(seller(), customer(), *RATES, tax_rate("DE-9", "9")).after(CatchUp())
    assert drafts_and_invoices(whole)["invoice-start"].missing == []
    whole.when(APPROVE).then(like(InvoiceApproved))


def test_payments_are_compared_with_the_gross_amount() -> None:
    sent().when(pay(5_951)).then(like(PaymentAllocated, amount=eur(5_950)))
    some = sent().after(pay(5_000))
    some.then_view(billed=eur(5_000), gross=eur(5_950), paid=eur(5_000), outstanding=eur(950))
    some.when_deadline("overdue-invoice-start").then(like(PaymentOverdue, outstanding=eur(950)))
    some.after(pay(950)).then_view(outstanding=eur(0), overdue=False)


def test_an_account_is_settled_when_the_tax_is_paid() -> None:
    ended = hearing(sent(), TERMINATED).after(pay(5_000))
    ended.when(SettleAccount()).then_refused(
        "account-not-settled", missing={"invoice-unpaid"}, saying="950.00 EUR is outstanding"
    )
    ended.after(pay(950)).when(SettleAccount()).then(
        like(AccountSettled, billed=eur(5_000), paid=eur(5_950)), like(MarginMeasured)
    )


def test_a_credit_note_gives_back_the_tax_of_its_invoice() -> None:
    noted = credit_issued(sent(), credit(1_000))
    [note] = noted.state.billing.invoices["invoice-start"].credits
    assert by_code(note.tax) == {"DE-19": (Decimal(1_000), Decimal(190))}
    assert note.tax.gross == eur(1_190)
    assert note.details.invoice_number == "2026-00001"
    assert note.details.seller.vat_id == "DE136695976"
    noted.then_view(billed=eur(4_000), outstanding=eur(4_760))
    paid = credit_issued(sent().after(pay(5_950)), credit(1_000))
    paid.then_view(paid=eur(4_760), outstanding=eur(0))


def test_credit_notes_over_all_of_an_invoice_give_back_exactly_its_tax() -> None:
    """Check credits whose tax, each rounded alone, would be 0.01 too much or too little."""
    rate = exchange("1.2345", date(2026, 3, 31))
    engagement = sent(seller(base_currency="USD"), rate)
    stated = engagement.state.billing.invoices["invoice-start"].approved
    for nth, amount in enumerate(("0.03", "0.03", "0.03", "0.03", "1666.63", "3333.25")):
        engagement = credit_issued(engagement, credit(amount, f"Part {nth}."))
    invoice = engagement.state.billing.invoices["invoice-start"]
    assert stated is not None
    assert stated.tax.in_base_currency is not None
    assert sum(each.tax.total.amount for each in invoice.credits) == Decimal(950)
    books = [each.tax.in_base_currency for each in invoice.credits]
    in_books = stated.tax.in_base_currency.amount.amount
    assert sum(each.amount.amount for each in books if each) == in_books
    engagement.then_view(billed=eur(0), outstanding=eur(0))


def test_a_void_invoice_is_drafted_again_and_taxed_anew() -> None:
    void = sent().after(VoidInvoice(invoice="invoice-start", why="Wrong address."))
    other = void.knowing(customer("reverse-charge"))
    [event] = other.when(ApproveInvoice(invoice="invoice-start-2")).events
    assert isinstance(event, InvoiceApproved)
    assert event.tax.gross == eur(5_000)
