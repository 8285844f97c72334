"""What Delivery knows of one engagement: its own events, and what it heard of the others.

How own events change it stands in `evolution`, how other departments' events do in `hearing`.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

from chassis.domain.decider import Decisions, Evolution
from contracts import delivery as said
from contracts import finance, legal, sales
from contracts.gateway import Disconnect
from contracts.money import Money
from contracts.values import FIRST_DAY, Deliverable, LineKind, PlannedTask

Stage = Literal[
    "imported", "planning", "mobilising", "delivering", "closing", "closed", "terminated", "lost"
]
"""Where Delivery stands: won elsewhere and nothing known of it; before the contract; before the
kickoff; at work; live; over."""

STANDING_TASKS: dict[str, LineKind] = {
    "initiation": "delivery",
    "project-management": "project-management",
}
"""Tasks on which time may be logged before there is a baseline, and what kind of work they are."""

ZERO = Decimal(0)


class Part(BaseModel):
    """A part of what is known: replaced, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Deal(Part):
    """What Sales said."""

    opened: sales.OpportunityOpened | None = None
    imported: sales.OpportunityImported | None = None
    qualified: sales.OpportunityQualified | None = None
    requested: sales.EstimateRequested | None = None
    proposals: dict[int, sales.ProposalDrafted] = {}
    submitted: int | None = None
    won: sales.DealWon | None = None
    lost: sales.DealLost | None = None

    @property
    def lost_on(self) -> date | None:
        """The day it was lost; for an imported loss without a day, the first day there is."""
        if self.lost:
            return self.lost.lost_on
        if self.imported and not self.opened and self.imported.outcome == "lost":
            return self.imported.closed_on or self.imported.opened_on or FIRST_DAY
        return None


class Contract(Part):
    """What Legal said. Amendments are kept by the change order they are for."""

    drafted: dict[int, legal.SowDrafted] = {}
    signed: legal.SowSigned | None = None
    early_starts: tuple[legal.EarlyStartAuthorised, ...] = ()
    amendments_drafted: dict[str, legal.AmendmentDrafted] = {}
    amendments: dict[str, legal.AmendmentSigned] = {}
    terminated: legal.EngagementTerminated | None = None

    @property
    def early_start_until(self) -> date | None:
        """The last day on which work was authorised before the signature; None: never."""
        return max((start.expires_on for start in self.early_starts), default=None)


class PricedChange(Part):
    """What the customer would pay for a change, and how much of Delivery the price rests on."""

    price: Money
    knowing: int


class Ledger(Part):
    """What Finance said, as far as everybody may know it.

    `settled_knowing` is the number of the last event of Delivery that Finance had heard when it
    settled.
    """

    estimates: dict[int, finance.EstimatePriced] = {}
    changes: dict[str, PricedChange] = {}
    budget: finance.BudgetSet | None = None
    amended: dict[str, finance.BudgetAmended] = {}
    settled: finance.AccountSettled | None = None
    settled_knowing: int = 0

    @property
    def bills_time(self) -> bool:
        """Whether approved time and expenses are billed, by the contract or an amendment."""
        papers = (self.budget, *self.amended.values())
        return any(
            item.kind == "time" for paper in papers if paper for item in paper.billing_schedule
        )


class Estimate(Part):
    """A version of the estimate, and which manager stands behind it."""

    submitted: said.EstimateSubmitted
    endorsed_by: str | None = None

    @property
    def hours(self) -> Decimal:
        """All estimated hours, without contingency."""
        return sum((line.hours for line in self.submitted.lines), ZERO)

    @property
    def project_management_hours(self) -> Decimal:
        """What managing the work takes, as a part of all hours."""
        lines = self.submitted.lines
        return sum((line.hours for line in lines if line.kind == "project-management"), ZERO)


class Request(Part):
    """Hours of a role that are wanted, and who is given to them now."""

    requested: said.ResourceRequested
    allocated: dict[str, said.ResourceAllocated] = {}


