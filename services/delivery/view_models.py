"""Define the view models of an engagement that `views` builds."""

from datetime import date
from typing import Literal

from chassis.base.view_model import ViewModel
from chassis.domain.commands import Missing
from contracts import delivery as events
from contracts.gateway import Disconnect
from contracts.legal import EarlyStartAuthorised
from contracts.money import Money
from contracts.sales import EstimateRequested
from contracts.values import (
    RAG,
    AccountId,
    ComputedPercent,
    ContentHash,
    Hours,
    Identifier,
    LineKind,
    Milestone,
    PersonId,
    PlannedTask,
    ShortText,
    TotalHours,
    Verdict,
    Version,
    Week,
)
from delivery.state import Stage


class Gates(ViewModel):
    """Open conditions of the gates ahead; an empty list means that the gate is open.

    An early start opens the gate for work until its last day.
    """

    work: tuple[Missing, ...]
    implementation: tuple[Missing, ...]
    closing: tuple[Missing, ...]


class EstimateView(ViewModel):
    """Version of the estimate, in hours; the share of project management is in percent."""

    version: Version
    submitted: events.EstimateSubmitted
    hours: TotalHours
    project_management_hours: TotalHours
    project_management_share: ComputedPercent | None
    endorsed_by: PersonId | None
    price: Money | None


class SowView(ViewModel):
    """Version of the statement of work that Legal drafted, and Delivery's verdict on it."""

    version: Version
    content_hash: ContentHash
    verdict: Verdict | None
    why: str | None


class ContractView(ViewModel):
    """Agreed price, dates and signature as far as Delivery has processed them.

    `hours_before_signature` are the hours logged in weeks that no contract covers.
    """

    proposal_submitted: Version | None
    price: Money | None
    statements_of_work: tuple[SowView, ...]
    signed_on: date | None
    early_starts: tuple[EarlyStartAuthorised, ...]
    hours_before_signature: TotalHours
    promised_finish: date | None
    budgeted: bool
    settled_on: date | None


class ResourceView(ViewModel):
    """Request for hours of a role, and the people allocated to it."""

    requested: events.ResourceRequested
    allocated: tuple[events.ResourceAllocated, ...]


class RequirementsView(ViewModel):
    """Newest version of the requirements, and every version that was signed off."""

    submitted: events.BrdSubmitted | None
    signed_off: tuple[events.BrdSignedOff, ...]


class TaskView(ViewModel):
    """Planned task, the hours approved on it, and its progress."""

    planned: PlannedTask
    approved_hours: TotalHours
    progressed: events.TaskProgressed | None


class MilestoneView(ViewModel):
    """Milestone of the baseline, and the day it was reached."""

    planned: Milestone
    reached_on: date | None


class PlanView(ViewModel):
    """Newest draft of the plan, and the baseline with its progress."""

    draft: events.PlanDrafted | None
    baseline: Version | None
    baselined_on: date | None
    changes: tuple[Identifier, ...]
    tasks: tuple[TaskView, ...]
    milestones: tuple[MilestoneView, ...]


class EntryView(ViewModel):
    """Time entry that awaits approval, in hours."""

    entry: Identifier
    person: PersonId
    role: str
    task: Identifier
    week: Week
    hours: Hours
    billable: bool


class TimeView(ViewModel):
    """Time entries that await approval, approved hours and expenses.

    The share of project management in the approved hours is in percent.
    """

    waiting: tuple[EntryView, ...]
    approved_hours: TotalHours
    approved_by_kind: dict[LineKind, TotalHours]
    project_management_share: ComputedPercent | None
    expenses: tuple[events.ExpenseApproved, ...]


class RaidView(ViewModel):
    """Open risks, open issues, and decisions."""

    open_risks: tuple[events.RiskRaised, ...]
    open_issues: tuple[events.IssueRaised, ...]
    decisions: tuple[events.DecisionRecorded, ...]


class ChangeView(ViewModel):
    """Change request, its price and status, and what is missing before it may be implemented."""

    change: Identifier
    status: Literal["requested", "assessed", "approved", "rejected", "implemented"]
    requested: events.ChangeRequested
    assessed: events.ChangeAssessed | None
    price: Money | None
    waits_for: tuple[Missing, ...]


class DeliverableView(ViewModel):
    """Deliverable owed to the customer, and the status of its latest submission."""

    deliverable: Identifier
    title: ShortText
    status: Literal["owed", "submitted", "rejected", "accepted"]
    submission: Version | None
    content_hash: ContentHash | None
    why: str | None


class SurveyView(ViewModel):
    """Survey, its answers, and its scores in percent; None until there is an answer.

    CSAT: share of answers of 4 or 5. NPS: share of 9-10 less share of 0-6, from -100 to 100.
    """

    sent: events.SurveySent
    answers: tuple[events.SurveyAnswered, ...]
    customer_satisfaction: ComputedPercent | None
    net_promoter_score: ComputedPercent | None


class EngagementView(ViewModel):
    """Delivery's view of an engagement."""

    engagement: str
    account: AccountId | None
    title: ShortText | None
    stage: Stage
    manager: PersonId | None
    managed_since: date | None
    tier: events.TierChosen | None
    on_hold: events.EngagementPutOnHold | None
    next_milestone: date | None
    status: RAG | None
    gates: Gates
    requested: EstimateRequested | None
    estimates: tuple[EstimateView, ...]
    contract: ContractView
    resources: tuple[ResourceView, ...]
    requirements: RequirementsView
    plan: PlanView
    kickoff: events.KickoffHeld | None
    time: TimeView
    report: events.StatusReportPublished | None
    raid: RaidView
    changes: tuple[ChangeView, ...]
    deliverables: tuple[DeliverableView, ...]
    live_on: date | None
    surveys: tuple[SurveyView, ...]
    review: events.PirHeld | None
    closed: events.EngagementClosed | None
    disconnects: tuple[Disconnect, ...]
