"""Define the reference data of Sales: accounts."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from contracts.channels import SALES_REFERENCE
from contracts.money import Currency
from contracts.places import CountryCode, TimeZone
from contracts.reference.record import Reference
from contracts.registrations import VatId
from contracts.values import AccountId, Days, PersonId, ShortText, Text, Value, YesNo

Domain = Annotated[
    str,
    StringConstraints(
        pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$",
        max_length=253,
    ),
    Field(examples=["novamed.example"]),
]
"""Internet domain in lower case; an international name in its ASCII form (`xn--…`)."""


class AccountDetails(Value):
    """The part of an account's record that Sales keeps, without the id."""

    name: ShortText
    """Name that people use. No two accounts have the same one, apart from case and spaces."""
    legal_name: ShortText | None = None
    """Name in the commercial register, for contracts and invoices; null where not known yet."""
    parent: AccountId | None = None
    """Id of the account that this one belongs to, such as the holding of a group."""
    domain: Domain | None = None
    """Internet domain of its web site and e-mail addresses."""
    country: CountryCode | None = None
    """Country of the customer as ISO 3166-1 alpha-2 code; null where it is not known."""
    time_zone: TimeZone | None = None
    """Time zone in which the account's days begin; null where not known."""
    sector: ShortText | None = None
    """Industry of the customer."""
    own_pmo: YesNo = False
    """True if the customer has a project management office (PMO) of its own."""


class AccountTax(Value):
    """Tax data of an account."""

    treatment: Literal["domestic", "reverse-charge", "exempt"]
    """`domestic`: taxed by the company. `reverse-charge`: the customer owes the tax."""
    vat_id: VatId | None = None
    """VAT id of the account; required where the treatment is `reverse-charge`."""
    exemption: ShortText | None = None
    """Reason for the exemption; required where the treatment is `exempt`, else null."""

    @model_validator(mode="after")
    def _justified(self) -> Self:
        if self.treatment == "reverse-charge" and self.vat_id is None:
            raise ValueError("vat_id is required where treatment is reverse-charge")
        if (self.treatment == "exempt") != (self.exemption is not None):
            raise ValueError("exemption is required where treatment is exempt, and only there")
        return self


class AccountBilling(Value):
    """Data that invoices to an account need."""

    bill_to: ShortText
    """Name of the recipient of invoices."""
    address: Text
    """Postal address, one line of the address per line of text, without the country."""
    country: CountryCode
    """Country as ISO 3166-1 alpha-2 code."""
    contact: PersonId | None = None
    """Id of the contact to whom invoices are sent by e-mail."""
    purchase_order_required: YesNo = False
    """True if the account pays only invoices that name a purchase order."""
    payment_terms_days: Days
    """Days from the invoice to its due day."""
    currency: Currency
    """Currency of invoices to the customer."""


class AccountFinances(Value):
    """The part of an account's record that Finance keeps."""

    tax: AccountTax | None = None
    """Tax data; null where not known yet."""
    billing: AccountBilling | None = None
    """Billing data; null where not known yet."""


class AccountPublished(AccountDetails, AccountFinances, Reference, channel=SALES_REFERENCE):
    """A version of the record of an account (customer organisation). Published by Sales."""

    kind: ClassVar[str] = "account"
    account: AccountId
    """Id of the customer's organisation."""
