"""Define the reference data of Sales: accounts."""

from typing import ClassVar

from contracts.channels import SALES_REFERENCE
from contracts.reference.record import Reference
from contracts.values import AccountId, ShortText, Value, YesNo


class AccountDetails(Value):
    """The record of an account, without its id."""

    name: ShortText
    sector: ShortText | None = None
    country: ShortText | None = None
    own_pmo: YesNo = False
    """True if the customer has a project management office (PMO) of its own."""


class AccountPublished(AccountDetails, Reference, channel=SALES_REFERENCE):
    """A version of the record of an account (customer organisation). Published by Sales."""

    kind: ClassVar[str] = "account"
    account: AccountId
