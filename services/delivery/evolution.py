"""Apply Delivery's own events to the state, one step per event type.

Most events are stored unchanged, either the newest one or all of a type by an id; the others have a
step of their own.
"""

from decimal import Decimal
from typing import TypeVar

from contracts import delivery as events
from contracts.event import Event, Recorded
from delivery.state import (
    TASKS_BEFORE_BASELINE,
    ZERO,
    Change,
    Engagement,
    Estimate,
    Part,
    Request,
    Submission,
    Survey,
    WaitingTime,
    evolve,
)

V = TypeVar("V")


def within(state: Engagement, part: str, **update: object) -> Engagement:
    """Return the state with some fields of one of its parts replaced."""
    changed = getattr(state, part).model_copy(update=update)
    return state.model_copy(update={part: changed})


def keep(kind: type[Event], where: str, *, by: str | None = None) -> None:
    """Store events of a type unchanged at `where` (such as ``deal.won``).

    Without `by`, the newest event replaces the one before; with it, events are stored by that
    field.
    """
    part, _, name = where.rpartition(".")

    def step(state: Engagement, recorded: Recorded[Event]) -> Engagement:
        holder: Part = getattr(state, part) if part else state
        kept: object = recorded.event
        if by is not None:
            kept = getattr(holder, name) | {getattr(recorded.event, by): recorded.event}
        update = {name: kept}
        return within(state, part, **update) if part else state.model_copy(update=update)

    evolve.on(kind)(step)


keep(events.ManagerAssigned, "manager")
keep(events.TierChosen, "tier")
keep(events.EngagementPutOnHold, "on_hold")
keep(events.SowReviewed, "sow_reviews", by="version")
keep(events.BrdSubmitted, "brd")
keep(events.BrdSignedOff, "brd_signed_off", by="version")
keep(events.PlanDrafted, "planning.draft")
keep(events.KickoffHeld, "kickoff")
keep(events.TaskProgressed, "progress", by="task")
keep(events.MilestoneReached, "milestones", by="milestone")
keep(events.StatusReportPublished, "report")
keep(events.RiskRaised, "raid.risks", by="item")
keep(events.IssueRaised, "raid.issues", by="item")
keep(events.DecisionRecorded, "raid.decisions", by="item")
keep(events.RaidItemClosed, "raid.closed", by="item")
keep(events.SolutionWentLive, "live")
keep(events.PirHeld, "pir")
keep(events.EngagementClosed, "closed")


@evolve.on(events.EngagementResumed)
def _resumed(state: Engagement, recorded: Recorded[events.EngagementResumed]) -> Engagement:
    return state.model_copy(update={"on_hold": None})


@evolve.on(events.EstimateSubmitted)
def _estimated(state: Engagement, recorded: Recorded[events.EstimateSubmitted]) -> Engagement:
    estimate = Estimate(submitted=recorded.event)
    return state.model_copy(
        update={"estimates": state.estimates | {recorded.event.version: estimate}}
    )


@evolve.on(events.EstimateEndorsed)
def _endorsed(state: Engagement, recorded: Recorded[events.EstimateEndorsed]) -> Engagement:
    event = recorded.event
    endorsed = state.estimates[event.version].model_copy(update={"endorsed_by": event.manager})
    return state.model_copy(update={"estimates": state.estimates | {event.version: endorsed}})


@evolve.on(events.ResourceRequested)
def _resource_requested(
    state: Engagement, recorded: Recorded[events.ResourceRequested]
) -> Engagement:
    request = Request(requested=recorded.event)
    return state.model_copy(
        update={"resources": state.resources | {recorded.event.request: request}}
    )


@evolve.on(events.ResourceAllocated)
def _allocated(state: Engagement, recorded: Recorded[events.ResourceAllocated]) -> Engagement:
    event = recorded.event
    request = state.resources[event.request]
    return _with_allocations(state, event.request, request.allocated | {event.person: event})


@evolve.on(events.ResourceReleased)
def _released(state: Engagement, recorded: Recorded[events.ResourceReleased]) -> Engagement:
    event = recorded.event
    allocated = state.resources[event.request].allocated
    return _with_allocations(state, event.request, _without(allocated, event.person))


def _with_allocations(
    state: Engagement, request: str, allocated: dict[str, events.ResourceAllocated]
) -> Engagement:
    changed = state.resources[request].model_copy(update={"allocated": allocated})
    return state.model_copy(update={"resources": state.resources | {request: changed}})


@evolve.on(events.PlanBaselined)
def _plan_baselined(state: Engagement, recorded: Recorded[events.PlanBaselined]) -> Engagement:
    first = state.planning.first_baselined_on or recorded.event.baselined_on
    return within(state, "planning", baseline=recorded.event, first_baselined_on=first)


@evolve.on(events.TimeSubmitted)
def _time_submitted(state: Engagement, recorded: Recorded[events.TimeSubmitted]) -> Engagement:
    event, sheet = recorded.event, state.timesheet
    planned = state.planning.task(event.task)
    entry = WaitingTime(
        submitted_by=recorded.actor,
        kind=planned.kind if planned else TASKS_BEFORE_BASELINE.get(event.task, "delivery"),
        **event.model_dump(exclude={"entry"}),
    )
    weeks = sheet.weeks.get(event.person, {})
    weeks = weeks | {event.week: weeks.get(event.week, ZERO) + event.hours}
    return within(
        state,
        "timesheet",
        waiting=sheet.waiting | {event.entry: entry},
        weeks=sheet.weeks | {event.person: weeks},
    )


