"""What Delivery says of an engagement."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from contracts import delivery
from contracts.fact import Recorded
from contracts.values import Milestone
from gateway.sections.folding import Ref, Review, Steps, ref


@dataclass(slots=True)
class Estimate:
    """One version of the estimate; hours with contingency, project management apart.

    What is bought is no hours.
    """

    version: int
    hours: Decimal
    contingency_hours: Decimal
    project_management_hours: Decimal
    project_management_contingency_hours: Decimal
    said: Ref
    endorsed: Ref | None = None


@dataclass(slots=True)
class Baseline:
    """The plan as last approved."""

    version: int
    hours: Decimal
    project_management_hours: Decimal
    hours_by_role: dict[str, Decimal]
    deliverables: dict[str, str]
    milestones: list[Milestone]
    starts_on: date
    finishes_on: date
    changes: list[str]
    said: Ref
    first: Ref


@dataclass(slots=True)
class Deliverable:
    """Where a deliverable stands with the customer."""

    status: str
    submission: int
    on: date
    said: Ref


@dataclass(slots=True)
class Report:
    """The last status report."""

    report: int
    as_of: date
    scope: str
    schedule: str
    cost: str
    narrative: str
    forecast_finish: date
    estimate_to_complete: Decimal
    said: Ref

    @property
    def overall(self) -> str:
        """The worst of the three."""
        return max((self.scope, self.schedule, self.cost), key=("green", "amber", "red").index)


@dataclass(slots=True)
class Change:
    """A change request on its way to being built, or not."""

    change: str
    description: str
    requested: Ref | None = None
    assessed: Ref | None = None
    hours: Decimal = Decimal(0)
    days: int = 0
    approved: Ref | None = None
    approved_on: date | None = None
    rejected: Ref | None = None
    implemented: Ref | None = None
    implemented_on: date | None = None


@dataclass(slots=True)
class RaidItem:
    """An open risk or issue."""

    kind: str
    title: str
    severity: str
    said: Ref


@dataclass(slots=True)
class Worked:
    """Hours of a week, all and billable, and the first fact that told of them."""

    hours: Decimal
    billable: Decimal
    first: Ref


@dataclass(slots=True)
class DeliverySection:
    """The engagement as Delivery knows it."""

    manager: str | None = None
    manager_assigned_on: date | None = None
    manager_first_assigned: Ref | None = None
    tier: str | None = None
    estimates: dict[int, Estimate] = field(default_factory=dict)
    sow_reviews: dict[int, Review] = field(default_factory=dict)
    allocated_hours: dict[str, Decimal] = field(default_factory=dict)
    allocated: Ref | None = None
    brd_signed: Ref | None = None
    plan_drafted: Ref | None = None
    baseline: Baseline | None = None
    kickoff: Ref | None = None
    kickoff_on: date | None = None
    submitted_hours: Decimal = Decimal(0)
    approved_hours: Decimal = Decimal(0)
    project_management_hours: Decimal = Decimal(0)
    weeks: dict[date, Worked] = field(default_factory=dict)
    last_approved: Ref | None = None
    complete: dict[str, Decimal] = field(default_factory=dict)
    milestones_reached: dict[str, date] = field(default_factory=dict)
    deliverables: dict[str, Deliverable] = field(default_factory=dict)
    raid: dict[str, RaidItem] = field(default_factory=dict)
    decisions: int = 0
    report: Report | None = None
    changes: dict[str, Change] = field(default_factory=dict)
    live_on: date | None = None
    live: Ref | None = None
    survey_sent: Ref | None = None
    satisfaction: list[int] = field(default_factory=list)
    recommend: list[int] = field(default_factory=list)
    review_held: Ref | None = None
    on_hold: bool = False
    closed_on: date | None = None
    closed: Ref | None = None

    def open_issues(self) -> dict[str, RaidItem]:
        """Issues nobody closed yet."""
        return {item: raid for item, raid in self.raid.items() if raid.kind == "issue"}


steps = Steps[DeliverySection]()


@steps.on(delivery.ManagerAssigned)
def _manager(section: DeliverySection, recorded: Recorded[delivery.ManagerAssigned]) -> None:
    section.manager = recorded.fact.manager
    section.manager_assigned_on = recorded.fact.assigned_on
    section.manager_first_assigned = section.manager_first_assigned or ref(recorded)


@steps.on(delivery.TierChosen)
def _tier(section: DeliverySection, recorded: Recorded[delivery.TierChosen]) -> None:
    section.tier = recorded.fact.tier


@steps.on(delivery.EstimateSubmitted)
def _estimate(section: DeliverySection, recorded: Recorded[delivery.EstimateSubmitted]) -> None:
    fact = recorded.fact
    worked = sum((line.hours for line in fact.lines if line.kind != "expense"), Decimal(0))
    managed = sum(
        (line.hours for line in fact.lines if line.kind == "project-management"), Decimal(0)
    )
    reserve = fact.contingency / 100
    section.estimates[fact.version] = Estimate(
        version=fact.version,
        hours=worked * (1 + reserve),
        contingency_hours=worked * reserve,
        project_management_hours=managed * (1 + reserve),
        project_management_contingency_hours=managed * reserve,
        said=ref(recorded),
    )


@steps.on(delivery.EstimateEndorsed)
def _endorsed(section: DeliverySection, recorded: Recorded[delivery.EstimateEndorsed]) -> None:
    estimate = section.estimates.get(recorded.fact.version)
    if estimate is not None:
        estimate.endorsed = ref(recorded)


@steps.on(delivery.SowReviewed)
def _sow_reviewed(section: DeliverySection, recorded: Recorded[delivery.SowReviewed]) -> None:
    section.sow_reviews[recorded.fact.version] = Review(recorded.fact.verdict, ref(recorded))


@steps.on(delivery.ResourceAllocated)
def _allocated(section: DeliverySection, recorded: Recorded[delivery.ResourceAllocated]) -> None:
    fact = recorded.fact
    section.allocated_hours[f"{fact.request}/{fact.person}/{fact.role}"] = fact.hours
    section.allocated = ref(recorded)


@steps.on(delivery.ResourceReleased)
def _released(section: DeliverySection, recorded: Recorded[delivery.ResourceReleased]) -> None:
    prefix = f"{recorded.fact.request}/{recorded.fact.person}/"
    for key in [key for key in section.allocated_hours if key.startswith(prefix)]:
        del section.allocated_hours[key]
    section.allocated = ref(recorded)


@steps.on(delivery.BrdSignedOff)
def _brd(section: DeliverySection, recorded: Recorded[delivery.BrdSignedOff]) -> None:
    section.brd_signed = ref(recorded)


@steps.on(delivery.PlanDrafted)
def _plan(section: DeliverySection, recorded: Recorded[delivery.PlanDrafted]) -> None:
    section.plan_drafted = ref(recorded)


@steps.on(delivery.PlanBaselined)
def _baselined(section: DeliverySection, recorded: Recorded[delivery.PlanBaselined]) -> None:
    fact = recorded.fact
    by_role: dict[str, Decimal] = {}
    management = Decimal(0)
    for task in fact.tasks:
        for line in task.hours:
            by_role[line.role] = by_role.get(line.role, Decimal(0)) + line.hours
            if task.kind == "project-management":
                management += line.hours
    said = ref(recorded)
    before = section.baseline
    days = [task.finishes_on for task in fact.tasks] or [item.due_on for item in fact.milestones]
    section.baseline = Baseline(
        version=fact.version,
        hours=sum(by_role.values(), Decimal(0)),
        project_management_hours=management,
        hours_by_role=by_role,
        deliverables={item.deliverable: item.title for item in fact.deliverables},
        milestones=list(fact.milestones),
        starts_on=min((task.starts_on for task in fact.tasks), default=fact.baselined_on),
        finishes_on=max(days, default=fact.baselined_on),
        changes=list(fact.changes),
        said=said,
        first=before.first if before else said,
    )


@steps.on(delivery.KickoffHeld)
def _kickoff(section: DeliverySection, recorded: Recorded[delivery.KickoffHeld]) -> None:
    section.kickoff, section.kickoff_on = ref(recorded), recorded.fact.held_on


@steps.on(delivery.TimeSubmitted)
def _time_submitted(section: DeliverySection, recorded: Recorded[delivery.TimeSubmitted]) -> None:
    section.submitted_hours += recorded.fact.hours


@steps.on(delivery.TimeApproved)
def _time(section: DeliverySection, recorded: Recorded[delivery.TimeApproved]) -> None:
    fact = recorded.fact
    section.approved_hours += fact.hours
    if fact.kind == "project-management":
        section.project_management_hours += fact.hours
    week = section.weeks.get(fact.week)
    if week is None:
        section.weeks[fact.week] = week = Worked(Decimal(0), Decimal(0), ref(recorded))
    week.hours += fact.hours
    if fact.billable:
        week.billable += fact.hours
    section.last_approved = ref(recorded)


@steps.on(delivery.TaskProgressed)
def _progressed(section: DeliverySection, recorded: Recorded[delivery.TaskProgressed]) -> None:
    section.complete[recorded.fact.task] = recorded.fact.complete


@steps.on(delivery.MilestoneReached)
def _milestone(section: DeliverySection, recorded: Recorded[delivery.MilestoneReached]) -> None:
    section.milestones_reached[recorded.fact.milestone] = recorded.fact.reached_on


@steps.on(delivery.DeliverableSubmitted)
def _submitted(section: DeliverySection, recorded: Recorded[delivery.DeliverableSubmitted]) -> None:
    fact = recorded.fact
    section.deliverables[fact.deliverable] = Deliverable(
        "submitted", fact.submission, fact.submitted_on, ref(recorded)
    )


@steps.on(delivery.DeliverableAccepted)
def _accepted(section: DeliverySection, recorded: Recorded[delivery.DeliverableAccepted]) -> None:
    fact = recorded.fact
    section.deliverables[fact.deliverable] = Deliverable(
        "accepted", fact.submission, fact.accepted_on, ref(recorded)
    )


@steps.on(delivery.DeliverableRejected)
def _rejected(section: DeliverySection, recorded: Recorded[delivery.DeliverableRejected]) -> None:
    fact = recorded.fact
    section.deliverables[fact.deliverable] = Deliverable(
        "rejected", fact.submission, fact.rejected_on, ref(recorded)
    )


@steps.on(delivery.RiskRaised)
def _risk(section: DeliverySection, recorded: Recorded[delivery.RiskRaised]) -> None:
    fact = recorded.fact
    section.raid[fact.item] = RaidItem("risk", fact.title, fact.impact, ref(recorded))


@steps.on(delivery.IssueRaised)
def _issue(section: DeliverySection, recorded: Recorded[delivery.IssueRaised]) -> None:
    fact = recorded.fact
    section.raid[fact.item] = RaidItem("issue", fact.title, fact.severity, ref(recorded))


@steps.on(delivery.DecisionRecorded)
def _decision(section: DeliverySection, recorded: Recorded[delivery.DecisionRecorded]) -> None:
    del recorded
    section.decisions += 1


@steps.on(delivery.RaidItemClosed)
def _raid_closed(section: DeliverySection, recorded: Recorded[delivery.RaidItemClosed]) -> None:
    section.raid.pop(recorded.fact.item, None)


@steps.on(delivery.StatusReportPublished)
def _report(section: DeliverySection, recorded: Recorded[delivery.StatusReportPublished]) -> None:
    fact = recorded.fact
    section.report = Report(
        report=fact.report,
        as_of=fact.as_of,
        scope=fact.scope,
        schedule=fact.schedule,
        cost=fact.cost,
        narrative=fact.narrative,
        forecast_finish=fact.forecast_finish,
        estimate_to_complete=fact.estimate_to_complete,
        said=ref(recorded),
    )


def _change(section: DeliverySection, change: str) -> Change:
    return section.changes.setdefault(change, Change(change, ""))


@steps.on(delivery.ChangeRequested)
def _requested(section: DeliverySection, recorded: Recorded[delivery.ChangeRequested]) -> None:
    change = _change(section, recorded.fact.change)
    change.description, change.requested = recorded.fact.description, ref(recorded)


@steps.on(delivery.ChangeAssessed)
def _assessed(section: DeliverySection, recorded: Recorded[delivery.ChangeAssessed]) -> None:
    change = _change(section, recorded.fact.change)
    change.hours = sum((line.hours for line in recorded.fact.lines), Decimal(0))
    change.days, change.assessed = recorded.fact.days, ref(recorded)


@steps.on(delivery.ChangeApproved)
def _change_approved(section: DeliverySection, recorded: Recorded[delivery.ChangeApproved]) -> None:
    change = _change(section, recorded.fact.change)
    change.approved, change.approved_on = ref(recorded), recorded.fact.approved_on


@steps.on(delivery.ChangeRejected)
def _change_rejected(section: DeliverySection, recorded: Recorded[delivery.ChangeRejected]) -> None:
    _change(section, recorded.fact.change).rejected = ref(recorded)


@steps.on(delivery.ChangeImplemented)
def _implemented(section: DeliverySection, recorded: Recorded[delivery.ChangeImplemented]) -> None:
    change = _change(section, recorded.fact.change)
    change.implemented, change.implemented_on = ref(recorded), recorded.fact.implemented_on


@steps.on(delivery.SolutionWentLive)
def _live(section: DeliverySection, recorded: Recorded[delivery.SolutionWentLive]) -> None:
    section.live_on, section.live = recorded.fact.live_on, ref(recorded)


@steps.on(delivery.SurveySent)
def _survey(section: DeliverySection, recorded: Recorded[delivery.SurveySent]) -> None:
    section.survey_sent = ref(recorded)


@steps.on(delivery.SurveyAnswered)
def _answered(section: DeliverySection, recorded: Recorded[delivery.SurveyAnswered]) -> None:
    section.satisfaction.extend(recorded.fact.satisfaction.values())
    section.recommend.append(recorded.fact.recommend)


@steps.on(delivery.PirHeld)
def _reviewed(section: DeliverySection, recorded: Recorded[delivery.PirHeld]) -> None:
    section.review_held = ref(recorded)


@steps.on(delivery.EngagementPutOnHold)
def _held(section: DeliverySection, recorded: Recorded[delivery.EngagementPutOnHold]) -> None:
    del recorded
    section.on_hold = True


@steps.on(delivery.EngagementResumed)
def _resumed(section: DeliverySection, recorded: Recorded[delivery.EngagementResumed]) -> None:
    del recorded
    section.on_hold = False


@steps.on(delivery.EngagementClosed)
def _closed(section: DeliverySection, recorded: Recorded[delivery.EngagementClosed]) -> None:
    section.closed_on, section.closed = recorded.fact.closed_on, ref(recorded)
