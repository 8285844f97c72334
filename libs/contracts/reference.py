"""Reference data: records that are not engagements, published whole, one per id and version.

Names and contacts of people stand here and nowhere else, so that a person can be erased while the
events stay whole. Rates are effective-dated: the newest record from before a day holds on it.
"""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.channels import (
    DELIVERY_REFERENCE,
    FINANCE_CONFIDENTIAL_REFERENCE,
    FINANCE_REFERENCE,
    SALES_REFERENCE,
)
from contracts.event import Event
from contracts.money import Currency
from contracts.values import (
    AccountId,
    Day,
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
)


class Reference(Event):
    """Base of reference records. `kind` names the stream's kind; `effective_from` dates it."""

    kind: ClassVar[str] = ""
    effective_from: Day | None = None


class AccountPublished(Reference, channel=SALES_REFERENCE):
    """A customer organisation."""

    kind: ClassVar[str] = "account"
    account: AccountId
    name: ShortText
    sector: ShortText | None = None
    country: ShortText | None = None
    own_pmo: bool = False


class PersonPublished(Reference, channel=DELIVERY_REFERENCE):
    """A person of the company or of a customer. Available hours are a week's."""

    kind: ClassVar[str] = "person"
    person: PersonId
    name: ShortText
    email: Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    department: Literal["sales", "legal", "delivery", "finance", "executive", "customer"]
    roles: tuple[ProjectRole, ...] = ()
    manager: PersonId | None = None
    account: AccountId | None = None
    available_hours: Hours = Decimal(40)


class TemplatePhase(Value):
    """A phase of a template: its share of the duration in percent, and its tasks' hours shares."""

    phase: ShortText
    duration_share: Percent
    implementation: bool = True
    tasks: tuple["TemplateTask", ...]


class TemplateTask(Value):
    """A task of a template; it takes this share in percent of its role's estimated hours."""

    title: ShortText
    role: ProjectRole
    share: Percent
    kind: LineKind = "delivery"


class TemplatePublished(Reference, channel=DELIVERY_REFERENCE):
    """A way of doing a kind of work, from which estimates and plans are made."""

    kind: ClassVar[str] = "template"
    template: Identifier
    name: ShortText
    estimate: tuple[ItemLine, ...] = ()
    phases: tuple[TemplatePhase, ...]


class RateCardPublished(Reference, channel=FINANCE_REFERENCE):
    """What an hour of each role is billed at, from a day on, in one currency."""

    kind: ClassVar[str] = "rate-card"
    rate_card: Identifier
    currency: Currency
    rates: tuple[RoleRate, ...]


class CostRatesPublished(Reference, channel=FINANCE_CONFIDENTIAL_REFERENCE):
    """What an hour of each role costs the company, from a day on, in one currency.

    `floor` is the least margin in percent that a price should leave.
    """

    kind: ClassVar[str] = "cost-rates"
    cost_rates: Identifier
    currency: Currency
    rates: tuple[RoleRate, ...]
    floor: Percent = Decimal(20)
