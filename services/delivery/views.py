"""Build Delivery's view of an engagement: stage, open gates, plan, time, changes, deliverables."""

from datetime import date
from decimal import Decimal
from typing import Literal

from contracts import delivery as events
from contracts.decimals import round_decimal
from contracts.values import RAG
from delivery.changes import given_up, unreleased
from delivery.closing import unfinished
from delivery.policies import before_signature, implementation, not_covered
from delivery.state import ZERO, Change, Engagement, Estimate, Submission, Survey
from delivery.view_models import (
    ChangeView,
    ContractView,
    DeliverableView,
    EngagementView,
    EntryView,
    EstimateView,
    Gates,
    MilestoneView,
    PlanView,
    RaidView,
    RequirementsView,
    ResourceView,
    SowView,
    SurveyView,
    TaskView,
    TimeView,
)


def engagement_view(state: Engagement) -> EngagementView:
    """Return the view of an engagement for engagement managers, consultants and the PMO."""
    return EngagementView(
        engagement=state.engagement,
        account=state.account,
        title=state.title,
        stage=state.stage,
        manager=state.manager.manager if state.manager else None,
        managed_since=state.manager.assigned_on if state.manager else None,
        tier=state.tier,
        on_hold=None if _over(state) else state.on_hold,
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
        disconnects=tuple(state.disconnects.values()),
    )


def _over(state: Engagement) -> bool:
    return state.closed is not None or state.over_on is not None


def _status(report: events.StatusReportPublished | None) -> RAG | None:
    """Return the worst of scope, schedule and cost in the last report; None without a report."""
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
    if _over(state):
        return Gates(work=(), implementation=(), closing=())
    first = state.contract.early_start_until or date.max
    missing = not_covered(state, first, date.max, date.min, hours=ZERO)
    return Gates(
        work=(missing,) if missing else (),
        implementation=tuple(implementation(state, date.max)),
        closing=tuple(unfinished(state)),
    )


def _share(part: Decimal, whole: Decimal) -> Decimal | None:
    return round_decimal(part / whole * 100, 2) if whole else None


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
        early_starts=contract.early_starts,
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
    elif given_up(state, name):
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
        waits_for=tuple(unreleased(state, change, date.max)) if waits else (),
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
