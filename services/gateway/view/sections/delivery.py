"""Delivery's section of the view."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TypeAlias, get_args

from contracts import delivery
from contracts.event import Recorded
from contracts.lines import LineScopeChange
from contracts.money import Money
from contracts.purchases import EstimatedPurchase, purchases_by_kind
from contracts.values import EstimateLine, Milestone, PlannedTask, Tier
from gateway.formatting import day, hours, listed, money, number, words
from gateway.view.sections.sentences import Names, answer, if_given, question, verdict
from gateway.view.sections.steps import (
    AmendmentVerdict,
    Kept,
    Ref,
    Review,
    Steps,
    each_by,
    each_with_day,
    newest,
    newest_ref,
    ref,
    review,
    titles,
    verdict_on_amendment,
)

_RAG = ("green", "amber", "red")


@dataclass(slots=True)
class Estimate:
    """A version of the estimate; hours include contingency, `purchases` are amounts by kind.

    `work` has hours by role without contingency, and without those of project management, which
    are `project_management_hours`. `contingency` is in percent of both.
    """

    version: int
    hours: Decimal
    contingency: Decimal
    work: dict[str, Decimal]
    project_management_hours: Decimal
    purchases: dict[str, Money]
    said: Ref
    endorsed: Ref | None = None


@dataclass(frozen=True, slots=True)
class PlannedWork:
    """Hours of a role that the plan has for a contract line and a kind of work."""

    line: str | None
    kind: str
    role: str
    hours: Decimal


@dataclass(slots=True)
class Baseline:
    """The latest approved plan."""

    version: int
    hours: Decimal
    project_management_hours: Decimal
    work: list[PlannedWork]
    deliverables: dict[str, str]
    milestones: list[Milestone]
    starts_on: date
    finishes_on: date
    changes: list[str]
    lines: dict[str, str | None]
    """The contract line of each task, or None."""
    tasks_of_changes: dict[str, str]
    """The change that adds a task, of those tasks that name one."""
    said: Ref
    first: Ref


@dataclass(slots=True)
class Deliverable:
    """A deliverable's last submission and whether the customer accepted it."""

    status: str
    submission: int
    on: date
    said: Ref


@dataclass(slots=True)
class Change:
    """A change request: its assessment and what was decided about it.

    `hours` is the sum of all changes of hours, negative where more are taken away.
    """

    change: str
    description: str
    requested: Ref | None = None
    assessed: Ref | None = None
    changes: list[LineScopeChange] = field(default_factory=list)
    hours: Decimal = Decimal(0)
    days: int = 0
    approved: Ref | None = None
    approved_on: date | None = None
    rejected: Ref | None = None
    implemented: Ref | None = None
    implemented_on: date | None = None


@dataclass(slots=True)
class RaidItem:
    """An item of the RAID log that is not a decision; `closed_on` is None while it is open.

    `weight` is the impact of a risk, the severity of an issue or the validity of an assumption, and
    None for an action. `due_on` is the day by which it is to be answered, solved, done or checked;
    None for an assumption that was checked.
    """

    kind: str
    title: str
    weight: str | None
    owner: str
    due_on: date | None
    said: Ref
    closed_on: date | None = None

    def is_overdue(self, today: date) -> bool:
        """Return whether its day has passed, while it is open."""
        return self.due_on is not None and self.due_on < today


_Raised: TypeAlias = (
    delivery.RiskRaised
    | delivery.RiskUpdated
    | delivery.IssueRaised
    | delivery.IssueUpdated
    | delivery.ActionRaised
    | delivery.ActionUpdated
    | delivery.AssumptionRaised
    | delivery.AssumptionUpdated
)


def _raid_item(recorded: Recorded[_Raised]) -> RaidItem:
    event = recorded.event
    kind, weight, due_on = _judged(event)
    return RaidItem(kind, event.title, weight, event.owner, due_on, ref(recorded))


def _judged(event: _Raised) -> tuple[str, str | None, date | None]:
    """Return the kind of a RAID item, its weight, and the day by which something is due."""
    match event:
        case delivery.RiskItem():
            return "risk", event.impact, event.due_on
        case delivery.IssueItem():
            return "issue", event.severity, event.due_on
        case delivery.AssumptionItem():
            check_on = event.check_on if event.validity == "unknown" else None
            return "assumption", event.validity, check_on
        case _:
            return "action", None, event.due_on


@dataclass(slots=True)
class CustomerInput:
    """Something that the customer has to provide; `received_on` is None until it has come."""

    description: str
    requested_from: str
    due_on: date
    blocks: list[str]
    said: Ref
    received_on: date | None = None

    def is_overdue(self, today: date) -> bool:
        """Return whether it has not come although its day has passed."""
        return self.received_on is None and self.due_on < today


def _input(recorded: Recorded[delivery.CustomerInputRequested]) -> CustomerInput:
    event = recorded.event
    return CustomerInput(
        event.description, event.requested_from, event.due_on, list(event.blocks), ref(recorded)
    )


