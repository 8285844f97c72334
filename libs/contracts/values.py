"""Define the values that events and commands share: ids, quantities and parts of an engagement."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StrictBool,
    StringConstraints,
    ValidationInfo,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from contracts.decimals import CANONICAL, ROUNDING
from contracts.envelope import EARLIEST, LARGEST_NUMBER, LATEST
from contracts.money import Money, NotNegativeMoney, PositiveMoney, PositiveRate, Rate, invalid
from contracts.text import CLEAN_DOCUMENT, CLEAN_LINE, CLEAN_TEXT
from contracts.vocabularies import HEARD, OPEN, Unlisted

Identifier = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]*$", max_length=64)
]
"""Id of one thing of its kind: letters, digits, dot, dash, underscore and @; at most 64."""

EngagementId = Annotated[
    str,
    StringConstraints(pattern=r"^E-[0-9A-HJKMNP-TV-Z]{13}$"),
    Field(examples=["E-0D5R2K8WQ3V7X"]),
]
"""Id of an engagement, made by Sales: ``E-`` and thirteen characters of Crockford's base 32."""


def _not_an_address(person: str, info: ValidationInfo) -> str:
    if "@" in person and info.context is not HEARD:
        raise ValueError(
            "must be an id such as ann.archer and not an e-mail address: events are kept for ever"
            " and must not identify a person"
        )
    return person


@dataclass(frozen=True, slots=True)
class IdOf:
    """Annotation of an id: what it identifies, by which a list finds the name beside it."""

    kind: Literal["person", "contact", "account"]


PersonId = Annotated[Identifier, AfterValidator(_not_an_address), IdOf("person")]
"""Id of a person; it identifies the person only to consumers of the person's record."""
ContactId = Annotated[Identifier, AfterValidator(_not_an_address), IdOf("contact")]
"""Id of a contact (person of an account); it identifies them only to consumers of their record."""
EmailAddress = Annotated[
    str, StringConstraints(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$"), CLEAN_LINE
]
"""E-mail address."""
AccountId = Annotated[Identifier, IdOf("account")]
"""Id of a customer organisation."""
ProjectRole = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=40),
    Field(examples=["architect"]),
]
"""Role on an engagement, as in rate cards (``architect``, ``project-manager``)."""

ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200), CLEAN_LINE]
"""One line of clean text (see `contracts.text`), at most 200 characters."""
Text = Annotated[str, StringConstraints(min_length=1, max_length=4000), CLEAN_TEXT]
"""Clean text of any number of lines (see `contracts.text`), at most 4,000 characters."""
DocumentText = Annotated[str, StringConstraints(min_length=1, max_length=500_000), CLEAN_DOCUMENT]
"""Content of a document as clean text, at most 500,000 characters."""
ContentHash = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
"""SHA-256 of a document's canonical content: ``sha256:`` and lower-case hexadecimal digits."""


DocumentPurpose = Literal["receipt"]
"""Purpose of an uploaded file that concerns a person: the receipt of an expense."""


@dataclass(frozen=True, slots=True)
class NamesDocument:
    """Annotation of a hash that a command may give only where the department has the document.

    A document of a `purpose` was uploaded for that, and is shown only to whom it concerns. It may
    be named by who uploaded it, and by who acts for them.
    """

    purpose: DocumentPurpose | None = None


DocumentHash = Annotated[ContentHash, NamesDocument()]
"""Hash of a document: an uploaded file, or a document that a department published."""
ReceiptHash = Annotated[ContentHash, NamesDocument("receipt")]
"""Hash of a file that was uploaded as a receipt."""


def _a_number(value: object) -> object:
    if isinstance(value, bool | str):
        # A ValueError becomes a validation error that names the field to the sender.
        raise ValueError("must be a whole number, not a string or a boolean")  # noqa: TRY004
    return value


AsNumber = BeforeValidator(_a_number)
"""Validator of an ``int`` that accepts only numbers; in `Annotated` it comes after the bounds."""

YesNo = StrictBool
"""``true`` or ``false``; values that could be coerced to one of them are refused."""

Version = Annotated[int, Field(ge=1, le=1_000_000), AsNumber]
"""Number of a version or submission, from 1."""

