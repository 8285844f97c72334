"""Compute what an invoice or a credit note states: the parties, and the tax by tax code.

Rules are those of Council Directive 2006/112/EC; the article is named where a rule follows from it.
Records are those in force on the invoice day. The rate of a tax code is that of the day of supply,
or of the last day of the service period (articles 63, 64 and 93), for an advance that of the
invoice day (article 65), which stands for the day of the payment. The day is that of `supply`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import chain

from stdnum.eu.vat import MEMBER_STATES

from chassis.domain.commands import Missing
from chassis.domain.context import ReferenceData
from common.exchange import convert
from contracts.decimals import Rounding
from contracts.event import Recorded
from contracts.finance import (
    BillingEventDue,
    ConvertedTax,
    CreditedLine,
    CreditNoteDetails,
    Customer,
    InvoiceDetails,
    InvoiceDraft,
    Seller,
    TaxOfCode,
    TaxTotals,
)
from contracts.lines import HOURLY, ContractLine
from contracts.money import Money
from contracts.reference import (
    AccountBilling,
    AccountPublished,
    CompanyPublished,
    TaxRatePublished,
)
from contracts.vocabularies import Unlisted
from finance.billing.state import Invoice
from finance.calendar_months import end_of, first_of_month, month_of
from finance.engagement import Engagement

REVERSE_CHARGE = "Reverse charge"
"""Text that the invoice shows where the customer owes the tax (article 226, point 11a)."""


@dataclass(frozen=True, slots=True)
class Taxed:
    """Tax and details of an invoice."""

    tax: TaxTotals
    details: InvoiceDetails


def taxed(
    state: Engagement,
    invoice: InvoiceDraft,
    on: date,
    records: ReferenceData,
    purchase_order: str | None = None,
) -> Taxed | tuple[Missing, ...]:
    """Return tax and details of an invoice of a day, or everything that is missing for them.

    Without a number, the purchase order is that of the account's last approved invoice.
    """
    return _Basis(state, invoice, on, records, purchase_order).taxed()


class _Basis:
    """The records that an invoice depends on, as they are on its day, and what is missing."""

    def __init__(
        self,
        state: Engagement,
        invoice: InvoiceDraft,
        on: date,
        records: ReferenceData,
        purchase_order: str | None,
    ) -> None:
        self.state, self.invoice, self.on, self.records = state, invoice, on, records
        self.due = state.billing.events[invoice.billing_event]
        self.lines: Mapping[str, ContractLine] = (
            {each.line: each for each in state.budget.lines} if state.budget else {}
        )
        main = self.lines.get(self.due.line)
        self.account_id = (main.bill_to if main else None) or state.account or ""
        found = records.on(AccountPublished, self.account_id, on)
        self.account = found.event if found else None
        company = state.company and records.on(CompanyPublished, state.company, on)
        self.company = company.event if company else None
        self.purchase_order = purchase_order or _last_purchase_order(state, self.account_id)
        self.supplied = supply(state, invoice, self.due, on)
        self.rate_day = min(self.supplied[1], on) if self.supplied else on

    def taxed(self) -> Taxed | tuple[Missing, ...]:
        rates = {
            code: rate
            for line in self.line_names
            if (code := self.code_of(line)) and (rate := self._rate(code)) is not None
        }
        missing = tuple(_missing(self, rates))
        company, account = self.company, self.account
        if missing or company is None or account is None or account.billing is None:
            return missing
        tax = _total(self._by_code(rates, company.rounding), self.invoice.amount.currency)
        base = company.base_currency
        if base != tax.gross.currency and tax.total.amount:
            converted = self._converted(tax.total, base, company.rounding)
            if converted is None:
                return (_missing_exchange_rate(self, tax.total, base),)
            tax = tax.model_copy(update={"in_base_currency": converted})
        return Taxed(tax, self._details(company, account, account.billing))

    @property
    def line_names(self) -> tuple[str, ...]:
        """Return the contract lines that the invoice bills, first that of the billing event."""
        return tuple(dict.fromkeys((self.due.line, *(each.line for each in self.invoice.lines))))

    def code_of(self, line: str) -> str | None:
        """Return the tax code of a contract line, or None.

        A discount without a code has that of the line of the billing event. A line without one has
        the code of the company for the treatment of the account.
        """
        for name in (line, self.due.line):
            known = self.lines.get(name)
            if known is not None and known.tax_code is not None:
                return known.tax_code
        if self.company is None or self.account is None or self.account.tax is None:
            return None
        treatment = self.account.tax.treatment
        codes = (each for each in self.company.tax_codes if each.treatment == treatment)
        return next((each.tax_code for each in codes), None)

    def _rate(self, code: str) -> Recorded[TaxRatePublished] | None:
        return self.records.on(TaxRatePublished, code, self.rate_day)

    def _by_code(
        self, rates: Mapping[str, Recorded[TaxRatePublished]], rounding: Rounding
    ) -> Iterator[TaxOfCode]:
        """Yield the tax by code: lines are added, then the tax is rounded once.

        The advance that is drawn down lowers the net amount of its line: its tax was stated with
        the advance.
        """
        currency = self.invoice.amount.currency
        amounts = [(each.line, each.amount) for each in self.invoice.lines]
        if self.invoice.advance_drawn.amount:
            amounts.append((self.due.line, -self.invoice.advance_drawn))
        nets: dict[str, Money] = {}
        lines: dict[str, list[str]] = {}
        for line, amount in amounts:
            code = self.code_of(line) or ""
            nets[code] = nets.get(code, Money.zero(currency)) + amount
            lines.setdefault(code, []).append(line)
        for code, net in nets.items():
            rate = rates[code].event
            yield TaxOfCode(
                tax_code=code,
                name=rate.name,
                treatment=rate.treatment,
                percent=rate.percent,
                net=net,
                lines=tuple(dict.fromkeys(lines[code])),
                tax=_tax(net, rate.percent, rounding),
                note=self._note(rate),
            )

    def _note(self, rate: TaxRatePublished) -> str | None:
        """Return the text for reverse charge or an exemption: the account's own reason first."""
        if rate.treatment == "reverse-charge":
            return REVERSE_CHARGE
        tax = self.account.tax if self.account else None
        if rate.treatment == "exempt" and tax is not None and tax.exemption is not None:
            return tax.exemption
        return rate.note

    def _converted(self, total: Money, base: str, rounding: Rounding) -> ConvertedTax | None:
        """Return the tax in the currency of the books (articles 230 and 91)."""
        sign = -1 if total.amount < 0 else 1
        found = convert(self.records, total * sign, base, self.rate_day, rounding)
        if found is None:
            return None
        return ConvertedTax(
            amount=found.converted * sign, exchange_rate=found.exchange_rate, version=found.version
        )

    def _details(
        self, company: CompanyPublished, account: AccountPublished, billing: AccountBilling
    ) -> InvoiceDetails:
        tax = account.tax
        currency = self.invoice.amount.currency
        own = (each for each in company.bank_accounts if each.currency == currency)
        return InvoiceDetails(
            seller=Seller(
                company=company.company,
                legal_name=company.legal_name,
                address=company.address,
                country=company.country,
                vat_id=company.vat_id,
            ),
            customer=Customer(
                account=account.account,
                legal_name=account.legal_name or account.name,
                bill_to=billing.bill_to,
                address=billing.address,
                country=billing.country,
                vat_id=tax.vat_id if tax else None,
            ),
            purchase_order=self.purchase_order,
            supplied_from=self.supplied[0] if self.supplied else None,
            supplied_to=self.supplied[1] if self.supplied else None,
            bank_account=next(chain(own, company.bank_accounts), None),
        )