@dataclass(slots=True)
class Survey:
    """A survey, who answered it, and all answers: 1 to 5 by question, and 0 to 10."""

    kind: str
    phase: str
    sent_on: date
    contacts: list[str]
    said: Ref
    answered_by: list[str] = field(default_factory=list)
    satisfaction: list[int] = field(default_factory=list)
    recommend: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class WaitingEntry:
    """Hours of a person on a task on a day that are submitted and not decided."""

    day: date
    task: str
    role: str
    hours: Decimal
    billable: bool


@dataclass(slots=True)
class WaitingWeek:
    """Entries by id of a person's week that are submitted and not decided.

    `beyond_weekly_hours` are the hours by which the whole week, over all engagements, exceeds the
    person's weekly hours; None where it does not.
    """

    person: str
    week: date
    entries: dict[str, WaitingEntry]
    said: Ref
    beyond_weekly_hours: Decimal | None = None


@dataclass(slots=True)
class Worked:
    """Approved hours of a week, all and billable, and the first event that contains any.

    `billable_by_day` has the billable ones by day and then by contract line, empty where none is
    named, and role, with a slash between them.
    """

    first: Ref
    hours: Decimal = Decimal(0)
    billable: Decimal = Decimal(0)
    billable_by_day: dict[date, dict[str, Decimal]] = field(default_factory=dict)


@dataclass(slots=True)
class DeliverySection:
    """The engagement as Delivery published it."""

    questions: dict[str, Kept[delivery.QuestionAsked]] = each_by(
        delivery.QuestionAsked, lambda event: event.question
    )
    answers: dict[str, Kept[delivery.QuestionAnswered]] = each_by(
        delivery.QuestionAnswered, lambda event: event.question
    )
    manager: str | None = None
    manager_assigned_on: date | None = None
    manager_first_assigned: Ref | None = None
    tier_chosen: Kept[delivery.TierChosen] | None = newest(delivery.TierChosen)
    estimates: dict[int, Estimate] = field(default_factory=dict)
    sow_reviews: dict[int, Kept[Review]] = each_by(
        delivery.SowReviewed, lambda event: event.version, kept=review
    )
    amendment_reviews: dict[str, Kept[AmendmentVerdict]] = each_by(
        delivery.AmendmentReviewed, lambda event: event.amendment, kept=verdict_on_amendment
    )
    allocated_hours: dict[str, Decimal] = field(default_factory=dict)
    allocated: Ref | None = newest_ref(delivery.ResourceAllocated, delivery.ResourceReleased)
    brd_signed: Ref | None = newest_ref(delivery.BrdSignedOff)
    plan_drafted: Ref | None = newest_ref(delivery.PlanDrafted)
    baseline: Baseline | None = None
    kickoff: Kept[delivery.KickoffHeld] | None = newest(
        delivery.KickoffHeld, until=(delivery.KickoffWithdrawn,)
    )
    waiting: dict[str, WaitingWeek] = field(default_factory=dict)
    """Time that waits for approval, by person and Monday (``eve/2026-03-02``)."""
    approved_hours: Decimal = Decimal(0)
    project_management_hours: Decimal = Decimal(0)
    hours_by_line: dict[str, Decimal] = field(default_factory=dict)
    """Approved hours by contract line; those of tasks that name no line are not in it."""
    weeks: dict[date, Worked] = field(default_factory=dict)
    last_approved: Ref | None = newest_ref(delivery.TimeApproved)
    waiting_expenses: dict[str, Money] = field(default_factory=dict)
    """Amounts of the expenses that wait for approval, by id."""
    billable_expenses: dict[str, Money] = field(default_factory=dict)
    """Approved billable expenses by contract line, day and currency.

    The keys are the line, empty where none is named, the day and the currency, with slashes between
    them.
    """
    complete: dict[str, Decimal] = field(default_factory=dict)
    """The last reported completion of each task."""
    milestones_reached: dict[str, Kept[delivery.MilestoneReached]] = each_by(
        delivery.MilestoneReached,
        lambda event: event.milestone,
        until=delivery.MilestoneWithdrawn,
    )
    deliverables: dict[str, Deliverable] = field(default_factory=dict)
    raid: dict[str, RaidItem] = each_with_day(
        get_args(_Raised),
        lambda event: event.item,
        _raid_item,
        day="closed_on",
        by=delivery.RaidItemClosed,
        reopened=delivery.RaidItemReopened,
        until=delivery.RaidItemWithdrawn,
    )
    decisions: dict[str, Kept[delivery.DecisionRecorded]] = each_by(
        delivery.DecisionRecorded, lambda event: event.item, until=delivery.RaidItemWithdrawn
    )
    customer_inputs: dict[str, CustomerInput] = each_with_day(
        (delivery.CustomerInputRequested,),
        lambda event: event.input,
        _input,
        day="received_on",
        by=delivery.CustomerInputReceived,
        reopened=delivery.CustomerInputReopened,
        until=delivery.CustomerInputWithdrawn,
    )
    customer_delays: dict[str, Kept[delivery.CustomerDelayRecorded]] = each_by(
        delivery.CustomerDelayRecorded,
        lambda event: event.delay,
        until=delivery.CustomerDelayWithdrawn,
    )
    report: Kept[delivery.StatusReportPublished] | None = newest(delivery.StatusReportPublished)
    reports: dict[int, Ref] = field(default_factory=dict)
    """The status reports by number, as evidence of what was measured for them."""
    changes: dict[str, Change] = field(default_factory=dict)
    live: Kept[delivery.SolutionWentLive] | None = newest(
        delivery.SolutionWentLive, until=(delivery.GoLiveWithdrawn,)
    )
    surveys: dict[str, Survey] = field(default_factory=dict)
    review_held: Ref | None = newest_ref(delivery.PirHeld)
    on_hold: bool = False
    closed: Kept[delivery.EngagementClosed] | None = newest(delivery.EngagementClosed)
    imported: Kept[delivery.EngagementImported] | None = newest(delivery.EngagementImported)

    def is_accepted(self, deliverable: str) -> bool:
        """Return whether the customer accepted a deliverable, here or before the take-over."""
        known = self.deliverables.get(deliverable)
        taken_over = self.imported.event.deliverables if self.imported else ()
        return (known is not None and known.status == "accepted") or any(
            each.deliverable == deliverable and each.accepted_on is not None for each in taken_over
        )

    @property
    def hours_before(self) -> Decimal:
        """The hours to date that were taken over."""
        taken_over = self.imported.event.hours if self.imported else ()
        return sum((each.hours for each in taken_over), Decimal(0))

    @property
    def tier(self) -> Tier | None:
        """The tier of the delivery method, or None where none was chosen."""
        return self.tier_chosen.event.tier if self.tier_chosen else None

    @property
    def rag(self) -> str | None:
        """The worst of scope, schedule and cost in the latest status report, or None."""
        if self.report is None:
            return None
        event = self.report.event
        return max((event.scope, event.schedule, event.cost), key=_RAG.index)

    @property
    def waiting_hours(self) -> Decimal:
        """The hours that are submitted and not decided."""
        entries = (each.entries.values() for each in self.waiting.values())
        return sum((entry.hours for week in entries for entry in week), Decimal(0))

    def open_items(self) -> list[RaidItem]:
        """Return the RAID items that are not closed."""
        return [item for item in self.raid.values() if item.closed_on is None]


