"""How Delivery's own facts change what it knows: one small step for each.

Most are kept whole, the newest or all by an id; the rest have steps of their own.
"""

from decimal import Decimal
from typing import TypeVar

from contracts import delivery as said
from contracts.fact import Fact, Recorded
from delivery.state import (
    STANDING_TASKS,
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
    """The state with some fields of one of its parts replaced."""
    changed = getattr(state, part).model_copy(update=update)
    return state.model_copy(update={part: changed})


def keep(kind: type[Fact], where: str, *, by: str | None = None) -> None:
    """Keep facts of a kind whole: the newest at `where` (``deal.won``), or all there by a field."""
    part, _, name = where.rpartition(".")

    def step(state: Engagement, recorded: Recorded[Fact]) -> Engagement:
        holder: Part = getattr(state, part) if part else state
        kept: object = recorded.fact
        if by is not None:
            kept = getattr(holder, name) | {getattr(recorded.fact, by): recorded.fact}
        update = {name: kept}
        return within(state, part, **update) if part else state.model_copy(update=update)

    evolve.on(kind)(step)


keep(said.ManagerAssigned, "manager")
keep(said.TierChosen, "tier")
keep(said.EngagementPutOnHold, "held")
keep(said.SowReviewed, "sow_reviews", by="version")
keep(said.BrdSubmitted, "brd")
keep(said.BrdSignedOff, "brd_signed_off", by="version")
keep(said.PlanDrafted, "planning.draft")
keep(said.KickoffHeld, "kickoff")
keep(said.TaskProgressed, "progress", by="task")
keep(said.MilestoneReached, "milestones", by="milestone")
keep(said.StatusReportPublished, "report")
keep(said.RiskRaised, "raid.risks", by="item")
keep(said.IssueRaised, "raid.issues", by="item")
keep(said.DecisionRecorded, "raid.decisions", by="item")
keep(said.RaidItemClosed, "raid.closed", by="item")
keep(said.SolutionWentLive, "live")
keep(said.PirHeld, "pir")
keep(said.EngagementClosed, "closed")


@evolve.on(said.EngagementResumed)
def _resumed(state: Engagement, recorded: Recorded[said.EngagementResumed]) -> Engagement:
    return state.model_copy(update={"held": None})


@evolve.on(said.EstimateSubmitted)
def _estimated(state: Engagement, recorded: Recorded[said.EstimateSubmitted]) -> Engagement:
    estimate = Estimate(submitted=recorded.fact)
    return state.model_copy(
        update={"estimates": state.estimates | {recorded.fact.version: estimate}}
    )


@evolve.on(said.EstimateEndorsed)
def _endorsed(state: Engagement, recorded: Recorded[said.EstimateEndorsed]) -> Engagement:
    fact = recorded.fact
    endorsed = state.estimates[fact.version].model_copy(update={"endorsed_by": fact.manager})
    return state.model_copy(update={"estimates": state.estimates | {fact.version: endorsed}})


@evolve.on(said.ResourceRequested)
def _resource_requested(
    state: Engagement, recorded: Recorded[said.ResourceRequested]
) -> Engagement:
    request = Request(requested=recorded.fact)
    return state.model_copy(
        update={"resources": state.resources | {recorded.fact.request: request}}
    )


@evolve.on(said.ResourceAllocated)
def _allocated(state: Engagement, recorded: Recorded[said.ResourceAllocated]) -> Engagement:
    fact = recorded.fact
    request = state.resources[fact.request]
    return _given(state, fact.request, request.allocated | {fact.person: fact})


@evolve.on(said.ResourceReleased)
def _released(state: Engagement, recorded: Recorded[said.ResourceReleased]) -> Engagement:
    fact = recorded.fact
    allocated = state.resources[fact.request].allocated
    return _given(state, fact.request, _without(allocated, fact.person))


def _given(
    state: Engagement, request: str, allocated: dict[str, said.ResourceAllocated]
) -> Engagement:
    changed = state.resources[request].model_copy(update={"allocated": allocated})
    return state.model_copy(update={"resources": state.resources | {request: changed}})


@evolve.on(said.PlanBaselined)
def _plan_baselined(state: Engagement, recorded: Recorded[said.PlanBaselined]) -> Engagement:
    first = state.planning.first_baselined_on or recorded.fact.baselined_on
    return within(state, "planning", baseline=recorded.fact, first_baselined_on=first)


@evolve.on(said.TimeSubmitted)
def _time_submitted(state: Engagement, recorded: Recorded[said.TimeSubmitted]) -> Engagement:
    fact, sheet = recorded.fact, state.timesheet
    planned = state.planning.task(fact.task)
    entry = WaitingTime(
        submitted_by=recorded.actor,
        kind=planned.kind if planned else STANDING_TASKS.get(fact.task, "delivery"),
        **fact.model_dump(exclude={"entry"}),
    )
    weeks = sheet.weeks.get(fact.person, {})
    weeks = weeks | {fact.week: weeks.get(fact.week, ZERO) + fact.hours}
    return within(
        state,
        "timesheet",
        waiting=sheet.waiting | {fact.entry: entry},
        weeks=sheet.weeks | {fact.person: weeks},
    )


@evolve.on(said.TimeApproved)
def _time_approved(state: Engagement, recorded: Recorded[said.TimeApproved]) -> Engagement:
    fact, sheet = recorded.fact, state.timesheet
    return within(
        _with_billable(state, recorded, fact.hours),
        "timesheet",
        waiting=_without(sheet.waiting, fact.entry),
        decided=sheet.decided | {fact.entry: "approved"},
        by_task=sheet.by_task | {fact.task: sheet.by_task.get(fact.task, ZERO) + fact.hours},
        by_kind=sheet.by_kind | {fact.kind: sheet.by_kind.get(fact.kind, ZERO) + fact.hours},
    )


@evolve.on(said.ExpenseApproved)
def _expense_approved(state: Engagement, recorded: Recorded[said.ExpenseApproved]) -> Engagement:
    expenses = state.expenses | {recorded.fact.expense: recorded.fact}
    return _with_billable(state, recorded, ZERO).model_copy(update={"expenses": expenses})


def _with_billable(
    state: Engagement,
    recorded: Recorded[said.TimeApproved] | Recorded[said.ExpenseApproved],
    hours: Decimal,
) -> Engagement:
    if not recorded.fact.billable:
        return state
    return state.model_copy(update={"billable": state.billable | {recorded.sequence: hours}})


@evolve.on(said.TimeRejected)
def _time_rejected(state: Engagement, recorded: Recorded[said.TimeRejected]) -> Engagement:
    entry, sheet = recorded.fact.entry, state.timesheet
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


@evolve.on(said.ChangeRequested)
def _change_requested(state: Engagement, recorded: Recorded[said.ChangeRequested]) -> Engagement:
    change = Change(requested=recorded.fact)
    return state.model_copy(update={"changes": state.changes | {recorded.fact.change: change}})


@evolve.on(said.ChangeAssessed)
def _change_assessed(state: Engagement, recorded: Recorded[said.ChangeAssessed]) -> Engagement:
    fact = recorded.fact
    return _change(state, fact.change, assessed=fact, assessed_at=recorded.sequence)


@evolve.on(said.ChangeApproved)
def _change_approved(state: Engagement, recorded: Recorded[said.ChangeApproved]) -> Engagement:
    return _change(state, recorded.fact.change, approved=recorded.fact)


@evolve.on(said.ChangeRejected)
def _change_rejected(state: Engagement, recorded: Recorded[said.ChangeRejected]) -> Engagement:
    return _change(state, recorded.fact.change, rejected=recorded.fact)


@evolve.on(said.ChangeImplemented)
def _change_implemented(
    state: Engagement, recorded: Recorded[said.ChangeImplemented]
) -> Engagement:
    return _change(state, recorded.fact.change, implemented=recorded.fact)


def _change(state: Engagement, id: str, **update: object) -> Engagement:
    changed = state.changes[id].model_copy(update=update)
    return state.model_copy(update={"changes": state.changes | {id: changed}})


@evolve.on(said.DeliverableSubmitted)
def _submitted(state: Engagement, recorded: Recorded[said.DeliverableSubmitted]) -> Engagement:
    return _submission(state, Submission(submitted=recorded.fact))


@evolve.on(said.DeliverableAccepted)
def _accepted(state: Engagement, recorded: Recorded[said.DeliverableAccepted]) -> Engagement:
    submission = state.submissions[recorded.fact.deliverable]
    return _submission(state, submission.model_copy(update={"accepted": recorded.fact}))


@evolve.on(said.DeliverableRejected)
def _rejected(state: Engagement, recorded: Recorded[said.DeliverableRejected]) -> Engagement:
    submission = state.submissions[recorded.fact.deliverable]
    return _submission(state, submission.model_copy(update={"rejected": recorded.fact}))


def _submission(state: Engagement, submission: Submission) -> Engagement:
    submissions = state.submissions | {submission.submitted.deliverable: submission}
    return state.model_copy(update={"submissions": submissions})


@evolve.on(said.SurveySent)
def _asked(state: Engagement, recorded: Recorded[said.SurveySent]) -> Engagement:
    survey = Survey(sent=recorded.fact)
    return state.model_copy(update={"surveys": state.surveys | {recorded.fact.survey: survey}})


@evolve.on(said.SurveyAnswered)
def _answered(state: Engagement, recorded: Recorded[said.SurveyAnswered]) -> Engagement:
    fact = recorded.fact
    survey = state.surveys[fact.survey]
    survey = survey.model_copy(update={"answers": survey.answers | {fact.answered_by: fact}})
    return state.model_copy(update={"surveys": state.surveys | {fact.survey: survey}})


def _without(entries: dict[str, V], gone: str) -> dict[str, V]:
    return {name: entry for name, entry in entries.items() if name != gone}
