"""Define Delivery's state of one engagement: from its own events and from other departments'.

`evolution` applies Delivery's own events, `hearing` those of other departments.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

from chassis.domain.decider import Decisions, Evolution
from contracts import delivery as events
from contracts import finance, legal, sales
from contracts.gateway import Disconnect
from contracts.money import Money
from contracts.values import FIRST_DAY, Deliverable, LineKind, PlannedTask

Stage = Literal[
    "imported", "planning", "mobilising", "delivering", "closing", "closed", "terminated", "lost"
]
"""Stage of the engagement in Delivery. `imported`: won before the platform was introduced, and
no manager is assigned. `planning`: before the contract is signed. `mobilising`: signed, before
the kickoff. `delivering`: after the kickoff. `closing`: live. The others: ended."""

TASKS_BEFORE_BASELINE: dict[str, LineKind] = {
    "initiation": "delivery",
    "project-management": "project-management",
}
"""Tasks that accept time before the first baseline, and the kind of work each one is."""

ZERO = Decimal(0)


class Part(BaseModel):
    """Immutable part of the state; an event replaces it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Deal(Part):
    """Events of Sales about the engagement."""

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
        """Return the day on which the deal was lost, or None.

        An imported loss without a closing day counts from the day the opportunity was opened, or
        else from the first day of the calendar.
        """
        if self.lost:
            return self.lost.lost_on
        if self.imported and not self.opened and self.imported.outcome == "lost":
            return self.imported.closed_on or self.imported.opened_on or FIRST_DAY
        return None


class Contract(Part):
    """Events of Legal about the engagement; amendments by the change order they are for."""

    drafted: dict[int, legal.SowDrafted] = {}
    signed: legal.SowSigned | None = None
    early_starts: tuple[legal.EarlyStartAuthorised, ...] = ()
    amendments_drafted: dict[str, legal.AmendmentDrafted] = {}
    amendments: dict[str, legal.AmendmentSigned] = {}
    terminated: legal.EngagementTerminated | None = None

    @property
    def early_start_until(self) -> date | None:
        """Return the last day of the authorised early starts; None where there are none."""
        return max((start.expires_on for start in self.early_starts), default=None)


class PricedChange(Part):
    """Price of a change, and `heard`: how far Finance had processed Delivery's channel.

    `heard` is the number of Delivery's last event that Finance had processed when it set the price.
    """

    price: Money
    heard: int


class Ledger(Part):
    """Open (not confidential) events of Finance about the engagement.

    `settled_heard` is the number of Delivery's last event that Finance had processed when it
    settled the account; 0 while it never has.
    """

    estimates: dict[int, finance.EstimatePriced] = {}
    changes: dict[str, PricedChange] = {}
    budget: finance.BudgetSet | None = None
    amended: dict[str, finance.BudgetAmended] = {}
    settled: finance.AccountSettled | None = None
    settled_heard: int = 0

    @property
    def bills_time(self) -> bool:
        """Return whether the contract or an amendment bills approved time and expenses."""
        papers = (self.budget, *self.amended.values())
        return any(
            item.kind == "time" for paper in papers if paper for item in paper.billing_schedule
        )


class Estimate(Part):
    """Version of the estimate, and the manager who endorsed it."""

    submitted: events.EstimateSubmitted
    endorsed_by: str | None = None

    @property
    def hours(self) -> Decimal:
        """Return all estimated hours, without contingency."""
        return sum((line.hours for line in self.submitted.lines), ZERO)

    @property
    def project_management_hours(self) -> Decimal:
        """Return the estimated hours of project management, a part of all hours."""
        lines = self.submitted.lines
        return sum((line.hours for line in lines if line.kind == "project-management"), ZERO)


class Request(Part):
    """Request for hours of a role, and the people allocated to it, by person."""

    requested: events.ResourceRequested
    allocated: dict[str, events.ResourceAllocated] = {}


class Planning(Part):
    """Newest draft of the plan, its baseline, and the day of the first baseline."""

    draft: events.PlanDrafted | None = None
    baseline: events.PlanBaselined | None = None
    first_baselined_on: date | None = None

    def task(self, id: str) -> PlannedTask | None:
        """Return a task of the baseline (else of the draft); None if unknown."""
        plan = self.baseline or self.draft
        return next((task for task in plan.tasks if task.task == id), None) if plan else None


class WaitingTime(Part):
    """Submitted hours that are neither approved nor rejected, and who submitted them."""

    submitted_by: str
    person: str
    role: str
    task: str
    week: date
    hours: Decimal
    billable: bool
    kind: LineKind


