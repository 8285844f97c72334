"""Finance's two sections of the view, one for its open and one for its confidential channel."""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from contracts import finance
from contracts.billable_work import PayingLines, paying_line
from contracts.decimals import Rounding
from contracts.event import Recorded
from contracts.lines import ContractLine, LineChange, PerformanceObligation
from contracts.money import Money, Rate
from contracts.values import Conversion, Margin
from gateway.formatting import counted, day, hours, listed, money, number, percent, ratio, words
from gateway.view.sections.sentences import (
    answer,
    if_given,
    question,
    total_hours,
    verdict,
)
from gateway.view.sections.steps import (
    AmendmentVerdict,
    Kept,
    Ref,
    Review,
    Steps,
    each_by,
    line_hours,
    newest,
    newest_ref,
    ref,
    review,
    unbilled,
    verdict_on_amendment,
)


@dataclass(frozen=True, slots=True)
class PricedEstimate:
    """The price of a version of the estimate; `floor` is its place above or below the floor."""

    estimate_version: int
    price: Money
    project_management_share: Decimal
    floor: str


@dataclass(frozen=True, slots=True)
class PricedChange:
    """The price of a change order, in total and by line."""

    change: str
    changes: list[LineChange]
    price: Money


def _priced(event: finance.EstimatePriced) -> PricedEstimate:
    return PricedEstimate(
        event.estimate_version, event.price, event.project_management_share, event.floor
    )


def _change_priced(event: finance.ChangePriced) -> PricedChange:
    return PricedChange(event.change, list(event.changes), event.price)


def _floor(event: finance.ProposalReviewed) -> str:
    return event.floor


def _cumulative(event: finance.RevenueOfMonth) -> Money:
    return event.cumulative


@dataclass(slots=True)
class Budget:
    """The budget as set and then amended."""

    price: Money
    lines: list[ContractLine]
    hours: Decimal
    obligations: list[PerformanceObligation]
    rounding: Rounding
    """Policy by which Finance rounds the amounts of the contract."""
    paying: PayingLines
    """Lines that pay for work that names no line."""
    amended_for: list[str]
    said: Ref

    def paying_line(self, line: str | None, role: str | None, on: date) -> ContractLine | None:
        """Return the line that work of a role on a day belongs to, or None; see `paying_line`."""
        return paying_line(self.lines, self.paying, line, role, on)


@dataclass(slots=True)
class Billable:
    """A billing entry that is due, and whether it was invoiced."""

    line: str
    item: str
    kind: str
    amount: Money
    due_on: date
    said: Ref
    invoiced: bool = False


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """A line of a draft or an invoice, as the customer reads it; role and hours where it is time.

    `written_down` is what an edit of the draft took off the amount. The tax code is known from the
    issue on; the tax is rounded once for each code.
    """

    invoice_line: str
    line: str
    description: str
    role: str | None
    hours: Decimal | None
    amount: Money
    written_down: Money | None
    tax_code: str | None


def _lines(
    lines: Iterable[finance.InvoiceLine], tax: finance.TaxTotals | None = None
) -> list[InvoiceLine]:
    codes = {name: each.tax_code for each in (tax.by_code if tax else ()) for name in each.lines}
    return [
        InvoiceLine(
            line.invoice_line,
            line.line,
            line.description,
            line.role,
            line.hours,
            line.amount,
            line.written_down,
            codes.get(line.line),
        )
        for line in lines
    ]


@dataclass(frozen=True, slots=True)
class CreditedLine:
    """Part of a line of an invoice that a credit note takes back; `hours` are of its works."""

    invoice_line: str
    line: str
    role: str | None
    amount: Money
    works: int
    hours: Decimal | None


@dataclass(frozen=True, slots=True)
class CreditNote:
    """A credit note; `amount` is without tax: its lines less what of an advance is restored."""

    credit_note: str
    number: str
    intent: str
    issued_on: date
    amount: Money
    gross: Money
    advance_restored: Money | None
    why: str
    lines: list[CreditedLine]


def _credit_note(event: finance.CreditNoteIssued) -> CreditNote:
    return CreditNote(
        event.credit_note,
        event.number,
        event.intent,
        event.issued_on,
        event.amount,
        event.tax.gross,
        event.advance_restored,
        event.why,
        [
            CreditedLine(
                each.invoice_line,
                each.line,
                each.role,
                each.amount,
                len(each.works),
                _hours(each.works),
            )
            for each in event.lines
        ],
    )


def _hours(works: Iterable[finance.BilledWork]) -> Decimal | None:
    """Return the hours of works; None where none of them is time."""
    known = [each.hours for each in works if each.hours is not None]
    return sum(known, Decimal(0)) if known else None


@dataclass(slots=True)
class BilledLine:
    """A line of an invoice as far as it bills; role, hours (also by day) and rate where it is time.

    `amount` contains what was written down of it, and not what was credited to be billed again.
    """

    invoice_line: str
    line: str
    amount: Money
    role: str | None
    hours: Decimal | None
    rate: Rate | None
    days: dict[date, Decimal] = field(default_factory=dict)


def _billed(lines: Iterable[finance.InvoiceLine]) -> list[BilledLine]:
    return [
        BilledLine(
            line.invoice_line,
            line.line,
            line.whole,
            line.role,
            line.hours,
            line.rate,
            {each.day: each.hours for each in line.days},
        )
        for line in lines
    ]


