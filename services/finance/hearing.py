"""How what other departments say changes what Finance knows, and what its own register says."""

from datetime import date

from contracts import delivery, finance, legal, sales
from contracts.fact import Recorded
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
    fact = recorded.fact
    return state.model_copy(update={"currency": fact.expected_value.currency, "title": fact.title})


@evolve.on(sales.ProposalDrafted)
def _proposed(state: Engagement, recorded: Recorded[sales.ProposalDrafted]) -> Engagement:
    fact = recorded.fact
    proposal = Proposal(estimate_version=fact.estimate_version, price=fact.price)
    return state.model_copy(update={"proposals": {**state.proposals, fact.version: proposal}})


@evolve.on(sales.DealWon)
def _won(state: Engagement, recorded: Recorded[sales.DealWon]) -> Engagement:
    return state.model_copy(update={"won": recorded.fact})


@evolve.on(sales.DealLost)
def _lost(state: Engagement, recorded: Recorded[sales.DealLost]) -> Engagement:
    return state.model_copy(update={"lost_on": recorded.fact.lost_on})


@evolve.on(legal.SowDrafted)
def _sow_drafted(state: Engagement, recorded: Recorded[legal.SowDrafted]) -> Engagement:
    return state.model_copy(update={"sows": {**state.sows, recorded.fact.version: recorded.fact}})


@evolve.on(legal.SowSigned)
def _sow_signed(state: Engagement, recorded: Recorded[legal.SowSigned]) -> Engagement:
    fact = recorded.fact
    return state.model_copy(update={"signed_version": fact.version, "signed_on": fact.signed_on})


@evolve.on(legal.EarlyStartAuthorised)
def _early_start(state: Engagement, recorded: Recorded[legal.EarlyStartAuthorised]) -> Engagement:
    until = max(state.early_start_until or date.min, recorded.fact.expires_on)
    return state.model_copy(update={"early_start_until": until})


@evolve.on(legal.AmendmentSigned)
def _amendment(state: Engagement, recorded: Recorded[legal.AmendmentSigned]) -> Engagement:
    return state.model_copy(update={"amendments": (*state.amendments, recorded.fact)})


@evolve.on(legal.EngagementTerminated)
def _terminated(state: Engagement, recorded: Recorded[legal.EngagementTerminated]) -> Engagement:
    return state.model_copy(update={"terminated_on": recorded.fact.terminated_on})


@evolve.on(delivery.ManagerAssigned)
def _manager(state: Engagement, recorded: Recorded[delivery.ManagerAssigned]) -> Engagement:
    return state.model_copy(update={"manager": recorded.fact.manager})


@evolve.on(delivery.EstimateSubmitted)
def _estimate(state: Engagement, recorded: Recorded[delivery.EstimateSubmitted]) -> Engagement:
    fact = recorded.fact
    estimate = Estimate(
        version=fact.version,
        lines=fact.lines,
        contingency=fact.contingency,
        submitted_on=recorded.occurred_at.date(),
    )
    return state.model_copy(update={"estimates": {**state.estimates, fact.version: estimate}})


@evolve.on(delivery.EstimateEndorsed)
def _endorsed(state: Engagement, recorded: Recorded[delivery.EstimateEndorsed]) -> Engagement:
    version = recorded.fact.version
    if version not in state.estimates:
        return state
    endorsed = state.estimates[version].model_copy(update={"endorsed": True})
    return state.model_copy(update={"estimates": {**state.estimates, version: endorsed}})


@evolve.on(delivery.PlanBaselined)
def _baselined(state: Engagement, recorded: Recorded[delivery.PlanBaselined]) -> Engagement:
    fact = recorded.fact
    baseline = Baseline(
        version=fact.version,
        tasks=fact.tasks,
        changes=fact.changes,
        baselined_on=fact.baselined_on,
    )
    return state.model_copy(update={"baseline": baseline})


@evolve.on(delivery.KickoffHeld)
def _kicked_off(state: Engagement, recorded: Recorded[delivery.KickoffHeld]) -> Engagement:
    return state.model_copy(update={"kicked_off_on": recorded.fact.held_on})


@evolve.on(delivery.TimeApproved)
def _time(state: Engagement, recorded: Recorded[delivery.TimeApproved]) -> Engagement:
    fact = recorded.fact
    work = Work(
        entry=fact.entry,
        person=fact.person,
        kind=fact.kind,
        on=fact.week,
        billable=fact.billable,
        role=fact.role,
        week=fact.week,
        hours=fact.hours,
    )
    return state.model_copy(update={"work": {**state.work, f"time:{fact.entry}": work}})