steps = Steps(
    DeliverySection,
    ignored=[delivery.ResourceRequested, delivery.BrdSubmitted],
)


def _estimated(lines: Iterable[EstimateLine]) -> str:
    return hours(sum((line.hours for line in lines), Decimal(0)))


def _amounts(purchases: Iterable[EstimatedPurchase]) -> str:
    totals = purchases_by_kind(purchases)
    return listed(f"{money(amount)} for {words(kind)}" for kind, amount in totals.items())


def _worked(entries: Iterable[delivery.TimeEntry]) -> str:
    """Return the hours of each role, such as "24 h as engineer and 8 h as architect"."""
    by_role: dict[str, Decimal] = {}
    for each in entries:
        by_role[each.role] = by_role.get(each.role, Decimal(0)) + each.hours
    return listed(f"{hours(number)} as {words(role)}" for role, number in by_role.items())


def _of_week(event: delivery.SubmittedWeek | delivery.ApprovedWeek, names: Names) -> str:
    worked, person = _worked(event.entries), names.person(event.person)
    return f"{worked} of {person} in the week of {day(event.week)}"


def _of_expense(event: delivery.Expense, names: Names) -> str:
    person, spent_on = names.person(event.person), day(event.spent_on)
    return f"Expense of {money(event.amount)} by {person} on {spent_on}"


def _planned(tasks: Iterable[PlannedTask]) -> str:
    return hours(sum((part.hours for task in tasks for part in task.hours), Decimal(0)))


def _delta(changes: Iterable[LineScopeChange]) -> str:
    return hours(sum((change.hours_delta for change in changes), Decimal(0)))


def _scores(satisfaction: Mapping[str, int]) -> str:
    return listed(f"{words(topic)} {score} of 5" for topic, score in satisfaction.items())


steps.describe(
    delivery.StatusReportPublished,
    lambda event, _: (
        f"Status report {event.report}: scope {event.scope}, schedule {event.schedule}, cost "
        f"{event.cost}; finish forecast for {day(event.forecast_finish)}. “{event.narrative}”"
    ),
)


@steps.on(delivery.StatusReportPublished)
def _reported(section: DeliverySection, recorded: Recorded[delivery.StatusReportPublished]) -> None:
    section.reports[recorded.event.report] = ref(recorded)


steps.describe(
    delivery.ManagerAssigned,
    lambda event, names: (
        f"{names.person(event.manager)} manages the engagement from {day(event.assigned_on)}."
    ),
)


@steps.on(delivery.ManagerAssigned)
def _manager(section: DeliverySection, recorded: Recorded[delivery.ManagerAssigned]) -> None:
    section.manager = recorded.event.manager
    section.manager_assigned_on = recorded.event.assigned_on
    section.manager_first_assigned = section.manager_first_assigned or ref(recorded)


