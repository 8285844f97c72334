"""Define what invoices and credit notes state for tax: the parties, and the tax by tax code.

The content is that of Council Directive 2006/112/EC, article 226; article 219 requires that a
credit note names its invoice, and article 230 the tax in the national currency. Article 219a says
whose rules apply: those of the state of supply or, under reverse charge, those of the seller.
"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from contracts.money import Money, PositiveTotal, invalid
from contracts.places import CountryCode
from contracts.reference.finance import BankAccount
from contracts.registrations import VatId
from contracts.tax_treatment import TaxTreatment
from contracts.values import (
    AccountId,
    Day,
    DistinctBy,
    ExchangeRateId,
    Identifier,
    Percent,
    ShortText,
    Text,
    Value,
    Version,
)


class TaxOfCode(Value):
    """Tax on the lines with one tax code, rounded once (article 226, points 8 to 11a)."""

    tax_code: Identifier
    """Id of the tax rate."""
    name: ShortText
    """Name of the tax rate."""
    treatment: TaxTreatment
    """Rule that says who owes the tax."""
    percent: Percent
    """Tax in percent of the net amount."""
    net: Money
    """Sum of the lines with this code, less the advance that is drawn down; without tax."""
    lines: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=200)]
    """Ids of the contract lines with this code that the document bills or credits."""
    tax: Money
    """The percentage of `net`, rounded by the policy of the company."""
    note: ShortText | None = None
    """Text that the document has to show: "Reverse charge", or the reason for an exemption.

    Null where nothing has to be shown.
    """


class ConvertedTax(Value):
    """Tax in the currency of the seller's books (article 230), at a dated exchange rate."""

    amount: Money
    """Tax, rounded to the minor unit."""
    exchange_rate: ExchangeRateId
    """Id of the exchange rate that was used, as in the conversion of expenses."""
    version: Version
    """Version of the record of the exchange rate."""


class TaxTotals(Value):
    """Tax of an invoice or a credit note by tax code, and the amount with tax."""

    by_code: Annotated[
        tuple[TaxOfCode, ...], Field(min_length=1, max_length=200), DistinctBy("tax_code")
    ]
    """Tax by tax code."""
    total: Money
    """Sum of the tax; 0 under reverse charge or exemption."""
    gross: PositiveTotal
    """Amount with tax."""
    in_base_currency: ConvertedTax | None = None
    """Sum of the tax in the currency of the seller's books.

    Null where that is the currency of the document, or there is no tax.
    """

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        currency = self.gross.currency
        total = Money.total((each.tax for each in self.by_code), currency)
        net = Money.total((each.net for each in self.by_code), currency)
        if self.total != total:
            raise invalid("total", f"must be the sum of the tax by code, {total}", self.total)
        if self.gross != net + total:
            raise invalid("gross", f"must be net and tax by code, {net + total}", self.gross)
        return self


class Party(Value):
    """Seller or customer, as they were on the day of the document (article 226, points 3 to 5)."""

    legal_name: ShortText
    """Name in the commercial register."""
    address: Text
    """Postal address, one line of the address per line of text, without the country."""
    country: CountryCode
    """Country as ISO 3166-1 alpha-2 code."""
    vat_id: VatId | None = None
    """VAT id; null where there is none."""


class Seller(Party):
    """The company that sells."""

    company: Identifier
    """Id of the company."""


class Customer(Party):
    """The account that gets the invoice."""

    account: AccountId
    """Id of the account."""
    bill_to: ShortText
    """Name of the recipient of invoices."""


class Parties(Value):
    """Seller and customer of an invoice or a credit note."""

    seller: Seller
    """Company that sells, on the invoice day."""
    customer: Customer
    """Account that gets the invoice, on the invoice day."""


class InvoiceDetails(Parties):
    """Content of an invoice beside lines and amounts."""

    purchase_order: ShortText | None = None
    """Number of the customer's purchase order; null where none is known."""
    supplied_from: Day | None = None
    """First day of the service period, or the day of supply (article 226, point 7).

    Null for an advance, which is paid before the supply.
    """
    supplied_to: Day | None = None
    """Last day of the service period, or the day of supply; null as `supplied_from`."""
    bank_account: BankAccount | None = None
    """Account to pay to: the first in the currency of the invoice, else the first of the company.

    Null where the company has published no account.
    """


class CreditNoteDetails(Parties):
    """Content of a credit note beside lines and amounts."""

    invoice_number: Identifier
    """Number of the invoice that it credits (article 219)."""