@evolve.on(delivery.ExpenseApproved)
def _expense(state: Engagement, recorded: Recorded[delivery.ExpenseApproved]) -> Engagement:
    fact = recorded.fact
    work = Work(
        entry=fact.expense,
        person=fact.person,
        kind="expense",
        on=fact.spent_on,
        billable=fact.billable,
        amount=fact.amount,
    )
    return state.model_copy(update={"work": {**state.work, f"expense:{fact.expense}": work}})


@evolve.on(delivery.TaskProgressed)
def _progressed(state: Engagement, recorded: Recorded[delivery.TaskProgressed]) -> Engagement:
    fact = recorded.fact
    return state.model_copy(update={"progress": {**state.progress, fact.task: fact.complete}})


@evolve.on(delivery.DeliverableAccepted)
def _accepted(state: Engagement, recorded: Recorded[delivery.DeliverableAccepted]) -> Engagement:
    fact = recorded.fact
    return state.model_copy(
        update={"accepted": {**state.accepted, fact.deliverable: fact.accepted_on}}
    )


@evolve.on(delivery.StatusReportPublished)
def _reported(state: Engagement, recorded: Recorded[delivery.StatusReportPublished]) -> Engagement:
    fact = recorded.fact
    report = Report(
        as_of=fact.as_of,
        hours_to_complete=fact.estimate_to_complete,
        baseline=state.baseline,
        progress=state.progress,
        works=len(state.work),
        performance_due=state.baseline is not None,
    )
    return state.model_copy(update={"reports": (*state.reports, report)})


@evolve.on(delivery.ChangeAssessed)
def _assessed(state: Engagement, recorded: Recorded[delivery.ChangeAssessed]) -> Engagement:
    """It replaces an earlier one that has no price yet: perhaps that never could have one."""
    assessment = Assessment(
        change=recorded.fact.change,
        lines=recorded.fact.lines,
        assessed_on=recorded.occurred_at.date(),
    )
    others = (
        one for one in state.assessments if one.change != assessment.change or one.price is not None
    )
    return state.model_copy(update={"assessments": (*others, assessment)})


@evolve.on(delivery.ChangeApproved)
def _approved(state: Engagement, recorded: Recorded[delivery.ChangeApproved]) -> Engagement:
    return state.model_copy(
        update={"verdicts": {**state.verdicts, recorded.fact.change: "approved"}}
    )


@evolve.on(delivery.ChangeRejected)
def _rejected(state: Engagement, recorded: Recorded[delivery.ChangeRejected]) -> Engagement:
    return state.model_copy(
        update={"verdicts": {**state.verdicts, recorded.fact.change: "rejected"}}
    )


@evolve.on(delivery.ChangeImplemented)
def _implemented(state: Engagement, recorded: Recorded[delivery.ChangeImplemented]) -> Engagement:
    fact = recorded.fact
    return state.model_copy(
        update={
            "verdicts": {**state.verdicts, fact.change: "implemented"},
            "implemented": {**state.implemented, fact.change: fact.implemented_on},
        }
    )


@evolve.on(delivery.SolutionWentLive)
def _live(state: Engagement, recorded: Recorded[delivery.SolutionWentLive]) -> Engagement:
    return state.model_copy(update={"live_on": recorded.fact.live_on})


@evolve.on(delivery.EngagementClosed)
def _closed(state: Engagement, recorded: Recorded[delivery.EngagementClosed]) -> Engagement:
    return state.model_copy(update={"closed_on": recorded.fact.closed_on})


@evolve.on(finance.InvoiceNumbered)
def _numbered(state: Engagement, recorded: Recorded[finance.InvoiceNumbered]) -> Engagement:
    fact = recorded.fact
    invoice = state.invoices.get(fact.invoice)
    if invoice is None or invoice.stage != "approved":
        return state
    return with_invoice(
        state, fact.invoice, stage="numbered", number=fact.number, issue_on=fact.issue_on
    )


@evolve.on_each(DISCONNECT_EVENTS)
def _disconnect(state: Engagement, recorded: Recorded[DisconnectEvent]) -> Engagement:
    still_open = open_disconnects(state.disconnects, recorded.fact)
    return state.model_copy(update={"disconnects": still_open})
