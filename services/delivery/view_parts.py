"""What is seen of an engagement, part by part: the shapes in which `views` shows it."""

from datetime import date
from typing import Literal

from chassis.base.view_model import ViewModel
from contracts import delivery as said
from contracts.channels import Department
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


class Owed(ViewModel):
    """One thing that a gate waits for, and who owes it."""

    code: str
    sentence: str
    owed_by: Department | None


class Gates(ViewModel):
    """What the gates ahead wait for; empty where one is open (an early start has its last day)."""

    work: tuple[Owed, ...]
    implementation: tuple[Owed, ...]
    closing: tuple[Owed, ...]


class EstimateView(ViewModel):
    """A version of the estimate, in hours; the share of project management is in percent."""

    version: Version
    submitted: said.EstimateSubmitted
    hours: TotalHours
    project_management_hours: TotalHours
    project_management_share: ComputedPercent | None
    endorsed_by: PersonId | None
    price: Money | None


class SowView(ViewModel):
    """A version of the statement of work that Legal drafted, and Delivery's verdict on it."""

    version: Version
    content_hash: ContentHash
    verdict: Verdict | None
    why: str | None


class ContractView(ViewModel):
    """What was promised and signed, as far as Delivery heard, and hours that no contract covers."""

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
    """Hours that were asked for, and who is given to them."""

    requested: said.ResourceRequested
    allocated: tuple[said.ResourceAllocated, ...]


class RequirementsView(ViewModel):
    """The newest version of the requirements, and every version that was signed off."""

    submitted: said.BrdSubmitted | None
    signed_off: tuple[said.BrdSignedOff, ...]


class TaskView(ViewModel):
    """A planned task, the hours approved on it, and how far it is."""

    planned: PlannedTask
    approved_hours: TotalHours
    progressed: said.TaskProgressed | None


class MilestoneView(ViewModel):
    """A milestone of the baseline, and the day it was reached."""

    planned: Milestone
    reached_on: date | None


class PlanView(ViewModel):
    """The newest draft, and the baseline with what has become of it."""

    draft: said.PlanDrafted | None
    baseline: Version | None
    baselined_on: date | None
    changes: tuple[Identifier, ...]
    tasks: tuple[TaskView, ...]
    milestones: tuple[MilestoneView, ...]


class EntryView(ViewModel):
    """Hours that wait for approval."""

    entry: Identifier
    person: PersonId
    role: str
    task: Identifier
    week: Week
    hours: Hours
    billable: bool


class TimeView(ViewModel):
    """Hours that wait, and hours that count; what managing the work takes of them, in percent."""

    waiting: tuple[EntryView, ...]
    approved_hours: TotalHours
    approved_by_kind: dict[LineKind, TotalHours]
    project_management_share: ComputedPercent | None
    expenses: tuple[said.ExpenseApproved, ...]


class RaidView(ViewModel):
    """What may happen, what went wrong, what was decided."""

    open_risks: tuple[said.RiskRaised, ...]
    open_issues: tuple[said.IssueRaised, ...]
    decisions: tuple[said.DecisionRecorded, ...]


class ChangeView(ViewModel):
    """A change, its price, how far it went, and what it waits for until it may be implemented."""

    change: Identifier
    status: Literal["requested", "assessed", "approved", "rejected", "implemented"]
    requested: said.ChangeRequested
    assessed: said.ChangeAssessed | None
    price: Money | None
    waits_for: tuple[Owed, ...]


class DeliverableView(ViewModel):
    """Something the customer is owed, and how far it is."""

    deliverable: Identifier
    title: ShortText
    status: Literal["owed", "submitted", "rejected", "accepted"]
    submission: Version | None
    content_hash: ContentHash | None
    why: str | None


class SurveyView(ViewModel):
    """Who was asked and what they said; percentages are None until somebody answered.

    CSAT: answers of 4 or 5 of all answers. NPS: shares of 9-10 less 0-6; from -100 to 100.
    """

    sent: said.SurveySent
    answers: tuple[said.SurveyAnswered, ...]
    customer_satisfaction: ComputedPercent | None
    net_promoter_score: ComputedPercent | None


class EngagementView(ViewModel):
    """An engagement as Delivery sees it."""

    engagement: str
    account: AccountId | None
    title: ShortText | None
    stage: Stage
    manager: PersonId | None
    managed_since: date | None
    tier: said.TierChosen | None
    on_hold: said.EngagementPutOnHold | None
    next_milestone: date | None
    status: RAG | None
    gates: Gates
    requested: EstimateRequested | None
    estimates: tuple[EstimateView, ...]
    contract: ContractView
    resources: tuple[ResourceView, ...]
    requirements: RequirementsView
    plan: PlanView
    kickoff: said.KickoffHeld | None
    time: TimeView
    report: said.StatusReportPublished | None
    raid: RaidView
    changes: tuple[ChangeView, ...]
    deliverables: tuple[DeliverableView, ...]
    live_on: date | None
    surveys: tuple[SurveyView, ...]
    review: said.PirHeld | None
    closed: said.EngagementClosed | None
    disconnects: tuple[Disconnect, ...]
