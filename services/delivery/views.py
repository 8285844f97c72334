"""What the people of Delivery see of an engagement: where it stands, what is owed, what waits."""

from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from chassis.decider import Missing
from contracts import delivery as said
from contracts.channels import Department
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
from delivery.changes import unreleased
from delivery.closing import unfinished
from delivery.gates import before_signature, covered, implementation
from delivery.state import ZERO, Change, Engagement, Estimate, Stage, Submission, Survey

CENT = Decimal("0.01")


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
    early_start: EarlyStartAuthorised | None
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


def engagement_view(state: Engagement) -> EngagementView:
    """What engagement managers, consultants and the PMO see of an engagement."""
    return EngagementView(
        engagement=state.engagement,
        account=state.account,
        title=state.title,
        stage=state.stage,
        manager=state.manager.manager if state.manager else None,
        managed_since=state.manager.assigned_on if state.manager else None,
        tier=state.tier,
        on_hold=state.held,
        next_milestone=_next_milestone(state),
        status=_status(state.report),
        gates=_gates(state),
        requested=state.deal.requested,
        estimates=tuple(_estimate(state, each) for _, each in sorted(state.estimates.items())),
        contract=_contract(state),
        resources=tuple(
            ResourceView(requested=each.requested, allocated=tuple(each.allocated.values()))
            for each in state.resources.values()
        ),
        requirements=RequirementsView(
            submitted=state.brd, signed_off=tuple(state.brd_signed_off.values())
        ),
        plan=_plan(state),
        kickoff=state.kickoff,
        time=_time(state),
        report=state.report,
        raid=RaidView(
            open_risks=state.raid.open_risks,
            open_issues=state.raid.open_issues,
            decisions=tuple(state.raid.decisions.values()),
        ),
        changes=tuple(_change(state, name, each) for name, each in state.changes.items()),
        deliverables=tuple(
            _deliverable(name, each.title, state.submissions.get(name))
            for name, each in state.owed.items()
        ),
        live_on=state.live.live_on if state.live else None,
        surveys=tuple(_survey(each) for each in state.surveys.values()),
        review=state.pir,
        closed=state.closed,
    )


def _status(report: said.StatusReportPublished | None) -> RAG | None:
    """The worst of scope, schedule and cost in the last report."""
    if report is None:
        return None
    rags = {report.scope, report.schedule, report.cost}
    return "red" if "red" in rags else "amber" if "amber" in rags else "green"


def _next_milestone(state: Engagement) -> date | None:
    baseline = state.planning.baseline
    ahead = [
        each.due_on
        for each in (baseline.milestones if baseline else ())
        if each.milestone not in state.milestones
    ]
    return min(ahead, default=None)


def _gates(state: Engagement) -> Gates:
    if state.closed or state.over_on:
        return Gates(work=(), implementation=(), closing=())
    logged = before_signature(state)
    lacking = covered(state, date.max, date.min, hours=ZERO, logged=logged)
    return Gates(
        work=_owed([lacking] if lacking else []),
        implementation=_owed(implementation(state, date.max)),
        closing=_owed(unfinished(state)),
    )


def _owed(missing: Iterable[Missing]) -> tuple[Owed, ...]:
    return tuple(
        Owed(code=item.code, sentence=item.sentence, owed_by=item.owed_by) for item in missing
    )


def _share(part: Decimal, whole: Decimal) -> Decimal | None:
    return (part / whole * 100).quantize(CENT, ROUND_HALF_EVEN) if whole else None


def _estimate(state: Engagement, estimate: Estimate) -> EstimateView:
    version, managing = estimate.submitted.version, estimate.project_management_hours
    priced = state.ledger.estimates.get(version)
    return EstimateView(
        version=version,
        submitted=estimate.submitted,
        hours=estimate.hours,
        project_management_hours=managing,
        project_management_share=_share(managing, estimate.hours),
        endorsed_by=estimate.endorsed_by,
        price=priced.price if priced else None,
    )


