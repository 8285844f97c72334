"""Events that Finance publishes: prices, budgets, billing and revenue, and confidential figures.

Unless a field says otherwise, amounts are in the engagement's currency. Days are business days
(UTC) unless the person who recorded them gave another day.
"""

from typing import Annotated, Literal

from pydantic import Field

from contracts.channels import FINANCE, FINANCE_CONFIDENTIAL
from contracts.event import Event
from contracts.lines import (
    BillingKind,
    ContractLines,
    LineChanges,
    PerformanceObligation,
    Treatment,
)
from contracts.money import (
    ItemMoney,
    Money,
    NotNegativeTotal,
    PositiveMoney,
    PositiveTotal,
    Rate,
)
from contracts.questions import AnsweredQuestion, AskedQuestion
from contracts.values import (
    RAG,
    AmendmentReview,
    ComputedPercent,
    ContentHash,
    Day,
    DistinctBy,
    Hours,
    Identifier,
    LineKind,
    Margin,
    Month,
    PersonId,
    PricedLine,
    ProjectRole,
    Ratio,
    RevenueMethod,
    ShortText,
    SowReview,
    StreamSequence,
    TotalHours,
    Value,
    Version,
    Week,
)

Floor = Literal["above", "below", "unknown"]
"""Comparison of a price with the minimum margin; unknown where a cost rate is."""


class SowReviewed(SowReview, Event, channel=FINANCE, consumed_by=("legal",)):
    """Finance reviewed a version of the statement of work.

    Published by Finance. A later review of the same version replaces this one.
    """

    content_hash: ContentHash
    """Hash of the content that was reviewed; the verdict holds for this content only."""


class EstimatePriced(Event, channel=FINANCE, consumed_by=("sales", "delivery")):
    """A version of the estimate was priced at the rates of a rate card.

    Published by Finance as soon as a rate card with every role is known. The rates are those in
    force on the day (UTC) on which the estimate was submitted.
    """

    estimate_version: Version
    """Version of the estimate."""
    rate_card: Identifier
    """Id of the rate card, such as `standard-EUR`."""
    rate_card_version: Version
    """Version of the rate card."""
    lines: tuple[PricedLine, ...]
    """Price by role and kind of work, with the contingency in the hours."""
    price: PositiveTotal
    """Sum of the lines."""
    project_management_share: ComputedPercent
    """Amount of the project management lines in percent of the price."""
    floor: Floor
    """`above` if the price leaves the minimum margin, which is itself confidential.

    `unknown` where the cost rate of a role was not known.
    """


class ProposalReviewed(Event, channel=FINANCE, consumed_by=("sales",)):
    """Finance reviewed a version of the proposal against the minimum margin (floor).

    Published by Finance when the version is drafted, and again when the cost rates become known.
    Where its hours differ from the estimate, or it is a third different offer on one estimate, a
    sales manager has to approve an exception first.
    """

    version: Version
    """Version of the proposal."""
    price: PositiveTotal
    """Price that was reviewed."""
    floor: Floor
    """`above` if the price leaves the minimum margin, which is itself confidential.

    `unknown` where the cost rate of a role is not known.
    """


class AmendmentReviewed(AmendmentReview, Event, channel=FINANCE, consumed_by=("legal",)):
    """Finance reviewed an amendment that differs from the approved change.

    Published by Finance. A later review of the same content replaces this one.
    """


class ChangePriced(Event, channel=FINANCE, consumed_by=("sales", "delivery", "legal")):
    """The last assessment of a change was priced.

    Published by Finance once the budget is set. Hours are priced at the rate of the line on the
    day of the assessment, or at that of the rate card where the line has none.
    """

    change: Identifier
    """Id of the change within the engagement."""
    changes: LineChanges
    """The assessed changes of the lines with their prices."""
    price: ItemMoney
    """Sum of the price changes: the amount by which the price of the contract would change."""


