"""Provide seller, customer and tax code of untaxed invoices, and what these invoices state."""

from decimal import Decimal
from typing import Any

from contracts.finance import (
    CreditedLine,
    CreditIntent,
    CreditNoteDetails,
    Customer,
    InvoiceDetails,
    Seller,
    TaxOfCode,
    TaxTotals,
)
from contracts.money import Money
from contracts.reference import (
    AccountBilling,
    AccountPublished,
    AccountTax,
    CompanyPublished,
    Reference,
    TaxRatePublished,
    TreatmentCode,
)

SELLER = CompanyPublished(
    company="us",
    legal_name="Concord Consulting Inc.",
    address="Boston",
    country="US",
    tax_codes=(TreatmentCode(treatment="exempt", tax_code="US-none"),),
    base_currency="USD",
    time_zone="America/New_York",
)
CUSTOMER = AccountPublished(
    account="acme",
    name="Acme",
    legal_name="Acme Logistics Ltd.",
    tax=AccountTax(treatment="exempt", exemption="Services used abroad"),
    billing=AccountBilling(
        bill_to="Acme, Accounts payable",
        address="1 Quay",
        country="GB",
        payment_terms_days=30,
        currency="EUR",
    ),
)
NO_TAX = TaxRatePublished(
    tax_rate="US-none",
    name="No sales tax on services",
    country="US",
    percent=Decimal(0),
    treatment="exempt",
    note="Not taxable",
)
UNTAXED: tuple[Reference, ...] = (SELLER, CUSTOMER, NO_TAX)
"""Records with which an invoice to Acme has no tax."""

_SELLER = Seller(company="us", legal_name="Concord Consulting Inc.", address="Boston", country="US")
_CUSTOMER = Customer(
    account="acme",
    legal_name="Acme Logistics Ltd.",
    bill_to="Acme, Accounts payable",
    address="1 Quay",
    country="GB",
)


def taxes(amount: Money, tax: Money | None = None) -> TaxTotals:
    """Return the tax of a document with one tax code, exempt unless a tax of 19 % is given."""
    rate: dict[str, Any] = {
        "tax_code": "US-none",
        "name": "No sales tax on services",
        "treatment": "exempt",
        "percent": Decimal(0),
        "tax": Money.zero(amount.currency),
        "note": "Services used abroad",
    }
    if tax is not None:
        rate = {
            "tax_code": "DE-standard",
            "name": "VAT, Germany",
            "treatment": "domestic",
            "percent": Decimal(19),
            "tax": tax,
        }
    of_code = TaxOfCode(net=amount, lines=("work",), **rate)
    return TaxTotals(by_code=(of_code,), total=of_code.tax, gross=amount + of_code.tax)


def untaxed(amount: Money, **more: Any) -> dict[str, Any]:
    """Return amount, tax and details of an invoice without tax."""
    details = InvoiceDetails(seller=_SELLER, customer=_CUSTOMER, **more)
    return {"amount": amount, "tax": taxes(amount), "details": details}


def untaxed_credit(amount: Money, number: str = "2026-00001", **line: Any) -> dict[str, Any]:
    """Return what a credit note of one line states, on an invoice with this number, without tax.

    It gives back a part of a line for the contract line `work`, unless other fields are given.
    """
    intent: CreditIntent = "cancel-and-rebill" if "works" in line else "give-back"
    details = CreditNoteDetails(seller=_SELLER, customer=_CUSTOMER, invoice_number=number)
    credited = CreditedLine(**{"invoice_line": "L-1", "line": "work", "amount": amount, **line})
    return {
        "amount": amount,
        "intent": intent,
        "lines": (credited,),
        "tax": taxes(amount),
        "details": details,
    }
