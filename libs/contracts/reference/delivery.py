"""Define the reference data of Delivery.

They are people, leave, stand-ins, calendars, templates and tolerances.
"""

from collections import Counter
from collections.abc import Hashable
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from contracts.channels import DELIVERY_REFERENCE
from contracts.decimals import CANONICAL
from contracts.money import invalid
from contracts.reference.record import Reference
from contracts.text import CLEAN_LINE
from contracts.values import (
    AsNumber,
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
    YesNo,
)
from contracts.vocabularies import OPEN, Unlisted

PersonDepartment = Annotated[
    Literal["sales", "legal", "delivery", "finance", "executive"] | Unlisted, OPEN
]


T = TypeVar("T", bound=Hashable)


def _distinct(items: tuple[T, ...]) -> tuple[T, ...]:
    repeated = [str(item) for item, count in Counter(items).items() if count > 1]
    if repeated:
        raise ValueError(f"{', '.join(repeated)} appears more than once")
    return items


_DISTINCT: Any = Field(json_schema_extra={"uniqueItems": True})


class SignIn(Value):
    """Account of a person at an identity provider, whose tokens the services accept."""

    issuer: Annotated[
        str,
        StringConstraints(pattern=r"^https?://[^\s?#]+$", max_length=200),
        Field(examples=["https://login.example/realms/concord"]),
    ]
    """Issuer of the tokens, as their claim `iss` names it."""
    name: Annotated[
        str,
        StringConstraints(min_length=1, max_length=255),
        CLEAN_LINE,
        Field(examples=["a.archer"]),
    ]
    """Name of the account in the claim that the operator has chosen for the issuer.

    It is compared character by character.
    """

    def __str__(self) -> str:
        """Return the account as sentences name it."""
        return f"{self.name} of {self.issuer}"


class PersonDetails(Value):
    """The record of a person of the company, without their id."""

    name: ShortText
    """Name of the person."""
    email: EmailAddress | None = None
    """Address for mail; null where none is known."""
    sign_in: Annotated[
        tuple[SignIn, ...], Field(max_length=10), AfterValidator(_distinct), _DISTINCT
    ] = ()
    """Accounts at identity providers with which the person signs in."""
    department: PersonDepartment
    """Department of the company."""
    roles: Annotated[tuple[ProjectRole, ...], Field(max_length=20)] = ()
    """Roles that the person can take on an engagement."""
    skills: Annotated[
        tuple[ShortText, ...], Field(max_length=100), AfterValidator(_distinct), _DISTINCT
    ] = ()
    """Skills beyond the roles, by which people are found for an allocation."""
    grade: Identifier | None = None
    """Grade of the person in the company, such as `senior`; cost rates may depend on it.

    Null where none is recorded.
    """
    cost_centre: Identifier | None = None
    """Cost centre of the company's books that bears the cost of the person.

    Null where none is recorded.
    """
    may_sign: YesNo = False
    """True if the person may sign contracts for the company."""
    manager: PersonId | None = None
    """Id of the person whom this person reports to; null where none is recorded."""
    calendar: Identifier | None = None
    """Id of the holiday calendar by which the person works; null for Monday to Friday."""
    weekly_hours: Hours = Decimal(40)
    """Hours per week that the person works without holidays and leave."""
    joined: Day | None = None
    """First day with the company; null where unknown."""
    left: Day | None = None
    """Last day with the company; null while none is known."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.joined and self.left and self.left < self.joined:
            raise invalid(
                "left", "must not be before the day on which the person joined", self.left
            )
        return self

    def works_on(self, day: date) -> bool:
        """Return whether the person is with the company on a day."""
        return (self.joined is None or self.joined <= day) and (
            self.left is None or day <= self.left
        )


class PersonPublished(PersonDetails, Reference, channel=DELIVERY_REFERENCE):
    """A version of the record of a person of the company. Published by Delivery."""

    kind: ClassVar[str] = "person"
    person: PersonId
    """Id of the person."""


Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Weekdays = Annotated[
    tuple[Weekday, ...], Field(min_length=1, max_length=7), AfterValidator(_distinct), _DISTINCT
]
"""Different weekdays, at least one."""
WORKING_WEEK: Weekdays = ("monday", "tuesday", "wednesday", "thursday", "friday")
"""The weekdays on which people work unless a calendar names others."""


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
    """Part of the ISO 3166-2 code after the dash; null where the holidays are the country's."""
    weekdays: Weekdays = WORKING_WEEK
    """Weekdays on which people work."""
    days_off: Annotated[tuple[DayOff, ...], Field(max_length=1000), DistinctBy("day")] = ()
    """Further days off, such as a closure of the company."""


class CalendarPublished(CalendarDetails, Reference, channel=DELIVERY_REFERENCE):
    """A version of a holiday calendar, which people name in their record. Published by Delivery."""

    kind: ClassVar[str] = "calendar"
    calendar: Identifier
    """Id of the calendar, such as `munich`."""


