"""What is seen of an engagement, part by part: the shapes in which `views` shows it."""

from datetime import date
from decimal import Decimal
from typing import Literal

from contracts import delivery as said
from contracts.channels import Department
from contracts.gateway import Disconnect
from contracts.legal import EarlyStartAuthorised
from contracts.money import Money
from contracts.sales import EstimateRequested
from contracts.values import (
    RAG,
    AccountId,
    ContentHash,
    Hours,
    Identifier,
    LineKind,
    Milestone,
    Percent,
    PersonId,
    PlannedTask,
    ShortText,
    Value,
    Verdict,
    Version,
    Week,
)
from delivery.state import Stage


class Owed(Value):
    """One thing that a gate waits for, and who owes it."""

    code: str
    sentence: str
    owed_by: Department | None


class Gates(Value):
    """What the gates ahead wait for; empty where one is open (an early start has its last day)."""

    work: tuple[Owed, ...]
    implementation: tuple[Owed, ...]
    closing: tuple[Owed, ...]


class EstimateView(Value):
    """A version of the estimate, in hours; the share of project management is in percent."""

    version: Version
    submitted: said.EstimateSubmitted
    hours: Hours
    project_management_hours: Hours
    project_management_share: Percent | None
    endorsed_by: PersonId | None
    price: Money | None


class SowView(Value):
    """A version of the statement of work that Legal drafted, and Delivery's verdict on it."""

    version: Version
    content_hash: ContentHash
    verdict: Verdict | None
    why: str | None


class ContractView(Value):
    """What was promised and signed, as far as Delivery heard, and hours that no contract covers."""

    proposal_submitted: Version | None
    price: Money | None
    statements_of_work: tuple[SowView, ...]
    signed_on: date | None
    early_starts: tuple[EarlyStartAuthorised, ...]
    hours_before_signature: Hours
    promised_finish: date | None
    budgeted: bool
    settled_on: date | None


class ResourceView(Value):
    """Hours that were asked for, and who is given to them."""

    requested: said.ResourceRequested
    allocated: tuple[said.ResourceAllocated, ...]


class RequirementsView(Value):
    """The newest version of the requirements, and every version that was signed off."""

    submitted: said.BrdSubmitted | None
    signed_off: tuple[said.BrdSignedOff, ...]


class TaskView(Value):
    """A planned task, the hours approved on it, and how far it is."""

    planned: PlannedTask
    approved_hours: Hours
    progressed: said.TaskProgressed | None


class MilestoneView(Value):
    """A milestone of the baseline, and the day it was reached."""

    planned: Milestone
    reached_on: date | None


class PlanView(Value):
    """The newest draft, and the baseline with what has become of it."""

    draft: said.PlanDrafted | None
    baseline: Version | None
    baselined_on: date | None
    changes: tuple[Identifier, ...]
    tasks: tuple[TaskView, ...]
    milestones: tuple[MilestoneView, ...]


class EntryView(Value):
    """Hours that wait for approval."""

    entry: Identifier
    person: PersonId
    role: str
    task: Identifier
    week: Week
    hours: Hours
    billable: bool


class TimeView(Value):
    """Hours that wait, and hours that count; what managing the work takes of them, in percent."""

    waiting: tuple[EntryView, ...]
    approved_hours: Hours
    approved_by_kind: dict[LineKind, Hours]
    project_management_share: Percent | None
    expenses: tuple[said.ExpenseApproved, ...]


class RaidView(Value):
    """What may happen, what went wrong, what was decided."""

    open_risks: tuple[said.RiskRaised, ...]
    open_issues: tuple[said.IssueRaised, ...]
    decisions: tuple[said.DecisionRecorded, ...]


class ChangeView(Value):
    """A change, its price, how far it went, and what it waits for until it may be implemented."""

    change: Identifier
    status: Literal["requested", "assessed", "approved", "rejected", "implemented"]
    requested: said.ChangeRequested
    assessed: said.ChangeAssessed | None
    price: Money | None
    waits_for: tuple[Owed, ...]


class DeliverableView(Value):
    """Something the customer is owed, and how far it is."""

    deliverable: Identifier
    title: ShortText
    status: Literal["owed", "submitted", "rejected", "accepted"]
    submission: Version | None
    content_hash: ContentHash | None
    why: str | None


class SurveyView(Value):
    """Who was asked and what they said; percentages are None until somebody answered.

    CSAT: answers of 4 or 5 of all answers. NPS: shares of 9-10 less 0-6; from -100 to 100.
    """

    sent: said.SurveySent
    answers: tuple[said.SurveyAnswered, ...]
    customer_satisfaction: Decimal | None
    net_promoter_score: Decimal | None


class EngagementView(Value):
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