@evolve.on(events.TimeApproved)
def _time_approved(state: Engagement, recorded: Recorded[events.TimeApproved]) -> Engagement:
    event, sheet = recorded.event, state.timesheet
    return within(
        _with_billable(state, recorded, event.hours),
        "timesheet",
        waiting=_without(sheet.waiting, event.entry),
        decided=sheet.decided | {event.entry: "approved"},
        by_task=sheet.by_task | {event.task: sheet.by_task.get(event.task, ZERO) + event.hours},
        by_kind=sheet.by_kind | {event.kind: sheet.by_kind.get(event.kind, ZERO) + event.hours},
    )


@evolve.on(events.ExpenseApproved)
def _expense_approved(state: Engagement, recorded: Recorded[events.ExpenseApproved]) -> Engagement:
    expenses = state.expenses | {recorded.event.expense: recorded.event}
    return _with_billable(state, recorded, ZERO).model_copy(update={"expenses": expenses})


def _with_billable(
    state: Engagement,
    recorded: Recorded[events.TimeApproved] | Recorded[events.ExpenseApproved],
    hours: Decimal,
) -> Engagement:
    if not recorded.event.billable:
        return state
    return state.model_copy(update={"billable": state.billable | {recorded.sequence: hours}})


@evolve.on(events.TimeRejected)
def _time_rejected(state: Engagement, recorded: Recorded[events.TimeRejected]) -> Engagement:
    entry, sheet = recorded.event.entry, state.timesheet
    gone = sheet.waiting[entry]
    weeks = sheet.weeks[gone.person]
    weeks = weeks | {gone.week: weeks[gone.week] - gone.hours}
    return within(
        state,
        "timesheet",
        waiting=_without(sheet.waiting, entry),
        decided=sheet.decided | {entry: "rejected"},
        weeks=sheet.weeks | {gone.person: weeks},
    )


@evolve.on(events.ChangeRequested)
def _change_requested(state: Engagement, recorded: Recorded[events.ChangeRequested]) -> Engagement:
    change = Change(requested=recorded.event)
    return state.model_copy(update={"changes": state.changes | {recorded.event.change: change}})


@evolve.on(events.ChangeAssessed)
def _change_assessed(state: Engagement, recorded: Recorded[events.ChangeAssessed]) -> Engagement:
    event = recorded.event
    return _change(state, event.change, assessed=event, assessed_at=recorded.sequence)


@evolve.on(events.ChangeApproved)
def _change_approved(state: Engagement, recorded: Recorded[events.ChangeApproved]) -> Engagement:
    return _change(state, recorded.event.change, approved=recorded.event)


@evolve.on(events.ChangeRejected)
def _change_rejected(state: Engagement, recorded: Recorded[events.ChangeRejected]) -> Engagement:
    return _change(state, recorded.event.change, rejected=recorded.event)


@evolve.on(events.ChangeImplemented)
def _change_implemented(
    state: Engagement, recorded: Recorded[events.ChangeImplemented]
) -> Engagement:
    return _change(state, recorded.event.change, implemented=recorded.event)


def _change(state: Engagement, id: str, **update: object) -> Engagement:
    changed = state.changes[id].model_copy(update=update)
    return state.model_copy(update={"changes": state.changes | {id: changed}})


@evolve.on(events.DeliverableSubmitted)
def _submitted(state: Engagement, recorded: Recorded[events.DeliverableSubmitted]) -> Engagement:
    return _submission(state, Submission(submitted=recorded.event))


@evolve.on(events.DeliverableAccepted)
def _accepted(state: Engagement, recorded: Recorded[events.DeliverableAccepted]) -> Engagement:
    submission = state.submissions[recorded.event.deliverable]
    return _submission(state, submission.model_copy(update={"accepted": recorded.event}))


@evolve.on(events.DeliverableRejected)
def _rejected(state: Engagement, recorded: Recorded[events.DeliverableRejected]) -> Engagement:
    submission = state.submissions[recorded.event.deliverable]
    return _submission(state, submission.model_copy(update={"rejected": recorded.event}))


def _submission(state: Engagement, submission: Submission) -> Engagement:
    submissions = state.submissions | {submission.submitted.deliverable: submission}
    return state.model_copy(update={"submissions": submissions})


@evolve.on(events.SurveySent)
def _asked(state: Engagement, recorded: Recorded[events.SurveySent]) -> Engagement:
    survey = Survey(sent=recorded.event)
    return state.model_copy(update={"surveys": state.surveys | {recorded.event.survey: survey}})


@evolve.on(events.SurveyAnswered)
def _answered(state: Engagement, recorded: Recorded[events.SurveyAnswered]) -> Engagement:
    event = recorded.event
    survey = state.surveys[event.survey]
    survey = survey.model_copy(update={"answers": survey.answers | {event.answered_by: event}})
    return state.model_copy(update={"surveys": state.surveys | {event.survey: survey}})


def _without(entries: dict[str, V], gone: str) -> dict[str, V]:
    return {name: entry for name, entry in entries.items() if name != gone}