@dataclass(slots=True)
class Draft:
    """The draft of an invoice, until it is issued, withdrawn or rejected.

    `held` is the reason for which it is held, `edited` that of its last edit by a person, or None.
    `amount` is without tax.
    """

    kind: str
    amount: Money
    lines: list[InvoiceLine]
    billed_lines: list[BilledLine]
    billing_event: str
    held: str | None = None
    edited: str | None = None


@dataclass(frozen=True, slots=True)
class WithheldWork:
    """Approved work of a contract line that is not billed; an expense has no role and no hours."""

    line: str
    on: date
    role: str | None
    hours: Decimal | None
    worth: Money

    def __add__(self, other: "WithheldWork") -> "WithheldWork":
        """Return this work together with other work of the same line, role and day."""
        hours = None if self.hours is None else self.hours + (other.hours or Decimal(0))
        return replace(self, hours=hours, worth=self.worth + other.worth)

    def __neg__(self) -> "WithheldWork":
        """Return this work with negative hours and worth."""
        return replace(self, hours=None if self.hours is None else -self.hours, worth=-self.worth)


def _works(event: finance.WorkOfLine) -> dict[str, WithheldWork]:
    return {
        f"{each.kind}:{each.entry}": WithheldWork(
            event.line, each.on, each.role, each.hours, each.worth
        )
        for each in event.works
    }


@dataclass(slots=True)
class ReversedWork:
    """Work that an invoice bills and whose approval was reversed.

    `lines` are what the lines of the invoice bill too much, by id. `works` are the works, by kind
    and id. `to_credit` is what of them is on no credit note yet, by line of the invoice.
    """

    lines: dict[str, BilledLine]
    works: set[str]
    to_credit: dict[str, Money]
    said: Ref


@dataclass(slots=True)
class Invoice:
    """An issued invoice, with what is paid, written off and credited.

    `amount`, `advance_drawn` and `credited` are without tax, the other amounts with tax. `line` is
    the contract line of its billing entry, of which an advance pays a part.
    """

    invoice: str
    number: str
    kind: str
    amount: Money
    gross: Money
    deliverables: list[str]
    line: str
    lines: list[InvoiceLine]
    billed_lines: list[BilledLine]
    advance_drawn: Money
    issued_on: date
    due_on: date
    said: Ref
    paid: Money
    written_off: Money
    credited: Money
    gross_credited: Money
    credit_notes: list[CreditNote] = field(default_factory=list)
    voided: bool = False
    overdue: Ref | None = None

    def left_of(self, invoice_line: str) -> Money:
        """Return what no credit note takes back of one of its lines, before the advance."""
        billed = (each.amount for each in self.lines if each.invoice_line == invoice_line)
        credited = (
            each.amount
            for note in self.credit_notes
            for each in note.lines
            if each.invoice_line == invoice_line
        )
        currency = self.amount.currency
        return Money.total(billed, currency) - Money.total(credited, currency)

    def billed_on(self, line: str) -> Money:
        """Return what it bills on a contract line, less credits on it and the advance."""
        currency = self.amount.currency
        on_line = Money.total((each.amount for each in self.lines if each.line == line), currency)
        credited = (
            each.amount for note in self.credit_notes for each in note.lines if each.line == line
        )
        left = on_line - Money.total(credited, currency)
        if line != self.line:
            return left
        restored = (each.advance_restored for each in self.credit_notes if each.advance_restored)
        return left - (self.advance_drawn - Money.total(restored, currency))

    @property
    def outstanding(self) -> Money:
        """The amount with tax that the customer still owes on it; 0 where it is void."""
        if self.voided:
            return Money.zero(self.amount.currency)
        return self.gross - self.paid - self.written_off - self.gross_credited


@dataclass(slots=True)
class OpeningInvoice:
    """An unpaid invoice from before the take-over, with what is paid and written off here.

    Amounts are with tax; `open` is what was owed at the take-over.
    """

    number: str
    gross: Money
    open: Money
    due_on: date
    paid: Money
    written_off: Money
    overdue: Ref | None = None

    @property
    def outstanding(self) -> Money:
        """The amount that the customer still owes on it."""
        return self.open - self.paid - self.written_off