class Planning(Part):
    """The newest draft of the plan, and the baseline; the first baseline opened implementation."""

    draft: said.PlanDrafted | None = None
    baseline: said.PlanBaselined | None = None
    first_baselined_on: date | None = None

    def task(self, id: str) -> PlannedTask | None:
        """A task of the baseline or, while there is none, of the draft."""
        plan = self.baseline or self.draft
        return next((task for task in plan.tasks if task.task == id), None) if plan else None


class WaitingTime(Part):
    """Submitted hours that nobody has decided about, and who submitted them."""

    submitted_by: str
    person: str
    role: str
    task: str
    week: date
    hours: Decimal
    billable: bool
    kind: LineKind


class Timesheet(Part):
    """Entries that wait, which ones were decided, and totals of hours.

    `weeks` counts waiting and approved hours by person and week; the rest counts approved ones.
    """

    waiting: dict[str, WaitingTime] = {}
    decided: dict[str, Literal["approved", "rejected"]] = {}
    weeks: dict[str, dict[date, Decimal]] = {}
    by_task: dict[str, Decimal] = {}
    by_kind: dict[LineKind, Decimal] = {}

    @property
    def approved_hours(self) -> Decimal:
        """All hours that count."""
        return sum(self.by_kind.values(), ZERO)

    def in_week(self, person: str, week: date) -> Decimal:
        """Hours a person has logged in a week that were not rejected."""
        return self.weeks.get(person, {}).get(week, ZERO)

    def before(self, day: date | None, *, after: date | None = None) -> Decimal:
        """Hours, waiting or approved, of weeks over before a day and begun after another.

        A day that is not given leaves none out.
        """
        return sum(
            (
                hours
                for weeks in self.weeks.values()
                for week, hours in weeks.items()
                if (day is None or last_day(week) < day) and (after is None or week > after)
            ),
            ZERO,
        )


class Raid(Part):
    """Risks, issues and decisions by id, and which of them are closed."""

    risks: dict[str, said.RiskRaised] = {}
    issues: dict[str, said.IssueRaised] = {}
    decisions: dict[str, said.DecisionRecorded] = {}
    closed: dict[str, said.RaidItemClosed] = {}

    def knows(self, item: str) -> bool:
        """Whether the id is taken."""
        return item in self.risks or item in self.issues or item in self.decisions

    @property
    def open_risks(self) -> tuple[said.RiskRaised, ...]:
        """Risks that are not over."""
        return tuple(risk for item, risk in self.risks.items() if item not in self.closed)

    @property
    def open_issues(self) -> tuple[said.IssueRaised, ...]:
        """Issues that are not over."""
        return tuple(issue for item, issue in self.issues.items() if item not in self.closed)


class Change(Part):
    """A change and how far it went; `assessed_at` is the number of the event of its assessment."""

    requested: said.ChangeRequested
    assessed: said.ChangeAssessed | None = None
    assessed_at: int = 0
    approved: said.ChangeApproved | None = None
    rejected: said.ChangeRejected | None = None
    implemented: said.ChangeImplemented | None = None


class Submission(Part):
    """The latest submission of a deliverable, and what the customer said to it."""

    submitted: said.DeliverableSubmitted
    accepted: said.DeliverableAccepted | None = None
    rejected: said.DeliverableRejected | None = None


class Survey(Part):
    """Who was asked, and who answered what."""

    sent: said.SurveySent
    answers: dict[str, said.SurveyAnswered] = {}


