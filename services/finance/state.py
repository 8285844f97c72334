"""What Finance knows of one engagement: its contract, its work, what was billed and what was paid.

All money of an engagement is in one currency, that of its opportunity. How events change the state
stands in `evolution` (Finance's own) and in `hearing` (everybody else's).
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from pydantic import Field

from chassis.domain.decider import Decisions, Evolution, Refused
from contracts.finance import InvoiceLine, MarginMeasured, PerformanceMeasured
from contracts.gateway import Disconnect
from contracts.legal import AmendmentSigned, SowDrafted
from contracts.money import Money
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

HUNDREDTH = Decimal("0.01")


class Estimate(Value):
    """A version of Delivery's estimate; its price and its cost once they are worked out."""

    version: Version
    lines: tuple[EstimateLine, ...]
    contingency: Percent
    submitted_on: date
    endorsed: bool = False
    price: Money | None = None
    cost: Money | None = None

    @property
    def with_contingency(self) -> tuple[EstimateLine, ...]:
        """The lines with the contingency in their hours, to the hundredth of an hour."""
        factor = 1 + self.contingency / 100
        return tuple(
            line.model_copy(
                update={"hours": (line.hours * factor).quantize(HUNDREDTH, ROUND_HALF_EVEN)}
            )
            for line in self.lines
        )


class Proposal(Value):
    """What a version of the proposal rests on, and its price."""

    estimate_version: Version
    price: Money


class Assessment(Value):
    """What a change would take, as assessed on a day; its price and cost once worked out."""

    change: Identifier
    lines: tuple[RoleHours, ...]
    assessed_on: date
    priced: tuple[PricedLine, ...] = ()
    price: Money | None = None
    cost: Money | None = None

    @property
    def hours(self) -> Decimal:
        """All its hours."""
        return sum((line.hours for line in self.lines), Decimal(0))


class Schedule(Value):
    """The billing schedule as it was signed on a day."""

    signed_on: date
    items: tuple[BillingItem, ...]


class Budget(Value):
    """The signed contract in figures. `signed_price` is without, `price` with the amendments.

    `hours` and `cost` are those of the statement of work; an amendment's are those of its change.
    `schedules` are the billing schedules that followed each other, never none.
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
        """The billing schedule as it stands."""
        return self.schedules[-1].items

    def schedule_on(self, day: date) -> tuple[BillingItem, ...]:
        """The billing schedule as it was signed by a day; the contract's own before that."""
        signed = [one for one in self.schedules if one.signed_on <= day]
        return (signed or self.schedules[:1])[-1].items

    def agreed_on(self, item: str) -> date:
        """The day on which an entry of the schedule was signed."""
        return next(
            one.signed_on for one in self.schedules if any(each.item == item for each in one.items)
        )


class Baseline(Value):
    """The approved plan: its tasks, and the changes that it takes in."""

    version: Version
    tasks: tuple[PlannedTask, ...]
    changes: tuple[Identifier, ...]
    baselined_on: date


class Report(Value):
    """A status report that is not measured yet, with all that Delivery had said before it.

    `works` counts the approved entries of work; hours to completion are the manager's judgement.
    """

    as_of: date
    hours_to_complete: Hours
    baseline: Baseline | None
    progress: dict[Identifier, Percent]
    works: int
    performance_due: bool
    margin_due: bool = True


