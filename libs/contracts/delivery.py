"""Events that Delivery (the PMO) publishes.

They cover estimates, plans, work, changes, acceptance and closing. Days are business days (UTC)
unless the person who recorded them gave another day.
"""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from contracts.channels import DELIVERY
from contracts.event import Event
from contracts.lines import ScopeChanges
from contracts.money import PositiveMoney
from contracts.questions import AnsweredQuestion, AskedQuestion
from contracts.values import (
    RAG,
    AmendmentReview,
    AsNumber,
    Confidence,
    ContentHash,
    CustomerAct,
    Day,
    Deliverable,
    DistinctBy,
    Hours,
    Identifier,
    ItemLine,
    LineKind,
    Milestone,
    Percent,
    PersonId,
    PlannedTask,
    ProjectRole,
    RecordedAct,
    ShortText,
    SowReview,
    Text,
    Tier,
    TotalHours,
    Value,
    Version,
    Week,
    YesNo,
)

SomeHours = Annotated[Hours, Field(gt=Decimal(0))]
"""Hours of one item, more than zero."""
Duration = Annotated[int, Field(ge=1, le=10_000), AsNumber]
"""Duration of the work in calendar days, at least one."""
EstimateLines = Annotated[tuple[ItemLine, ...], Field(max_length=500)]
"""Lines of an estimate, at most 500."""


class ManagerAssigned(Event, channel=DELIVERY, consumed_by=("sales", "finance")):
    """An engagement manager was assigned, or replaced the one before. Published by Delivery."""

    manager: PersonId
    """Engagement manager who is responsible from now on."""
    assigned_on: Day
    """First day of the assignment."""


class TierChoice(Value):
    """The choice of a method tier, with its reason."""

    tier: Tier
    """Tier that was chosen."""
    reason: ShortText
    """Reason for the choice."""


class TierChosen(TierChoice, Event, channel=DELIVERY):
    """The method tier of the engagement was chosen; it decides how much method is applied.

    Published by Delivery.
    """

    proposed: Tier
    """Tier that Delivery computed from price, duration, novelty and the customer's own PMO."""


class EstimateContent(Value):
    """An estimate without its version and assumptions."""

    template: Identifier
    """Id of the template that the estimate was made from."""
    lines: EstimateLines
    """Hours by phase and role, without the contingency."""
    contingency: Percent
    """Percent to be added to the hours of every line."""
    duration_days: Duration
    """Duration of the work in calendar days."""
    confidence: Confidence
    """Confidence of the authors in the estimate."""


class EstimateSubmitted(EstimateContent, Event, channel=DELIVERY, consumed_by=("sales", "finance")):
    """Delivery submitted a version of the estimate: the hours that the work would take.

    Published by Delivery. Project management hours are among the lines.
    """

    version: Version
    """Counts the engagement's estimates from 1."""
    assumptions: tuple[ShortText, ...] = ()
    """Assumptions, among them the reason why no line is project management."""
    template_version: Version | None = None
    """Version of the template that the lines were made from; null where they were entered."""


class EstimateEndorsed(Event, channel=DELIVERY, consumed_by=("sales", "finance")):
    """The assigned engagement manager endorsed a version of the estimate. Published by Delivery."""

    version: Version
    """Version of the estimate."""
    manager: PersonId
    """Engagement manager who endorsed it."""


class SowReviewed(SowReview, Event, channel=DELIVERY, consumed_by=("legal",)):
    """Delivery reviewed a version of the statement of work.

    Published by Delivery. A later review of the same version replaces this one.
    """

    content_hash: ContentHash
    """Hash of the content that was reviewed; the verdict holds for this content only."""


class AmendmentReviewed(AmendmentReview, Event, channel=DELIVERY, consumed_by=("legal",)):
    """Delivery reviewed an amendment that differs from the approved change.

    Published by Delivery. A later review of the same content replaces this one.
    """