class RevenueMethodChoice(Value):
    """A method by which the revenue of an obligation is recognised, and the reason for it."""

    obligation: Identifier
    """Id of the obligation: `fixed` for all fixed lines together, else that of its line."""
    method: RevenueMethod
    """Method by which revenue is recognised (IFRS 15)."""
    why: ShortText
    """Reason for the choice."""


class RevenueMethodChosen(RevenueMethodChoice, Event, channel=FINANCE):
    """A revenue method was chosen before the budget is set, and applies in place of the usual one.

    Published by Finance. It takes effect with the budget and is not changed afterwards.
    """


class BudgetSet(Event, channel=FINANCE, consumed_by=("delivery",)):
    """The budget was set from the signed statement of work. Published by Finance."""

    price: PositiveTotal
    """Price of the contract: the sum of the lines."""
    lines: ContractLines
    """Lines of the contract with prices, hours and billing schedules."""
    obligations: Annotated[
        tuple[PerformanceObligation, ...],
        Field(min_length=1, max_length=200),
        DistinctBy("obligation"),
    ]
    """Groups of lines whose revenue is measured together; each line is in one of them."""


class BudgetAmended(Event, channel=FINANCE, consumed_by=("delivery", "legal")):
    """A signed amendment was applied to the budget and the billing schedule.

    Published by Finance, for one amendment after the other in the order in which Finance received
    them.
    """

    change: Identifier
    """Id of the change within the engagement."""
    amendment: Identifier
    """Id of the amendment within the engagement."""
    price: NotNegativeTotal
    """Price of the contract after the amendment: the sum of the lines."""
    lines: ContractLines
    """All lines after the amendment, with prices, hours and billing schedules."""
    obligations: Annotated[
        tuple[PerformanceObligation, ...],
        Field(min_length=1, max_length=200),
        DistinctBy("obligation"),
    ]
    """All obligations after the amendment."""
    treatment: Treatment
    """Accounting treatment of the amendment."""
    why: ShortText
    """Reason for the treatment."""


class RevenueOfMonth(Value):
    """The revenue of an obligation in a month."""

    month: Month
    """Calendar month, as `YYYY-MM`."""
    obligation: Identifier
    """Id of the performance obligation."""
    method: RevenueMethod
    """Method by which revenue is recognised (IFRS 15)."""
    amount: Money
    """Revenue of the month; negative where earlier revenue is corrected (cumulative catch-up)."""
    cumulative: Money
    """All revenue of the obligation recognised to the end of the month."""


class RevenueRecognised(RevenueOfMonth, Event, channel=FINANCE):
    """The revenue of an obligation in a month was recognised by a method that does not use cost.

    Published by Finance, month after month.
    """


class RevenueByCostRecognised(RevenueOfMonth, Event, channel=FINANCE_CONFIDENTIAL):
    """The revenue of an obligation in a month was recognised in proportion to its cost.

    Published by Finance in confidence, month after month, since it reveals the cost.
    """


class BillingEventDue(Event, channel=FINANCE):
    """An amount became due for invoicing: an entry of the billing schedule, or time and expenses.

    Published by Finance. An invoice is drafted for every billing event.
    """

    billing_event: Identifier
    """Id of the billing event."""
    line: Identifier
    """Id of the contract line."""
    item: Identifier
    """Id of the entry of the billing schedule."""
    kind: BillingKind
    """The condition that made the amount due, as in the billing schedule."""
    amount: PositiveMoney
    """Amount to be invoiced, after discounts and any advance that is drawn down."""
    due_on: Day
    """Day on which the amount became due for invoicing; not the day by which to pay."""
    deliverables: tuple[Identifier, ...] = ()
    """Ids of the deliverables that the entry of the billing schedule names."""
    exception: ShortText | None = None
    """Reason for billing before the schedule makes it due, or at other than contracted rates.

    Null where the contract makes the amount due.
    """


