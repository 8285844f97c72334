"""Events that Delivery (the PMO) publishes.

They cover estimates, plans, work, changes, acceptance and closing. Days are business days (UTC)
unless the person who recorded them gave another day.
"""

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


class ManagerAssigned(Event, channel=DELIVERY, consumed_by=("sales", "finance")):
    """An engagement manager was assigned, or replaced the one before. Published by Delivery."""

    manager: PersonId
    assigned_on: Day
    """First day of the assignment."""


class TierChosen(Event, channel=DELIVERY):
    """The method tier of the engagement was chosen; it decides how much method is applied.

    Published by Delivery.
    """

    tier: Tier
    """Tier that was chosen."""
    proposed: Tier
    """Tier that Delivery computed from price, duration, novelty and the customer's own PMO."""
    reason: ShortText


class EstimateSubmitted(Event, channel=DELIVERY, consumed_by=("sales", "finance")):
    """Delivery submitted a version of the estimate: the hours that the work would take.

    Published by Delivery. Project management hours are among the lines.
    """

    version: Version
    """Counts the engagement's estimates from 1."""
    lines: tuple[ItemLine, ...]
    """Hours by phase and role, without the contingency."""
    contingency: Percent
    """Percent to be added to the hours of every line."""
    template: Identifier
    duration_days: Days
    """Duration of the work in calendar days."""
    assumptions: tuple[ShortText, ...] = ()
    confidence: Confidence
    template_version: Version | None = None
    """Version of the template that the lines were made from; null where they were entered."""


class EstimateEndorsed(Event, channel=DELIVERY, consumed_by=("sales", "finance")):
    """The assigned engagement manager endorsed a version of the estimate. Published by Delivery."""

    version: Version
    """Version of the estimate."""
    manager: PersonId


class SowReviewed(Event, channel=DELIVERY, consumed_by=("legal",)):
    """Delivery reviewed a version of the statement of work.

    Published by Delivery. A later review of the same version replaces this one.
    """

    version: Version
    """Version of the statement of work."""
    content_hash: ContentHash
    """Hash of the content that was reviewed; the verdict holds for this content only."""
    verdict: Verdict
    why: Text | None = None
    """Reason; always given where the verdict is `objected`."""


class ResourceRequested(Event, channel=DELIVERY):
    """The engagement requested hours of a role in a period. Published by Delivery."""

    request: Identifier
    role: ProjectRole
    hours: Hours
    starts_on: Day
    """First day of the period."""
    finishes_on: Day
    """Last day of the period."""


class ResourceAllocated(Event, channel=DELIVERY):
    """A person was allocated to a resource request, or their allocation to it was changed.

    Published by Delivery.
    """

    request: Identifier
    """Id of the request that the person is allocated to."""
    person: PersonId
    role: ProjectRole
    hours: Hours
    starts_on: Day
    """First day of the allocation."""
    finishes_on: Day
    """Last day of the allocation."""
    commitment: Literal["soft", "hard"]
    """A hard allocation is binding; a soft one may be replaced."""


class ResourceReleased(Event, channel=DELIVERY):
    """A person was released from a resource request.

    Published by Delivery, also for every allocated person when the deal is lost or the contract is
    terminated.
    """

    request: Identifier
    person: PersonId
    released_on: Day


class BrdSubmitted(Event, channel=DELIVERY):
    """A version of the business requirements document (BRD) was submitted to the customer.

    Published by Delivery.
    """

    version: Version
    """Counts the versions of the document from 1."""
    content_hash: ContentHash


class BrdSignedOff(Event, channel=DELIVERY):
    """The customer signed off a version of the business requirements document (BRD).

    Published by Delivery.
    """

    version: Version
    content_hash: ContentHash
    """Hash of the content that was signed off."""
    signed_by: PersonId
    """Person of the customer."""
    signed_on: Day


class PlanDrafted(Event, channel=DELIVERY):
    """A version of the plan was drafted, from a template or from tasks that were entered.

    Published by Delivery. Contains the whole plan.
    """

    version: Version
    """Counts the drafts of the plan from 1."""
    template: Identifier
    milestones: tuple[Milestone, ...]
    tasks: tuple[PlannedTask, ...]
    deliverables: tuple[Deliverable, ...]
    template_version: Version | None = None
    """Version of the template that was scheduled; null where the tasks were entered."""
    estimate_version: Version | None = None
    """Version of the estimate that the hours come from; null where the tasks were entered."""
    changes: tuple[Identifier, ...] = ()
    """Ids of all approved changes whose work the plan includes, also those of the baseline."""