class ResourcePeriod(Value):
    """Hours of a role in a period."""

    role: ProjectRole
    """Role on the engagement, such as `architect`."""
    hours: SomeHours
    """Hours in the whole period."""
    starts_on: Day
    """First day of the period."""
    finishes_on: Day
    """Last day of the period."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.finishes_on < self.starts_on:
            raise ValueError("finishes_on must not be before starts_on")
        return self


class ResourceRequested(ResourcePeriod, Event, channel=DELIVERY):
    """The engagement requested hours of a role in a period. Published by Delivery."""

    request: Identifier
    """Id of the request for a person, within the engagement."""


Commitment = Literal["soft", "hard"]
"""A hard allocation is binding; a soft one may be replaced."""


class ResourceAllocated(ResourcePeriod, Event, channel=DELIVERY):
    """A person was allocated to a resource request, or their allocation to it was changed.

    Published by Delivery. Hours and period are those of the allocation.
    """

    request: Identifier
    """Id of the request that the person is allocated to."""
    person: PersonId
    """Person who is allocated."""
    commitment: Commitment
    """A hard allocation is binding; a soft one may be replaced."""


class ResourceReleased(Event, channel=DELIVERY):
    """A person was released from a resource request.

    Published by Delivery, also for every allocated person when the deal is lost or the contract is
    terminated.
    """

    request: Identifier
    """Id of the request for a person, within the engagement."""
    person: PersonId
    """Person who is released."""
    released_on: Day
    """Day from which the person is free."""


class BrdSubmitted(Event, channel=DELIVERY):
    """A version of the business requirements document (BRD) was submitted to the customer.

    Published by Delivery.
    """

    version: Version
    """Counts the versions of the document from 1."""
    content_hash: ContentHash
    """Hash of the content of the document."""


class BrdSignOff(CustomerAct):
    """The sign-off of a version of the business requirements document."""

    version: Version
    """Version of the business requirements document."""
    signed_by: PersonId
    """Person of the customer."""


class BrdSignedOff(BrdSignOff, RecordedAct, Event, channel=DELIVERY):
    """The customer signed off a version of the business requirements document (BRD).

    Published by Delivery.
    """

    content_hash: ContentHash
    """Hash of the content that was signed off."""
    signed_on: Day
    """Day of the sign-off."""


class PlanContent(Value):
    """A whole plan."""

    version: Version
    """Counts the drafts of the plan from 1; a baseline has the version of its draft."""
    milestones: Annotated[tuple[Milestone, ...], DistinctBy("milestone")]
    """Milestones of the plan, with different ids."""
    tasks: Annotated[tuple[PlannedTask, ...], DistinctBy("task")]
    """Tasks of the plan, with different ids."""
    deliverables: Annotated[tuple[Deliverable, ...], DistinctBy("deliverable")]
    """Deliverables that the plan produces, with different ids."""
    changes: tuple[Identifier, ...] = ()
    """Ids of all approved changes whose work the plan includes, also those of earlier baselines.

    A later baseline may leave out a change whose amendment is not signed.
    """


class PlanDrafted(PlanContent, Event, channel=DELIVERY):
    """A version of the plan was drafted, from a template or from tasks that were entered.

    Published by Delivery. Contains the whole plan.
    """

    template: Identifier
    """Id of the template that the plan was made from."""
    template_version: Version | None = None
    """Version of the template that was scheduled; null where the tasks were entered."""
    estimate_version: Version | None = None
    """Version of the estimate that the hours come from; null where the tasks were entered."""


class PlanBaselined(PlanContent, Event, channel=DELIVERY, consumed_by=("finance",)):
    """A drafted plan was approved as the baseline; it replaces the baseline before it.

    Published by Delivery. Contains the whole plan.
    """

    baselined_on: Day
    """Day on which the plan was approved as the baseline."""


class Attendance(Value):
    """The people at a meeting."""

    attendees: Annotated[tuple[PersonId, ...], Field(min_length=1, max_length=200)]
    """People who attended."""


class KickoffHeld(Attendance, Event, channel=DELIVERY, consumed_by=("sales", "finance")):
    """The kickoff meeting took place. Published by Delivery."""

    held_on: Day
    """Day of the kickoff meeting."""


class Withdrawal(Value):
    """The withdrawal of something that was recorded by mistake."""

    why: ShortText
    """Reason of the withdrawal."""


class KickoffWithdrawn(Withdrawal, Event, channel=DELIVERY, consumed_by=("sales", "finance")):
    """A kickoff that was recorded by mistake was withdrawn. Published by Delivery.

    The engagement has had no kickoff until another is recorded.
    """

    held_on: Day
    """Day of the kickoff that is withdrawn."""
    withdrawn_on: Day
    """Day on which the record was withdrawn."""


class TimeEntry(Value):
    """Hours on one task in one week."""

    role: ProjectRole
    """Role on the engagement, such as `architect`."""
    task: Identifier
    """Id of a task of the plan, or `initiation` or `project-management` before a baseline."""
    week: Week
    """Monday of the calendar week."""
    hours: Hours
    """Hours worked."""
    billable: YesNo = True
    """True if the hours can be billed to the customer."""


class TimeOfPerson(TimeEntry):
    """Hours of a person on one task in one week."""

    entry: Identifier
    """Id of the time entry."""
    person: PersonId
    """Person who worked; another person may have submitted the entry (see `actor`)."""


class TimeSubmitted(TimeOfPerson, Event, channel=DELIVERY):
    """A time entry was submitted for approval: a person's hours on one task in one week.

    Published by Delivery.
    """


class TimeApproved(TimeOfPerson, Event, channel=DELIVERY, consumed_by=("finance",)):
    """A time entry was approved. Contains the full entry.

    Published by Delivery. Finance accrues its cost and, where it is billable, bills it.
    """

    kind: LineKind = "delivery"
    """Kind of work, as the plan has it for the task."""
    line: Identifier | None = None
    """Id of the contract line, as the plan has it for the task; null where it names none."""


class TimeRejection(Value):
    """The rejection of a time entry."""

    entry: Identifier
    """Id of the time entry."""
    why: ShortText
    """Reason for the rejection."""


class TimeRejected(TimeRejection, Event, channel=DELIVERY):
    """A time entry was rejected; its hours are neither billed nor counted as cost.

    Published by Delivery.
    """


class Expense(Value):
    """An expense of a person for the engagement."""

    person: PersonId
    """Person who spent the money."""
    amount: PositiveMoney
    """Amount in the currency of the expense, which may differ from the engagement's."""
    description: ShortText
    """Purpose of the expense."""
    spent_on: Day
    """Day of the expense."""
    billable: YesNo = True
    """True if the customer pays it."""