class InvoiceLine(Value):
    """Line of an invoice. Role, hours and rate are set where time is billed."""

    description: ShortText
    """Text of the line."""
    line: Identifier
    """Id of the contract line."""
    amount: ItemMoney
    """Amount of the line; negative where it lowers the invoice."""
    role: ProjectRole | None = None
    """Role whose time is billed; null where no time is."""
    hours: TotalHours | None = None
    """Hours that are billed; null where no time is."""
    rate: Rate | None = None
    """Bill rate per hour."""


class InvoiceDraft(Value):
    """The content of an invoice, as it is drafted for a billing event."""

    invoice: Identifier
    """Id of the invoice, from draft to payment; not the invoice number."""
    billing_event: Identifier
    """Id of the billing event that is invoiced."""
    kind: BillingKind
    """The condition that made the amount due, as in the billing schedule."""
    lines: tuple[InvoiceLine, ...]
    """Lines of the invoice."""
    amount: PositiveMoney
    """Sum of the lines less `advance_drawn`."""
    advance_drawn: NotNegativeTotal
    """Part of the lines that is paid by an advance invoiced before (a contract liability)."""


class InvoiceDrafted(InvoiceDraft, Event, channel=FINANCE):
    """An invoice was drafted for a billing event; it has no number until it is approved.

    Published by Finance.
    """


class DraftWithdrawn(Event, channel=FINANCE):
    """A draft invoice and its billing event were withdrawn before approval.

    Published by Finance where an amendment reduced the entry of the billing schedule below what had
    become due: what is left of the entry becomes due again and is drafted anew. Also where the
    acceptance that had made it due was withdrawn: the next acceptance makes it due again.
    """

    invoice: Identifier
    """Id of the invoice, from draft to payment; not the invoice number."""
    billing_event: Identifier
    """Id of the billing event that is invoiced."""
    amount: PositiveMoney
    """Amount of the withdrawn draft."""


class InvoiceApproved(Event, channel=FINANCE):
    """A draft invoice was approved; it is issued when it has its number. Published by Finance."""

    invoice: Identifier
    """Id of the invoice, from draft to payment; not the invoice number."""
    amount: PositiveMoney
    """Amount of the invoice."""
    issue_on: Day
    """Invoice date."""


class InvoiceIssued(Event, channel=FINANCE, consumed_by=("delivery", "legal", "sales")):
    """An approved invoice was issued to the customer under its number. Published by Finance."""

    invoice: Identifier
    """Id of the invoice."""
    number: Identifier
    """Invoice number, such as `2026-00042`."""
    billing_event: Identifier
    """Id of the billing event that is invoiced."""
    kind: BillingKind
    """The condition that made the amount due, as in the billing schedule."""
    amount: PositiveMoney
    """Amount to be paid."""
    deliverables: tuple[Identifier, ...] = ()
    """Ids of the deliverables that the entry of the billing schedule names."""
    lines: tuple[InvoiceLine, ...] = ()
    """Lines of the invoice."""
    issued_on: Day
    """Invoice date."""
    due_on: Day
    """Last day for payment: the invoice date plus the contract's payment terms."""


class Voiding(Value):
    """The reason for which an invoice is voided."""

    invoice: Identifier
    """Id of the invoice."""
    why: ShortText
    """Reason for voiding it."""


class InvoiceVoided(Voiding, Event, channel=FINANCE, consumed_by=("sales", "legal")):
    """An issued invoice was voided; its number is not used again. Published by Finance."""

    number: Identifier
    """Invoice number."""
    amount: PositiveMoney
    """Amount of the voided invoice."""
    voided_on: Day
    """Day on which it was voided."""
    ends_event: bool | None = None
    """True if the billing event ended with the invoice; if not, the invoice is drafted anew.

    True for exceptions, and where an amendment reduced the entry of the billing schedule below what
    had become due. Null in events recorded before the field existed: then only exceptions ended.
    """