def _missing(basis: _Basis, rates: Mapping[str, Recorded[TaxRatePublished]]) -> Iterator[Missing]:
    company, account = basis.company, basis.account
    if company is None:
        sentence = f"the record of company {basis.state.company} is not published"
        yield Missing("company-unknown", sentence, "finance")
    who = f"account {basis.account_id}"
    if account is None:
        yield Missing("account-unknown", f"the record of {who} is not published", "sales")
    else:
        yield from _missing_of(basis, account, who)
    for line in basis.line_names:
        code = basis.code_of(line)
        if code is None:
            if company is not None and account is not None:
                yield _missing_code(basis, line, account)
        elif code not in rates:
            sentence = f"no rate of tax code {code} is in force on the day of supply"
            yield Missing("tax-rate-missing", sentence, "finance")
    yield from _missing_of_rates(basis, rates)


def _missing_of(basis: _Basis, account: AccountPublished, who: str) -> Iterator[Missing]:
    if account.legal_name is None:
        yield Missing("legal-name-missing", f"{who} has no legal name", "sales")
    if account.billing is None:
        yield Missing("billing-data-missing", f"{who} has no billing data", "finance")
    elif account.billing.purchase_order_required and basis.purchase_order is None:
        sentence = f"{who} pays only invoices that name a purchase order"
        yield Missing("purchase-order-missing", sentence, field="purchase_order")