class Engagement(Part):
    """One engagement, as Delivery knows it: `deal`, `contract` and `ledger` are what it heard.

    `billable` has the hours of billable work (none for an expense) by the number of the event of
    its approval.
    """

    engagement: str
    deal: Deal = Deal()
    contract: Contract = Contract()
    ledger: Ledger = Ledger()

    manager: said.ManagerAssigned | None = None
    tier: said.TierChosen | None = None
    held: said.EngagementPutOnHold | None = None
    estimates: dict[int, Estimate] = {}
    sow_reviews: dict[int, said.SowReviewed] = {}
    resources: dict[str, Request] = {}
    brd: said.BrdSubmitted | None = None
    brd_signed_off: dict[int, said.BrdSignedOff] = {}
    planning: Planning = Planning()
    kickoff: said.KickoffHeld | None = None
    timesheet: Timesheet = Timesheet()
    expenses: dict[str, said.ExpenseApproved] = {}
    billable: dict[int, Decimal] = {}
    progress: dict[str, said.TaskProgressed] = {}
    milestones: dict[str, said.MilestoneReached] = {}
    report: said.StatusReportPublished | None = None
    raid: Raid = Raid()
    changes: dict[str, Change] = {}
    submissions: dict[str, Submission] = {}
    live: said.SolutionWentLive | None = None
    surveys: dict[str, Survey] = {}
    pir: said.PirHeld | None = None
    closed: said.EngagementClosed | None = None
    disconnects: dict[str, Disconnect] = {}

    @property
    def title(self) -> str | None:
        """What Sales called it; None while Delivery has not heard of it being opened."""
        known = self.deal.opened or self.deal.imported
        return known.title if known else None

    @property
    def account(self) -> str | None:
        """The customer; None where nobody named one."""
        known = self.deal.opened or self.deal.imported
        return known.account if known else None

    @property
    def over_on(self) -> date | None:
        """The day the deal was lost or the contract ended before its work did; else None."""
        if self.contract.terminated:
            return self.contract.terminated.terminated_on
        return self.deal.lost_on

    @property
    def stage(self) -> Stage:
        """Where Delivery stands."""
        if self.closed:
            return "closed"
        if self.contract.terminated:
            return "terminated"
        if self.deal.lost_on:
            return "lost"
        if self.live:
            return "closing"
        if self.kickoff:
            return "delivering"
        if self.contract.signed:
            return "mobilising"
        elsewhere = self.deal.imported and not self.deal.opened and not self.manager
        won = elsewhere and self.deal.imported and self.deal.imported.outcome == "won"
        return "imported" if won else "planning"

    @property
    def sold_estimate(self) -> Estimate | None:
        """The estimate on which the won proposal rests."""
        won = self.deal.won
        proposal = self.deal.proposals.get(won.proposal_version) if won else None
        return self.estimates.get(proposal.estimate_version) if proposal else None

    @property
    def agreed(self) -> dict[str, Deliverable]:
        """Deliverables by contract (before it by the deal, before that as wanted), as amended."""
        contract, deal = self.contract, self.deal
        sow = contract.drafted.get(contract.signed.version) if contract.signed else None
        source = sow or deal.won or deal.requested
        agreed = {each.deliverable: each for each in source.deliverables} if source else {}
        for amendment in contract.amendments.values():
            agreed |= {each.deliverable: each for each in amendment.deliverables_added}
        return {name: each for name, each in agreed.items() if name not in self.descoped}

    @property
    def descoped(self) -> frozenset[str]:
        """Deliverables that signed amendments took away, and none gave back after."""
        gone: set[str] = set()
        for amendment in self.contract.amendments.values():
            gone -= {each.deliverable for each in amendment.deliverables_added}
            gone |= set(amendment.deliverables_descoped)
        return frozenset(gone)

    @property
    def owed(self) -> dict[str, Deliverable]:
        """Deliverables the customer is to accept: agreed or in the baseline, less the descoped."""
        baseline = self.planning.baseline
        planned = {each.deliverable: each for each in baseline.deliverables} if baseline else {}
        owed = planned | self.agreed
        return {name: each for name, each in owed.items() if name not in self.descoped}


evolve = Evolution[Engagement]()
decide = Decisions[Engagement]()


def last_day(week: date) -> date:
    """The Sunday of a week that is named by its Monday."""
    return week + timedelta(days=6)


def twice(ids: Iterable[str]) -> Iterator[str]:
    """Those ids that were there before, in order."""
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            yield name
        seen.add(name)