@dataclass(slots=True)
class FinanceSection:
    """The engagement as Finance published it on its open channel."""

    questions: dict[str, Kept[finance.QuestionAsked]] = each_by(
        finance.QuestionAsked, lambda event: event.question
    )
    answers: dict[str, Kept[finance.QuestionAnswered]] = each_by(
        finance.QuestionAnswered, lambda event: event.question
    )
    sow_reviews: dict[int, Kept[Review]] = each_by(
        finance.SowReviewed, lambda event: event.version, kept=review
    )
    priced: dict[int, Kept[PricedEstimate]] = each_by(
        finance.EstimatePriced, lambda event: event.estimate_version, kept=_priced
    )
    changes_priced: dict[str, Kept[PricedChange]] = each_by(
        finance.ChangePriced, lambda event: event.change, kept=_change_priced
    )
    proposal_reviews: dict[int, Kept[str]] = each_by(
        finance.ProposalReviewed, lambda event: event.version, kept=_floor
    )
    """The place of each version's price above or below the floor."""
    amendment_reviews: dict[str, Kept[AmendmentVerdict]] = each_by(
        finance.AmendmentReviewed, lambda event: event.amendment, kept=verdict_on_amendment
    )
    budget: Budget | None = None
    revenue: dict[str, Kept[Money]] = each_by(
        finance.RevenueRecognised, lambda event: event.obligation, kept=_cumulative
    )
    """Revenue to date by obligation, of methods that do not use cost."""
    billing: dict[str, Billable] = field(default_factory=dict)
    drafts: dict[str, Draft] = field(default_factory=dict)
    invoices: dict[str, Invoice] = field(default_factory=dict)
    opening: dict[str, OpeningInvoice] = field(default_factory=dict)
    """Invoices from before the take-over that were not paid then, by id."""
    held: dict[str, WithheldWork] = field(default_factory=dict)
    """Approved work that is held back from billing, by kind and id (``time:T-1``)."""
    reversed: dict[str, ReversedWork] = field(default_factory=dict)
    """Reversed work by the invoice that bills it."""
    written_down: dict[str, WithheldWork] = field(default_factory=dict)
    """Approved work that is never billed, by contract line, role and day."""
    settled: Ref | None = newest_ref(
        finance.AccountSettled,
        until=(finance.BudgetAmended, finance.InvoiceIssued, finance.AccountReopened),
    )
    converted_expenses: dict[str, Money] = field(default_factory=dict)
    """Billable expenses in other currencies, converted, by contract line and day.

    The keys are the line, empty where none is named, and the day, with a slash between them.
    """
    periods: dict[str, Kept[finance.PeriodBooked]] = each_by(
        finance.PeriodBooked, lambda event: event.month
    )
    """The booked months."""
    imported: Kept[finance.EngagementImported] | None = newest(finance.EngagementImported)
    """The opening balances; what is billed, paid and recognised here does not contain them."""

    def billed_before(self, currency: str, line: str | None = None) -> Money:
        """Return what was billed of a line, or of all, before the engagement was taken over."""
        lines = self.imported.event.lines if self.imported else ()
        return Money.total((each.billed for each in lines if line in {None, each.line}), currency)

    @property
    def recognised(self) -> Money | None:
        """The revenue recognised to date by methods that do not use cost, or None."""
        return _sum(self.revenue)

    @property
    def recognises_by_cost(self) -> bool:
        """True if revenue of the engagement is recognised in proportion to its cost."""
        obligations = self.budget.obligations if self.budget else ()
        return any(each.method == "cost-to-cost" for each in obligations)

    def price_of_change(self, change: str) -> Money | None:
        """Return the price of a change, or None where it is not priced."""
        priced = self.changes_priced.get(change)
        return priced.event.price if priced is not None else None

    def live_invoices(self) -> list[Invoice]:
        """Return the invoices that are not void."""
        return [invoice for invoice in self.invoices.values() if not invoice.voided]

    def owing(self, invoice: str) -> Invoice | OpeningInvoice | None:
        """Return an invoice, of here or from before, or None where it is unknown."""
        return self.invoices.get(invoice) or self.opening.get(invoice)

    def receivables(self) -> list[Invoice | OpeningInvoice]:
        """Return the invoices that are not void, also those from before."""
        return [*self.opening.values(), *self.live_invoices()]

    def time_lines(self) -> list[BilledLine]:
        """Return what drafts and invoices that are not void bill of work that is approved."""
        bills: dict[str, Invoice | Draft] = {**self.drafts}
        bills |= {name: each for name, each in self.invoices.items() if not each.voided}
        return [
            line
            for name, bill in bills.items()
            if bill.kind == "time"
            for line in _without(bill.billed_lines, self.reversed.get(name))
        ]

    def to_credit(self, invoice: Invoice) -> Money:
        """Return what an invoice bills for reversed work, without what was given back of it."""
        known = self.reversed.get(invoice.invoice)
        owed = known.to_credit.items() if known is not None else ()
        return Money.total(
            (min(amount, invoice.left_of(line)) for line, amount in owed), invoice.amount.currency
        )

    def billed(self, currency: str) -> Money:
        """Return the amount issued, less voided and credited amounts; without tax."""
        return Money.total(
            (invoice.amount - invoice.credited for invoice in self.live_invoices()), currency
        )

    def paid(self, currency: str) -> Money:
        """Return what was paid on invoices that are not void, also what banks kept of it.

        Amounts are with tax.
        """
        return Money.total((invoice.paid for invoice in self.live_invoices()), currency)

    def written_off(self, currency: str) -> Money:
        """Return what customers do not have to pay any more, on invoices that are not void."""
        return Money.total((invoice.written_off for invoice in self.live_invoices()), currency)

    def outstanding(self, currency: str) -> Money:
        """Return the amount issued and not yet paid, written off, voided or credited; with tax.

        Also that of invoices from before the take-over.
        """
        return Money.total((each.outstanding for each in self.receivables()), currency)


def _sum(revenue: dict[str, Kept[Money]]) -> Money | None:
    amounts = [each.event for each in revenue.values()]
    return Money.total(amounts, amounts[0].currency) if amounts else None


@dataclass(slots=True)
class ConfidentialSection:
    """Costs and margins, for readers with the role `confidential`.

    `margin_sold` comes from the budget until Finance has measured it, and then from Finance's last
    measurement, with the changes that it includes.
    """

    estimate_costs: dict[int, Kept[finance.EstimateCosted]] = each_by(
        finance.EstimateCosted, lambda event: event.estimate_version
    )
    budget: Kept[finance.BudgetCosted] | None = newest(finance.BudgetCosted)
    margin_sold: Margin | None = None
    cost: Money | None = None
    project_management_cost: Money | None = None
    performance: Kept[finance.PerformanceMeasured] | None = newest(finance.PerformanceMeasured)
    margins: Kept[finance.MarginMeasured] | None = newest(finance.MarginMeasured)
    revenue: dict[str, Kept[Money]] = each_by(
        finance.RevenueByCostRecognised, lambda event: event.obligation, kept=_cumulative
    )
    """Revenue to date by obligation, of the method that uses cost."""
    periods: dict[str, Kept[finance.PeriodCosted]] = each_by(
        finance.PeriodCosted, lambda event: event.month
    )
    """The cost of the booked months."""
    imported: Kept[finance.OpeningCostRecorded] | None = newest(finance.OpeningCostRecorded)
    """Cost and revenue by cost from before; no other figure contains them."""

    @property
    def recognised(self) -> Money | None:
        """The revenue recognised to date in proportion to cost, or None."""
        return _sum(self.revenue)