class Timesheet(Part):
    """Time entries that await approval, decided entries, and totals of hours.

    `weeks` counts waiting and approved hours by person and week (its Monday); `by_task` and
    `by_kind` count approved hours only.
    """

    waiting: dict[str, WaitingTime] = {}
    decided: dict[str, Literal["approved", "rejected"]] = {}
    weeks: dict[str, dict[date, Decimal]] = {}
    by_task: dict[str, Decimal] = {}
    by_kind: dict[LineKind, Decimal] = {}

    @property
    def approved_hours(self) -> Decimal:
        """Return all approved hours."""
        return sum(self.by_kind.values(), ZERO)

    def in_week(self, person: str, week: date) -> Decimal:
        """Return the hours that a person logged in a week, without rejected ones."""
        return self.weeks.get(person, {}).get(week, ZERO)

    def before(self, day: date | None, *, after: date | None = None) -> Decimal:
        """Return waiting and approved hours of weeks ended before `day` and begun after `after`.

        A bound that is None excludes no week.
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
    """Risks, issues and decisions by id, and the items that were closed."""

    risks: dict[str, events.RiskRaised] = {}
    issues: dict[str, events.IssueRaised] = {}
    decisions: dict[str, events.DecisionRecorded] = {}
    closed: dict[str, events.RaidItemClosed] = {}

    def knows(self, item: str) -> bool:
        """Return whether a risk, an issue or a decision has this id."""
        return item in self.risks or item in self.issues or item in self.decisions

    @property
    def open_risks(self) -> tuple[events.RiskRaised, ...]:
        """Return the risks that are not closed."""
        return tuple(risk for item, risk in self.risks.items() if item not in self.closed)

    @property
    def open_issues(self) -> tuple[events.IssueRaised, ...]:
        """Return the issues that are not closed."""
        return tuple(issue for item, issue in self.issues.items() if item not in self.closed)


class Change(Part):
    """Change request and its progress; `assessed_at` is the number of its last assessment event."""

    requested: events.ChangeRequested
    assessed: events.ChangeAssessed | None = None
    assessed_at: int = 0
    approved: events.ChangeApproved | None = None
    rejected: events.ChangeRejected | None = None
    implemented: events.ChangeImplemented | None = None


class Submission(Part):
    """Latest submission of a deliverable, and the customer's decision on it."""

    submitted: events.DeliverableSubmitted
    accepted: events.DeliverableAccepted | None = None
    rejected: events.DeliverableRejected | None = None


class Survey(Part):
    """Survey as it was sent, and its answers by contact."""

    sent: events.SurveySent
    answers: dict[str, events.SurveyAnswered] = {}


class Engagement(Part):
    """Delivery's state of one engagement.

    `deal`, `contract` and `ledger` come from other departments' events. `billable` contains the
    hours of approved billable work (0 for an expense) by the number of the approval event.
    """

    engagement: str
    deal: Deal = Deal()
    contract: Contract = Contract()
    ledger: Ledger = Ledger()

    manager: events.ManagerAssigned | None = None
    tier: events.TierChosen | None = None
    on_hold: events.EngagementPutOnHold | None = None
    estimates: dict[int, Estimate] = {}
    sow_reviews: dict[int, events.SowReviewed] = {}
    resources: dict[str, Request] = {}
    brd: events.BrdSubmitted | None = None
    brd_signed_off: dict[int, events.BrdSignedOff] = {}
    planning: Planning = Planning()
    kickoff: events.KickoffHeld | None = None
    timesheet: Timesheet = Timesheet()
    expenses: dict[str, events.ExpenseApproved] = {}
    billable: dict[int, Decimal] = {}
    progress: dict[str, events.TaskProgressed] = {}
    milestones: dict[str, events.MilestoneReached] = {}
    report: events.StatusReportPublished | None = None
    raid: Raid = Raid()
    changes: dict[str, Change] = {}
    submissions: dict[str, Submission] = {}
    live: events.SolutionWentLive | None = None
    surveys: dict[str, Survey] = {}
    pir: events.PirHeld | None = None
    closed: events.EngagementClosed | None = None
    disconnects: dict[str, Disconnect] = {}

    @property
    def title(self) -> str | None:
        """Return the opportunity's title; None until Delivery has processed its opening."""
        known = self.deal.opened or self.deal.imported
        return known.title if known else None

    @property
    def account(self) -> str | None:
        """Return the customer's account id; None where Sales named none."""
        known = self.deal.opened or self.deal.imported
        return known.account if known else None

    @property
    def over_on(self) -> date | None:
        """Return the day the deal was lost or the contract was terminated; else None."""
        if self.contract.terminated:
            return self.contract.terminated.terminated_on
        return self.deal.lost_on

    @property
    def stage(self) -> Stage:
        """Return the stage of the engagement in Delivery."""
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
        """Return the estimate of the won proposal, or None."""
        won = self.deal.won
        proposal = self.deal.proposals.get(won.proposal_version) if won else None
        return self.estimates.get(proposal.estimate_version) if proposal else None

    @property
    def agreed(self) -> dict[str, Deliverable]:
        """Return the agreed deliverables by id, with signed amendments applied.

        They are those of the signed statement of work; before the signature those of the won deal,
        and before that those of the estimate request.
        """
        contract, deal = self.contract, self.deal
        sow = contract.drafted.get(contract.signed.version) if contract.signed else None
        source = sow or deal.won or deal.requested
        agreed = {each.deliverable: each for each in source.deliverables} if source else {}
        for amendment in contract.amendments.values():
            agreed |= {each.deliverable: each for each in amendment.deliverables_added}
        return {name: each for name, each in agreed.items() if name not in self.descoped}

    @property
    def descoped(self) -> frozenset[str]:
        """Return the deliverables that signed amendments removed and no later one added again."""
        gone: set[str] = set()
        for amendment in self.contract.amendments.values():
            gone -= {each.deliverable for each in amendment.deliverables_added}
            gone |= set(amendment.deliverables_descoped)
        return frozenset(gone)

    @property
    def owed(self) -> dict[str, Deliverable]:
        """Return the deliverables to be accepted by the customer, by id.

        They are those agreed and those in the baseline, without the descoped ones.
        """
        baseline = self.planning.baseline
        planned = {each.deliverable: each for each in baseline.deliverables} if baseline else {}
        owed = planned | self.agreed
        return {name: each for name, each in owed.items() if name not in self.descoped}


evolve = Evolution[Engagement]()
decide = Decisions[Engagement]()


def last_day(week: date) -> date:
    """Return the Sunday of a week that is given by its Monday."""
    return week + timedelta(days=6)


def repeated(ids: Iterable[str]) -> Iterator[str]:
    """Yield each id that occurred before in the sequence, in order."""
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            yield name
        seen.add(name)