class InvoiceMovement(Value):
    """An amount that was paid or given back on an invoice."""

    invoice: Identifier
    """Id of the invoice."""
    amount: PositiveMoney
    """Amount that was paid or given back."""


class Credit(InvoiceMovement):
    """A credit on an invoice, and the reason for it."""

    why: ShortText
    """Reason for the credit."""


class CreditNoteIssued(Credit, Event, channel=FINANCE, consumed_by=("sales", "legal")):
    """A credit note over part or all of an issued invoice was issued under its number.

    Published by Finance.
    """

    credit_note: Identifier
    """Id of the credit note."""
    number: Identifier
    """Number of the credit note, such as `CN-2026-00007`."""
    issued_on: Day
    """Date of the credit note."""


class PaymentReceived(InvoiceMovement, Event, channel=FINANCE, consumed_by=("sales", "legal")):
    """The customer paid an invoice, in part or in full. Published by Finance."""

    received_on: Day
    """Day on which the money arrived."""


class RefundPaid(InvoiceMovement, Event, channel=FINANCE):
    """Money that the customer had paid beyond what an invoice came to was paid back.

    Published by Finance. An invoice comes to its amount less its credit notes.
    """

    paid_on: Day
    """Day on which the money was paid back."""


class PaymentOverdue(Event, channel=FINANCE, consumed_by=("sales", "legal")):
    """An invoice was not paid in full by its due day. Published by Finance, once per invoice."""

    invoice: Identifier
    """Id of the invoice."""
    due_on: Day
    """Last day for payment."""
    outstanding: PositiveTotal
    """Amount of the invoice less credit notes and payments."""


class AccountSettled(Event, channel=FINANCE, consumed_by=("delivery", "legal")):
    """The account was settled: nothing is left to invoice, and no invoice is open.

    Published by Finance; again where billable work was approved since that cannot be billed any
    more.
    """

    billed: NotNegativeTotal
    """Invoices issued, less voided ones and credit notes."""
    paid: NotNegativeTotal
    """Payments received, less refunds."""
    settled_on: Day
    """Day of the settlement."""


class AccountReopened(Event, channel=FINANCE, consumed_by=("delivery", "legal")):
    """A settled account was reopened: time or expenses approved since can be billed.

    Published by Finance.
    """

    settled_on: Day
    """Day of the settlement that no longer holds."""
    unbilled: PositiveTotal
    """Approved time and expenses that can be billed now, at contracted rates."""


class EstimateCosted(Event, channel=FINANCE_CONFIDENTIAL):
    """The cost of a priced version of the estimate was calculated.

    Published by Finance in confidence once the cost rates are known. The rates are those in force
    on the day (UTC) on which the estimate was submitted.
    """

    estimate_version: Version
    """Version of the estimate."""
    cost: NotNegativeTotal
    """Cost to the company of the priced hours, with the contingency."""
    margin: Ratio | None
    """(price - cost) / price, as a ratio; null where the price is zero."""


class LineCost(Value):
    """The cost of the hours of a contract line."""

    line: Identifier
    """Id of the contract line."""
    cost: Money
    """Cost to the company; negative where a change takes hours away."""


LineCosts = Annotated[tuple[LineCost, ...], Field(max_length=200), DistinctBy("line")]
"""Costs of different lines, at most 200."""


class ChangeCosted(Event, channel=FINANCE_CONFIDENTIAL):
    """The cost of a priced or signed change was calculated.

    Published by Finance in confidence once the cost rates are known. The rates are those in force
    on the day (UTC) of the assessment.
    """

    change: Identifier
    """Id of the change within the engagement."""
    cost: Money
    """Cost to the company of the hours: the sum of the lines; negative for a cut of scope."""
    lines: LineCosts
    """Costs of the lines that the change touches."""
    margin: Ratio | None
    """(price - cost) / price, as a ratio; null where the price is zero."""