class ExpenseApproved(Expense, Event, channel=DELIVERY, consumed_by=("finance",)):
    """An expense of a person for the engagement was approved. Published by Delivery."""

    expense: Identifier
    """Id of the expense within the engagement."""


class TaskProgress(Value):
    """The progress of a task."""

    task: Identifier
    """Id of the task in the baseline."""
    complete: Percent
    """Completed share of the task in percent."""
    remaining_hours: Hours
    """Hours that the task still needs."""


class TaskProgressed(TaskProgress, Event, channel=DELIVERY, consumed_by=("finance",)):
    """The progress of a task was recorded; it may be lower than before. Published by Delivery."""

    as_of: Day
    """Day that the progress describes."""


class MilestoneReached(Event, channel=DELIVERY):
    """A milestone of the baseline was reached. Published by Delivery."""

    milestone: Identifier
    """Id of the milestone within the plan."""
    reached_on: Day
    """Day on which it was reached."""


class MilestoneWithdrawal(Withdrawal):
    """The withdrawal of a milestone that was recorded as reached by mistake."""

    milestone: Identifier
    """Id of the milestone within the plan."""


class MilestoneWithdrawn(MilestoneWithdrawal, Event, channel=DELIVERY):
    """A milestone that was recorded as reached by mistake is not reached. Published by Delivery."""

    reached_on: Day
    """Day of the record that is withdrawn."""
    withdrawn_on: Day
    """Day on which the record was withdrawn."""


class DeliverableSubmitted(Event, channel=DELIVERY):
    """A deliverable was submitted to the customer for acceptance. Published by Delivery."""

    deliverable: Identifier
    """Id of the deliverable within the engagement."""
    submission: Version
    """Counts the submissions of this deliverable from 1."""
    content_hash: ContentHash
    """Hash of the content that was submitted."""
    submitted_on: Day
    """Day of the submission."""


class DeliverableAcceptance(CustomerAct):
    """The customer's acceptance of a deliverable."""

    deliverable: Identifier
    """Id of the deliverable within the engagement."""
    submission: Version
    """Number of the submission that was accepted."""


AcceptanceMode = Literal["by-customer", "on-behalf", "deemed"]


