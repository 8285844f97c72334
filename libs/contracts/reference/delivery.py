"""Define the reference data of Delivery: people, holiday calendars and templates."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from contracts.channels import DELIVERY_REFERENCE
from contracts.reference.record import Reference
from contracts.values import (
    Day,
    DistinctBy,
    EmailAddress,
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
from contracts.vocabularies import OPEN, Unlisted

PersonDepartment = Annotated[
    Literal["sales", "legal", "delivery", "finance", "executive"] | Unlisted, OPEN
]


class PersonDetails(Value):
    """The record of a person of the company, without their id."""

    name: ShortText
    """Name of the person."""
    email: EmailAddress | None = None
    """Address for mail; null where none is known."""
    department: PersonDepartment
    """Department of the company."""
    roles: Annotated[tuple[ProjectRole, ...], Field(max_length=20)] = ()
    """Roles that the person can take on an engagement."""
    grade: Identifier | None = None
    """Grade of the person in the company, such as `senior`; cost rates may depend on it."""
    manager: PersonId | None = None
    """Id of the person whom this person reports to."""
    available_hours: Hours = Decimal(40)
    """Available hours per week."""


class PersonPublished(PersonDetails, Reference, channel=DELIVERY_REFERENCE):
    """A version of the record of a person of the company. Published by Delivery."""

    kind: ClassVar[str] = "person"
    person: PersonId
    """Id of the person."""


Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WORKING_WEEK: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday")
"""The weekdays on which people work unless a calendar names others."""


def _distinct_weekdays(weekdays: tuple[Weekday, ...]) -> tuple[Weekday, ...]:
    if len(set(weekdays)) < len(weekdays):
        raise ValueError("a weekday appears more than once")
    return weekdays


class DayOff(Value):
    """Day on which the people of a calendar do not work, beside the public holidays."""

    day: Day
    """Day on which no one works."""
    title: ShortText
    """Name of the holiday."""


class CalendarDetails(Value):
    """A holiday calendar, without its id."""

    name: ShortText
    """Name of the calendar."""
    country: Annotated[str, Field(pattern="^[A-Z]{2}$", examples=["DE"])] | None = None
    """ISO 3166-1 code of the country whose public holidays are days off; null for none."""
    subdivision: Annotated[str, Field(pattern="^[A-Z0-9]{1,3}$", examples=["BY"])] | None = None
    """Part of the ISO 3166-2 code after the dash, where the subdivision has holidays of its own."""
    weekdays: Annotated[
        tuple[Weekday, ...],
        Field(min_length=1, max_length=7),
        AfterValidator(_distinct_weekdays),
    ] = WORKING_WEEK
    """Weekdays on which people work."""
    days_off: Annotated[tuple[DayOff, ...], Field(max_length=1000), DistinctBy("day")] = ()
    """Further days off, such as a closure of the company."""


class TemplatePhase(Value):
    """Phase of a template."""

    phase: ShortText
    """Name of the phase."""
    duration_share: Percent
    """Share of the duration of the work, in percent; the shares of all phases add up to 100."""
    implementation: bool = True
    """True if its tasks need the requirements signed off and the plan baselined (gate 4)."""
    tasks: tuple["TemplateTask", ...]
    """Tasks of the phase."""


class TemplateTask(Value):
    """Task of a template."""

    title: ShortText
    """Name of the task."""
    role: ProjectRole
    """Role that does the task."""
    share: Percent
    """Share of its role's estimated hours, in percent; the shares of a role add up to 100."""
    kind: LineKind = "delivery"
    """Kind of work, or an expense."""


class TemplateDetails(Value):
    """A template for a kind of work, without its id."""

    name: ShortText
    """Name of the template."""
    estimate: Annotated[tuple[ItemLine, ...], Field(max_length=500)] = ()
    """Usual hours by phase and role."""
    phases: Annotated[tuple[TemplatePhase, ...], Field(min_length=1, max_length=50)]
    """Phases in their order."""


class TemplatePublished(TemplateDetails, Reference, channel=DELIVERY_REFERENCE):
    """A version of a template for a kind of work, from which estimates and plans are made.

    Published by Delivery.
    """

    kind: ClassVar[str] = "template"
    template: Identifier
    """Id of the template."""