steps.describe(
    delivery.TierChosen,
    lambda event, _: f"Method: {event.tier}, where {event.proposed} was proposed. “{event.reason}”",
)
steps.describe(
    delivery.EstimateSubmitted,
    lambda event, _: (
        f"Estimate {event.version}: {_estimated(event.lines)} and {number(event.contingency)}% "
        f"contingency{if_given(', purchases of {}', event.purchases, _amounts)}, "
        f"{number(event.duration_days)} days, {event.confidence} confidence."
    ),
)


@steps.on(delivery.EstimateSubmitted)
def _estimate(section: DeliverySection, recorded: Recorded[delivery.EstimateSubmitted]) -> None:
    event = recorded.event
    work: dict[str, Decimal] = {}
    managed = Decimal(0)
    for line in event.lines:
        if line.kind == "project-management":
            managed += line.hours
        elif line.kind == "delivery":
            work[line.role] = work.get(line.role, Decimal(0)) + line.hours
    section.estimates[event.version] = Estimate(
        version=event.version,
        hours=(managed + sum(work.values())) * (1 + event.contingency / 100),
        contingency=event.contingency,
        work=work,
        project_management_hours=managed,
        purchases={
            str(kind): amount for kind, amount in purchases_by_kind(event.purchases).items()
        },
        said=ref(recorded),
    )


steps.describe(
    delivery.EstimateEndorsed,
    lambda event, names: f"{names.person(event.manager)} endorsed estimate {event.version}.",
)


@steps.on(delivery.EstimateEndorsed)
def _endorsed(section: DeliverySection, recorded: Recorded[delivery.EstimateEndorsed]) -> None:
    estimate = section.estimates.get(recorded.event.version)
    if estimate is not None:
        estimate.endorsed = ref(recorded)


steps.describe(
    delivery.SowReviewed,
    lambda event, _: (
        f"Delivery {verdict(event.verdict)} statement of work {event.version}."
        f"{if_given(' “{}”', event.why)}"
    ),
)
steps.describe(
    delivery.AmendmentReviewed,
    lambda event, _: (
        f"Delivery {verdict(event.verdict)} amendment {event.amendment}."
        f"{if_given(' “{}”', event.why)}"
    ),
)
steps.describe(
    delivery.ResourceRequested,
    lambda event, _: (
        f"{hours(event.hours)} of {words(event.role)} wanted from {day(event.starts_on)} to "
        f"{day(event.finishes_on)}."
    ),
)
steps.describe(
    delivery.ResourceAllocated,
    lambda event, names: (
        f"{names.person(event.person)} allocated as {words(event.role)} ({event.commitment}): "
        f"{hours(event.hours)} from {day(event.starts_on)} to {day(event.finishes_on)}."
    ),
)


@steps.on(delivery.ResourceAllocated)
def _allocated(section: DeliverySection, recorded: Recorded[delivery.ResourceAllocated]) -> None:
    event = recorded.event
    section.allocated_hours[f"{event.request}/{event.person}/{event.role}"] = event.hours


steps.describe(
    delivery.ResourceReleased,
    lambda event, names: f"{names.person(event.person)} released on {day(event.released_on)}.",
)


@steps.on(delivery.ResourceReleased)
def _released(section: DeliverySection, recorded: Recorded[delivery.ResourceReleased]) -> None:
    prefix = f"{recorded.event.request}/{recorded.event.person}/"
    for key in [key for key in section.allocated_hours if key.startswith(prefix)]:
        del section.allocated_hours[key]


steps.describe(
    delivery.BrdSubmitted,
    lambda event, _: f"Business requirements {event.version} submitted to the customer.",
)
steps.describe(
    delivery.BrdSignedOff,
    lambda event, names: (
        f"Business requirements {event.version} signed off by {names.person(event.signed_by)} on "
        f"{day(event.signed_on)}."
    ),
)
steps.describe(
    delivery.PlanDrafted,
    lambda event, _: (
        f"Plan {event.version} drafted from template {event.template}: {number(len(event.tasks))} "
        f"tasks, {number(len(event.milestones))} milestones."
    ),
)
steps.describe(
    delivery.PlanBaselined,
    lambda event, _: (
        f"Plan {event.version} baselined on {day(event.baselined_on)}: {_planned(event.tasks)} in "
        f"{number(len(event.tasks))} tasks"
        f"{if_given('; includes change {}', event.changes, listed)}."
    ),
)


@steps.on(delivery.PlanBaselined)
def _baselined(section: DeliverySection, recorded: Recorded[delivery.PlanBaselined]) -> None:
    event = recorded.event
    work: dict[tuple[str | None, str, str], Decimal] = {}
    management = Decimal(0)
    for task in event.tasks:
        for part in task.hours:
            key = (task.line, task.kind, part.role)
            work[key] = work.get(key, Decimal(0)) + part.hours
            if task.kind == "project-management":
                management += part.hours
    event_ref = ref(recorded)
    before = section.baseline
    days = [task.finishes_on for task in event.tasks] or [item.due_on for item in event.milestones]
    section.baseline = Baseline(
        version=event.version,
        hours=sum(work.values(), Decimal(0)),
        project_management_hours=management,
        work=[PlannedWork(*key, hours) for key, hours in work.items()],
        deliverables=titles(event.deliverables),
        milestones=list(event.milestones),
        starts_on=min((task.starts_on for task in event.tasks), default=event.baselined_on),
        finishes_on=max(days, default=event.baselined_on),
        changes=list(event.changes),
        lines={task.task: task.line for task in event.tasks},
        tasks_of_changes={task.task: task.change for task in event.tasks if task.change},
        said=event_ref,
        first=before.first if before else event_ref,
    )