def _missing_code(basis: _Basis, line: str, account: AccountPublished) -> Missing:
    if account.tax is None:
        sentence = f"line {line} names no tax code, and account {account.account} has no tax data"
        return Missing("tax-data-missing", sentence, "finance")
    return Missing(
        "tax-code-missing",
        f"line {line} names no tax code, and company {basis.state.company} has none for"
        f" accounts that are {account.tax.treatment}",
        "finance",
    )


def _missing_of_rates(
    basis: _Basis, rates: Mapping[str, Recorded[TaxRatePublished]]
) -> Iterator[Missing]:
    """Yield what the rates require: a known treatment, and VAT ids (article 226, 3 and 4)."""
    found = [each.event for each in rates.values()]
    for rate in found:
        if isinstance(rate.treatment, Unlisted):
            sentence = f"this release does not know the treatment of tax code {rate.tax_rate}"
            yield Missing("tax-treatment-unknown", sentence, "finance")
    shifts = any(each.treatment == "reverse-charge" for each in found)
    account, company = basis.account, basis.company
    if shifts and account is not None and (account.tax is None or account.tax.vat_id is None):
        sentence = f"account {account.account} has no VAT id, which reverse charge requires"
        yield Missing("vat-id-missing", sentence, "finance")
    is_taxed = shifts or any(each.percent for each in found)
    if is_taxed and company is not None and company.vat_id is None and _in_eu(company):
        sentence = f"company {company.company} has no VAT id"
        yield Missing("vat-id-missing", sentence, "finance")


def _missing_exchange_rate(basis: _Basis, total: Money, base: str) -> Missing:
    return Missing(
        "exchange-rate-missing",
        f"the exchange rate {total.currency} to {base} on {basis.rate_day} is missing: the tax"
        " has to be stated in the currency of the books, too",
        "finance",
    )


def _in_eu(company: CompanyPublished) -> bool:
    return company.country.lower() in MEMBER_STATES


def supply(
    state: Engagement, invoice: InvoiceDraft, due: BillingEventDue, on: date
) -> tuple[date, date] | None:
    """Return the first and last day of the supply that an invoice of a day bills.

    Article 226, point 7 of the directive asks for it where it can be determined:

    - Work has the days of the work that the invoice names, also in an exception.
    - A retainer has its month, which begins with the retainer, and an acceptance its day.
    - An instalment on a date is regarded as supplied on the agreed day, when the period to which
      the payment relates ends (article 64, paragraph 1), or with the acceptance of all that the
      line delivers where that was earlier (article 63).
    - An exception without days has the day of that acceptance, or else the day of the invoice.
    - None for a payment on account (article 65): what is billed on signature, on a date before the
      work, or on a date of a line whose time draws it down.
    """
    days = [each.day for line in invoice.lines for each in line.days]
    days += [work.on for line in invoice.lines for work in line.works]
    if days:
        return min(days), max(days)
    line = state.budget.line(due.line) if state.budget else None
    if _is_on_account(state, due, line):
        return None
    scheduled = due.exception is None
    if scheduled and due.kind == "period":
        first = first_of_month(due.due_on, 0)
        if line is not None and line.retainer is not None:
            first = max(first, line.retainer.starts_on)
        return first, end_of(month_of(due.due_on))
    day = due.due_on if scheduled else on
    if not scheduled or due.kind == "on-date":
        delivered = due.deliverables or (line.deliverables if line else ())
        day = min(day, state.accepted_on(delivered) or day)
    return day, day