StreamSequence = Annotated[int, Field(ge=1, le=LARGEST_NUMBER), AsNumber]
"""The `streamsequence` of an event: its number on its channel in its engagement, from 1."""

MOST_HOURS = 1_000_000
"""Maximum hours of one item."""

Hours = Annotated[
    Decimal,
    Field(ge=0, le=MOST_HOURS, max_digits=9, decimal_places=2, allow_inf_nan=False),
    CANONICAL,
]
"""Hours of one item (a line, an entry, a request), with up to two decimals."""

SomeHours = Annotated[
    Decimal,
    Field(gt=0, le=MOST_HOURS, max_digits=9, decimal_places=2, allow_inf_nan=False),
    CANONICAL,
]
"""Hours of one item, more than 0."""

_MOST_TOTAL_HOURS = 10_000_000_000
TotalHours = Annotated[
    Decimal,
    Field(ge=0, le=_MOST_TOTAL_HOURS, max_digits=13, decimal_places=2, allow_inf_nan=False),
    CANONICAL,
]
"""Sum of hours, or hours with a contingency; no number of items reaches the bound."""
ExactHours = Annotated[
    Decimal,
    Field(ge=0, le=_MOST_TOTAL_HOURS, max_digits=19, decimal_places=8, allow_inf_nan=False),
    CANONICAL,
]
"""Hours of works that are billed or not, with up to eight decimals.

They have more than two where a part of the amount of an entry was given back for good: the hours of
each part are its amount divided by the rate.
"""
HoursDelta = Annotated[
    Decimal,
    Field(
        ge=-_MOST_TOTAL_HOURS,
        le=_MOST_TOTAL_HOURS,
        max_digits=13,
        decimal_places=2,
        allow_inf_nan=False,
    ),
    CANONICAL,
]
"""Signed change of total hours."""

Percent = Annotated[
    Decimal, Field(ge=0, le=100, max_digits=7, decimal_places=4, allow_inf_nan=False), CANONICAL
]
"""Percentage that a person enters, from 0 to 100."""


def _no_share_of_one(percent: Decimal, info: ValidationInfo) -> Decimal:
    if 0 < percent < 1 and info.context is not HEARD:
        raise ValueError("must be in percent, 0 or from 1 to 100: 40 is the share 0.4")
    return percent


JudgedPercent = Annotated[
    Percent,
    AfterValidator(_no_share_of_one),
    Field(json_schema_extra={"x-minimum-unless-zero": "1"}),
]
"""Percentage that a person judges, such as progress: 0, or from 1 to 100.

A value between 0 and 1 is refused: it is most likely meant as a share of 1.
"""
ComputedPercent = Annotated[
    Decimal, Field(max_digits=38, decimal_places=4, allow_inf_nan=False), CANONICAL
]
"""Calculated percentage; it may exceed 100 or be negative."""
Ratio = Annotated[Decimal, Field(max_digits=40, decimal_places=6, allow_inf_nan=False), CANONICAL]
"""Quotient of two totals, with up to six decimals."""

Days = Annotated[int, Field(ge=0, le=10_000), AsNumber]
"""Duration that a person enters, in calendar days."""
WorkCount = Annotated[int, Field(ge=0, le=1_000_000_000), AsNumber]
"""Number of time entries and expenses of an engagement."""

TotalDays = Annotated[int, Field(ge=-1_000_000, le=1_000_000), AsNumber]
"""Calendar days from one day to another; negative where the second is earlier."""

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2999, 12, 31)
"""Bounds (inclusive) of all days in events and commands; moments computed from them exist."""
_RANGE = {"x-minimum": str(FIRST_DAY), "x-maximum": str(LAST_DAY)}


def _in_range(day: date) -> date:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"must be a day from {FIRST_DAY} to {LAST_DAY}")
    return day


def _monday(day: date) -> date:
    if day.weekday() != 0:
        raise ValueError("must be a Monday, the first day of the week")
    return day


def _month_in_range(month: str) -> str:
    if not FIRST_DAY.isoformat() <= f"{month}-31" <= LAST_DAY.isoformat():
        raise ValueError(f"must be a month from {FIRST_DAY:%Y-%m} to {LAST_DAY:%Y-%m}")
    return month


Day = Annotated[date, AfterValidator(_in_range), Field(json_schema_extra=_RANGE)]
"""Calendar day from 1970 to 2999."""