steps.describe(
    delivery.KickoffHeld,
    lambda event, names: (
        f"Kickoff held on {day(event.held_on)} with {listed(map(names.person, event.attendees))}."
    ),
)
steps.describe(
    delivery.KickoffWithdrawn,
    lambda event, _: (
        f"Kickoff of {day(event.held_on)} withdrawn on {day(event.withdrawn_on)}: “{event.why}”"
    ),
)
steps.describe(
    delivery.TimeSubmitted,
    lambda event, names: (
        f"{names.person(event.person)} submitted {_worked(event.entries)} in the week of "
        f"{day(event.week)}{if_given(', which has {} too many', event.beyond_weekly_hours, hours)}."
    ),
)


@steps.on(delivery.TimeSubmitted)
def _time_submitted(section: DeliverySection, recorded: Recorded[delivery.TimeSubmitted]) -> None:
    event = recorded.event
    section.waiting[_person_week(event)] = WaitingWeek(
        event.person,
        event.week,
        {
            each.entry: WaitingEntry(each.day, each.task, each.role, each.hours, each.billable)
            for each in event.entries
        },
        ref(recorded),
        event.beyond_weekly_hours,
    )


steps.describe(
    delivery.TimeWithdrawn,
    lambda event, names: (
        f"{names.person(event.person)} withdrew {_worked(event.entries)} in the week of "
        f"{day(event.week)}."
    ),
)
steps.describe(
    delivery.TimeRejected,
    lambda event, names: f"{_of_week(event, names)} not approved: “{event.why}”",
)


@steps.on(delivery.TimeWithdrawn, delivery.TimeRejected)
def _time_not_waiting(
    section: DeliverySection, recorded: Recorded[delivery.TimeWithdrawn | delivery.TimeRejected]
) -> None:
    _decide(section, recorded.event)


steps.describe(
    delivery.TimeApproved,
    lambda event, names: (
        f"{_of_week(event, names)} approved{if_given(' as cost: “{}”', event.why_not_billed)}."
    ),
)


@steps.on(delivery.TimeApproved)
def _time(section: DeliverySection, recorded: Recorded[delivery.TimeApproved]) -> None:
    event = recorded.event
    _decide(section, event)
    said = ref(recorded)
    for entry in event.entries:
        _count(section, event.week, entry, entry.hours, said)


steps.describe(
    delivery.TimeReversed,
    lambda event, names: (
        f"{_of_week(event, names)} reversed on {day(event.reversed_on)}: “{event.why}”"
    ),
)


@steps.on(delivery.TimeReversed)
def _time_reversed(section: DeliverySection, recorded: Recorded[delivery.TimeReversed]) -> None:
    event, said = recorded.event, ref(recorded)
    for entry in event.entries:
        _count(section, event.week, entry, -entry.hours, said)


def _count(
    section: DeliverySection, week: date, entry: delivery.ApprovedEntry, hours: Decimal, said: Ref
) -> None:
    """Add the hours of an approved entry to the totals; negative ones of a reversed entry."""
    section.approved_hours += hours
    if entry.kind == "project-management":
        section.project_management_hours += hours
    if entry.line is not None:
        _add(section.hours_by_line, entry.line, hours)
    worked = section.weeks.setdefault(week, Worked(said))
    worked.hours += hours
    if entry.billable:
        worked.billable += hours
        of_day = worked.billable_by_day.setdefault(entry.day, {})
        _add(of_day, f"{entry.line or ''}/{entry.role}", hours)
        if not of_day:
            del worked.billable_by_day[entry.day]
    if not worked.hours:
        del section.weeks[week]


def _add(totals: dict[str, Decimal], key: str, amount: Decimal) -> None:
    """Add to a total, and remove one that becomes zero."""
    total = totals.get(key, Decimal(0)) + amount
    if total:
        totals[key] = total
    else:
        totals.pop(key, None)


def _person_week(event: delivery.PersonWeek) -> str:
    return f"{event.person}/{event.week.isoformat()}"


def _decide(
    section: DeliverySection,
    event: delivery.TimeApproved | delivery.TimeRejected | delivery.TimeWithdrawn,
) -> None:
    """Remove the entries of an event from those that wait."""
    key = _person_week(event)
    waiting = section.waiting.get(key)
    if waiting is not None:
        for each in event.entries:
            waiting.entries.pop(each.entry, None)
        if not waiting.entries:
            del section.waiting[key]


steps.describe(
    delivery.ExpenseSubmitted,
    lambda event, names: f"{_of_expense(event, names)} submitted: {event.description}.",
)


