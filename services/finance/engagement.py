"""State of an engagement in Finance: the parts of all capabilities.

All money of an engagement is in one currency, that of its opportunity.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Literal, Self

from chassis.domain.commands import Refused
from chassis.domain.state import on_event
from common.engagement import CommonParts
from contracts.decimals import ROUNDING, Rounding
from contracts.delivery import ExpenseApproved, TimeApproved
from contracts.finance import (
    BudgetAmended,
    BudgetSet,
    ExpenseConverted,
    InvoiceVoided,
    MarginMeasured,
    PerformanceMeasured,
    RevenueByCostRecognised,
)
from contracts.legal import EngagementImported, SowDrafted
from finance.billing.state import Billing
from finance.budgeting.state import Budget, Budgeting
from finance.changes.state import Changes
from finance.contract.state import Contract
from finance.estimates.state import Estimates
from finance.importing.state import Importing
from finance.moved_works.events import CostsTold, WorksLeft, WorksReturned
from finance.moved_works.state import MovedWorks
from finance.opportunity.state import Opportunity
from finance.performance.state import Performance
from finance.periods.state import Periods
from finance.postings.entries import Accounted, entry_of, entry_of_voiding
from finance.postings.state import Postings
from finance.progress.state import Progress
from finance.proposals.state import Proposals
from finance.provisions.state import Provisions
from finance.revenue.state import Revenue
from finance.settlement.state import Settlement
from finance.work.assignment import assigned
from finance.work.state import ApprovedWork
from finance.work.works import Work

Stage = Literal["open", "budgeted", "billing", "settled"]
"""Billing stage of an engagement."""


class Engagement(CommonParts):
    """An engagement in Finance."""

    opportunity: Opportunity = Opportunity()
    estimates: Estimates = Estimates()
    proposals: Proposals = Proposals()
    contract: Contract = Contract()
    budgeting: Budgeting = Budgeting()
    changes: Changes = Changes()
    progress: Progress = Progress()
    work: ApprovedWork = ApprovedWork()
    moved_works: MovedWorks = MovedWorks()
    billing: Billing = Billing()
    revenue: Revenue = Revenue()
    provisions: Provisions = Provisions()
    settlement: Settlement = Settlement()
    performance: Performance = Performance()
    importing: Importing = Importing()
    periods: Periods = Periods()
    postings: Postings = Postings()

    @on_event
    def _approved(self, event: TimeApproved | ExpenseApproved) -> Self:
        works = self.work.approved(event)
        return self.updated(work=self.work.assigned((None, self._assigned(each)) for each in works))

    @on_event
    def _converted(self, event: ExpenseConverted) -> Self:
        work = self.work.known(f"expense:{event.expense}", event.spent_on)
        if work is None:
            return self
        converted = self._assigned(work.changed(conversion=event.conversion))
        return self.updated(work=self.work.assigned([(work, converted)]))

    @on_event
    def _budgeted(self, _: BudgetSet | BudgetAmended) -> Self:
        """Assign all work anew: lines and rates are those of the budget."""
        works = sorted(self.work.every, key=lambda each: each.number)
        return self.updated(work=self.work.assigned((each, self._assigned(each)) for each in works))

    @on_event
    def _voided(self, event: InvoiceVoided) -> Self:
        invoice = self.billing.invoices[event.invoice]
        tax = invoice.tax
        gross = tax.gross if tax else event.amount
        after = self.updated(periods=self.periods.voided(event, gross))
        if tax is None:
            return after
        return after.updated(postings=self.postings.recorded(entry_of_voiding(event, tax, invoice)))

    @on_event
    def _accounted(self, event: Accounted) -> Self:
        entry = entry_of(event, self.billing.owing)
        return self.updated(postings=self.postings.recorded(entry))

    @on_event
    def _accounted_in_confidence(self, event: RevenueByCostRecognised) -> Self:
        entry = entry_of(event, self.billing.owing)
        return self.updated(postings=self.postings.recorded_in_confidence(entry))

    @on_event
    def _left(self, event: WorksLeft) -> Self:
        measured = self.performance.measured_works
        return self.updated(work=self.work.moved_out(event, measured))

    @on_event
    def _returned(self, event: WorksReturned) -> Self:
        """Have works again; the budget may have changed meanwhile."""
        work, works = self.work.reversed_elsewhere(event.reversed).returned(event.works)
        returned = work.assigned((each, self._assigned(each)) for each in works)
        return self.updated(work=returned)

    @on_event
    def _told(self, event: CostsTold) -> Self:
        work = self.work.told(event.works)
        return self.updated(work=work.without_copies(self.performance.measured_works))

    @on_event
    def _measured(self, _: PerformanceMeasured | MarginMeasured) -> Self:
        return self.updated(work=self.work.without_copies(self.performance.measured_works))

    def _assigned(self, work: Work) -> Work:
        return assigned(self.budget, work) if self.budget else work

    @property
    def currency(self) -> str | None:
        """Return the engagement's currency, or None while it is unknown."""
        contract = self.importing.contract
        return self.opportunity.currency or (contract.price.currency if contract else None)

    @property
    def money(self) -> str:
        """Return the engagement's currency.

        Raises Refused where Sales has not opened the opportunity, so that the currency is unknown.
        """
        if self.currency is None:
            raise Refused("opportunity-not-opened", "Sales has not opened this opportunity yet")
        return self.currency

    @property
    def account(self) -> str | None:
        """Return the customer's account, or None while it is unknown."""
        contract = self.importing.contract
        if self.opportunity.opened is None and contract is not None:
            return contract.customer
        return self.opportunity.opened.account if self.opportunity.opened else None

    @property
    def company(self) -> str | None:
        """Return the company that sells, or None before the deal is won."""
        known = self.opportunity.won or self.importing.contract
        return known.company if known else None

    @property
    def terms(self) -> SowDrafted | EngagementImported | None:
        """Return the signed statement of work, or the contract that Legal took over; else None."""
        return self.contract.sow or self.importing.contract

    @property
    def signed_on(self) -> date | None:
        """Return the day on which the contract was signed, or None."""
        imported = self.importing.contract
        return self.contract.signed_on or (imported.signed_on if imported else None)

    @property
    def effective_on(self) -> date | None:
        """Return the first day of the work that the contract covers, or None."""
        contract = self.contract.sow or self.importing.contract
        return contract.effective_on if contract else None

    @property
    def budget(self) -> Budget | None:
        """Return the budget, or None before it is set."""
        return self.budgeting.budget

    @property
    def rounding(self) -> Rounding:
        """Return the rounding policy of the contract; half up before the budget is set."""
        return self.budget.rounding if self.budget else ROUNDING

    @property
    def stage(self) -> Stage:
        """Return the billing stage."""
        if self.settlement.settled:
            return "settled"
        if self.budget is None:
            return "open"
        return "billing" if self.billing.issued else "budgeted"

    @property
    def end(self) -> tuple[Literal["lost", "terminated", "closed"], date] | None:
        """Return how and on which day the engagement ended, or None."""
        if self.opportunity.lost:
            return "lost", self.opportunity.lost.lost_on
        if self.contract.terminated:
            return "terminated", self.contract.terminated.terminated_on
        if self.progress.closed:
            return "closed", self.progress.closed.closed_on
        return None

    def in_scope(self, day: date) -> tuple[str, ...]:
        """Return the deliverables signed by a day, of contract and amendments, without descoped.

        Amendments signed after that day do not count.
        """
        gone, terms, sold = self.descoped(day), self.terms, list[str]()
        if isinstance(terms, EngagementImported):
            sold += terms.named_deliverables
        elif terms is not None:
            sold += [each.deliverable for each in terms.deliverables]
        for amendment in self.budgeting.amendments:
            if amendment.signed_on <= day:
                sold += [each.deliverable for each in amendment.deliverables_added]
        return tuple(each for each in dict.fromkeys(sold) if each not in gone)

    def accepted_on(self, deliverables: Iterable[str]) -> date | None:
        """Return the day on which the last of these deliverables was accepted, or descoped.

        None where one is neither, or none is accepted.
        """
        named, accepted = tuple(deliverables), self.progress.accepted
        done = {**self.descoped(), **accepted}
        if accepted.keys().isdisjoint(named) or any(each not in done for each in named):
            return None
        return max(done[each] for each in named)

    def descoped(self, day: date = date.max) -> Mapping[str, date]:
        """Return the deliverables removed from the scope by a day, with the day of the amendment.

        A deliverable that a later amendment added again is not descoped.
        """
        gone: dict[str, date] = {}
        for amendment in self.budgeting.amendments:
            if day < amendment.signed_on:
                continue
            gone |= dict.fromkeys(amendment.deliverables_removed, amendment.signed_on)
            for added in amendment.deliverables_added:
                gone.pop(added.deliverable, None)
        return gone