def _moment_in_range(moment: datetime) -> datetime:
    if not EARLIEST <= moment < LATEST:
        raise ValueError("must be between 1970 and 2999 in UTC")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_moment_in_range), Field(json_schema_extra=_RANGE)]
"""Moment with a time zone, from 1970 to 2999 in UTC."""

Week = Annotated[Day, AfterValidator(_monday)]
"""Calendar week, given by its Monday."""

Month = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$"),
    AfterValidator(_month_in_range),
    Field(json_schema_extra={"x-minimum": f"{FIRST_DAY:%Y-%m}", "x-maximum": f"{LAST_DAY:%Y-%m}"}),
]
"""Calendar month as ``YYYY-MM``, from 1970 to 2999."""


def days_after(day: date, days: int) -> date:
    """Return the day a number of days after another (before it if negative).

    A result outside the bounds of `Day` is replaced by the bound.
    """
    ordinal = min(max(day.toordinal() + days, FIRST_DAY.toordinal()), LAST_DAY.toordinal())
    return date.fromordinal(ordinal)


ExchangeRateId = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z]{3}-[A-Z]{3}-[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
    Field(examples=["EUR-USD-2026-03-02"]),
]
"""Id of an exchange rate: base, quote and day."""

RAG = Literal["green", "amber", "red"]
"""Status as a traffic light (red, amber, green)."""
Tier = Literal["light", "standard", "critical"]
"""Method tier: how much method is applied to an engagement."""
REPORT_DAYS: Mapping[Tier, int] = {"light": 31, "standard": 14, "critical": 7}
"""Calendar days from one status report to the next, by method tier."""
ForecastMethod = Literal["hours-to-complete", "trend", "as-planned", "cost-and-schedule"]
"""Method by which the cost at completion (EAC) is forecast.

`hours-to-complete`: AC + ETC, by the manager's hours to complete. `trend`: BAC / CPI. `as-planned`:
AC + (BAC - EV). `cost-and-schedule`: AC + (BAC - EV) / (CPI x SPI).
"""
Confidence = Literal["low", "medium", "high"]
LineKind = Annotated[Literal["delivery", "project-management"] | Unlisted, OPEN]
"""Kind of work."""
RevenueMethod = Annotated[
    Literal["cost-to-cost", "as-invoiced", "at-acceptance", "over-time"] | Unlisted, OPEN
]
"""Method by which revenue is recognised (IFRS 15)."""
Verdict = Literal["approved", "objected"]
Party = Literal["company", "customer"]


class Value(BaseModel):
    """Base of the parts of events and commands: immutable and compared by value."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True
    )


class Conversion(Value):
    """An amount that was converted into another currency. No later exchange rate changes it."""

    amount: PositiveMoney
    """Amount before the conversion."""
    converted: NotNegativeMoney
    """Amount after the conversion, rounded to the minor unit."""
    exchange_rate: ExchangeRateId
    """Id of the exchange rate that was used: base, quote and day.

    Where its base is the currency before the conversion the amount is multiplied by the rate, where
    its quote is that currency the amount is divided by it.
    """
    version: Version
    """Version of the record of the exchange rate."""


class SourceRecord(Value):
    """The record of another system that something was imported from."""

    source: ShortText
    """Name of the system or of its export."""
    external_id: Identifier
    """Key of the record in that system."""


class TakenOver(Value):
    """Something from before the platform was introduced that a department took over."""

    why: ShortText | None = None
    """Reason of a correction, which replaces the whole of what was taken over before.

    Null where it is taken over for the first time.
    """


class CustomerAct(Value):
    """An act of a person of the customer, with its proof."""

    evidence: DocumentHash | None = None
    """Hash of the document that proves the act; null where there is none."""


class RecordedAct(CustomerAct):
    """An act of a person of the customer, as it was recorded."""

    recorded_for: PersonId | None = None
    """Person of the customer for whom the actor recorded it; null where they did so themselves."""


class Correction(Value):
    """The correction of something that was recorded by mistake."""

    why: ShortText
    """Reason of the correction."""


class Deliverable(Value):
    """Deliverable that the customer receives and accepts."""

    deliverable: Identifier
    """Id of the deliverable within the engagement."""
    title: ShortText
    """Name of the deliverable."""
    acceptance_criteria: Text = "Accepted in writing by the customer."
    """Conditions of the customer's acceptance."""


