"""What Finance says: prices, budgets, billing, and (confidentially) cost and margin."""

from typing import Literal

from contracts.channels import FINANCE, FINANCE_CONFIDENTIAL, FINANCE_REGISTER
from contracts.event import Event
from contracts.money import (
    ItemMoney,
    Money,
    NotNegativeMoney,
    NotNegativeTotal,
    PositiveMoney,
    PositiveTotal,
)
from contracts.values import (
    BillingItem,
    BillingKind,
    ComputedPercent,
    ContentHash,
    Day,
    EngagementId,
    EstimateLine,
    Hours,
    HoursDelta,
    Identifier,
    LineKind,
    Margin,
    Month,
    PersonId,
    PricedLine,
    ProjectRole,
    Ratio,
    RevenueMethod,
    RoleRate,
    ShortText,
    Text,
    TotalHours,
    Value,
    Verdict,
    Version,
    Week,
)


class SowReviewed(Event, channel=FINANCE, heard_by=("legal",)):
    """Finance approved this content of the statement of work, or objected and said why."""

    version: Version
    content_hash: ContentHash
    verdict: Verdict
    why: Text | None = None


class EstimatePriced(Event, channel=FINANCE, heard_by=("sales", "delivery")):
    """An estimate at the rates of a rate card: price by line, contingency in the hours.

    `project_management_share` is PM amount / price in percent. Below the floor means that the
    price does not carry the least margin; what the margin is stays confidential. The floor is
    unknown while no cost rates were known for every role.
    """

    estimate_version: Version
    rate_card: Identifier
    rate_card_version: Version
    lines: tuple[PricedLine, ...]
    price: PositiveTotal
    project_management_share: ComputedPercent
    floor: Literal["above", "below", "unknown"]


class ChangePriced(Event, channel=FINANCE, heard_by=("sales", "delivery", "legal")):
    """What the customer would pay for a change (signed), at contracted or else list rates."""

    change: Identifier
    lines: tuple[PricedLine, ...]
    price: ItemMoney


class RevenueMethodChosen(Event, channel=FINANCE):
    """How revenue will be recognised where the usual method for the pricing does not fit.

    It is chosen before the budget is set, and stands from then on.
    """

    method: RevenueMethod
    why: ShortText


class BudgetSet(Event, channel=FINANCE, heard_by=("delivery",)):
    """What may be spent in hours, and earned in price, as the signed contract has it.

    The revenue method is chosen here, once (IFRS 15).
    """

    price: PositiveTotal
    hours: tuple[EstimateLine, ...]
    revenue_method: RevenueMethod
    billing_schedule: tuple[BillingItem, ...]
    rates: tuple[RoleRate, ...] = ()


class BudgetAmended(Event, channel=FINANCE, heard_by=("delivery", "legal")):
    """An amendment is in the budget and in the billing schedule: both as they stand after it."""

    change: Identifier
    amendment: Identifier
    price: NotNegativeTotal
    hours_delta: HoursDelta
    billing_schedule: tuple[BillingItem, ...]


class RevenueRecognised(Event, channel=FINANCE):
    """Revenue of a month; `cumulative` is all recognised to its end. May be negative (catch-up)."""

    month: Month
    method: RevenueMethod
    amount: Money
    cumulative: Money


class BillingEventDue(Event, channel=FINANCE):
    """An entry of the billing schedule (or a month's approved time) may be invoiced now.

    `exception` is a controller's reason to bill it although the schedule does not make it due, or
    at other rates than the contracted ones; None where the contract itself makes it due.
    """

    billing_event: Identifier
    item: Identifier
    kind: BillingKind
    amount: PositiveMoney
    due_on: Day
    deliverables: tuple[Identifier, ...] = ()
    exception: ShortText | None = None


class InvoiceLine(Value):
    """One line of an invoice; hours and rate stand where time is billed."""

    description: ShortText
    amount: ItemMoney
    role: ProjectRole | None = None
    hours: TotalHours | None = None
    rate: NotNegativeMoney | None = None


class InvoiceDrafted(Event, channel=FINANCE):
    """An invoice before its number; an advance is a contract liability until drawn down.

    `amount` is the sum of the lines less `advance_drawn`, the part of an advance they use up.
    """

    invoice: Identifier
    billing_event: Identifier
    kind: BillingKind
    lines: tuple[InvoiceLine, ...]
    amount: PositiveMoney
    advance_drawn: NotNegativeTotal


class DraftWithdrawn(Event, channel=FINANCE):
    """A draft that nobody approved, and its billing event, are no more: it bills what was cut.

    An amendment has left less of the entry of the schedule than fell due on it. What it did leave
    falls due anew, and is drafted at that.
    """

    invoice: Identifier
    billing_event: Identifier
    amount: PositiveMoney


class InvoiceApproved(Event, channel=FINANCE):
    """The draft may take its number, to be issued on this day."""

    invoice: Identifier
    amount: PositiveMoney
    issue_on: Day


