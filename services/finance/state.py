"""Define Finance's state of one engagement: contract, work, billing and payments.

All money of an engagement is in one currency, that of its opportunity. `evolution` applies
Finance's own events, `hearing` those of other departments.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field

from chassis.domain.commands import Refused
from chassis.domain.decider import Decisions, Evolution
from contracts.decimals import round_decimal
from contracts.finance import InvoiceLine, MarginMeasured, PerformanceMeasured
from contracts.gateway import Disconnect
from contracts.legal import AmendmentSigned, SowDrafted
from contracts.money import Money, Rate
from contracts.sales import DealWon
from contracts.values import (
    BillingItem,
    BillingKind,
    EstimateLine,
    Hours,
    Identifier,
    LineKind,
    Month,
    Percent,
    PersonId,
    PlannedTask,
    PricedLine,
    ProjectRole,
    RevenueMethod,
    RoleHours,
    RoleRate,
    ShortText,
    Value,
    Verdict,
    Version,
    Week,
)


class Estimate(Value):
    """Version of Delivery's estimate; price and cost are None until they are computed.

    `contingency` is in percent on top of all hours.
    """

    version: Version
    lines: tuple[EstimateLine, ...]
    contingency: Percent
    submitted_on: date
    endorsed: bool = False
    price: Money | None = None
    cost: Money | None = None

    @property
    def with_contingency(self) -> tuple[EstimateLine, ...]:
        """Return the lines with contingency in their hours, rounded to 0.01 hour."""
        factor = 1 + self.contingency / 100
        return tuple(
            line.model_copy(update={"hours": round_decimal(line.hours * factor, 2)})
            for line in self.lines
        )


class Proposal(Value):
    """Version of the proposal: its estimate and its price."""

    estimate_version: Version
    price: Money


class Assessment(Value):
    """Assessment of a change by Delivery; price and cost are None until they are computed."""

    change: Identifier
    lines: tuple[RoleHours, ...]
    assessed_on: date
    priced: tuple[PricedLine, ...] = ()
    price: Money | None = None
    cost: Money | None = None

    @property
    def hours(self) -> Decimal:
        """Return the hours of all lines."""
        return sum((line.hours for line in self.lines), Decimal(0))


class Schedule(Value):
    """Billing schedule, and the day on which it was signed."""

    signed_on: date
    items: tuple[BillingItem, ...]


class Budget(Value):
    """Budget from the signed contract; `signed_price` is without amendments, `price` with them.

    `hours` and `cost` are those of the statement of work; an amendment's are those of its change.
    `schedules` are the successive billing schedules, at least one.
    """

    signed_price: Money
    price: Money
    hours: tuple[EstimateLine, ...]
    revenue_method: RevenueMethod
    schedules: tuple[Schedule, ...]
    rates: tuple[RoleRate, ...] = ()
    cost: Money | None = None

    @property
    def schedule(self) -> tuple[BillingItem, ...]:
        """Return the current billing schedule."""
        return self.schedules[-1].items

    def schedule_on(self, day: date) -> tuple[BillingItem, ...]:
        """Return the last billing schedule signed by a day; the contract's own before that."""
        signed = [one for one in self.schedules if one.signed_on <= day]
        return (signed or self.schedules[:1])[-1].items

    def agreed_on(self, item: str) -> date:
        """Return the day on which an entry of the schedule was first signed."""
        return next(
            one.signed_on for one in self.schedules if any(each.item == item for each in one.items)
        )


class Baseline(Value):
    """Approved plan: its tasks, and the changes that it includes."""

    version: Version
    tasks: tuple[PlannedTask, ...]
    changes: tuple[Identifier, ...]
    baselined_on: date


class Report(Value):
    """Status report to be measured, with Delivery's state at the time of the report.

    `works` is the number of work entries approved before it. `hours_to_complete` is the manager's
    judgement.
    """

    as_of: date
    hours_to_complete: Hours
    baseline: Baseline | None
    progress: dict[Identifier, Percent]
    works: int
    performance_due: bool
    margin_due: bool = True


