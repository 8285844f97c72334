"""Apply other departments' events, and those of Finance's invoice register, to the state."""

from datetime import date

from contracts import delivery, finance, legal, sales
from contracts.event import Recorded
from contracts.gateway import DISCONNECT_EVENTS, DisconnectEvent, open_disconnects
from finance.state import (
    Assessment,
    Baseline,
    Engagement,
    Estimate,
    Proposal,
    Report,
    Work,
    evolve,
    with_invoice,
)


@evolve.on(sales.OpportunityOpened)
def _opened(state: Engagement, recorded: Recorded[sales.OpportunityOpened]) -> Engagement:
    event = recorded.event
    return state.model_copy(
        update={"currency": event.expected_value.currency, "title": event.title}
    )


@evolve.on(sales.ProposalDrafted)
def _proposed(state: Engagement, recorded: Recorded[sales.ProposalDrafted]) -> Engagement:
    event = recorded.event
    proposal = Proposal(estimate_version=event.estimate_version, price=event.price)
    return state.model_copy(update={"proposals": {**state.proposals, event.version: proposal}})


@evolve.on(sales.DealWon)
def _won(state: Engagement, recorded: Recorded[sales.DealWon]) -> Engagement:
    return state.model_copy(update={"won": recorded.event})


@evolve.on(sales.DealLost)
def _lost(state: Engagement, recorded: Recorded[sales.DealLost]) -> Engagement:
    return state.model_copy(update={"lost_on": recorded.event.lost_on})


@evolve.on(legal.SowDrafted)
def _sow_drafted(state: Engagement, recorded: Recorded[legal.SowDrafted]) -> Engagement:
    return state.model_copy(update={"sows": {**state.sows, recorded.event.version: recorded.event}})


@evolve.on(legal.SowSigned)
def _sow_signed(state: Engagement, recorded: Recorded[legal.SowSigned]) -> Engagement:
    event = recorded.event
    return state.model_copy(update={"signed_version": event.version, "signed_on": event.signed_on})


@evolve.on(legal.EarlyStartAuthorised)
def _early_start(state: Engagement, recorded: Recorded[legal.EarlyStartAuthorised]) -> Engagement:
    until = max(state.early_start_until or date.min, recorded.event.expires_on)
    return state.model_copy(update={"early_start_until": until})


@evolve.on(legal.AmendmentSigned)
def _amendment(state: Engagement, recorded: Recorded[legal.AmendmentSigned]) -> Engagement:
    return state.model_copy(update={"amendments": (*state.amendments, recorded.event)})


@evolve.on(legal.EngagementTerminated)
def _terminated(state: Engagement, recorded: Recorded[legal.EngagementTerminated]) -> Engagement:
    return state.model_copy(update={"terminated_on": recorded.event.terminated_on})


@evolve.on(delivery.ManagerAssigned)
def _manager(state: Engagement, recorded: Recorded[delivery.ManagerAssigned]) -> Engagement:
    return state.model_copy(update={"manager": recorded.event.manager})


@evolve.on(delivery.EstimateSubmitted)
def _estimate(state: Engagement, recorded: Recorded[delivery.EstimateSubmitted]) -> Engagement:
    event = recorded.event
    estimate = Estimate(
        version=event.version,
        lines=event.lines,
        contingency=event.contingency,
        submitted_on=recorded.occurred_at.date(),
    )
    return state.model_copy(update={"estimates": {**state.estimates, event.version: estimate}})


@evolve.on(delivery.EstimateEndorsed)
def _endorsed(state: Engagement, recorded: Recorded[delivery.EstimateEndorsed]) -> Engagement:
    version = recorded.event.version
    if version not in state.estimates:
        return state
    endorsed = state.estimates[version].model_copy(update={"endorsed": True})
    return state.model_copy(update={"estimates": {**state.estimates, version: endorsed}})


@evolve.on(delivery.PlanBaselined)
def _baselined(state: Engagement, recorded: Recorded[delivery.PlanBaselined]) -> Engagement:
    event = recorded.event
    baseline = Baseline(
        version=event.version,
        tasks=event.tasks,
        changes=event.changes,
        baselined_on=event.baselined_on,
    )
    return state.model_copy(update={"baseline": baseline})


@evolve.on(delivery.KickoffHeld)
def _kicked_off(state: Engagement, recorded: Recorded[delivery.KickoffHeld]) -> Engagement:
    return state.model_copy(update={"kicked_off_on": recorded.event.held_on})