steps = Steps(FinanceSection, ignored=[finance.RevenueMethodChosen, finance.InvoiceApproved])
confidential_steps = Steps(ConfidentialSection, ignored=[finance.ChangeCosted])


def _against_minimum(floor: str) -> str:
    return "the margin is not known" if floor == "unknown" else f"{floor} the minimum margin"


def _methods(obligations: Iterable[PerformanceObligation]) -> str:
    return listed(
        f"revenue of {each.obligation} recognised {words(each.method)}" for each in obligations
    )


def _with_rate(conversion: Conversion) -> str:
    return (
        f"{money(conversion.amount)} are {money(conversion.converted)} at the rate "
        f"{conversion.exchange_rate}"
    )


def _costed(entries: Sequence[finance.CostedWork]) -> str:
    """Return the hours of the entries, such as "40 h", or what an expense was converted from."""
    if worked := sum((each.hours for each in entries), Decimal(0)):
        return hours(worked)
    return f"an expense{if_given(' of {}', entries[0].conversion, _original)}"


def _original(conversion: Conversion) -> str:
    return f"{money(conversion.amount)} at the rate {conversion.exchange_rate}"


def _ratio(margin: Margin | None) -> Decimal | None:
    return margin.margin if margin is not None else None


steps.describe(
    finance.SowReviewed,
    lambda event, _: (
        f"Finance {verdict(event.verdict)} statement of work {event.version}."
        f"{if_given(' “{}”', event.why)}"
    ),
)
steps.describe(
    finance.EstimatePriced,
    lambda event, _: (
        f"Estimate {event.estimate_version} priced at {money(event.price)}, "
        f"{number(event.project_management_share)}% of it project management."
    ),
)
steps.describe(
    finance.ProposalReviewed,
    lambda event, _: (
        f"Proposal {event.version} over {money(event.price)} reviewed: "
        f"{_against_minimum(event.floor)}."
    ),
)
steps.describe(
    finance.AmendmentReviewed,
    lambda event, _: (
        f"Finance {verdict(event.verdict)} amendment {event.amendment}."
        f"{if_given(' “{}”', event.why)}"
    ),
)
steps.describe(
    finance.ChangePriced,
    lambda event, _: f"Change {event.change} priced at {money(event.price)}.",
)
steps.describe(
    finance.RevenueMethodChosen,
    lambda event, _: (
        f"Revenue of {event.obligation} will be recognised {words(event.method)}: “{event.why}”"
    ),
)
steps.describe(
    finance.BudgetSet,
    lambda event, _: (
        f"Budget set: {money(event.price)}, {total_hours(event.lines)}; "
        f"{_methods(event.obligations)}."
    ),
)


@steps.on(finance.BudgetSet)
def _budget(section: FinanceSection, recorded: Recorded[finance.BudgetSet]) -> None:
    event = recorded.event
    section.budget = Budget(
        price=event.price,
        lines=unbilled(event.lines),
        hours=line_hours(event.lines),
        obligations=list(event.obligations),
        rounding=event.rounding,
        paying=PayingLines().after(event.lines),
        amended_for=[],
        said=ref(recorded),
    )


steps.describe(
    finance.BudgetAmended,
    lambda event, _: (
        f"Budget amended for change {event.change}: now {money(event.price)}, "
        f"{total_hours(event.lines)}; accounted for as {words(event.treatment)}: “{event.why}”"
    ),
)


@steps.on(finance.BudgetAmended)
def _amended(section: FinanceSection, recorded: Recorded[finance.BudgetAmended]) -> None:
    budget, event = section.budget, recorded.event
    if budget is not None:
        budget.price = event.price
        budget.lines, budget.hours = unbilled(event.lines), line_hours(event.lines)
        budget.obligations = list(event.obligations)
        budget.paying = budget.paying.after(event.lines, event.signed_on, event.unnamed_work_from)
        budget.amended_for.append(event.change)


steps.describe(
    finance.RevenueRecognised,
    lambda event, _: (
        f"{money(event.amount)} of revenue of {event.obligation} recognised for {event.month}, "
        f"{money(event.cumulative)} to date."
    ),
)
confidential_steps.describe(
    finance.RevenueByCostRecognised,
    lambda event, _: (
        f"{money(event.amount)} of revenue of {event.obligation} recognised for {event.month} by "
        f"cost, {money(event.cumulative)} to date."
    ),
)
steps.describe(
    finance.BillingEventDue,
    lambda event, names: (
        f"{money(event.amount)} may be invoiced ({words(event.kind)}) from {day(event.due_on)}"
        f"{if_given(', for {}', listed(map(names.title, event.deliverables)))}."
        f"{if_given(' Exception: “{}”', event.exception)}"
    ),
)


@steps.on(finance.BillingEventDue)
def _due(section: FinanceSection, recorded: Recorded[finance.BillingEventDue]) -> None:
    event = recorded.event
    section.billing[event.billing_event] = Billable(
        event.line, event.item, event.kind, event.amount, event.due_on, ref(recorded)
    )


def _with_tax(net: Money, tax: finance.TaxTotals) -> str:
    """Return an amount without tax and, where there is tax, with tax."""
    return f"{money(net)} ({money(tax.gross)} with tax)" if tax.total.amount else money(net)


