"""What Delivery (the PMO) says: estimates, plans, work done, changes, acceptance, closing."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from contracts.channels import DELIVERY
from contracts.event import Event
from contracts.money import PositiveMoney
from contracts.values import (
    RAG,
    Confidence,
    ContentHash,
    Day,
    Days,
    Deliverable,
    Hours,
    Identifier,
    ItemLine,
    ItemRoleHours,
    LineKind,
    Milestone,
    Percent,
    PersonId,
    PlannedTask,
    ProjectRole,
    ShortText,
    Text,
    Tier,
    TotalHours,
    Verdict,
    Version,
    Week,
)


class ManagerAssigned(Event, channel=DELIVERY, heard_by=("sales", "finance")):
    """This person manages the engagement from this day; earlier is better."""

    manager: PersonId
    assigned_on: Day


class TierChosen(Event, channel=DELIVERY):
    """How much method the engagement gets: what was proposed, what the manager chose, and why."""

    tier: Tier
    proposed: Tier
    reason: ShortText


class EstimateSubmitted(Event, channel=DELIVERY, heard_by=("sales", "finance")):
    """What the work would take, by phase and role; project management hours are among the lines.

    Contingency is in percent on top of the lines' hours. Duration is in calendar days. The
    template's version is named where the lines were made from it.
    """

    version: Version
    lines: tuple[ItemLine, ...]
    contingency: Percent
    template: Identifier
    duration_days: Days
    assumptions: tuple[ShortText, ...] = ()
    confidence: Confidence
    template_version: Version | None = None


class EstimateEndorsed(Event, channel=DELIVERY, heard_by=("sales", "finance")):
    """The assigned manager stands behind this version of the estimate."""

    version: Version
    manager: PersonId


class SowReviewed(Event, channel=DELIVERY, heard_by=("legal",)):
    """Delivery approved this content of the statement of work, or objected and said why."""

    version: Version
    content_hash: ContentHash
    verdict: Verdict
    why: Text | None = None


class ResourceRequested(Event, channel=DELIVERY):
    """Hours of a role are wanted between two days (both inclusive)."""

    request: Identifier
    role: ProjectRole
    hours: Hours
    starts_on: Day
    finishes_on: Day


class ResourceAllocated(Event, channel=DELIVERY):
    """A person is given to a request: soft may still be taken away, hard may not."""

    request: Identifier
    person: PersonId
    role: ProjectRole
    hours: Hours
    starts_on: Day
    finishes_on: Day
    commitment: Literal["soft", "hard"]


class ResourceReleased(Event, channel=DELIVERY):
    """The person is free of this request again."""

    request: Identifier
    person: PersonId
    released_on: Day


class BrdSubmitted(Event, channel=DELIVERY):
    """A version of the business requirements document went to the customer."""

    version: Version
    content_hash: ContentHash


class BrdSignedOff(Event, channel=DELIVERY):
    """The customer's person signed this version of the requirements off."""

    version: Version
    content_hash: ContentHash
    signed_by: PersonId
    signed_on: Day


class PlanDrafted(Event, channel=DELIVERY):
    """A version of the plan, made from a template: milestones, tasks with hours, deliverables.

    `changes` are the approved changes whose work it holds, those of earlier baselines too. Where
    its tasks were scheduled from the template, the template's version and the version of the
    estimate that gave the hours are named.
    """

    version: Version
    template: Identifier
    milestones: tuple[Milestone, ...]
    tasks: tuple[PlannedTask, ...]
    deliverables: tuple[Deliverable, ...]
    template_version: Version | None = None
    estimate_version: Version | None = None
    changes: tuple[Identifier, ...] = ()


class PlanBaselined(Event, channel=DELIVERY, heard_by=("finance",)):
    """The approved plan, whole. `changes` are all that it takes in, those of earlier baselines too.

    A re-baseline replaces the baseline before it; it may leave out a change that is not signed.
    """

    version: Version
    milestones: tuple[Milestone, ...]
    tasks: tuple[PlannedTask, ...]
    deliverables: tuple[Deliverable, ...]
    changes: tuple[Identifier, ...] = ()
    baselined_on: Day


class KickoffHeld(Event, channel=DELIVERY, heard_by=("sales", "finance")):
    """The engagement began with everybody in one room, on this day."""

    held_on: Day
    attendees: tuple[PersonId, ...]


class TimeSubmitted(Event, channel=DELIVERY):
    """A person's hours on a task in a week, waiting for approval."""

    entry: Identifier
    person: PersonId
    role: ProjectRole
    task: Identifier
    week: Week
    hours: Hours
    billable: bool = True


class TimeApproved(Event, channel=DELIVERY, heard_by=("finance",)):
    """Hours that count: it says again what was submitted, so readers need nothing else."""

    entry: Identifier
    person: PersonId
    role: ProjectRole
    task: Identifier
    week: Week
    hours: Hours
    billable: bool = True
    kind: LineKind = "delivery"


class TimeRejected(Event, channel=DELIVERY):
    """Submitted hours do not count, for this reason."""

    entry: Identifier
    why: ShortText


class ExpenseApproved(Event, channel=DELIVERY, heard_by=("finance",)):
    """Money spent for the engagement by a person, to be billed on or not."""

    expense: Identifier
    person: PersonId
    amount: PositiveMoney
    description: ShortText
    spent_on: Day
    billable: bool