class InvoiceNumbered(Event, channel=FINANCE_REGISTER, heard_by=("finance",)):
    """The register gave the next number of the year, without a gap."""

    engagement: EngagementId
    invoice: Identifier
    number: Identifier
    issue_on: Day

    def subject(self, stream: str) -> str:  # noqa: ARG002 -- a register speaks of engagements
        """The engagement that asked for the number."""
        return self.engagement


class InvoiceIssued(Event, channel=FINANCE, heard_by=("delivery", "legal", "sales")):
    """The invoice went out under its number, to be paid by its due day."""

    invoice: Identifier
    number: Identifier
    billing_event: Identifier
    kind: BillingKind
    amount: PositiveMoney
    deliverables: tuple[Identifier, ...] = ()
    lines: tuple[InvoiceLine, ...] = ()
    issued_on: Day
    due_on: Day


class InvoiceVoided(Event, channel=FINANCE, heard_by=("sales", "legal")):
    """An issued invoice is void; its number stays used.

    `ends_event` says whether its billing event ended with it: an exception does, and so does what
    an amendment has left less of. Otherwise it is drafted anew. None is said by invoices that were
    voided before this was recorded: of them, exceptions alone ended.
    """

    invoice: Identifier
    number: Identifier
    amount: PositiveMoney
    why: ShortText
    voided_on: Day
    ends_event: bool | None = None


class CreditNoteIssued(Event, channel=FINANCE, heard_by=("sales", "legal")):
    """Part or all of an issued invoice is given back."""

    credit_note: Identifier
    invoice: Identifier
    amount: PositiveMoney
    why: ShortText
    issued_on: Day


class PaymentReceived(
    Event,
    channel=FINANCE,
    heard_by=(
        "sales",
        "legal",
    ),
):
    """The customer paid this much of this invoice on this day."""

    invoice: Identifier
    amount: PositiveMoney
    received_on: Day


class RefundPaid(Event, channel=FINANCE):
    """What was paid beyond an invoice's amount less its credit notes went back to the customer."""

    invoice: Identifier
    amount: PositiveMoney
    paid_on: Day


class PaymentOverdue(
    Event,
    channel=FINANCE,
    heard_by=(
        "sales",
        "legal",
    ),
):
    """The due day passed with this much unpaid."""

    invoice: Identifier
    due_on: Day
    outstanding: PositiveTotal


class AccountSettled(Event, channel=FINANCE, heard_by=("delivery", "legal")):
    """All that was due was invoiced, and all invoices are paid, voided or credited."""

    billed: NotNegativeTotal
    paid: NotNegativeTotal
    settled_on: Day


class AccountReopened(Event, channel=FINANCE, heard_by=("delivery", "legal")):
    """The account is not settled any more: time or expenses approved since can still be billed.

    `unbilled` is what waits of them at contracted rates, as far as the contract lets it be billed.
    """

    settled_on: Day
    unbilled: PositiveTotal


class EstimateCosted(Event, channel=FINANCE_CONFIDENTIAL):
    """What an estimate would cost the company, and the margin its price would leave."""

    estimate_version: Version
    cost: NotNegativeTotal
    margin: Ratio | None


class ChangeCosted(Event, channel=FINANCE_CONFIDENTIAL):
    """What a change would cost the company, and the margin its price would leave."""

    change: Identifier
    cost: NotNegativeTotal
    margin: Ratio | None


class BudgetCosted(Event, channel=FINANCE_CONFIDENTIAL):
    """What the budgeted hours cost, and the margin that was sold with them."""

    cost: NotNegativeTotal
    margin_sold: Margin


class CostAccrued(Event, channel=FINANCE_CONFIDENTIAL):
    """Approved time (or an expense) as cost; `cumulative` is the engagement's cost to date."""

    entry: Identifier
    person: PersonId
    role: ProjectRole | None
    kind: LineKind
    week: Week | None
    hours: Hours
    cost: NotNegativeTotal
    cumulative: NotNegativeTotal


class PerformanceMeasured(Event, channel=FINANCE_CONFIDENTIAL):
    """Earned value at a status date (PMI, Practice Standard for Earned Value Management).

    All amounts are cost in the engagement's currency; ratios are None where a divisor is zero.
    """

    as_of: Day
    budget_at_completion: NotNegativeTotal
    planned_value: NotNegativeTotal
    earned_value: NotNegativeTotal
    actual_cost: NotNegativeTotal
    cost_performance_index: Ratio | None
    schedule_performance_index: Ratio | None
    estimate_to_complete: NotNegativeTotal | None
    estimate_at_completion: NotNegativeTotal | None
    variance_at_completion: Money | None


class MarginMeasured(Event, channel=FINANCE_CONFIDENTIAL):
    """The four margins at a day, never mixed; None while one has no basis yet."""

    as_of: Day
    margin_sold: Margin | None
    margin_billed: Margin | None
    margin_recognised: Margin | None
    margin_forecast: Margin | None