class _Days(Value):
    """Days from one to another."""

    first: Day
    """First day."""
    last: Day
    """Last day, included."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise invalid("last", "must not be before the first day", self.last)
        return self


class LeavePeriod(_Days):
    """Period in which a person does not work."""


def _apart(periods: tuple[LeavePeriod, ...]) -> tuple[LeavePeriod, ...]:
    in_order = sorted(periods, key=lambda period: period.first)
    for earlier, later in pairwise(in_order):
        if later.first <= earlier.last:
            raise ValueError(f"the periods from {earlier.first} and {later.first} overlap")
    return periods


class LeaveDetails(Value):
    """The leave of a person, without the reason for it."""

    periods: Annotated[tuple[LeavePeriod, ...], Field(max_length=500), AfterValidator(_apart)] = ()
    """Periods of leave, past and planned, which do not overlap."""


class _RecordOfPerson(Reference):
    """Record of a person beside that of their name."""

    person: PersonId
    """Id of the person, which is the id of the record."""

    @classmethod
    def id_field(cls) -> str:
        """Return the name of the field with the person's id."""
        return "person"


class LeavePublished(LeaveDetails, _RecordOfPerson, channel=DELIVERY_REFERENCE):
    """A version of the leave of a person. Published by Delivery."""

    kind: ClassVar[str] = "leave"


StandInPurpose = Literal["approvals", "time"]


class StandIn(_Days):
    """Person who may act for another one for some time."""

    stand_in: PersonId
    """Id of the person who may act."""
    purpose: StandInPurpose
    """`time` to submit time and expenses, `approvals` for all other commands."""


class StandInsDetails(Value):
    """The stand-ins of a person."""

    stand_ins: Annotated[tuple[StandIn, ...], Field(max_length=100)] = ()
    """All stand-ins, earlier and later ones; several may act on one day."""


class StandInsPublished(StandInsDetails, _RecordOfPerson, channel=DELIVERY_REFERENCE):
    """A version of the stand-ins of a person. Published by Delivery."""

    kind: ClassVar[str] = "stand-ins"


class Tolerances(Value):
    """Differences between departments that a company accepts before they count as a disconnect."""

    hours_percent: Percent = Decimal(10)
    """Difference of planned or billed hours and hours sold, in percent of those sold."""
    project_management_percent: Percent = Decimal(15)
    """Difference of planned hours of project management and those sold, in percent of those."""
    allocation_percent: Percent = Decimal(20)
    """Difference of allocated hours to come and planned hours to come, in percent of those."""
    allocation_hours: Hours = Decimal(40)
    """Difference of allocated hours to come and planned hours to come of a role, in hours.

    It is a disconnect only beyond both tolerances of allocations.
    """
    person_percent: Percent = Decimal(10)
    """Allocated hours of a person beyond those that they have, in percent of those."""
    index: Annotated[
        Decimal, Field(gt=0, le=1, max_digits=5, decimal_places=4, allow_inf_nan=False), CANONICAL
    ] = Decimal("0.9")
    """Lowest schedule or cost index, as a ratio, at which a status may be reported as green."""
    margin_points: Percent = Decimal(5)
    """Percentage points that a forecast margin may be below the margin that was sold."""
    forecast_percent: Percent = Decimal(10)
    """Cost at completion by the trend above the manager's forecast, in percent of the trend."""
    report_grace_days: Annotated[int, Field(ge=0, le=366), AsNumber] = 7
    """Calendar days after which a report, or the paper of an approved change, is late."""
    billing_days: Annotated[int, Field(ge=1, le=366), AsNumber] = 14
    """Calendar days after which what is due and not invoiced is late; twice that on a draft."""
    silence_days: Annotated[int, Field(ge=1, le=366), AsNumber] = 21
    """Calendar days without any event after which an engagement counts as silent."""


class TolerancesPublished(Tolerances, Reference, channel=DELIVERY_REFERENCE):
    """A version of the tolerances of a company, by which the gateway finds disconnects.

    Published by Delivery. A company without a record has the default of each tolerance.
    """

    kind: ClassVar[str] = "tolerances"
    tolerances: Identifier
    """Id of the company."""


class TemplatePhase(Value):
    """Phase of a template."""

    key: Identifier | None = None
    """Key of the phase in the template, which it keeps when it is renamed or moved.

    Its milestone in a plan has the same id as long as the key is the same; null where the name is
    the key.
    """
    phase: ShortText
    """Name of the phase."""
    duration_share: Percent
    """Share of the duration of the work, in percent; the shares of all phases add up to 100."""
    implementation: YesNo = True
    """True if its tasks need the requirements signed off and the plan baselined (gate 4)."""
    tasks: Annotated[tuple["TemplateTask", ...], Field(max_length=1_000)]
    """Tasks of the phase."""


class TemplateTask(Value):
    """Task of a template."""

    key: Identifier | None = None
    """Key of the task in the template, which it keeps when it is renamed or moved.

    Its task in a plan has the same id, and so its progress, as long as the key is the same; null
    where its phase and its name are the key.
    """
    title: ShortText
    """Name of the task."""
    role: ProjectRole
    """Role that does the task."""
    share: Percent
    """Share of its role's estimated hours, in percent; the shares of a role add up to 100."""
    kind: LineKind = "delivery"
    """Kind of work."""


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
