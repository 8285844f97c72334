"""Define the reference data of Sales: accounts, and contacts, the people of accounts."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from contracts.channels import SALES_REFERENCE
from contracts.money import Currency
from contracts.places import CountryCode, TimeZone
from contracts.reference.record import Reference
from contracts.registrations import VatId
from contracts.tax_treatment import TaxTreatment
from contracts.values import (
    AccountId,
    ContactId,
    Days,
    EmailAddress,
    ShortText,
    Text,
    Value,
    YesNo,
)
from contracts.vocabularies import OPEN, Unlisted

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
    """Id of the account that this one belongs to, such as the holding of a group.

    Null where it belongs to none.
    """
    domain: Domain | None = None
    """Internet domain of its web site and e-mail addresses; null where it is not known."""
    country: CountryCode | None = None
    """Country of the customer as ISO 3166-1 alpha-2 code; null where it is not known."""
    time_zone: TimeZone | None = None
    """Time zone in which the account's days begin; null where not known."""
    sector: ShortText | None = None
    """Industry of the customer; null where it is not known."""
    own_pmo: YesNo = False
    """True if the customer has a project management office (PMO) of its own."""


class AccountTax(Value):
    """Tax data of an account."""

    treatment: TaxTreatment
    """Rule that says who owes the tax on what the account buys."""
    vat_id: VatId | None = None
    """VAT id of the account; it may be null unless the treatment is `reverse-charge`."""
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
    contact: ContactId | None = None
    """Id of the contact to whom invoices are sent by e-mail; null where none is named."""
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


ContactRole = Annotated[
    Literal["sponsor", "approver", "signatory", "pmo", "reader"] | Unlisted, OPEN
]
"""Role of a contact at the customer.

`sponsor`: answers for the engagement. `approver`: accepts deliverables and approves changes; so may
the sponsor. `signatory`: may sign contracts and requirements for the customer. `pmo`: belongs to
its project management office. `reader`: reads.
"""


def _distinct_roles(roles: tuple[ContactRole, ...]) -> tuple[ContactRole, ...]:
    if len(set(roles)) < len(roles):
        raise ValueError("a role appears more than once")
    return roles


class ContactDetails(Value):
    """The record of a contact, without the id and the account."""

    name: ShortText
    """Name of the contact."""
    email: EmailAddress | None = None
    """Address for mail; null where none is known."""
    language: Annotated[
        str, StringConstraints(pattern="^[a-z]{2,3}(-[A-Z]{2})?$"), Field(examples=["de"])
    ] = "en"
    """Language in which the contact is addressed: ISO 639 code, and country where it matters."""
    roles: Annotated[
        tuple[ContactRole, ...], Field(max_length=5), AfterValidator(_distinct_roles)
    ] = ()
    """Roles of the contact at the customer; empty where none is known."""


class ContactOfAccount(ContactDetails):
    """The record of a contact, without the id."""

    account: AccountId
    """Id of the account that the contact belongs to; it never changes."""


class ContactPublished(ContactOfAccount, Reference, channel=SALES_REFERENCE):
    """A version of the record of a contact, a person of an account. Published by Sales."""

    kind: ClassVar[str] = "contact"
    contact: ContactId
    """Id of the contact."""