@steps.on(delivery.ExpenseSubmitted)
def _expense_submitted(
    section: DeliverySection, recorded: Recorded[delivery.ExpenseSubmitted]
) -> None:
    section.waiting_expenses[recorded.event.expense] = recorded.event.amount


steps.describe(
    delivery.ExpenseWithdrawn,
    lambda event, names: f"{_of_expense(event, names)} withdrawn: {event.description}.",
)


steps.describe(
    delivery.ExpenseRejected,
    lambda event, names: f"{_of_expense(event, names)} not approved: “{event.why}”",
)


@steps.on(delivery.ExpenseWithdrawn, delivery.ExpenseRejected)
def _expense_gone(
    section: DeliverySection,
    recorded: Recorded[delivery.ExpenseWithdrawn | delivery.ExpenseRejected],
) -> None:
    section.waiting_expenses.pop(recorded.event.expense, None)


steps.describe(
    delivery.ExpenseApproved,
    lambda event, names: f"{_of_expense(event, names)} approved: {event.description}.",
)


@steps.on(delivery.ExpenseApproved)
def _expense(section: DeliverySection, recorded: Recorded[delivery.ExpenseApproved]) -> None:
    event = recorded.event
    section.waiting_expenses.pop(event.expense, None)
    if event.billable:
        _spend(section, event, event.amount)


steps.describe(
    delivery.ExpenseReversed,
    lambda event, names: (
        f"{_of_expense(event, names)} reversed on {day(event.reversed_on)}: “{event.why}”"
    ),
)


@steps.on(delivery.ExpenseReversed)
def _expense_reversed(
    section: DeliverySection, recorded: Recorded[delivery.ExpenseReversed]
) -> None:
    if recorded.event.billable:
        _spend(section, recorded.event, -recorded.event.amount)


def _spend(section: DeliverySection, expense: delivery.Expense, amount: Money) -> None:
    """Add an amount to the billable expenses of the expense's line, day and currency."""
    key = f"{expense.line or ''}/{expense.spent_on}/{amount.currency}"
    total = section.billable_expenses.get(key, Money.zero(amount.currency)) + amount
    if total.amount:
        section.billable_expenses[key] = total
    else:
        section.billable_expenses.pop(key, None)


steps.describe(
    delivery.TaskProgressed,
    lambda event, names: (
        f"{names.title(event.task)} is {number(event.complete)}% done, "
        f"{hours(event.remaining_hours)} to go."
    ),
)


@steps.on(delivery.TaskProgressed)
def _progressed(section: DeliverySection, recorded: Recorded[delivery.TaskProgressed]) -> None:
    section.complete[recorded.event.task] = recorded.event.complete


steps.describe(
    delivery.MilestoneReached,
    lambda event, names: (
        f"Milestone {names.title(event.milestone)} reached on {day(event.reached_on)}."
    ),
)
steps.describe(
    delivery.MilestoneWithdrawn,
    lambda event, names: (
        f"Milestone {names.title(event.milestone)} of {day(event.reached_on)} withdrawn on "
        f"{day(event.withdrawn_on)}: “{event.why}”"
    ),
)
steps.describe(
    delivery.DeliverableSubmitted,
    lambda event, names: (
        f"{names.title(event.deliverable)} submitted for acceptance on {day(event.submitted_on)} "
        f"(submission {event.submission})."
    ),
)


@steps.on(delivery.DeliverableSubmitted)
def _submitted(section: DeliverySection, recorded: Recorded[delivery.DeliverableSubmitted]) -> None:
    event = recorded.event
    section.deliverables[event.deliverable] = Deliverable(
        "submitted", event.submission, event.submitted_on, ref(recorded)
    )


steps.describe(
    delivery.DeliverableAccepted,
    lambda event, names: (
        f"{names.title(event.deliverable)} accepted"
        f"{if_given(' by {}', event.accepted_by, names.person)} on {day(event.accepted_on)} "
        f"({words(event.how)})."
    ),
)


@steps.on(delivery.DeliverableAccepted)
def _accepted(section: DeliverySection, recorded: Recorded[delivery.DeliverableAccepted]) -> None:
    event = recorded.event
    section.deliverables[event.deliverable] = Deliverable(
        "accepted", event.submission, event.accepted_on, ref(recorded)
    )


steps.describe(
    delivery.AcceptanceWithdrawn,
    lambda event, names: (
        f"Acceptance of {names.title(event.deliverable)} on {day(event.accepted_on)} withdrawn on "
        f"{day(event.withdrawn_on)}: “{event.why}”"
    ),
)


@steps.on(delivery.AcceptanceWithdrawn)
def _acceptance_withdrawn(
    section: DeliverySection, recorded: Recorded[delivery.AcceptanceWithdrawn]
) -> None:
    event = recorded.event
    section.deliverables[event.deliverable] = Deliverable(
        "submitted", event.submission, event.withdrawn_on, ref(recorded)
    )