class DeliverableAccepted(
    DeliverableAcceptance, RecordedAct, Event, channel=DELIVERY, consumed_by=("finance",)
):
    """A submission of a deliverable is accepted. Published by Delivery."""

    how: AcceptanceMode = "by-customer"
    """`by-customer`: by a person of the customer. `on-behalf`: recorded for that person. `deemed`:
    the customer did not decide within the days that the contract gives.
    """
    accepted_by: PersonId | None
    """Person of the customer; null where the submission is deemed accepted."""
    accepted_on: Day
    """Day of the acceptance."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.accepted_by is None) != (self.how == "deemed"):
            raise ValueError("accepted_by is needed unless how is deemed, and only then")
        if (self.recorded_for is not None) != (self.how == "on-behalf"):
            raise ValueError("recorded_for is needed where how is on-behalf, and only there")
        return self


class AcceptanceWithdrawal(Withdrawal):
    """The withdrawal of an acceptance that was recorded by mistake."""

    deliverable: Identifier
    """Id of the deliverable within the engagement."""
    submission: Version
    """Number of the submission whose acceptance is withdrawn."""


class AcceptanceWithdrawn(AcceptanceWithdrawal, Event, channel=DELIVERY, consumed_by=("finance",)):
    """An acceptance that was recorded by mistake was withdrawn. Published by Delivery.

    The submission waits for the customer again. What Finance has not invoiced on the acceptance is
    no longer due.
    """

    accepted_on: Day
    """Day of the acceptance that is withdrawn."""
    withdrawn_on: Day
    """Day on which the record was withdrawn."""


class DeliverableRejection(CustomerAct):
    """The customer's rejection of a deliverable."""

    deliverable: Identifier
    """Id of the deliverable within the engagement."""
    submission: Version
    """Number of the submission that was rejected."""
    rejected_by: PersonId
    """Person of the customer."""
    why: Text
    """Fault of the deliverable."""


class DeliverableRejected(DeliverableRejection, RecordedAct, Event, channel=DELIVERY):
    """The customer rejected a submission of a deliverable. Published by Delivery."""

    rejected_on: Day
    """Day of the rejection."""


Weight = Literal["low", "medium", "high"]


class RaidItem(Value):
    """An item of the RAID log: a risk, issue, action, assumption or decision."""

    item: Identifier
    """Id of the RAID item, unique within the engagement across all kinds."""


class Risk(Value):
    """A problem that may occur."""

    title: ShortText
    """The event that may occur, in one line."""
    probability: Percent
    """Probability in percent that it occurs."""
    impact: Weight
    """Effect if it occurs."""
    owner: PersonId
    """Person who is responsible."""
    response: Text
    """Response to the risk."""
    due_on: Day
    """Day by which the response is due."""


class RiskItem(RaidItem, Risk):
    """A risk and its id."""


class RiskRaised(RiskItem, Event, channel=DELIVERY):
    """A risk was raised: a problem that may occur. Published by Delivery."""


class ItemUpdate(Value):
    """The reason of an update of a RAID item."""

    why: ShortText
    """Reason of the update."""


class RiskUpdated(RiskItem, ItemUpdate, Event, channel=DELIVERY):
    """A risk was judged anew. Contains the whole risk. Published by Delivery."""


class Issue(Value):
    """A problem that has occurred."""

    title: ShortText
    """The problem in one line."""
    severity: Weight
    """Harm that the issue does to the engagement."""
    owner: PersonId
    """Person who is responsible."""
    due_on: Day
    """Day by which it is to be solved."""


class IssueItem(RaidItem, Issue):
    """An issue and its id."""


class IssueRaised(IssueItem, Event, channel=DELIVERY):
    """An issue was raised: a problem that has occurred. Published by Delivery.

    An engagement with an open issue cannot be closed.
    """


class IssueUpdated(IssueItem, ItemUpdate, Event, channel=DELIVERY):
    """An issue was judged anew. Contains the whole issue. Published by Delivery."""


class Action(Value):
    """Something that a person has to do by a day."""

    title: ShortText
    """The task in one line."""
    owner: PersonId
    """Person who has to do it; of the company or of the customer."""
    due_on: Day
    """Day by which it is to be done."""


class ActionItem(RaidItem, Action):
    """An action and its id."""