class PlanBaselined(Event, channel=DELIVERY, consumed_by=("finance",)):
    """A drafted plan was approved as the baseline; it replaces the baseline before it.

    Published by Delivery. Contains the whole plan.
    """

    version: Version
    """Version of the draft that became the baseline."""
    milestones: tuple[Milestone, ...]
    tasks: tuple[PlannedTask, ...]
    deliverables: tuple[Deliverable, ...]
    changes: tuple[Identifier, ...] = ()
    """Ids of all changes whose work the plan includes, also those of earlier baselines.

    A later baseline may leave out a change whose amendment is not signed.
    """
    baselined_on: Day


class KickoffHeld(Event, channel=DELIVERY, consumed_by=("sales", "finance")):
    """The kickoff meeting took place. Published by Delivery."""

    held_on: Day
    attendees: tuple[PersonId, ...]


class TimeSubmitted(Event, channel=DELIVERY):
    """A time entry was submitted for approval: a person's hours on one task in one week.

    Published by Delivery.
    """

    entry: Identifier
    """Id of the time entry."""
    person: PersonId
    """Person who worked; another person may have submitted the entry (see `actor`)."""
    role: ProjectRole
    task: Identifier
    """Id of a task of the plan, or `initiation` or `project-management` before a baseline."""
    week: Week
    """Monday of the calendar week."""
    hours: Hours
    billable: bool = True


class TimeApproved(Event, channel=DELIVERY, consumed_by=("finance",)):
    """A time entry was approved. Contains the full entry.

    Published by Delivery. Finance accrues its cost and, where it is billable, bills it.
    """

    entry: Identifier
    """Id of the time entry."""
    person: PersonId
    """Person who worked."""
    role: ProjectRole
    task: Identifier
    week: Week
    """Monday of the calendar week."""
    hours: Hours
    billable: bool = True
    kind: LineKind = "delivery"
    """Kind of work, as the plan has it for the task."""


class TimeRejected(Event, channel=DELIVERY):
    """A time entry was rejected; its hours are neither billed nor counted as cost.

    Published by Delivery.
    """

    entry: Identifier
    """Id of the time entry."""
    why: ShortText


class ExpenseApproved(Event, channel=DELIVERY, consumed_by=("finance",)):
    """An expense of a person for the engagement was approved. Published by Delivery."""

    expense: Identifier
    person: PersonId
    """Person who spent the money."""
    amount: PositiveMoney
    """Amount in the currency of the expense, which may differ from the engagement's."""
    description: ShortText
    spent_on: Day
    billable: bool
    """True if the customer pays it."""


class TaskProgressed(Event, channel=DELIVERY, consumed_by=("finance",)):
    """The progress of a task was recorded; it may be lower than before. Published by Delivery."""

    task: Identifier
    complete: Percent
    """Completed share of the task in percent."""
    remaining_hours: Hours
    """Hours that the task still needs."""
    as_of: Day


class MilestoneReached(Event, channel=DELIVERY):
    """A milestone of the baseline was reached. Published by Delivery."""

    milestone: Identifier
    reached_on: Day


class DeliverableSubmitted(Event, channel=DELIVERY):
    """A deliverable was submitted to the customer for acceptance. Published by Delivery."""

    deliverable: Identifier
    submission: Version
    """Counts the submissions of this deliverable from 1."""
    content_hash: ContentHash
    """Hash of the content that was submitted."""
    submitted_on: Day


class DeliverableAccepted(Event, channel=DELIVERY, consumed_by=("finance",)):
    """The customer accepted a submission of a deliverable. Published by Delivery."""

    deliverable: Identifier
    submission: Version
    """Number of the submission that was accepted."""
    accepted_by: PersonId
    """Person of the customer."""
    accepted_on: Day


class DeliverableRejected(Event, channel=DELIVERY):
    """The customer rejected a submission of a deliverable. Published by Delivery."""

    deliverable: Identifier
    submission: Version
    """Number of the submission that was rejected."""
    rejected_by: PersonId
    """Person of the customer."""
    why: Text
    rejected_on: Day


class RiskRaised(Event, channel=DELIVERY):
    """A risk was raised: a problem that may occur. Published by Delivery."""

    item: Identifier
    """Id of the RAID item (risk, issue or decision)."""
    title: ShortText
    probability: Percent
    """Probability in percent that it occurs."""
    impact: Literal["low", "medium", "high"]
    owner: PersonId
    response: Text


class IssueRaised(Event, channel=DELIVERY):
    """An issue was raised: a problem that has occurred. Published by Delivery.

    An engagement with an open issue cannot be closed.
    """

    item: Identifier
    """Id of the RAID item (risk, issue or decision)."""
    title: ShortText
    severity: Literal["low", "medium", "high"]
    owner: PersonId


class DecisionRecorded(Event, channel=DELIVERY):
    """A decision was recorded with its rationale. Published by Delivery."""

    item: Identifier
    """Id of the RAID item (risk, issue or decision)."""
    title: ShortText
    rationale: Text
    decided_by: PersonId
    decided_on: Day