@dataclass(frozen=True, slots=True)
class DistinctBy:
    """Annotation of a sequence that refuses two items with the same value of a field.

    The JSON Schema names the field under the keyword `x-distinct-by`.
    """

    field: str

    def _distinct(self, items: tuple[Any, ...]) -> tuple[Any, ...]:
        times = Counter(getattr(item, self.field) for item in items)
        repeated = [str(value) for value, count in times.items() if count > 1]
        if repeated:
            raise ValueError(f"{', '.join(repeated)} appears more than once")
        return items

    def __get_pydantic_core_schema__(
        self, source: type[tuple[Any, ...]], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._distinct, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "x-distinct-by": self.field}


SomeDeliverables = Annotated[
    tuple[Deliverable, ...], Field(min_length=1, max_length=200), DistinctBy("deliverable")
]
"""Deliverables with different ids, from 1 to 200."""
Deliverables = Annotated[tuple[Deliverable, ...], Field(max_length=200), DistinctBy("deliverable")]
"""Deliverables with different ids, at most 200."""


class RoleHours(Value):
    """Hours of one role; in a plan they may be the sum of several lines of an estimate."""

    role: ProjectRole
    """Role on the engagement, such as `architect`."""
    hours: TotalHours
    """Hours of the role."""


class EstimateLine(Value):
    """Hours of a role in a phase, without a price.

    In an estimate the hours exclude the contingency, in a budget they include it.
    """

    phase: ShortText
    """Name of the phase."""
    role: ProjectRole
    """Role on the engagement, such as `architect`."""
    hours: TotalHours
    """Hours of the role in the phase."""
    kind: LineKind = "delivery"
    """Kind of work."""


H = TypeVar("H", RoleHours, EstimateLine)


def _of_an_item(line: H) -> H:
    if line.hours > MOST_HOURS:
        raise invalid("hours", f"must be {MOST_HOURS:,} at most", line.hours)
    return line


_ITEM: Any = Field(json_schema_extra={"x-hours-maximum": str(MOST_HOURS)})

ItemRoleHours = Annotated[RoleHours, AfterValidator(_of_an_item), _ITEM]
"""Hours of one role as a person enters them: within the bounds of `Hours`, not of a total."""
ItemLine = Annotated[EstimateLine, AfterValidator(_of_an_item), _ITEM]
"""Line of an estimate as a person enters it: within the bounds of `Hours`, not of a total."""


class PricedLine(Value):
    """Hours of a role with their price.

    The hours may be the sum of several lines of an estimate.
    """

    role: ProjectRole
    """Role on the engagement, such as `architect`."""
    kind: LineKind = "delivery"
    """Kind of work."""
    hours: TotalHours
    """Hours of the role that are priced."""
    rate: Rate
    """Bill rate per hour."""
    amount: NotNegativeMoney
    """hours x rate, rounded to the currency's minor unit; it differs by half a unit at most."""

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.rate.currency != self.amount.currency:
            raise ValueError("rate and amount must be in the same currency")
        if not self.rate.agrees(self.hours, self.amount):
            expected = self.rate.for_hours(self.hours, ROUNDING)
            raise invalid("amount", f"must be hours x rate, {expected}", self.amount)
        return self


class RoleRate(Value):
    """Rate of a role: what an hour is billed at or, in cost rates, what it costs."""

    role: ProjectRole
    """Role that the rate is for."""
    rate: PositiveRate
    """Rate per hour of the role."""


class Milestone(Value):
    """Milestone of a plan."""

    milestone: Identifier
    """Id of the milestone within the plan."""
    title: ShortText
    """Name of the milestone."""
    due_on: Day
    """Day by which it is to be reached."""
    deliverables: Annotated[tuple[Identifier, ...], Field(max_length=1_000)] = ()
    """Ids of the deliverables that are due by the milestone."""


class TaskLink(Value):
    """Link of a task to another one whose finish or start it waits for."""

    task: Identifier
    """Id of the other task."""
    kind: Literal["finish-to-start", "start-to-start"] = "finish-to-start"
    """The end of the other task that this one follows: its finish or its start."""
    lag_days: Annotated[int, Field(ge=-1_000, le=1_000), AsNumber] = 0
    """Working days to wait beyond that; negative where the task may begin earlier."""


