"""Define the reference data of Delivery: people and templates."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.channels import DELIVERY_REFERENCE
from contracts.reference.record import Reference
from contracts.text import CLEAN_LINE
from contracts.values import (
    AccountId,
    Hours,
    Identifier,
    ItemLine,
    LineKind,
    Percent,
    PersonId,
    ProjectRole,
    ShortText,
    Value,
)


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