steps.describe(
    finance.InvoiceDrafted,
    lambda event, _: f"Invoice over {money(event.amount)} drafted ({words(event.kind)}).",
)


@steps.on(finance.InvoiceDrafted)
def _invoice_drafted(section: FinanceSection, recorded: Recorded[finance.InvoiceDrafted]) -> None:
    event = recorded.event
    section.drafts[event.invoice] = _draft(event)


def _draft(event: finance.InvoiceDraft) -> Draft:
    return Draft(
        event.kind, event.amount, _lines(event.lines), _billed(event.lines), event.billing_event
    )


steps.describe(
    finance.InvoiceHeld,
    lambda event, _: f"Draft {event.invoice} held: “{event.why}”",
)


@steps.on(finance.InvoiceHeld)
def _invoice_held(section: FinanceSection, recorded: Recorded[finance.InvoiceHeld]) -> None:
    draft = section.drafts.get(recorded.event.invoice)
    if draft is not None:
        draft.held = recorded.event.why


steps.describe(
    finance.InvoiceReleased,
    lambda event, _: f"Draft {event.invoice} can be approved again.",
)


@steps.on(finance.InvoiceReleased)
def _invoice_released(section: FinanceSection, recorded: Recorded[finance.InvoiceReleased]) -> None:
    draft = section.drafts.get(recorded.event.invoice)
    if draft is not None:
        draft.held = None


steps.describe(
    finance.InvoiceRejected,
    lambda event, _: f"Draft {event.invoice} over {money(event.amount)} rejected: “{event.why}”",
)


@steps.on(finance.InvoiceRejected)
def _invoice_rejected(section: FinanceSection, recorded: Recorded[finance.InvoiceRejected]) -> None:
    event = recorded.event
    draft = section.drafts.pop(event.invoice, None)
    section.reversed.pop(event.invoice, None)
    if draft is not None and event.ends_event:
        section.billing.pop(draft.billing_event, None)


steps.describe(
    finance.InvoiceApproved,
    lambda event, _: (
        f"Invoice over {money(event.amount)} approved, to be issued on {day(event.issue_on)}."
    ),
)
steps.describe(
    finance.InvoiceEdited,
    lambda event, _: (
        f"Draft {event.invoice} changed to {money(event.amount)}{_written_down_by(event)}: "
        + ("the approval of work on it was reversed." if event.why is None else f"“{event.why}”")
    ),
)


@steps.on(finance.InvoiceEdited)
def _invoice_edited(section: FinanceSection, recorded: Recorded[finance.InvoiceEdited]) -> None:
    event = recorded.event
    before = section.drafts.get(event.invoice)
    draft = section.drafts[event.invoice] = _draft(event)
    draft.held = before.held if before is not None else None
    draft.edited = event.why or (before.edited if before is not None else None)
    due = section.billing.get(event.billing_event)
    if due is not None and event.kind == "time":
        due.amount = event.amount


def _written_down_by(event: finance.InvoiceEdited) -> str:
    parts = [each.written_down for each in event.lines if each.written_down is not None]
    total = Money.total(parts, event.amount.currency)
    return f", {money(total)} written down" if total.amount else ""


steps.describe(
    finance.BilledWorkReversed,
    lambda event, _: (
        f"The approval of work was reversed that an invoice bills at {money(event.amount)}."
    ),
)


@steps.on(finance.BilledWorkReversed)
def _billed_work_reversed(
    section: FinanceSection, recorded: Recorded[finance.BilledWorkReversed]
) -> None:
    event = recorded.event
    nothing = Money.zero(event.amount.currency)
    known = section.reversed.setdefault(event.invoice, ReversedWork({}, set(), {}, ref(recorded)))
    known.said = ref(recorded)
    for work in event.works:
        known.works.add(work.key)
        name = work.invoice_line
        known.to_credit[name] = known.to_credit.get(name, nothing) + work.amount
        line = known.lines.setdefault(
            name, BilledLine(name, work.line, nothing, work.role, Decimal(0), work.rate)
        )
        line.amount = line.amount + work.whole
        if work.hours is not None and line.hours is not None:
            line.hours += work.hours
            line.days[work.on] = line.days.get(work.on, Decimal(0)) + work.hours


def _without(lines: Iterable[BilledLine], gone: ReversedWork | None) -> Iterator[BilledLine]:
    """Yield lines of an invoice without the work on them whose approval was reversed."""
    left = dict(gone.lines) if gone is not None else {}
    for line in lines:
        less = left.pop(line.invoice_line, None) if left else None
        yield line if less is None else _less(line, less)


def _less(line: BilledLine, less: BilledLine) -> BilledLine:
    """Return a line without a part of its amount, hours and days."""
    days = {on: hours - less.days.get(on, Decimal(0)) for on, hours in line.days.items()}
    return replace(
        line,
        amount=line.amount - less.amount,
        hours=None if line.hours is None else line.hours - (less.hours or Decimal(0)),
        days={on: hours for on, hours in days.items() if hours > 0},
    )


steps.describe(
    finance.DraftWithdrawn,
    lambda event, _: (
        f"Draft {event.invoice} over {money(event.amount)} withdrawn: its billing entry changed or "
        "is no longer due, or the approval of work on it was reversed."
    ),
)


@steps.on(finance.DraftWithdrawn)
def _withdrawn(section: FinanceSection, recorded: Recorded[finance.DraftWithdrawn]) -> None:
    section.reversed.pop(recorded.event.invoice, None)
    section.drafts.pop(recorded.event.invoice, None)
    section.billing.pop(recorded.event.billing_event, None)