class ActionRaised(ActionItem, Event, channel=DELIVERY):
    """An action was agreed: something that a person has to do by a day. Published by Delivery.

    An engagement with an open action cannot be closed.
    """


class ActionUpdated(ActionItem, ItemUpdate, Event, channel=DELIVERY):
    """An action was changed. Contains the whole action. Published by Delivery."""


Validity = Literal["unknown", "confirmed", "false"]


class Assumption(Value):
    """Something that the plan takes for true until it is checked."""

    title: ShortText
    """The assumption in one line."""
    owner: PersonId
    """Person who checks it."""
    check_on: Day
    """Day by which it is to be checked."""
    validity: Validity = "unknown"
    """`unknown` until it is checked; then `confirmed` or `false`."""


class AssumptionItem(RaidItem, Assumption):
    """An assumption and its id."""


class AssumptionRaised(AssumptionItem, Event, channel=DELIVERY):
    """An assumption was recorded. Published by Delivery."""


class AssumptionUpdated(AssumptionItem, ItemUpdate, Event, channel=DELIVERY):
    """An assumption was checked or changed. Contains it whole. Published by Delivery."""


class Decision(Value):
    """A decision with its rationale."""

    title: ShortText
    """The decision in one line."""
    rationale: Text
    """Why it was decided so."""


class DecisionRecorded(RaidItem, Decision, Event, channel=DELIVERY):
    """A decision was recorded with its rationale. Published by Delivery."""

    decided_by: PersonId
    """Person who decided."""
    decided_on: Day
    """Day of the decision."""


class RaidItemResolution(RaidItem):
    """The resolution of a RAID item that is not a decision."""

    resolution: Text
    """Outcome of the item, in words."""


class RaidItemClosed(RaidItemResolution, Event, channel=DELIVERY):
    """A risk, issue, action or assumption was closed. Published by Delivery."""

    closed_on: Day
    """Day on which it was closed."""


class CustomerInput(Value):
    """Something that the customer has to provide."""

    description: ShortText
    """The thing that the customer has to provide."""
    requested_from: PersonId
    """Contact of the customer who is asked for it."""
    due_on: Day
    """Day by which it is needed."""
    blocks: Annotated[tuple[Identifier, ...], Field(max_length=100)] = ()
    """Ids of the tasks and milestones of the plan that wait for it."""


class CustomerInputRequested(CustomerInput, Event, channel=DELIVERY):
    """The customer was asked to provide something by a day. Published by Delivery."""

    input: Identifier
    """Id of the input within the engagement."""
    requested_on: Day
    """Day of the request."""


class ReceivedInput(Value):
    """The arrival of a requested input."""

    input: Identifier
    """Id of the input within the engagement."""
    evidence: ContentHash | None = None
    """Hash of what was received, where it is a document."""


class CustomerInputReceived(ReceivedInput, Event, channel=DELIVERY):
    """The customer provided a requested input. Published by Delivery."""

    received_on: Day
    """Day on which it was received."""


class CustomerDelay(Value):
    """Days that the customer cost the engagement, by a late input or at a milestone."""

    days: Annotated[int, Field(ge=1, le=10_000), AsNumber]
    """Calendar days by which the work was delayed."""
    cause: ShortText
    """Cause of the delay, on the side of the customer."""
    input: Identifier | None = None
    """Id of the input that was late; null where a milestone is named."""
    milestone: Identifier | None = None
    """Id of the milestone that was delayed; null where an input is named."""
    evidence: Text
    """Proof of the delay in words: letters, minutes, reminders."""

    @model_validator(mode="after")
    def _about_one(self) -> Self:
        if (self.input is None) == (self.milestone is None):
            raise ValueError("either input or milestone is needed")
        return self


class CustomerDelayRecorded(CustomerDelay, Event, channel=DELIVERY):
    """A delay that the customer caused was recorded, with its proof. Published by Delivery."""

    delay: Identifier
    """Id of the delay within the engagement."""
    recorded_on: Day
    """Day on which it was recorded."""


class StatusReport(Value):
    """A status report without its number and day."""

    scope: RAG
    """Status of the scope."""
    schedule: RAG
    """Status of the schedule."""
    cost: RAG
    """Status of the cost."""
    narrative: Text
    """State of the engagement in words."""
    forecast_finish: Day
    """Day on which the manager expects to finish."""
    estimate_to_complete: Hours
    """Hours still needed, in the manager's judgement."""