class Work(Value):
    """Approved time, or an approved expense (which has an amount, and no role or hours).

    `on` is the day that dates it: the Monday of its week, or the day the money was spent.
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
    """A billing event: so much of an entry of the schedule may be invoiced, since this day."""

    billing_event: Identifier
    item: Identifier
    kind: BillingKind
    amount: Money
    due_on: date
    deliverables: tuple[Identifier, ...] = ()
    exception: ShortText | None = None


class Movement(Value):
    """Money that moved on a day."""

    on: date
    amount: Money


class Forecast(Value):
    """A measured cost at completion (EAC), and the changes its plan takes in."""

    on: date
    amount: Money
    changes: tuple[Identifier, ...]


class Invoice(Value):
    """An invoice from its draft on; `amount` is its lines less the advance they draw down."""

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
        """All credit notes on it."""
        return moved(self.credits, self.amount.currency)

    @property
    def paid(self) -> Money:
        """All payments on it, less what was refunded."""
        currency = self.amount.currency
        return moved(self.payments, currency) - moved(self.refunds, currency)

    @property
    def outstanding(self) -> Money:
        """What the customer owes on it; negative where the customer has money to get back."""
        if self.stage != "issued":
            return Money.zero(self.amount.currency)
        return self.amount - self.credited - self.paid


class Engagement(Value):
    """Finance's knowledge of one engagement.

    `work` is in the order of approval. `forecasts` are in the order of measuring.
    `settled_knowing` is how many entries of billable work were known when it was settled.
    `final_margin` says how many recognised months the margin after the end takes in; None before.
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
    settled_knowing: int = 0

    live_on: date | None = None
    lost_on: date | None = None
    terminated_on: date | None = None
    closed_on: date | None = None
    disconnects: dict[Identifier, Disconnect] = Field(default_factory=dict)

    @property
    def contract(self) -> SowDrafted | None:
        """The statement of work that both parties signed."""
        return self.sows.get(self.signed_version) if self.signed_version else None

    @property
    def money(self) -> str:
        """The engagement's currency; asked for only where something of the engagement has one."""
        if self.currency is None:
            raise Refused("opportunity-unknown", "Sales has not opened this opportunity yet")
        return self.currency

    @property
    def applied(self) -> tuple[AmendmentSigned, ...]:
        """Amendments that are in the budget, in the order they were signed."""
        return tuple(one for one in self.amendments if one.amendment in self.amended)

    @property
    def billable_works(self) -> int:
        """How many approved entries of billable work are known."""
        return sum(work.billable for work in self.work.values())

    def assessment(self, change: str) -> Assessment | None:
        """The last priced assessment of a change."""
        return next(
            (one for one in reversed(self.assessments) if one.change == change and one.price),
            None,
        )

    def live(self) -> tuple[Invoice, ...]:
        """Invoices that are not void, drafts among them."""
        return tuple(one for one in self.invoices.values() if one.stage != "voided")

    def issued(self) -> tuple[Invoice, ...]:
        """Invoices that went out and are not void."""
        return tuple(one for one in self.invoices.values() if one.stage == "issued")


evolve: Evolution[Engagement] = Evolution()
decide: Decisions[Engagement] = Decisions()


def moved(movements: Iterable[Movement], currency: str, until: date = date.max) -> Money:
    """All that moved up to and including a day."""
    return Money.total((one.amount for one in movements if one.on <= until), currency)


def least(*amounts: Money) -> Money:
    """The smallest of some amounts in one currency; raises CurrencyMismatch otherwise."""
    smallest = amounts[0]
    for amount in amounts[1:]:
        smallest = min(smallest, amount)
    return smallest


def with_invoice(state: Engagement, invoice: str, **news: object) -> Engagement:
    """The state with these fields of one invoice changed."""
    changed = state.invoices[invoice].model_copy(update=news)
    return state.model_copy(update={"invoices": {**state.invoices, invoice: changed}})


def rates_of(rates: Iterable[RoleRate]) -> Mapping[str, Money]:
    """What an hour of each role is billed at, or costs."""
    return {rate.role: rate.rate for rate in rates}


def require_running(state: Engagement) -> None:
    """Refuse what makes no sense once the engagement is lost, terminated or closed."""
    for ended, how in (
        (state.lost_on, "lost"),
        (state.terminated_on, "terminated"),
        (state.closed_on, "closed"),
    ):
        if ended is not None:
            raise Refused("engagement-over", f"the engagement was {how} on {ended}")


def require_budget(state: Engagement) -> Budget:
    """The budget; refused while there is none, since nothing is signed or known enough."""
    if state.budget is None:
        raise Refused("no-budget", "no budget is set: it follows from the signed statement of work")
    return state.budget


def require_open_account(state: Engagement) -> None:
    """Refuse what would bill or credit after the account was settled."""
    if state.settled_on is not None:
        raise Refused("account-settled", f"the account was settled on {state.settled_on}")


def require_past(day: date, today: date, act: str) -> None:
    """Refuse an act that is said to be done on a day yet to come."""
    if day > today:
        raise Refused("date-in-future", f"{act} on {day}, which is after today, {today}")