steps.describe(
    finance.InvoiceIssued,
    lambda event, _: (
        f"Invoice {event.number} over {_with_tax(event.amount, event.tax)} issued on "
        f"{day(event.issued_on)}, due {day(event.due_on)}."
    ),
)


@steps.on(finance.InvoiceIssued)
def _issued(section: FinanceSection, recorded: Recorded[finance.InvoiceIssued]) -> None:
    event = recorded.event
    nothing = Money.zero(event.amount.currency)
    section.drafts.pop(event.invoice, None)
    due = section.billing.get(event.billing_event)
    section.invoices[event.invoice] = Invoice(
        invoice=event.invoice,
        number=event.number,
        kind=event.kind,
        amount=event.amount,
        gross=event.tax.gross,
        deliverables=list(event.deliverables),
        line=due.line if due is not None else event.lines[0].line,
        lines=_lines(event.lines, event.tax),
        billed_lines=_billed(event.lines),
        advance_drawn=event.advance_drawn,
        issued_on=event.issued_on,
        due_on=event.due_on,
        said=ref(recorded),
        paid=nothing,
        written_off=nothing,
        credited=nothing,
        gross_credited=nothing,
    )
    if due is not None:
        due.invoiced = True


steps.describe(
    finance.ExpenseConverted,
    lambda event, _: f"Expense {event.expense} converted: {_with_rate(event.conversion)}.",
)


@steps.on(finance.ExpenseConverted)
def _converted(section: FinanceSection, recorded: Recorded[finance.ExpenseConverted]) -> None:
    event, amount = recorded.event, recorded.event.conversion.converted
    if event.billable:
        key = f"{event.line or ''}/{event.spent_on}"
        before = section.converted_expenses.get(key, Money.zero(amount.currency))
        section.converted_expenses[key] = before + amount


def _unpaid(balances: finance.EngagementImported) -> str:
    if not balances.receivables:
        return ""
    owed = Money.total((each.open for each in balances.receivables), balances.billed.currency)
    return f", {money(owed)} with tax is unpaid on {counted(len(balances.receivables), 'invoice')}"


steps.describe(
    finance.EngagementImported,
    lambda event, _: (
        f"Balances to {day(event.as_of)} taken over: {money(event.billed)} billed, "
        f"{money(event.paid)} paid, without tax{_unpaid(event)}"
        f"{if_given('; corrected: “{}”', event.why)}."
    ),
)


@steps.on(finance.EngagementImported)
def _taken_over(section: FinanceSection, recorded: Recorded[finance.EngagementImported]) -> None:
    """Replace the invoices from before; what is paid here of one stays."""
    before, section.opening = section.opening, {}
    for each in recorded.event.receivables:
        nothing, known = Money.zero(each.gross.currency), before.get(each.invoice)
        section.opening[each.invoice] = OpeningInvoice(
            number=each.number,
            gross=each.gross,
            open=each.open,
            due_on=each.due_on,
            paid=known.paid if known else nothing,
            written_off=known.written_off if known else nothing,
            overdue=known.overdue if known else None,
        )


confidential_steps.describe(
    finance.OpeningCostRecorded,
    lambda event, _: (
        f"Cost to {day(event.as_of)} taken over{if_given(': {}', event.cost, money)}"
        f"{if_given('; corrected: “{}”', event.why)}."
    ),
)
steps.describe(
    finance.ExpenseConversionReversed,
    lambda event, _: f"Expense {event.expense} counts no more: {_with_rate(event.conversion)}.",
)


@steps.on(finance.ExpenseConversionReversed)
def _conversion_reversed(
    section: FinanceSection, recorded: Recorded[finance.ExpenseConversionReversed]
) -> None:
    event, amount = recorded.event, recorded.event.conversion.converted
    if event.billable:
        key = f"{event.line or ''}/{event.spent_on}"
        left = section.converted_expenses[key] - amount
        section.converted_expenses[key] = left


steps.describe(
    finance.WorkHeld,
    lambda event, _: (
        f"Work over {money(event.worth)} on line {event.line} is held back from billing: "
        f"“{event.why}”"
    ),
)


@steps.on(finance.WorkHeld)
def _held(section: FinanceSection, recorded: Recorded[finance.WorkHeld]) -> None:
    section.held |= _works(recorded.event)


steps.describe(
    finance.WorkReleased,
    lambda event, _: f"Held work over {money(event.worth)} on line {event.line} is released.",
)


@steps.on(finance.WorkReleased)
def _released(section: FinanceSection, recorded: Recorded[finance.WorkReleased]) -> None:
    for key in _works(recorded.event):
        section.held.pop(key, None)


steps.describe(
    finance.WorkWrittenDown,
    lambda event, _: (
        f"Work over {money(event.worth)} on line {event.line} is written down: “{event.why}”"
    ),
)


@steps.on(finance.WorkWrittenDown)
def _written_down(section: FinanceSection, recorded: Recorded[finance.WorkWrittenDown]) -> None:
    for each in _works(recorded.event).values():
        _write_down(section, each)


steps.describe(
    finance.WithheldWorkReversed,
    lambda event, _: (
        f"The approval of withheld work over {money(event.worth)} on line {event.line} was "
        "reversed."
    ),
)


@steps.on(finance.WithheldWorkReversed)
def _withheld_reversed(
    section: FinanceSection, recorded: Recorded[finance.WithheldWorkReversed]
) -> None:
    for key, work in _works(recorded.event).items():
        if section.held.pop(key, None) is None:
            _write_down(section, -work)