class StatusReportPublished(
    StatusReport, Event, channel=DELIVERY, consumed_by=("finance", "sales")
):
    """A status report was published. Published by Delivery.

    Finance measures earned value and margins as of its day.
    """

    report: Version
    """Counts the engagement's reports from 1."""
    as_of: Day
    """Day that the report describes."""


class ChangeRequest(Value):
    """The request of a change of what was agreed."""

    requested_by: PersonId
    """Person who asked for it."""
    description: Text
    """The change that is asked for."""


class ChangeRequested(ChangeRequest, Event, channel=DELIVERY, consumed_by=("legal",)):
    """A change of what was agreed was requested. Published by Delivery."""

    change: Identifier
    """Id of the change within the engagement."""
    requested_on: Day
    """Day of the request."""


class ChangeAssessment(Value):
    """The effort, the delay and the scope of a change."""

    change: Identifier
    """Id of the change within the engagement."""
    changes: ScopeChanges
    """Changes of hours and deliverables by contract line; negative where scope is taken away."""
    days: Annotated[int, Field(ge=-10_000, le=10_000), AsNumber]
    """Calendar days by which the finish moves; negative where it becomes earlier."""
    risk: Text
    """Risks of the change, in words."""

    @property
    def deliverables_added(self) -> tuple[Deliverable, ...]:
        """Return the deliverables that any line adds."""
        return tuple(each for change in self.changes for each in change.deliverables_added)

    @property
    def deliverables_removed(self) -> tuple[Identifier, ...]:
        """Return the ids of the deliverables that any line takes away."""
        return tuple(each for change in self.changes for each in change.deliverables_removed)


class ChangeAssessed(ChangeAssessment, Event, channel=DELIVERY, consumed_by=("legal", "finance")):
    """Delivery assessed what a change would take; a later assessment replaces this one.

    Published by Delivery. Finance prices each assessment.
    """


class ChangeApproval(CustomerAct):
    """The customer's approval of a change."""

    change: Identifier
    """Id of the change within the engagement."""
    approved_by: PersonId
    """Person of the customer."""


class ChangeApproved(
    ChangeApproval, RecordedAct, Event, channel=DELIVERY, consumed_by=("legal", "finance")
):
    """The customer approved an assessed and priced change, which is now a change order.

    Published by Delivery.
    """

    approved_on: Day
    """Day of the approval."""


class ChangeRejection(Value):
    """The rejection of a change."""

    change: Identifier
    """Id of the change within the engagement."""
    why: ShortText
    """Reason for the rejection."""


class ChangeRejected(ChangeRejection, Event, channel=DELIVERY, consumed_by=("legal", "finance")):
    """A change was rejected and will not be made.

    Published by Delivery. An approved change can be rejected until its amendment is signed; a
    signed amendment takes precedence over a rejection.
    """

    rejected_on: Day
    """Day of the rejection."""


class ChangeImplemented(Event, channel=DELIVERY, consumed_by=("legal", "finance")):
    """The work of a change order was completed. Published by Delivery."""

    change: Identifier
    """Id of the change within the engagement."""
    implemented_on: Day
    """Day on which the change was put into use."""


class SolutionWentLive(Event, channel=DELIVERY, consumed_by=("sales", "finance")):
    """The customer started to use the solution. Published by Delivery."""

    live_on: Day
    """First day of use."""


class GoLiveWithdrawn(Withdrawal, Event, channel=DELIVERY, consumed_by=("sales", "finance")):
    """A go-live that was recorded by mistake was withdrawn. Published by Delivery."""

    live_on: Day
    """First day of use that is withdrawn."""
    withdrawn_on: Day
    """Day on which the record was withdrawn."""


class PirFindings(Value):
    """The findings of a post-implementation review."""

    went_well: Annotated[tuple[ShortText, ...], Field(max_length=100)]
    """Things that went well, each in one line."""
    went_badly: Annotated[tuple[ShortText, ...], Field(max_length=100)]
    """Things that went badly, each in one line."""


