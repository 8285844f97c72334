"""Compose the section of Finance's open channel of its parts, one for each capability."""

from dataclasses import dataclass, field

from contracts import finance
from contracts.money import Money, Rate
from gateway.view.sections.finance import (
    budget,
    conversions,
    credit_notes,
    drafts,
    importing,
    invoices,
    payments,
    periods,
    prices,
    revenue,
    reversed_work,
    withheld_work,
)
from gateway.view.sections.finance.budget import Budget
from gateway.view.sections.finance.drafts import Billable, Draft
from gateway.view.sections.finance.importing import OpeningInvoice
from gateway.view.sections.finance.invoices import Invoice
from gateway.view.sections.finance.lines import BilledLine
from gateway.view.sections.finance.prices import (
    PricedChange,
    PricedEstimate,
    floor_of_proposal,
    priced_change,
    priced_estimate,
)
from gateway.view.sections.finance.revenue import (
    cumulative_revenue,
    recognised_month,
    total_revenue,
)
from gateway.view.sections.finance.reversed_work import ReversedWork, without_reversed
from gateway.view.sections.finance.withheld_work import WithheldWork
from gateway.view.sections.sentences import answer, question
from gateway.view.sections.steps import (
    AmendmentVerdict,
    Kept,
    Ref,
    Review,
    Steps,
    each_by,
    newest,
    newest_ref,
    review,
    verdict_on_amendment,
)


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
        finance.EstimatePriced, lambda event: event.estimate_version, kept=priced_estimate
    )
    changes_priced: dict[str, Kept[PricedChange]] = each_by(
        finance.ChangePriced, lambda event: event.change, kept=priced_change
    )
    proposal_reviews: dict[int, Kept[str]] = each_by(
        finance.ProposalReviewed, lambda event: event.version, kept=floor_of_proposal
    )
    """The place of each version's price above or below the floor."""
    amendment_reviews: dict[str, Kept[AmendmentVerdict]] = each_by(
        finance.AmendmentReviewed, lambda event: event.amendment, kept=verdict_on_amendment
    )
    budget: Budget | None = None
    revenue: dict[str, Kept[Money]] = each_by(
        finance.RevenueRecognised, lambda event: event.obligation, kept=cumulative_revenue
    )
    """Revenue to date by obligation, of methods that do not use cost."""
    recognised_to: dict[str, Kept[str]] = each_by(
        finance.RevenueRecognised, lambda event: event.obligation, kept=recognised_month
    )
    billing: dict[str, Billable] = field(default_factory=dict)
    drafts: dict[str, Draft] = field(default_factory=dict)
    invoices: dict[str, Invoice] = field(default_factory=dict)
    opening: dict[str, OpeningInvoice] = field(default_factory=dict)
    """Invoices from before the take-over that were not paid then, by id."""
    held: dict[str, WithheldWork] = field(default_factory=dict)
    """Approved work that is held back from billing, by kind and id (``time:T-1``)."""
    reversed: dict[str, ReversedWork] = field(default_factory=dict)
    given_back: dict[str, set[str]] = field(default_factory=dict)
    """Works that were given back for good by name: line of the invoice and key, by invoice."""
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
        return total_revenue(self.revenue)

    @property
    def recognises_by_cost(self) -> bool:
        """True if revenue of the engagement is recognised in proportion to its cost."""
        obligations = self.budget.obligations if self.budget else ()
        return any(each.method == "cost-to-cost" for each in obligations)

    def price_of_change(self, change: str) -> Money | None:
        """Return the price of a change, or None where it is not priced."""
        priced = self.changes_priced.get(change)
        return priced.event.price if priced is not None else None

    def estimated_rate(self, role: str) -> Rate | None:
        """Return the bill rate of a role in the newest priced estimate, or None."""
        return self.priced[max(self.priced)].event.rates.get(role) if self.priced else None

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
            for line in without_reversed(bill.billed_lines, self.reversed.get(name))
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


steps = Steps[FinanceSection](
    FinanceSection,
    prices.steps,
    budget.steps,
    revenue.steps,
    drafts.steps,
    invoices.steps,
    credit_notes.steps,
    withheld_work.steps,
    reversed_work.steps,
    payments.steps,
    conversions.steps,
    importing.steps,
    periods.steps,
)
steps.describe(finance.QuestionAsked, question("Finance"))
steps.describe(finance.QuestionAnswered, answer("Finance"))