class RaidItemClosed(Event, channel=DELIVERY):
    """A risk or an issue was closed. Published by Delivery."""

    item: Identifier
    """Id of the risk or issue."""
    resolution: Text
    closed_on: Day


class StatusReportPublished(Event, channel=DELIVERY, consumed_by=("finance", "sales")):
    """A status report was published. Published by Delivery.

    Finance measures earned value and margins as of its day.
    """

    report: Version
    """Counts the engagement's reports from 1."""
    as_of: Day
    """Day that the report describes."""
    scope: RAG
    schedule: RAG
    cost: RAG
    narrative: Text
    forecast_finish: Day
    estimate_to_complete: Hours
    """Hours still needed, in the manager's judgement."""


class ChangeRequested(Event, channel=DELIVERY, consumed_by=("legal",)):
    """A change of what was agreed was requested. Published by Delivery."""

    change: Identifier
    requested_by: PersonId
    description: Text
    requested_on: Day


class ChangeAssessed(Event, channel=DELIVERY, consumed_by=("legal", "finance")):
    """Delivery assessed what a change would take; a later assessment replaces this one.

    Published by Delivery. Finance prices each assessment.
    """

    change: Identifier
    lines: tuple[ItemRoleHours, ...]
    """Additional hours by role."""
    days: int = Field(ge=-10_000, le=10_000)
    """Calendar days by which the finish moves; negative where it becomes earlier."""
    risk: Text
    deliverables_added: tuple[Deliverable, ...] = ()
    deliverables_descoped: tuple[Identifier, ...] = ()
    """Ids of deliverables that would no longer be delivered."""


class ChangeApproved(Event, channel=DELIVERY, consumed_by=("legal", "finance")):
    """The customer approved an assessed and priced change, which is now a change order.

    Published by Delivery.
    """

    change: Identifier
    approved_by: PersonId
    """Person of the customer."""
    approved_on: Day


class ChangeRejected(Event, channel=DELIVERY, consumed_by=("legal", "finance")):
    """A change was rejected and will not be made.

    Published by Delivery. An approved change can be rejected until its amendment is signed; a
    signed amendment takes precedence over a rejection.
    """

    change: Identifier
    why: ShortText
    rejected_on: Day


class ChangeImplemented(Event, channel=DELIVERY, consumed_by=("legal", "finance")):
    """The work of a change order was completed. Published by Delivery."""

    change: Identifier
    implemented_on: Day


class SolutionWentLive(Event, channel=DELIVERY, consumed_by=("sales", "finance")):
    """The customer started to use the solution. Published by Delivery."""

    live_on: Day
    """First day of use."""


class PirHeld(Event, channel=DELIVERY):
    """The post-implementation review (PIR) took place. Published by Delivery."""

    held_on: Day
    went_well: tuple[ShortText, ...]
    went_badly: tuple[ShortText, ...]
    sold_hours: TotalHours
    """Hours of the estimate under the won proposal, without contingency and changes."""
    delivered_hours: TotalHours
    """Approved hours."""


class SurveySent(Event, channel=DELIVERY):
    """A satisfaction survey was sent to people of the customer. Published by Delivery."""

    survey: Identifier
    contacts: tuple[PersonId, ...]
    sent_on: Day


Score = Annotated[int, Field(ge=1, le=5)]
"""Answer to a question of a survey, from 1 (worst) to 5 (best)."""


class SurveyAnswered(Event, channel=DELIVERY, consumed_by=("sales",)):
    """A person of the customer answered a survey. Published by Delivery."""

    survey: Identifier
    answered_by: PersonId
    satisfaction: dict[Identifier, Score]
    """Score from 1 (worst) to 5 (best) by question, for the customer satisfaction score (CSAT)."""
    recommend: Annotated[int, Field(ge=0, le=10)]
    """Likelihood of a recommendation from 0 to 10, for the net promoter score (NPS)."""
    comment: Text | None = None
    answered_on: Day


class EngagementPutOnHold(Event, channel=DELIVERY, consumed_by=("sales",)):
    """Work on the engagement was put on hold until it is resumed. Published by Delivery."""

    reason: ShortText
    held_on: Day
    """First day of the hold."""


class EngagementResumed(Event, channel=DELIVERY, consumed_by=("sales",)):
    """Work on the engagement was resumed after a hold. Published by Delivery."""

    resumed_on: Day


class EngagementClosed(Event, channel=DELIVERY, consumed_by=("sales", "legal", "finance")):
    """The engagement was closed: everything is accepted, settled and reviewed (gate 7).

    Published by Delivery.
    """

    closed_on: Day
    sold_hours: TotalHours = Decimal(0)
    """Hours of the estimate under the won proposal, without contingency and changes."""
    delivered_hours: TotalHours = Decimal(0)
    """Approved hours."""