class Work(Value):
    """Approved time, or an approved expense (which has an amount, but no role and no hours).

    `on` is its date: the Monday of the week, or the day on which the money was spent.
    """

    entry: Identifier
    person: PersonId
    kind: LineKind
    on: date
    billable: bool
    role: ProjectRole | None = None
    week: Week | None = None
    hours: Hours = Decimal(0)
    amount: Money | None = None
    cost: Money | None = None


class BillingEvent(Value):
    """Billing event: this amount of an entry of the schedule may be invoiced from `due_on` on."""

    billing_event: Identifier
    item: Identifier
    kind: BillingKind
    amount: Money
    due_on: date
    deliverables: tuple[Identifier, ...] = ()
    exception: ShortText | None = None


class Movement(Value):
    """Payment, refund or credit note: its day and amount."""

    on: date
    amount: Money


class Forecast(Value):
    """Measured estimate at completion (EAC), and the changes that its plan includes."""

    on: date
    amount: Money
    changes: tuple[Identifier, ...]


class Invoice(Value):
    """Invoice from its draft on; `amount` is the lines' total less the advance drawn down."""

    invoice: Identifier
    billing_event: Identifier
    kind: BillingKind
    lines: tuple[InvoiceLine, ...]
    amount: Money
    advance_drawn: Money
    stage: Literal["drafted", "approved", "numbered", "issued", "voided"] = "drafted"
    issue_on: date | None = None
    number: Identifier | None = None
    due_on: date | None = None
    overdue: bool = False
    credits: tuple[Movement, ...] = ()
    payments: tuple[Movement, ...] = ()
    refunds: tuple[Movement, ...] = ()

    @property
    def credited(self) -> Money:
        """Return the total of the invoice's credit notes."""
        return total_until(self.credits, self.amount.currency)

    @property
    def paid(self) -> Money:
        """Return the total of the invoice's payments, less refunds."""
        currency = self.amount.currency
        return total_until(self.payments, currency) - total_until(self.refunds, currency)

    @property
    def outstanding(self) -> Money:
        """Return what the customer owes on the invoice; negative where a refund is owed.

        Zero unless the invoice is issued.
        """
        if self.stage != "issued":
            return Money.zero(self.amount.currency)
        return self.amount - self.credited - self.paid


