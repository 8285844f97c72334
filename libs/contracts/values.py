"""Words that events and commands share: identifiers, quantities, and the parts of an engagement."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    ValidationInfo,
    model_validator,
)

from contracts.money import Money, NotNegativeMoney, PositiveMoney, beyond_an_item

Identifier = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]*$", max_length=64)
]
"""Names one thing inside its kind: letters, digits, dot, dash, underscore and @; 64 at most."""

EngagementId = Annotated[
    str,
    StringConstraints(pattern=r"^E-[0-9A-HJKMNP-TV-Z]{13}$"),
    Field(examples=["E-0D5R2K8WQ3V7X"]),
]
"""``E-`` and thirteen characters of Crockford's base 32; made by Sales, the key of everything."""

HEARD = {"heard": True}
"""Validation context of what was said already: it is read as it stands."""


def _names_nobody(person: str, info: ValidationInfo) -> str:
    if "@" in person and info.context is not HEARD:
        raise ValueError(
            "must be an id of your own making such as ann.archer, and no e-mail address: what is"
            " recorded is kept for ever and must name nobody"
        )
    return person


PersonId = Annotated[Identifier, AfterValidator(_names_nobody)]
"""Names a person to those who have the record of that person, and to nobody else."""
AccountId = Identifier
ProjectRole = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=40),
    Field(examples=["architect"]),
]
"""A role on an engagement, as rate cards name it (``architect``, ``project-manager``)."""

ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
ContentHash = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
"""SHA-256 of a document's canonical content, in lower-case hexadecimal behind ``sha256:``."""


def _a_number(value: object) -> object:
    if isinstance(value, bool | str):
        # A ValueError, which names the field to whoever sent it.
        raise ValueError("must be a whole number, not a text or a truth value")  # noqa: TRY004
    return value


AsNumber = BeforeValidator(_a_number)
"""Beside an ``int``: it must have been written as a number. It stands behind the bounds."""

YesNo = StrictBool
"""``true`` or ``false``, and nothing that may be taken for one of them."""

Version = Annotated[int, Field(ge=1, le=1_000_000), AsNumber]
MOST_HOURS = 1_000_000
Hours = Annotated[
    Decimal, Field(ge=0, le=MOST_HOURS, max_digits=9, decimal_places=2, allow_inf_nan=False)
]
"""Hours of one item: a line, an entry, a request."""

_MOST_TOTAL_HOURS = 10_000_000_000
TotalHours = Annotated[
    Decimal, Field(ge=0, le=_MOST_TOTAL_HOURS, max_digits=13, decimal_places=2, allow_inf_nan=False)
]
"""Hours that were added up, or raised by a contingency; no number of items reaches the bound."""
HoursDelta = Annotated[
    Decimal,
    Field(
        ge=-_MOST_TOTAL_HOURS,
        le=_MOST_TOTAL_HOURS,
        max_digits=13,
        decimal_places=2,
        allow_inf_nan=False,
    ),
]
"""By how much total hours change."""

Percent = Annotated[
    Decimal, Field(ge=0, le=100, max_digits=7, decimal_places=4, allow_inf_nan=False)
]
"""A percentage that is given."""
ComputedPercent = Annotated[Decimal, Field(max_digits=38, decimal_places=4, allow_inf_nan=False)]
"""A percentage that is worked out: it may be above 100, or negative."""
Ratio = Annotated[Decimal, Field(max_digits=40, decimal_places=6, allow_inf_nan=False)]
"""One total over another."""

Days = Annotated[int, Field(ge=0, le=10_000), AsNumber]
"""A duration that is given, in calendar days."""
TotalDays = Annotated[int, Field(ge=-1_000_000, le=1_000_000), AsNumber]
"""Calendar days from one day to another; negative where the other is earlier."""

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2999, 12, 31)
"""All days of events and commands lie between these, so that moments computed from them exist."""
_RANGE = {"x-minimum": str(FIRST_DAY), "x-maximum": str(LAST_DAY)}


def _in_range(day: date) -> date:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"must be a day from {FIRST_DAY} to {LAST_DAY}")
    return day


def _monday(day: date) -> date:
    if day.weekday() != 0:
        raise ValueError("must be a Monday: a week is named by its first day")
    return day


def _month_in_range(month: str) -> str:
    if not FIRST_DAY.isoformat() <= f"{month}-31" <= LAST_DAY.isoformat():
        raise ValueError(f"must be a month from {FIRST_DAY:%Y-%m} to {LAST_DAY:%Y-%m}")
    return month


Day = Annotated[date, AfterValidator(_in_range), Field(json_schema_extra=_RANGE)]
"""A calendar day from 1970 to 2999."""

Week = Annotated[Day, AfterValidator(_monday)]
"""A calendar week, named by its Monday."""