class PirHeld(PirFindings, Event, channel=DELIVERY):
    """The post-implementation review (PIR) took place. Published by Delivery."""

    held_on: Day
    """Day of the review."""
    sold_hours: TotalHours
    """Hours of the estimate under the won proposal, without contingency and changes."""
    delivered_hours: TotalHours
    """Approved hours."""


SurveyKind = Literal["csat", "nps", "csat-and-nps"]


class SurveyQuestion(Value):
    """A question that is answered by a score from 1 (worst) to 5 (best)."""

    question: Identifier
    """Id of the question within the survey."""
    text: ShortText
    """The question as the customer reads it."""


class SurveyForm(Value):
    """The questions of a survey of the customer's satisfaction."""

    kind: SurveyKind
    """`csat`: the questions, for the customer satisfaction score. `nps`: the likelihood of a
    recommendation, for the net promoter score. `csat-and-nps`: both.
    """
    phase: ShortText
    """Phase of the engagement that the survey is about."""
    questions: Annotated[
        tuple[SurveyQuestion, ...], Field(max_length=50), DistinctBy("question")
    ] = ()
    """Questions; at least one unless the kind is `nps`, and then none."""

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        if (self.kind == "nps") == bool(self.questions):
            raise ValueError("questions are needed where kind is not nps, and only there")
        return self


class SurveySent(SurveyForm, Event, channel=DELIVERY):
    """A satisfaction survey was sent to people of the customer. Published by Delivery.

    An engagement may have several.
    """

    survey: Identifier
    """Id of the survey within the engagement."""
    contacts: tuple[PersonId, ...]
    """People of the customer who are asked."""
    sent_on: Day
    """Day on which it was sent."""


Score = Annotated[int, Field(ge=1, le=5), AsNumber]
"""Answer to a question of a survey, from 1 (worst) to 5 (best)."""


class SurveyAnswer(CustomerAct):
    """The answers of a person of the customer to a survey; at least one."""

    survey: Identifier
    """Id of the survey within the engagement."""
    answered_by: PersonId
    """Person of the customer who answered."""
    satisfaction: Annotated[dict[Identifier, Score], Field(max_length=50)] = Field(default={})
    """Score from 1 (worst) to 5 (best) by question, for the customer satisfaction score (CSAT).

    A question that was not answered is left out.
    """
    recommend: Annotated[int, Field(ge=0, le=10), AsNumber] | None = None
    """Likelihood of a recommendation from 0 to 10, for the net promoter score (NPS)."""
    comment: Text | None = None
    """Remark in the person's own words."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.satisfaction and self.recommend is None:
            raise ValueError("satisfaction or recommend is needed")
        return self


class SurveyAnswered(SurveyAnswer, RecordedAct, Event, channel=DELIVERY, consumed_by=("sales",)):
    """A person of the customer answered a survey. Published by Delivery."""

    answered_on: Day
    """Day of the answer."""


class EngagementPutOnHold(Event, channel=DELIVERY, consumed_by=("sales",)):
    """Work on the engagement was put on hold until it is resumed. Published by Delivery."""

    reason: ShortText
    """Reason for the interruption."""
    held_on: Day
    """First day of the hold."""


class EngagementResumed(Event, channel=DELIVERY, consumed_by=("sales",)):
    """Work on the engagement was resumed after a hold. Published by Delivery."""

    resumed_on: Day
    """Day on which the work continues."""


class EngagementClosed(Event, channel=DELIVERY, consumed_by=("sales", "legal", "finance")):
    """The engagement was closed: everything is accepted, settled and reviewed (gate 7).

    Published by Delivery.
    """

    closed_on: Day
    """Day on which it was closed."""
    sold_hours: TotalHours = Decimal(0)
    """Hours of the estimate under the won proposal, without contingency and changes."""
    delivered_hours: TotalHours = Decimal(0)
    """Approved hours."""


class QuestionAsked(
    AskedQuestion, Event, channel=DELIVERY, consumed_by=("sales", "legal", "finance")
):
    """Delivery asked another department or a contact of the customer a question.

    Published by Delivery.
    """


class QuestionAnswered(
    AnsweredQuestion, Event, channel=DELIVERY, consumed_by=("sales", "legal", "finance")
):
    """Delivery answered a question to it, or recorded the answer of a contact that it had asked.

    Published by Delivery.
    """