class Engagement(Value):
    """Finance's state of one engagement.

    `work` is in the order of approval, `forecasts` in the order of measurement. `settled_works` is
    the number of entries of billable work that were known at the settlement. `final_margin` is the
    number of recognised months that the final margin includes; None before it is measured.
    """

    currency: str | None = None
    title: ShortText | None = None
    manager: PersonId | None = None

    estimates: dict[int, Estimate] = Field(default_factory=dict)
    proposals: dict[int, Proposal] = Field(default_factory=dict)
    won: DealWon | None = None
    sows: dict[int, SowDrafted] = Field(default_factory=dict)
    reviews: dict[int, Verdict] = Field(default_factory=dict)
    early_start_until: date | None = None
    signed_version: Version | None = None
    signed_on: date | None = None
    chosen_method: RevenueMethod | None = None
    budget: Budget | None = None

    assessments: tuple[Assessment, ...] = ()
    verdicts: dict[Identifier, Literal["approved", "rejected", "implemented"]] = Field(
        default_factory=dict
    )
    implemented: dict[Identifier, date] = Field(default_factory=dict)
    amendments: tuple[AmendmentSigned, ...] = ()
    amended: tuple[Identifier, ...] = ()

    kicked_off_on: date | None = None
    baseline: Baseline | None = None
    progress: dict[Identifier, Percent] = Field(default_factory=dict)
    accepted: dict[Identifier, date] = Field(default_factory=dict)
    work: dict[str, Work] = Field(default_factory=dict)
    cost_to_date: Money | None = None
    reports: tuple[Report, ...] = ()
    performance: PerformanceMeasured | None = None
    forecasts: tuple[Forecast, ...] = ()
    margins: MarginMeasured | None = None
    final_margin: int | None = None

    billing_events: dict[Identifier, BillingEvent] = Field(default_factory=dict)
    invoices: dict[Identifier, Invoice] = Field(default_factory=dict)
    recognised: dict[Month, Money] = Field(default_factory=dict)
    settled_on: date | None = None
    settled_works: int = 0

    live_on: date | None = None
    lost_on: date | None = None
    terminated_on: date | None = None
    closed_on: date | None = None
    disconnects: dict[Identifier, Disconnect] = Field(default_factory=dict)

    @property
    def contract(self) -> SowDrafted | None:
        """Return the statement of work that both parties signed; None while unknown."""
        return self.sows.get(self.signed_version) if self.signed_version else None

    @property
    def money(self) -> str:
        """Return the engagement's currency.

        Raises Refused where Sales has not opened the opportunity, so that the currency is unknown.
        """
        if self.currency is None:
            raise Refused("opportunity-not-opened", "Sales has not opened this opportunity yet")
        return self.currency

    @property
    def applied(self) -> tuple[AmendmentSigned, ...]:
        """Return the amendments that are in the budget, in the order in which they were signed."""
        return tuple(one for one in self.amendments if one.amendment in self.amended)

    @property
    def billable_works(self) -> int:
        """Return the number of approved entries of billable work."""
        return sum(work.billable for work in self.work.values())

    def assessment(self, change: str) -> Assessment | None:
        """Return the last priced assessment of a change, or None."""
        return next(
            (one for one in reversed(self.assessments) if one.change == change and one.price),
            None,
        )

    def live(self) -> tuple[Invoice, ...]:
        """Return the invoices and drafts that are not void."""
        return tuple(one for one in self.invoices.values() if one.stage != "voided")

    def issued(self) -> tuple[Invoice, ...]:
        """Return the issued invoices that are not void."""
        return tuple(one for one in self.invoices.values() if one.stage == "issued")


evolve: Evolution[Engagement] = Evolution()
decide: Decisions[Engagement] = Decisions()


def total_until(movements: Iterable[Movement], currency: str, until: date = date.max) -> Money:
    """Return the total of the movements up to and including a day."""
    return Money.total((one.amount for one in movements if one.on <= until), currency)


def least(*amounts: Money) -> Money:
    """Return the smallest of some amounts in one currency.

    Raises CurrencyMismatch where the currencies differ.
    """
    smallest = amounts[0]
    for amount in amounts[1:]:
        smallest = min(smallest, amount)
    return smallest


def with_invoice(state: Engagement, invoice: str, **update: object) -> Engagement:
    """Return the state with some fields of one invoice replaced."""
    changed = state.invoices[invoice].model_copy(update=update)
    return state.model_copy(update={"invoices": {**state.invoices, invoice: changed}})


def rates_of(rates: Iterable[RoleRate]) -> Mapping[str, Rate]:
    """Return the rate per hour by role."""
    return {rate.role: rate.rate for rate in rates}


def require_running(state: Engagement) -> None:
    """Refuse a command once the engagement is lost, terminated or closed."""
    for ended, how in (
        (state.lost_on, "lost"),
        (state.terminated_on, "terminated"),
        (state.closed_on, "closed"),
    ):
        if ended is not None:
            raise Refused("engagement-over", f"the engagement was {how} on {ended}")


def require_budget(state: Engagement) -> Budget:
    """Return the budget.

    Raises Refused where there is none: the contract is not signed, or not all of it is known.
    """
    if state.budget is None:
        raise Refused(
            "budget-not-set", "no budget is set: it follows from the signed statement of work"
        )
    return state.budget


def require_open_account(state: Engagement) -> None:
    """Refuse to bill or credit after the account was settled."""
    if state.settled_on is not None:
        raise Refused("account-settled", f"the account was settled on {state.settled_on}")


def require_past(day: date, today: date, act: str) -> None:
    """Refuse an act that is dated after today (UTC)."""
    if day > today:
        raise Refused("date-in-future", f"{act} on {day}, which is after today ({today})")