@evolve.on(delivery.TimeApproved)
def _time(state: Engagement, recorded: Recorded[delivery.TimeApproved]) -> Engagement:
    event = recorded.event
    work = Work(
        entry=event.entry,
        person=event.person,
        kind=event.kind,
        on=event.week,
        billable=event.billable,
        role=event.role,
        week=event.week,
        hours=event.hours,
    )
    return state.model_copy(update={"work": {**state.work, f"time:{event.entry}": work}})


@evolve.on(delivery.ExpenseApproved)
def _expense(state: Engagement, recorded: Recorded[delivery.ExpenseApproved]) -> Engagement:
    event = recorded.event
    work = Work(
        entry=event.expense,
        person=event.person,
        kind="expense",
        on=event.spent_on,
        billable=event.billable,
        amount=event.amount,
    )
    return state.model_copy(update={"work": {**state.work, f"expense:{event.expense}": work}})


@evolve.on(delivery.TaskProgressed)
def _progressed(state: Engagement, recorded: Recorded[delivery.TaskProgressed]) -> Engagement:
    event = recorded.event
    return state.model_copy(update={"progress": {**state.progress, event.task: event.complete}})


@evolve.on(delivery.DeliverableAccepted)
def _accepted(state: Engagement, recorded: Recorded[delivery.DeliverableAccepted]) -> Engagement:
    event = recorded.event
    return state.model_copy(
        update={"accepted": {**state.accepted, event.deliverable: event.accepted_on}}
    )


@evolve.on(delivery.StatusReportPublished)
def _reported(state: Engagement, recorded: Recorded[delivery.StatusReportPublished]) -> Engagement:
    event = recorded.event
    report = Report(
        as_of=event.as_of,
        hours_to_complete=event.estimate_to_complete,
        baseline=state.baseline,
        progress=state.progress,
        works=len(state.work),
        performance_due=state.baseline is not None,
    )
    return state.model_copy(update={"reports": (*state.reports, report)})


@evolve.on(delivery.ChangeAssessed)
def _assessed(state: Engagement, recorded: Recorded[delivery.ChangeAssessed]) -> Engagement:
    """Add the assessment; it replaces an earlier one of the change that has no price."""
    assessment = Assessment(
        change=recorded.event.change,
        lines=recorded.event.lines,
        assessed_on=recorded.occurred_at.date(),
    )
    others = (
        one for one in state.assessments if one.change != assessment.change or one.price is not None
    )
    return state.model_copy(update={"assessments": (*others, assessment)})


@evolve.on(delivery.ChangeApproved)
def _approved(state: Engagement, recorded: Recorded[delivery.ChangeApproved]) -> Engagement:
    return state.model_copy(
        update={"verdicts": {**state.verdicts, recorded.event.change: "approved"}}
    )


@evolve.on(delivery.ChangeRejected)
def _rejected(state: Engagement, recorded: Recorded[delivery.ChangeRejected]) -> Engagement:
    return state.model_copy(
        update={"verdicts": {**state.verdicts, recorded.event.change: "rejected"}}
    )


@evolve.on(delivery.ChangeImplemented)
def _implemented(state: Engagement, recorded: Recorded[delivery.ChangeImplemented]) -> Engagement:
    event = recorded.event
    return state.model_copy(
        update={
            "verdicts": {**state.verdicts, event.change: "implemented"},
            "implemented": {**state.implemented, event.change: event.implemented_on},
        }
    )


@evolve.on(delivery.SolutionWentLive)
def _live(state: Engagement, recorded: Recorded[delivery.SolutionWentLive]) -> Engagement:
    return state.model_copy(update={"live_on": recorded.event.live_on})


@evolve.on(delivery.EngagementClosed)
def _closed(state: Engagement, recorded: Recorded[delivery.EngagementClosed]) -> Engagement:
    return state.model_copy(update={"closed_on": recorded.event.closed_on})


@evolve.on(finance.InvoiceNumbered)
def _numbered(state: Engagement, recorded: Recorded[finance.InvoiceNumbered]) -> Engagement:
    event = recorded.event
    invoice = state.invoices.get(event.invoice)
    if invoice is None or invoice.stage != "approved":
        return state
    return with_invoice(
        state, event.invoice, stage="numbered", number=event.number, issue_on=event.issue_on
    )


@evolve.on_each(DISCONNECT_EVENTS)
def _disconnect(state: Engagement, recorded: Recorded[DisconnectEvent]) -> Engagement:
    still_open = open_disconnects(state.disconnects, recorded.event)
    return state.model_copy(update={"disconnects": still_open})