def _contract(state: Engagement) -> ContractView:
    deal, contract, ledger = state.deal, state.contract, state.ledger
    sow = contract.drafted.get(contract.signed.version) if contract.signed else None
    finishes = [each.finishes_on for each in contract.amendments.values()]
    promised = sow or deal.won
    return ContractView(
        proposal_submitted=deal.submitted,
        price=promised.price if promised else None,
        statements_of_work=tuple(
            SowView(
                version=version,
                content_hash=each.content_hash,
                verdict=review.verdict if review else None,
                why=review.why if review else None,
            )
            for version, each in sorted(contract.drafted.items())
            for review in [state.sow_reviews.get(version)]
        ),
        signed_on=contract.signed.signed_on if contract.signed else None,
        early_start=contract.early_start,
        hours_before_signature=before_signature(state),
        promised_finish=finishes[-1] if finishes else promised.finishes_on if promised else None,
        budgeted=ledger.budget is not None,
        settled_on=ledger.settled.settled_on if ledger.settled else None,
    )


def _plan(state: Engagement) -> PlanView:
    planning, by_task = state.planning, state.timesheet.by_task
    baseline = planning.baseline
    return PlanView(
        draft=planning.draft,
        baseline=baseline.version if baseline else None,
        baselined_on=baseline.baselined_on if baseline else None,
        changes=baseline.changes if baseline else (),
        tasks=tuple(
            TaskView(
                planned=task,
                approved_hours=by_task.get(task.task, ZERO),
                progressed=state.progress.get(task.task),
            )
            for task in (baseline.tasks if baseline else ())
        ),
        milestones=tuple(
            MilestoneView(planned=each, reached_on=reached.reached_on if reached else None)
            for each in (baseline.milestones if baseline else ())
            for reached in [state.milestones.get(each.milestone)]
        ),
    )


def _time(state: Engagement) -> TimeView:
    sheet = state.timesheet
    return TimeView(
        waiting=tuple(
            EntryView(entry=entry, **each.model_dump(exclude={"kind", "submitted_by"}))
            for entry, each in sheet.waiting.items()
        ),
        approved_hours=sheet.approved_hours,
        approved_by_kind=sheet.by_kind,
        project_management_share=_share(
            sheet.by_kind.get("project-management", ZERO), sheet.approved_hours
        ),
        expenses=tuple(state.expenses.values()),
    )


def _change(state: Engagement, name: str, change: Change) -> ChangeView:
    status: Literal["requested", "assessed", "approved", "rejected", "implemented"] = "requested"
    if change.implemented:
        status = "implemented"
    elif change.rejected:
        status = "rejected"
    elif change.approved:
        status = "approved"
    elif change.assessed:
        status = "assessed"
    price = state.ledger.changes.get(name)
    waits = status not in {"implemented", "rejected"}
    return ChangeView(
        change=name,
        status=status,
        requested=change.requested,
        assessed=change.assessed,
        price=price.price if price else None,
        waits_for=_owed(unreleased(state, change, date.max)) if waits else (),
    )


def _deliverable(name: str, title: str, last: Submission | None) -> DeliverableView:
    status: Literal["owed", "submitted", "rejected", "accepted"] = "owed"
    if last:
        status = "accepted" if last.accepted else "rejected" if last.rejected else "submitted"
    return DeliverableView(
        deliverable=name,
        title=title,
        status=status,
        submission=last.submitted.submission if last else None,
        content_hash=last.submitted.content_hash if last else None,
        why=last.rejected.why if last and last.rejected else None,
    )


def _survey(survey: Survey) -> SurveyView:
    answers = tuple(survey.answers.values())
    scores = [score for answer in answers for score in answer.satisfaction.values()]
    promoters = sum(answer.recommend >= 9 for answer in answers)
    detractors = sum(answer.recommend <= 6 for answer in answers)
    return SurveyView(
        sent=survey.sent,
        answers=answers,
        customer_satisfaction=_share(
            Decimal(sum(score >= 4 for score in scores)), Decimal(len(scores))
        ),
        net_promoter_score=_share(Decimal(promoters - detractors), Decimal(len(answers))),
    )
