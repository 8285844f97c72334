"""State of an engagement in Delivery: the parts of all capabilities."""

from datetime import date
from decimal import Decimal
from typing import Literal

from common.engagement import CommonParts
from contracts.delivery import EstimateSubmitted
from contracts.lines import ContractLine, hours_by_role
from contracts.values import Deliverable, PersonId
from delivery.acceptance.state import Acceptance
from delivery.changes.state import Changes
from delivery.closing.state import Closing
from delivery.contract.state import Contract
from delivery.customer_inputs.state import CustomerInputs
from delivery.deal.state import Deal
from delivery.estimates.state import Estimates, hours_of
from delivery.expenses.state import Expenses
from delivery.importing.state import Importing
from delivery.kickoff.state import Kickoff
from delivery.management.state import Management
from delivery.planning.state import Planning
from delivery.progress.state import Progress
from delivery.raid.state import Raid
from delivery.requirements.state import Requirements
from delivery.resources.state import Resources
from delivery.surveys.state import Surveys
from delivery.time_entries.state import Time

Stage = Literal[
    "imported", "planning", "mobilising", "delivering", "closing", "closed", "terminated", "lost"
]
"""Stage of the engagement in Delivery. `imported`: won before the platform was introduced, and
no manager is assigned. `planning`: before the contract is signed. `mobilising`: signed, before
the kickoff. `delivering`: after the kickoff, or taken over while it was under way. `closing`: live.
The others: ended."""


class Engagement(CommonParts):
    """An engagement in Delivery."""

    deal: Deal = Deal()
    estimates: Estimates = Estimates()
    contract: Contract = Contract()
    management: Management = Management()
    resources: Resources = Resources()
    requirements: Requirements = Requirements()
    planning: Planning = Planning()
    kickoff: Kickoff = Kickoff()
    time: Time = Time()
    expenses: Expenses = Expenses()
    progress: Progress = Progress()
    raid: Raid = Raid()
    customer_inputs: CustomerInputs = CustomerInputs()
    changes: Changes = Changes()
    acceptance: Acceptance = Acceptance()
    surveys: Surveys = Surveys()
    closing: Closing = Closing()
    importing: Importing = Importing()

    @property
    def ended_on(self) -> date | None:
        """Return the day the deal was lost or the contract was terminated; else None."""
        if self.contract.terminated:
            return self.contract.terminated.terminated_on
        return self.deal.lost_on

    @property
    def is_over(self) -> bool:
        """Return whether the engagement is closed, lost or terminated."""
        return self.closing.closed is not None or self.ended_on is not None

    @property
    def stage(self) -> Stage:
        """Return the stage of the engagement in Delivery."""
        if self.closing.closed:
            return "closed"
        if self.contract.terminated:
            return "terminated"
        if self.deal.lost_on:
            return "lost"
        if self.closing.live:
            return "closing"
        if self.kickoff.held or self.importing.taken_over:
            return "delivering"
        if self.contract.signed_on:
            return "mobilising"
        imported = None if self.deal.opened or self.management.manager else self.deal.imported
        return "imported" if imported and imported.outcome == "won" else "planning"

    @property
    def manager(self) -> PersonId | None:
        """Return the engagement manager, or None before one is assigned."""
        assigned = self.management.manager
        return assigned.manager if assigned else None

    @property
    def sold_estimate(self) -> EstimateSubmitted | None:
        """Return the estimate of the won proposal, or None."""
        won = self.deal.won
        proposal = self.deal.proposals.get(won.proposal_version) if won else None
        return self.estimates.submitted.get(proposal.estimate_version) if proposal else None

    @property
    def sold_hours(self) -> Decimal | None:
        """Return the hours that were sold: of the won estimate, or of a contract taken over."""
        if self.sold_estimate is not None:
            return hours_of(self.sold_estimate)
        contract = self.contract.imported
        return sum(hours_by_role(contract.lines).values(), Decimal(0)) if contract else None

    @property
    def delivered_hours(self) -> Decimal:
        """Return all hours that were approved here, and those that were taken over."""
        return self.time.approved_hours + self.importing.hours

    @property
    def was_under_way(self) -> bool:
        """Return whether the engagement was under way before the platform was introduced."""
        return self.contract.imported is not None or self.importing.taken_over is not None

    @property
    def first_baselined_on(self) -> date | None:
        """Return the day of the first baseline, here or before the take-over; None without one."""
        taken_over = self.importing.taken_over
        return taken_over.baselined_on if taken_over else self.planning.first_baselined_on

    @property
    def lines(self) -> tuple[ContractLine, ...]:
        """Return the lines of the contract, with signed amendments applied.

        Before the signature they are those of the won deal.
        """
        return self.lines_of(date.max)

    def lines_of(self, day: date) -> tuple[ContractLine, ...]:
        """Return the lines of the contract as they are now, without those added after a day."""
        return self.contract.lines_of(day) or (self.deal.won.lines if self.deal.won else ())

    @property
    def agreed(self) -> dict[str, Deliverable]:
        """Return the agreed deliverables by id, with signed amendments applied.

        They are those of the signed statement of work; before the signature those of the won deal,
        and before that those of the estimate request. Of an engagement that was taken over, they
        are those that Delivery took over, and those that the contract names.
        """
        source = self.contract.statement or self.deal.won or self.estimates.requested
        agreed = {each.deliverable: each for each in source.deliverables} if source else {}
        if self.was_under_way:
            agreed |= self._taken_over()
        for amendment in self.contract.amendments.values():
            agreed |= {each.deliverable: each for each in amendment.deliverables_added}
        return self._in_scope(agreed)

    @property
    def owed(self) -> dict[str, Deliverable]:
        """Return the deliverables to be accepted by the customer, by id.

        They are those agreed and those in the baseline, without the descoped ones.
        """
        baseline = self.planning.baseline
        planned = {each.deliverable: each for each in baseline.deliverables} if baseline else {}
        return self._in_scope(planned | self.agreed)

    def _taken_over(self) -> dict[str, Deliverable]:
        contract, progress = self.contract.imported, self.importing.taken_over
        named = contract.named_deliverables if contract else ()
        known: dict[str, Deliverable] = {
            each: Deliverable(deliverable=each, title=each) for each in named
        }
        for each in progress.deliverables if progress else ():
            known[each.deliverable] = Deliverable(deliverable=each.deliverable, title=each.title)
        return known

    def _in_scope(self, deliverables: dict[str, Deliverable]) -> dict[str, Deliverable]:
        descoped = self.contract.descoped
        return {name: each for name, each in deliverables.items() if name not in descoped}