steps.describe(
    delivery.DeliverableRejected,
    lambda event, names: (
        f"{names.title(event.deliverable)} rejected by {names.person(event.rejected_by)} on "
        f"{day(event.rejected_on)}: “{event.why}”"
    ),
)


@steps.on(delivery.DeliverableRejected)
def _rejected(section: DeliverySection, recorded: Recorded[delivery.DeliverableRejected]) -> None:
    event = recorded.event
    section.deliverables[event.deliverable] = Deliverable(
        "rejected", event.submission, event.rejected_on, ref(recorded)
    )


def _change(section: DeliverySection, change: str) -> Change:
    return section.changes.setdefault(change, Change(change, ""))


steps.describe(
    delivery.RiskRaised,
    lambda event, names: (
        f"Risk raised ({event.impact} impact, {number(event.probability)}% likely): {event.title}; "
        f"owner {names.person(event.owner)}. “{event.response}”, by {day(event.due_on)}."
    ),
)
steps.describe(
    delivery.RiskUpdated,
    lambda event, names: (
        f"Risk judged anew ({event.impact} impact, {number(event.probability)}% likely): "
        f"{event.title}; owner {names.person(event.owner)}, due {day(event.due_on)}. “{event.why}”"
    ),
)
steps.describe(
    delivery.IssueRaised,
    lambda event, names: (
        f"Issue raised ({event.severity}): {event.title}; owner {names.person(event.owner)}, due "
        f"{day(event.due_on)}."
    ),
)
steps.describe(
    delivery.IssueUpdated,
    lambda event, names: (
        f"Issue judged anew ({event.severity}): {event.title}; owner {names.person(event.owner)}, "
        f"due {day(event.due_on)}. “{event.why}”"
    ),
)
steps.describe(
    delivery.ActionRaised,
    lambda event, names: (
        f"Action of {names.person(event.owner)}, due {day(event.due_on)}: {event.title}."
    ),
)
steps.describe(
    delivery.ActionUpdated,
    lambda event, names: (
        f"Action changed: {event.title}; owner {names.person(event.owner)}, due "
        f"{day(event.due_on)}. “{event.why}”"
    ),
)
steps.describe(
    delivery.AssumptionRaised,
    lambda event, names: (
        f"Assumed: {event.title}. {names.person(event.owner)} checks it by {day(event.check_on)}."
    ),
)
steps.describe(
    delivery.AssumptionUpdated,
    lambda event, names: (
        f"Assumption “{event.title}” is {event.validity}; {names.person(event.owner)} checks it by "
        f"{day(event.check_on)}. “{event.why}”"
    ),
)
steps.describe(
    delivery.DecisionRecorded,
    lambda event, names: (
        f"Decided by {names.person(event.decided_by)} on {day(event.decided_on)}: {event.title}. "
        f"“{event.rationale}”"
    ),
)
steps.describe(
    delivery.RaidItemClosed,
    lambda event, _: f"{event.item} closed on {day(event.closed_on)}: “{event.resolution}”",
)
steps.describe(
    delivery.RaidItemReopened,
    lambda event, _: (
        f"{event.item}, closed on {day(event.closed_on)}, is open again: “{event.why}”"
    ),
)
steps.describe(
    delivery.RaidItemWithdrawn,
    lambda event, _: f"{event.item} withdrawn on {day(event.withdrawn_on)}: “{event.why}”",
)
steps.describe(
    delivery.CustomerInputRequested,
    lambda event, names: (
        f"{names.person(event.requested_from)} is asked for: {event.description}, by "
        f"{day(event.due_on)}."
    ),
)
steps.describe(
    delivery.CustomerInputReceived,
    lambda event, _: f"Input {event.input} of the customer received on {day(event.received_on)}.",
)
steps.describe(
    delivery.CustomerInputReopened,
    lambda event, _: (
        f"Input {event.input} of the customer has not come, as recorded for "
        f"{day(event.received_on)}: “{event.why}”"
    ),
)
steps.describe(
    delivery.CustomerInputWithdrawn,
    lambda event, _: (
        f"Input {event.input} of the customer withdrawn on {day(event.withdrawn_on)}: “{event.why}”"
    ),
)
steps.describe(
    delivery.CustomerDelayWithdrawn,
    lambda event, _: f"Delay {event.delay} withdrawn on {day(event.withdrawn_on)}: “{event.why}”",
)
steps.describe(
    delivery.CustomerDelayRecorded,
    lambda event, _: (
        f"The customer caused {number(event.days)} days of delay: {event.cause}. “{event.evidence}”"
    ),
)
steps.describe(
    delivery.ChangeRequested,
    lambda event, names: (
        f"Change {event.change} requested by {names.person(event.requested_by)} on "
        f"{day(event.requested_on)}: “{event.description}”"
    ),
)


@steps.on(delivery.ChangeRequested)
def _requested(section: DeliverySection, recorded: Recorded[delivery.ChangeRequested]) -> None:
    change = _change(section, recorded.event.change)
    change.description, change.requested = recorded.event.description, ref(recorded)


steps.describe(
    delivery.ChangeAssessed,
    lambda event, _: (
        f"Change {event.change} assessed: {_delta(event.changes)}, {number(event.days)} days on "
        f"the finish. “{event.risk}”"
    ),
)