Month = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$"),
    AfterValidator(_month_in_range),
    Field(json_schema_extra={"x-minimum": f"{FIRST_DAY:%Y-%m}", "x-maximum": f"{LAST_DAY:%Y-%m}"}),
]
"""A calendar month as ``YYYY-MM``, from 1970 to 2999."""


def days_after(day: date, days: int) -> date:
    """Return the day so many days after (or before) another, held within what a `Day` can be."""
    ordinal = min(max(day.toordinal() + days, FIRST_DAY.toordinal()), LAST_DAY.toordinal())
    return date.fromordinal(ordinal)


RAG = Literal["green", "amber", "red"]
Tier = Literal["light", "standard", "critical"]
Confidence = Literal["low", "medium", "high"]
LineKind = Literal["delivery", "project-management", "expense"]
BillingKind = Literal["on-signature", "on-date", "on-acceptance", "time"]
Pricing = Literal["fixed-price", "time-and-materials"]
RevenueMethod = Literal["cost-to-cost", "as-invoiced", "at-acceptance"]
Verdict = Literal["approved", "objected"]
Party = Literal["company", "customer"]


class Value(BaseModel):
    """A part of an event or a command: compared by what it says, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Deliverable(Value):
    """Something the customer gets and accepts, and by what it will be judged."""

    deliverable: Identifier
    title: ShortText
    acceptance_criteria: Text = "Accepted in writing by the customer."


class RoleHours(Value):
    """Hours of one role; in a plan they may be those of many lines of an estimate."""

    role: ProjectRole
    hours: TotalHours


class EstimateLine(Value):
    """Hours of a role in a phase, before a price stands on them; in a budget with contingency."""

    phase: ShortText
    role: ProjectRole
    hours: TotalHours
    kind: LineKind = "delivery"


H = TypeVar("H", RoleHours, EstimateLine)


def _of_an_item(line: H) -> H:
    if line.hours > MOST_HOURS:
        raise beyond_an_item("hours", f"{MOST_HOURS:,} at most", line.hours)
    return line


_ITEM: Any = Field(json_schema_extra={"x-hours-maximum": str(MOST_HOURS)})

ItemRoleHours = Annotated[RoleHours, AfterValidator(_of_an_item), _ITEM]
"""Hours of one role as they are given: `Hours`, and no total."""
ItemLine = Annotated[EstimateLine, AfterValidator(_of_an_item), _ITEM]
"""A line of an estimate as it is given: its hours are `Hours`, and no total."""


class PricedLine(Value):
    """Hours of a role at a bill rate an hour; amount = hours x rate, to the minor unit.

    The hours may be those of many lines of an estimate.
    """

    role: ProjectRole
    kind: LineKind = "delivery"
    hours: TotalHours
    rate: NotNegativeMoney
    amount: NotNegativeMoney

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.rate.currency != self.amount.currency:
            raise ValueError("rate and amount must be in one currency")
        if (self.rate * self.hours).rounded() != self.amount.rounded():
            raise ValueError("amount must be hours x rate")
        return self


class RoleRate(Value):
    """What an hour of a role is billed at, or costs."""

    role: ProjectRole
    rate: PositiveMoney


class BillingItem(Value):
    """One entry of a billing schedule.

    ``on-signature`` and ``on-date`` are advances, held as a contract liability until drawn down;
    ``on-acceptance`` waits for its deliverables; ``time`` bills approved hours up to the amount.
    """

    item: Identifier
    kind: BillingKind
    amount: PositiveMoney
    due_on: Day | None = None
    deliverables: tuple[Identifier, ...] = ()
    description: ShortText = "Services"

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "on-date" and self.due_on is None:
            raise ValueError("due_on is needed where kind is on-date")
        if self.kind == "on-acceptance" and not self.deliverables:
            raise ValueError("deliverables are needed where kind is on-acceptance")
        return self


class Milestone(Value):
    """A point of the plan that is reached or not, with the deliverables due by it."""

    milestone: Identifier
    title: ShortText
    due_on: Day
    deliverables: tuple[Identifier, ...] = ()


class PlannedTask(Value):
    """Work in the plan: its days (both inclusive) and its planned hours by role.

    Planned value spreads evenly over the days. `implementation` tasks wait for the gate before
    implementation; others (initiation, analysis, project management) do not.
    """

    task: Identifier
    title: ShortText
    phase: ShortText
    starts_on: Day
    finishes_on: Day
    hours: tuple[RoleHours, ...]
    kind: LineKind = "delivery"
    implementation: bool = True
    deliverable: Identifier | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.finishes_on < self.starts_on:
            raise ValueError("finishes_on must not be before starts_on")
        return self


class Signatory(Value):
    """Who signed for which party, on what day."""

    party: Party
    person: PersonId
    signed_on: Day


class Margin(Value):
    """Revenue, cost and (revenue - cost) / revenue as a ratio; None where there is no revenue."""

    revenue: Money
    cost: Money
    margin: Ratio | None