class TaskProgressed(Event, channel=DELIVERY, heard_by=("finance",)):
    """The task is this far done in percent, and needs these hours more, as of this day."""

    task: Identifier
    complete: Percent
    remaining_hours: Hours
    as_of: Day


class MilestoneReached(Event, channel=DELIVERY):
    """The milestone was reached on this day."""

    milestone: Identifier
    reached_on: Day


class DeliverableSubmitted(Event, channel=DELIVERY):
    """The deliverable went to the customer for acceptance, the n-th time."""

    deliverable: Identifier
    submission: Version
    content_hash: ContentHash
    submitted_on: Day


class DeliverableAccepted(Event, channel=DELIVERY, heard_by=("finance",)):
    """The customer's person accepted this submission of the deliverable."""

    deliverable: Identifier
    submission: Version
    accepted_by: PersonId
    accepted_on: Day


class DeliverableRejected(Event, channel=DELIVERY):
    """The customer's person did not accept this submission, and said why."""

    deliverable: Identifier
    submission: Version
    rejected_by: PersonId
    why: Text
    rejected_on: Day


class RiskRaised(Event, channel=DELIVERY):
    """Something may happen: probability in percent, impact, who owns it, the response."""

    item: Identifier
    title: ShortText
    probability: Percent
    impact: Literal["low", "medium", "high"]
    owner: PersonId
    response: Text


class IssueRaised(Event, channel=DELIVERY):
    """Something went wrong: how bad, who owns it."""

    item: Identifier
    title: ShortText
    severity: Literal["low", "medium", "high"]
    owner: PersonId


class DecisionRecorded(Event, channel=DELIVERY):
    """Something was decided, by whom and why."""

    item: Identifier
    title: ShortText
    rationale: Text
    decided_by: PersonId
    decided_on: Day


class RaidItemClosed(Event, channel=DELIVERY):
    """A risk or an issue is over."""

    item: Identifier
    resolution: Text
    closed_on: Day


class StatusReportPublished(Event, channel=DELIVERY, heard_by=("finance", "sales")):
    """The one standard report: scope, schedule and cost as RAG, in words, and what is forecast.

    `estimate_to_complete` is the hours still needed in the manager's judgement.
    """

    report: Version
    as_of: Day
    scope: RAG
    schedule: RAG
    cost: RAG
    narrative: Text
    forecast_finish: Day
    estimate_to_complete: Hours


class ChangeRequested(Event, channel=DELIVERY, heard_by=("legal",)):
    """Somebody wants something else than was agreed."""

    change: Identifier
    requested_by: PersonId
    description: Text
    requested_on: Day


class ChangeAssessed(Event, channel=DELIVERY, heard_by=("legal", "finance")):
    """What the change would take: hours by role, days on the finish, the risk, deliverables."""

    change: Identifier
    lines: tuple[ItemRoleHours, ...]
    days: int = Field(ge=-10_000, le=10_000)
    risk: Text
    deliverables_added: tuple[Deliverable, ...] = ()
    deliverables_descoped: tuple[Identifier, ...] = ()


class ChangeApproved(Event, channel=DELIVERY, heard_by=("legal", "finance")):
    """The customer's person agreed to the priced change: it is a change order now."""

    change: Identifier
    approved_by: PersonId
    approved_on: Day


class ChangeRejected(Event, channel=DELIVERY, heard_by=("legal", "finance")):
    """The change will not be made: unless its amendment is signed, not even an approved one."""

    change: Identifier
    why: ShortText
    rejected_on: Day


class ChangeImplemented(Event, channel=DELIVERY, heard_by=("legal", "finance")):
    """The change order's work is done."""

    change: Identifier
    implemented_on: Day


class SolutionWentLive(Event, channel=DELIVERY, heard_by=("sales", "finance")):
    """The customer uses it from this day."""

    live_on: Day


class PirHeld(Event, channel=DELIVERY):
    """The post-implementation review: what went well, what did not, sold and delivered hours."""

    held_on: Day
    went_well: tuple[ShortText, ...]
    went_badly: tuple[ShortText, ...]
    sold_hours: TotalHours
    delivered_hours: TotalHours


class SurveySent(Event, channel=DELIVERY):
    """The customer's people were asked how it was."""

    survey: Identifier
    contacts: tuple[PersonId, ...]
    sent_on: Day


Score = Annotated[int, Field(ge=1, le=5)]


class SurveyAnswered(Event, channel=DELIVERY, heard_by=("sales",)):
    """A person's answers: 1 to 5 by question (CSAT), 0 to 10 whether they would recommend (NPS)."""

    survey: Identifier
    answered_by: PersonId
    satisfaction: dict[Identifier, Score]
    recommend: Annotated[int, Field(ge=0, le=10)]
    comment: Text | None = None
    answered_on: Day


class EngagementPutOnHold(Event, channel=DELIVERY, heard_by=("sales",)):
    """Work rests until it is resumed."""

    reason: ShortText
    held_on: Day


class EngagementResumed(Event, channel=DELIVERY, heard_by=("sales",)):
    """Work goes on."""

    resumed_on: Day


class EngagementClosed(Event, channel=DELIVERY, heard_by=("sales", "legal", "finance")):
    """The last gate is passed: nothing is owed any more, by anybody."""

    closed_on: Day
    sold_hours: TotalHours = Decimal(0)
    delivered_hours: TotalHours = Decimal(0)