def _is_on_account(state: Engagement, due: BillingEventDue, line: ContractLine | None) -> bool:
    """Return whether a billing event asks for a payment before the supply."""
    if due.kind != "on-date":
        return due.kind == "on-signature"
    begins = state.effective_on
    return (line is not None and line.pricing in HOURLY) or (
        begins is not None and due.due_on <= begins
    )


def credited_tax(
    invoice: Invoice,
    lines: Iterable[CreditedLine],
    main: str,
    restored: Money,
    rounding: Rounding,
) -> TaxTotals:
    """Return the tax that a credit of lines gives back, by the codes of the invoice.

    `restored` is what an advance had paid of them; `main` is the contract line that the advance
    was drawn on. The tax of a code is computed from all credits to date, less that of the credits
    before, so that credits over the whole invoice give back exactly its tax. Raises ValueError
    where the invoice is not approved.
    """
    if invoice.approved is None:
        raise ValueError(f"{invoice.invoice} is not approved")
    stated, currency = invoice.approved.tax, restored.currency
    before = [each.tax for each in invoice.notes]
    amounts = [(each.line, each.amount) for each in lines]
    if restored.amount:
        amounts.append((main, -restored))
    by_code = []
    for code in stated.by_code:
        credited = [(line, amount) for line, amount in amounts if line in code.lines]
        if not credited:
            continue
        net = Money.total((amount for _, amount in credited), currency)
        earlier = [one for tax in before for one in tax.by_code if one.tax_code == code.tax_code]
        to_date = net + Money.total((each.net for each in earlier), currency)
        tax = _tax(to_date, code.percent, rounding)
        tax = tax - Money.total((each.tax for each in earlier), currency)
        names = tuple(dict.fromkeys(line for line, _ in credited))
        by_code.append(code.model_copy(update={"net": net, "tax": tax, "lines": names}))
    totals = _total(by_code, currency)
    base = stated.in_base_currency
    if base is None:
        return totals
    to_date = totals.total + Money.total((each.total for each in before), currency)
    known = [each.in_base_currency.amount for each in before if each.in_base_currency]
    exact = base.amount.amount * to_date.amount / stated.total.amount
    back = Money.nearest(exact, base.amount.currency, rounding)
    back = back - Money.total(known, base.amount.currency)
    return totals.model_copy(update={"in_base_currency": base.model_copy(update={"amount": back})})


def credit_note_details(invoice: Invoice) -> CreditNoteDetails:
    """Return the details of a credit note: the parties as on the invoice, and its number.

    Raises ValueError where the invoice has no number.
    """
    if invoice.approved is None or invoice.number is None:
        raise ValueError(f"{invoice.invoice} has no number")
    details = invoice.approved.details
    return CreditNoteDetails(
        seller=details.seller, customer=details.customer, invoice_number=invoice.number
    )


def _tax(net: Money, percent: Decimal, rounding: Rounding) -> Money:
    return Money.nearest(net.amount * percent / 100, net.currency, rounding)


def _total(by_code: Iterable[TaxOfCode], currency: str) -> TaxTotals:
    codes = tuple(by_code)
    total = Money.total((each.tax for each in codes), currency)
    net = Money.total((each.net for each in codes), currency)
    return TaxTotals(by_code=codes, total=total, gross=net + total)


def _last_purchase_order(state: Engagement, account: str) -> str | None:
    approved = (each.approved for each in reversed(state.billing.invoices.values()))
    found = (
        each.details.purchase_order
        for each in approved
        if each is not None and each.details.customer.account == account
    )
    return next((each for each in found if each is not None), None)
