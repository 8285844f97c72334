"""Reference data: accounts, people, templates and rates, published as whole records with versions.

Names and e-mail addresses of people are stored only here, so that a person can be erased while the
events stay unchanged. Records are effective-dated: on a day, the version with the latest
`effective_from` that is not after the day is in force.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from contracts.channels import (
    DELIVERY_REFERENCE,
    FINANCE_CONFIDENTIAL_REFERENCE,
    FINANCE_REFERENCE,
    SALES_REFERENCE,
)
from contracts.event import Event
from contracts.money import Currency, Rate
from contracts.text import CLEAN_LINE
from contracts.values import (
    AccountId,
    Day,
    DistinctBy,
    Hours,
    Identifier,
    ItemLine,
    LineKind,
    Percent,
    PersonId,
    ProjectRole,
    RoleRate,
    ShortText,
    Value,
    YesNo,
)


class Reference(Event):
    """Base of reference records; `kind` is the kind of the record's stream, such as `account`."""

    kind: ClassVar[str] = ""
    effective_from: Day | None = None
    """First day on which this version is in force; null where it always was."""


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


class PersonDetails(Value):
    """The record of a person of the company or a customer, without their id."""

    name: ShortText
    email: (
        Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$"), CLEAN_LINE] | None
    ) = None
    department: Literal["sales", "legal", "delivery", "finance", "executive", "customer"]
    roles: Annotated[tuple[ProjectRole, ...], Field(max_length=20)] = ()
    """Roles that the person can take on an engagement."""
    manager: PersonId | None = None
    """Id of the person whom this person reports to."""
    account: AccountId | None = None
    """Id of the customer's organisation; null for a person of the company."""
    available_hours: Hours = Decimal(40)
    """Available hours per week."""


class PersonPublished(PersonDetails, Reference, channel=DELIVERY_REFERENCE):
    """A version of the record of a person of the company or a customer. Published by Delivery."""

    kind: ClassVar[str] = "person"
    person: PersonId


class TemplatePhase(Value):
    """Phase of a template."""

    phase: ShortText
    duration_share: Percent
    """Share of the duration of the work, in percent; the shares of all phases add up to 100."""
    implementation: bool = True
    """True if its tasks need the requirements signed off and the plan baselined (gate 4)."""
    tasks: tuple["TemplateTask", ...]


class TemplateTask(Value):
    """Task of a template."""

    title: ShortText
    role: ProjectRole
    share: Percent
    """Share of its role's estimated hours, in percent; the shares of a role add up to 100."""
    kind: LineKind = "delivery"


class TemplateDetails(Value):
    """A template for a kind of work, without its id."""

    name: ShortText
    estimate: Annotated[tuple[ItemLine, ...], Field(max_length=500)] = ()
    """Usual hours by phase and role."""
    phases: Annotated[tuple[TemplatePhase, ...], Field(min_length=1, max_length=50)]


class TemplatePublished(TemplateDetails, Reference, channel=DELIVERY_REFERENCE):
    """A version of a template for a kind of work, from which estimates and plans are made.

    Published by Delivery.
    """

    kind: ClassVar[str] = "template"
    template: Identifier


HIGHEST_RATE = Decimal(10) ** 8
"""Maximum of a published rate, per hour."""


def _within_bounds(rates: tuple[RoleRate, ...]) -> tuple[RoleRate, ...]:
    if any(rate.rate.amount > HIGHEST_RATE for rate in rates):
        raise ValueError(f"must be {HIGHEST_RATE:,} an hour at most")
    return rates


class Rates(Value):
    """The rates per hour of roles, in one currency."""

    currency: Currency
    rates: Annotated[
        tuple[RoleRate, ...],
        Field(min_length=1, max_length=200),
        DistinctBy("role"),
        AfterValidator(_within_bounds),
    ]

    @property
    def by_role(self) -> Mapping[str, Rate]:
        """Return the rate per hour by role."""
        return {rate.role: rate.rate for rate in self.rates}


class RateCardPublished(Rates, Reference, channel=FINANCE_REFERENCE):
    """A version of a rate card: the bill rate per hour of each role, in one currency.

    Published by Finance.
    """

    kind: ClassVar[str] = "rate-card"
    rate_card: Identifier
    """Id of the rate card; `standard-EUR` prices the engagements in euro."""


class CostRates(Rates):
    """The cost rates per hour of roles, and the margin that a price should leave over them."""

    floor: Percent = Decimal(20)
    """Minimum margin in percent that the price of an estimate should leave."""


class CostRatesPublished(CostRates, Reference, channel=FINANCE_CONFIDENTIAL_REFERENCE):
    """A version of the cost rates: what an hour of each role costs the company, in one currency.

    Published by Finance in confidence.
    """

    kind: ClassVar[str] = "cost-rates"
    cost_rates: Identifier
    """Id of the record; `standard-EUR` applies to the engagements in euro."""