class BudgetCosted(Event, channel=FINANCE_CONFIDENTIAL):
    """The cost of the budget was calculated at the cost rates in force on the day of signature.

    Published by Finance in confidence once the cost rates are known. Amendments are not included.
    """

    cost: NotNegativeTotal
    """Cost to the company: the sum of the lines."""
    lines: LineCosts
    """Cost of the hours of each line; a line at cost without hours costs its price."""
    margin_sold: Margin
    """Margin of the signed price over this cost."""


class CostAccrued(Event, channel=FINANCE_CONFIDENTIAL):
    """The cost of an approved time entry or expense was accrued.

    Published by Finance in confidence once the cost rates are known. Time is costed at the rates in
    force on the Monday of its week.
    """

    entry: Identifier
    """Id of the time entry or of the expense."""
    person: PersonId
    """Person who worked or spent the money."""
    role: ProjectRole | None
    """Null for an expense."""
    kind: LineKind
    """Kind of work, or an expense."""
    week: Week | None
    """Monday of the calendar week; null for an expense."""
    hours: Hours
    """Zero for an expense."""
    cost: NotNegativeTotal
    """Cost of this entry to the company."""
    cumulative: NotNegativeTotal
    """Cost of the engagement to date, including this one."""


class MeasuredReport(Value):
    """Status report that was measured: repeated here, so that one event has both to compare."""

    report: Version
    """Counts the engagement's reports from 1."""
    streamsequence: StreamSequence
    """The `streamsequence` of the report on Delivery's channel."""
    schedule: RAG
    """Reported status of the schedule."""
    cost: RAG
    """Reported status of the cost."""


class PerformanceMeasured(Event, channel=FINANCE_CONFIDENTIAL):
    """Earned value was measured for a status report.

    Source: PMI, Practice Standard for Earned Value Management. Published by Finance in confidence.
    All amounts are cost; a ratio whose divisor is zero is null.
    """

    as_of: Day
    """Day of the status report."""
    report: MeasuredReport
    """The status report."""
    budget_at_completion: NotNegativeTotal
    """BAC: cost of all tasks as planned."""
    planned_value: NotNegativeTotal
    """PV: planned cost of the work scheduled to that day."""
    earned_value: NotNegativeTotal
    """EV: planned cost of the work completed."""
    actual_cost: NotNegativeTotal
    """AC: accrued cost of the work dated to that day."""
    cost_performance_index: Ratio | None
    """CPI = EV / AC."""
    schedule_performance_index: Ratio | None
    """SPI = EV / PV."""
    estimate_to_complete: NotNegativeTotal | None
    """ETC: hours that the manager still needs, at the average cost of the plan's hours."""
    estimate_at_completion: NotNegativeTotal | None
    """EAC = AC + ETC."""
    variance_at_completion: Money | None
    """VAC = BAC - EAC; negative where it will cost more than planned."""


class MarginMeasured(Event, channel=FINANCE_CONFIDENTIAL):
    """The margins were measured, for a status report or for the end of a settled engagement.

    Published by Finance in confidence. A margin is null while its revenue or cost is not known.
    """

    as_of: Day
    """Day of the status report, or the last day that the final figures include."""
    margin_sold: Margin | None
    """Price of the contract against the cost of its budgeted hours, with signed changes."""
    margin_billed: Margin | None
    """Invoices less credit notes against accrued cost, both to that day."""
    margin_recognised: Margin | None
    """Recognised revenue against accrued cost, both to the end of the last recognised month."""
    margin_forecast: Margin | None
    """Expected revenue against the cost at completion; at the end, billed against actual cost."""


class QuestionAsked(
    AskedQuestion, Event, channel=FINANCE, consumed_by=("sales", "legal", "delivery")
):
    """Finance asked another department or a contact of the customer a question.

    Published by Finance.
    """


class QuestionAnswered(
    AnsweredQuestion, Event, channel=FINANCE, consumed_by=("sales", "legal", "delivery")
):
    """Finance answered a question to it, or recorded the answer of a contact that it had asked.

    Published by Finance.
    """