def _write_down(section: FinanceSection, work: WithheldWork) -> None:
    """Add work to what is written down of its line, role and day; a reversed one is negative."""
    key = f"{work.line}/{work.role or ''}/{work.on}"
    known = section.written_down.get(key)
    total = work if known is None else known + work
    if total.worth.amount or total.hours:
        section.written_down[key] = total
    else:
        section.written_down.pop(key, None)


steps.describe(
    finance.InvoiceVoided,
    lambda event, _: f"Invoice {event.number} over {money(event.amount)} voided: “{event.why}”",
)


@steps.on(finance.InvoiceVoided)
def _voided(section: FinanceSection, recorded: Recorded[finance.InvoiceVoided]) -> None:
    section.reversed.pop(recorded.event.invoice, None)
    invoice = section.invoices.get(recorded.event.invoice)
    if invoice is not None:
        invoice.voided = True
        _clear_overdue(invoice)


steps.describe(
    finance.CreditNoteIssued,
    lambda event, _: (
        f"Credit note {event.number} on invoice {event.details.invoice_number} over "
        f"{_with_tax(event.amount, event.tax)} issued on {day(event.issued_on)}, "
        f"{intent(event.intent)}: “{event.why}”"
    ),
)


@steps.on(finance.CreditNoteIssued)
def _credited(section: FinanceSection, recorded: Recorded[finance.CreditNoteIssued]) -> None:
    invoice = section.invoices.get(recorded.event.invoice)
    event = recorded.event
    corrected = section.reversed.get(event.invoice)
    gone = corrected.works if corrected is not None else set[str]()
    if invoice is not None:
        invoice.credited = invoice.credited + event.amount
        invoice.gross_credited = invoice.gross_credited + event.tax.gross
        invoice.credit_notes.append(_credit_note(event))
        if event.intent == "cancel-and-rebill":
            again = {each.invoice_line: each for each in event.lines}
            invoice.billed_lines = [
                _cancelled(line, again[line.invoice_line], gone)
                if line.invoice_line in again
                else line
                for line in invoice.billed_lines
            ]
        _clear_overdue(invoice)
    if corrected is not None:
        for line in event.lines:
            for work in line.works:
                if work.key in corrected.works:
                    owed = corrected.to_credit[line.invoice_line]
                    corrected.to_credit[line.invoice_line] = owed - work.amount


def _cancelled(line: BilledLine, credit: finance.CreditedLine, gone: Container[str]) -> BilledLine:
    """Return a line without what is billed again.

    Works whose approval was reversed were taken off it before. A line that is taken back beyond its
    works, which is possible with exceptions, bills nothing more.
    """
    if credit.amount > Money.total((each.amount for each in credit.works), line.amount.currency):
        return replace(line, amount=line.amount - credit.amount, hours=Decimal(0), days={})
    less = replace(line, amount=Money.zero(line.amount.currency), hours=Decimal(0), days={})
    for work in credit.works:
        if work.key not in gone:
            less.amount = less.amount + work.whole
            less.hours = (less.hours or Decimal(0)) + (work.hours or Decimal(0))
            less.days[work.on] = less.days.get(work.on, Decimal(0)) + (work.hours or Decimal(0))
    return _less(line, less)


def intent(name: str) -> str:
    """Return what follows from a credit with an intent, such as "to be billed again"."""
    return "given back for good" if name == "give-back" else "to be billed again"


steps.describe(
    finance.PaymentAllocated,
    lambda event, _: (
        f"{money(event.amount)} received on {day(event.received_on)}"
        f"{if_given(', {} kept by banks', event.bank_charge, money)}"
        f"{if_given(', {}', event.conversion, _original)}"
        f"{if_given(' (exchange difference {})', event.exchange_difference, money)}."
    ),
)


@steps.on(finance.PaymentAllocated)
def _allocated(section: FinanceSection, recorded: Recorded[finance.PaymentAllocated]) -> None:
    event = recorded.event
    invoice = section.owing(event.invoice)
    if invoice is not None:
        invoice.paid = invoice.paid + event.paid
        _clear_overdue(invoice)


def _clear_overdue(invoice: Invoice | OpeningInvoice) -> None:
    """Clear the overdue mark of an invoice of which nothing is outstanding any more."""
    if invoice.outstanding.amount <= 0:
        invoice.overdue = None


steps.describe(
    finance.PaymentDeallocated,
    lambda event, _: (
        f"{money(event.paid)} of the payment of {day(event.received_on)} is no longer on the "
        f"invoice: “{event.why}”"
    ),
)


@steps.on(finance.PaymentDeallocated)
def _deallocated(section: FinanceSection, recorded: Recorded[finance.PaymentDeallocated]) -> None:
    event = recorded.event
    invoice = section.owing(event.invoice)
    if invoice is not None:
        invoice.paid = invoice.paid - event.paid


steps.describe(
    finance.WriteOffRecorded,
    lambda event, _: (
        f"{money(event.amount)} written off on {day(event.written_off_on)}: “{event.why}”"
    ),
)


@steps.on(finance.WriteOffRecorded)
def _written_off(section: FinanceSection, recorded: Recorded[finance.WriteOffRecorded]) -> None:
    event = recorded.event
    invoice = section.owing(event.invoice)
    if invoice is not None:
        invoice.written_off = invoice.written_off + event.amount
        _clear_overdue(invoice)


steps.describe(
    finance.WriteOffReversed,
    lambda event, _: f"{money(event.amount)} is no longer written off: “{event.why}”",
)