@steps.on(delivery.ChangeAssessed)
def _assessed(section: DeliverySection, recorded: Recorded[delivery.ChangeAssessed]) -> None:
    change = _change(section, recorded.event.change)
    change.changes = list(recorded.event.changes)
    change.hours = sum((line.hours_delta for line in change.changes), Decimal(0))
    change.days, change.assessed = recorded.event.days, ref(recorded)


steps.describe(
    delivery.ChangeApproved,
    lambda event, names: (
        f"Change {event.change} approved by {names.person(event.approved_by)} on "
        f"{day(event.approved_on)}."
    ),
)


@steps.on(delivery.ChangeApproved)
def _change_approved(section: DeliverySection, recorded: Recorded[delivery.ChangeApproved]) -> None:
    change = _change(section, recorded.event.change)
    change.approved, change.approved_on = ref(recorded), recorded.event.approved_on


steps.describe(
    delivery.ChangeRejected,
    lambda event, _: f"Change {event.change} rejected: “{event.why}”",
)


@steps.on(delivery.ChangeRejected)
def _change_rejected(section: DeliverySection, recorded: Recorded[delivery.ChangeRejected]) -> None:
    _change(section, recorded.event.change).rejected = ref(recorded)


steps.describe(
    delivery.ChangeImplemented,
    lambda event, _: f"Change {event.change} implemented on {day(event.implemented_on)}.",
)


@steps.on(delivery.ChangeImplemented)
def _implemented(section: DeliverySection, recorded: Recorded[delivery.ChangeImplemented]) -> None:
    change = _change(section, recorded.event.change)
    change.implemented, change.implemented_on = ref(recorded), recorded.event.implemented_on


steps.describe(delivery.SolutionWentLive, lambda event, _: f"Live since {day(event.live_on)}.")
steps.describe(
    delivery.GoLiveWithdrawn,
    lambda event, _: (
        f"Go-live on {day(event.live_on)} withdrawn on {day(event.withdrawn_on)}: “{event.why}”"
    ),
)
steps.describe(
    delivery.PirHeld,
    lambda event, _: (
        f"Review held on {day(event.held_on)}: {hours(event.delivered_hours)} delivered of "
        f"{hours(event.sold_hours)} sold.{if_given(' Went well: {}.', event.went_well, listed)}"
        f"{if_given(' Went badly: {}.', event.went_badly, listed)}"
    ),
)
steps.describe(
    delivery.SurveySent,
    lambda event, names: (
        f"Survey ({words(event.kind)}) about {event.phase} sent"
        f"{if_given(' to {}', listed(map(names.person, event.contacts)))} on {day(event.sent_on)}."
    ),
)


@steps.on(delivery.SurveySent)
def _survey(section: DeliverySection, recorded: Recorded[delivery.SurveySent]) -> None:
    event = recorded.event
    section.surveys[event.survey] = Survey(
        event.kind, event.phase, event.sent_on, list(event.contacts), ref(recorded)
    )


steps.describe(
    delivery.SurveyAnswered,
    lambda event, names: (
        f"{names.person(event.answered_by)} answered survey {event.survey}"
        f"{if_given(': {}', event.satisfaction, _scores)}"
        f"{if_given('; would recommend {} of 10', event.recommend, number)}."
        f"{if_given(' “{}”', event.comment)}"
    ),
)


@steps.on(delivery.SurveyAnswered)
def _answered(section: DeliverySection, recorded: Recorded[delivery.SurveyAnswered]) -> None:
    event = recorded.event
    survey = section.surveys.get(event.survey)
    if survey is None:
        return
    survey.answered_by.append(event.answered_by)
    survey.satisfaction.extend(event.satisfaction.values())
    if event.recommend is not None:
        survey.recommend.append(event.recommend)


steps.describe(
    delivery.EngagementPutOnHold,
    lambda event, _: f"On hold since {day(event.held_on)}: “{event.reason}”",
)


@steps.on(delivery.EngagementPutOnHold)
def _held(section: DeliverySection, recorded: Recorded[delivery.EngagementPutOnHold]) -> None:
    del recorded
    section.on_hold = True


steps.describe(
    delivery.EngagementResumed,
    lambda event, _: f"Work resumed on {day(event.resumed_on)}.",
)


@steps.on(delivery.EngagementResumed)
def _resumed(section: DeliverySection, recorded: Recorded[delivery.EngagementResumed]) -> None:
    del recorded
    section.on_hold = False


steps.describe(
    delivery.EngagementClosed,
    lambda event, _: f"Engagement closed on {day(event.closed_on)}.",
)
steps.describe(delivery.QuestionAsked, question("Delivery"))
steps.describe(delivery.QuestionAnswered, answer("Delivery"))
steps.describe(
    delivery.EngagementImported,
    lambda event, _: (
        f"Baseline of {day(event.baselined_on)} and progress to {day(event.as_of)} taken over: "
        f"{number(event.complete)}% done{if_given('; corrected: “{}”', event.why)}."
    ),
)