class Period(Value):
    """Period from one day to another."""

    starts_on: Day
    """First day."""
    finishes_on: Day
    """Last day, included."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.finishes_on < self.starts_on:
            raise ValueError("finishes_on must not be before starts_on")
        return self


class ForecastMethodChoice(Value):
    """The choice of how the cost at completion is forecast, with its reason."""

    method: ForecastMethod
    """Method that was chosen."""
    reason: ShortText
    """Reason for the choice."""


class WeightedMilestone(Value):
    """Milestone that earns a part of a task."""

    milestone: Identifier
    """Id of the milestone within the plan."""
    weight: Annotated[Percent, Field(gt=0)]
    """Part of the task in percent that is earned when the milestone is reached."""


class PlannedTask(Period):
    """Task of a plan.

    Its planned value is spread evenly over its working days, unless the plan has a profile for it.
    """

    task: Identifier
    """Id of the task within the plan; it is kept when the plan changes."""
    title: ShortText
    """Name of the task."""
    phase: ShortText
    """Name of the phase."""
    hours: Annotated[tuple[RoleHours, ...], Field(max_length=100)]
    """Planned hours by role."""
    kind: LineKind = "delivery"
    """Kind of work."""
    line: Identifier | None = None
    """Id of the contract line that pays for the task; null where no line is named."""
    implementation: YesNo = True
    """True if the task needs the requirements signed off and the plan baselined (gate 4).

    False for initiation, analysis and project management.
    """
    deliverable: Identifier | None = None
    """Id of the deliverable that the task produces; null where it produces none."""
    assignee: PersonId | None = None
    """Person who is to do the task; null while none is named."""
    change: Identifier | None = None
    """Id of the change order that adds the task; null where it is in the first scope.

    Hours on it are approved as billable when the amendment of the change is signed (gate 6).
    """
    after: Annotated[tuple[TaskLink, ...], Field(max_length=100)] = ()
    """The tasks that this one follows."""
    earned_by: Literal["percent-complete", "completion", "milestones"] = "percent-complete"
    """What earns the planned cost: the completed percentage, full completion, or milestones."""
    milestones: Annotated[
        tuple[WeightedMilestone, ...], Field(max_length=50), DistinctBy("milestone")
    ] = ()
    """The milestones that earn the task, with weights that add up to 100; else none."""

    @model_validator(mode="after")
    def _weighted(self) -> Self:
        weights = sum((each.weight for each in self.milestones), Decimal(0))
        if weights != (100 if self.earned_by == "milestones" else 0):
            raise ValueError(
                "the weights of milestones must add up to 100 where milestones earn the task, and"
                " no milestone is given otherwise"
            )
        return self


class ReviewVerdict(Value):
    """Verdict of a reviewer."""

    verdict: Verdict
    """Verdict on the content."""
    why: Text | None = None
    """Reason; it may be null only where the verdict is `approved`."""

    @model_validator(mode="after")
    def _explained(self) -> Self:
        if self.verdict == "objected" and self.why is None:
            raise ValueError("why is needed where the verdict is objected")
        return self


class SowReview(ReviewVerdict):
    """Verdict on a version of the statement of work."""

    version: Version
    """Version of the statement of work."""


class AmendmentReview(ReviewVerdict):
    """Verdict on the content of an amendment."""

    amendment: Identifier
    """Id of the amendment within the engagement."""
    content_hash: ContentHash
    """Hash of the content that was reviewed; the verdict holds for this content only."""


class Signatory(Value):
    """Signature of a person for a party."""

    party: Party
    """The side that the person signs for."""
    person: PersonId
    """Person who signed."""
    signed_on: Day
    """Day of the signature."""


Signatories = Annotated[tuple[Signatory, ...], Field(max_length=2)]
"""The signatures of a contract, one of each party."""


class Margin(Value):
    """Margin with the revenue and the cost that it was calculated from."""

    revenue: Money
    """Revenue that the margin is calculated from."""
    cost: Money
    """Cost of the same work to the company."""
    margin: Ratio | None
    """(revenue - cost) / revenue, as a ratio; null where there is no revenue, or it is negative."""