@steps.on(finance.WriteOffReversed)
def _write_off_reversed(
    section: FinanceSection, recorded: Recorded[finance.WriteOffReversed]
) -> None:
    event = recorded.event
    invoice = section.owing(event.invoice)
    if invoice is not None:
        invoice.written_off = invoice.written_off - event.amount


steps.describe(
    finance.PaymentOverdue,
    lambda event, _: f"{money(event.outstanding)} overdue since {day(event.due_on)}.",
)


@steps.on(finance.PaymentOverdue)
def _overdue(section: FinanceSection, recorded: Recorded[finance.PaymentOverdue]) -> None:
    invoice = section.owing(recorded.event.invoice)
    if invoice is not None and invoice.outstanding.amount > 0:
        invoice.overdue = ref(recorded)


steps.describe(
    finance.AccountSettled,
    lambda event, _: (
        f"Account settled on {day(event.settled_on)}: {money(event.billed)} billed without tax, "
        f"{money(event.paid)} paid and {money(event.written_off)} written off, with tax."
    ),
)
steps.describe(
    finance.AccountReopened,
    lambda event, _: (
        f"The account settled on {day(event.settled_on)} is open again: {money(event.unbilled)} of "
        f"approved work can be billed, {money(event.to_credit)} has to be credited, "
        f"{money(event.outstanding)} is outstanding."
    ),
)
confidential_steps.describe(
    finance.EstimateCosted,
    lambda event, _: (
        f"Estimate {event.estimate_version} would cost {money(event.cost)}"
        f"{if_given(', a margin of {}', event.margin, percent)}."
    ),
)
confidential_steps.describe(
    finance.ChangeCosted,
    lambda event, _: (
        f"Change {event.change} would cost {money(event.cost)}"
        f"{if_given(', a margin of {}', event.margin, percent)}."
    ),
)
confidential_steps.describe(
    finance.BudgetCosted,
    lambda event, _: (
        f"Budgeted cost {money(event.cost)}; sold at a margin of "
        f"{percent(event.margin_sold.margin)}."
    ),
)


@confidential_steps.on(finance.BudgetCosted)
def _budget_costed(section: ConfidentialSection, recorded: Recorded[finance.BudgetCosted]) -> None:
    section.margin_sold = recorded.event.margin_sold


confidential_steps.describe(
    finance.CostAccrued,
    lambda event, _: (
        f"{money(event.cost)} of cost accrued for {_costed(event.entries)}, "
        f"{money(event.cumulative)} to date."
    ),
)


@confidential_steps.on(finance.CostAccrued)
def _accrued(section: ConfidentialSection, recorded: Recorded[finance.CostAccrued]) -> None:
    event = recorded.event
    section.cost = event.cumulative
    for each in event.entries:
        if each.kind == "project-management":
            before = section.project_management_cost or Money.zero(each.cost.currency)
            section.project_management_cost = before + each.cost


confidential_steps.describe(
    finance.CostReversed,
    lambda event, _: (
        f"{money(event.cost)} of cost reversed for {_costed(event.entries)}, "
        f"{money(event.cumulative)} to date."
    ),
)


@confidential_steps.on(finance.CostReversed)
def _cost_reversed(section: ConfidentialSection, recorded: Recorded[finance.CostReversed]) -> None:
    event = recorded.event
    section.cost = event.cumulative
    for each in event.entries:
        if each.kind == "project-management" and section.project_management_cost is not None:
            section.project_management_cost = section.project_management_cost - each.cost


confidential_steps.describe(
    finance.PerformanceMeasured,
    lambda event, _: (
        f"Performance at {day(event.as_of)}: planned {money(event.planned_value)}, earned "
        f"{money(event.earned_value)}, spent {money(event.actual_cost)}"
        f"{if_given('; CPI {}', event.cost_performance_index, ratio)}"
        f"{if_given(', SPI {}', event.schedule_performance_index, ratio)}."
    ),
)
confidential_steps.describe(
    finance.MarginMeasured,
    lambda event, _: (
        f"Margin at {day(event.as_of)}{if_given(': sold {}', _ratio(event.margin_sold), percent)}"
        f"{if_given('; billed {}', _ratio(event.margin_billed), percent)}"
        f"{if_given('; recognised {}', _ratio(event.margin_recognised), percent)}"
        f"{if_given('; forecast {}', _ratio(event.margin_forecast), percent)}."
    ),
)


@confidential_steps.on(finance.MarginMeasured)
def _margins(section: ConfidentialSection, recorded: Recorded[finance.MarginMeasured]) -> None:
    section.margin_sold = recorded.event.margin_sold or section.margin_sold


def _of_unknown_worth(works: int) -> str:
    return f", and the worth of {works} more is not known" if works else ""


steps.describe(
    finance.PeriodBooked,
    lambda event, _: (
        f"{event.month} booked: {money(event.billed)} billed, {money(event.credited)} credited, "
        f"{money(event.paid)} paid, {money(event.recognised)} recognised, "
        f"{number(event.hours)} h approved; {money(event.receivables)} with tax is owed, "
        f"{money(event.unbilled)} of work is unbilled"
        f"{_of_unknown_worth(event.unbilled_unknown)}."
    ),
)
confidential_steps.describe(
    finance.PeriodCosted,
    lambda event, _: (
        f"Cost of {event.month} booked: {money(event.cost)}; "
        f"{money(event.recognised_by_cost)} recognised by cost"
        f"{if_given(', a margin of {}', _ratio(event.margin), percent)}."
    ),
)
steps.describe(finance.QuestionAsked, question("Finance"))
steps.describe(finance.QuestionAnswered, answer("Finance"))
