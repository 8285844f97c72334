"""What Sales keeps of what other departments say.

An account executive wants to know who manages the engagement, what it would take and cost, whether
it is signed, how it goes beside what was promised, and whether the customer pays.
"""

from collections.abc import Callable

from contracts.delivery import (
    EngagementClosed,
    EngagementPutOnHold,
    EngagementResumed,
    EstimateEndorsed,
    EstimateSubmitted,
    KickoffHeld,
    ManagerAssigned,
    SolutionWentLive,
    StatusReportPublished,
    SurveyAnswered,
)
from contracts.fact import Recorded
from contracts.finance import (
    ChangePriced,
    CreditNoteIssued,
    EstimatePriced,
    InvoiceIssued,
    InvoiceVoided,
    PaymentOverdue,
    PaymentReceived,
)
from contracts.gateway import DISCONNECT_EVENTS, DisconnectEvent, open_disconnects
from contracts.legal import (
    AmendmentDrafted,
    AmendmentSigned,
    EngagementTerminated,
    MsaSigned,
    NdaSigned,
    SowApproved,
    SowDrafted,
    SowRedlined,
    SowSentForSignature,
    SowSigned,
)
from contracts.money import Money
from sales.state import Amendment, Engagement, Estimate, Invoice, Statement, evolve


@evolve.on(ManagerAssigned)
def _manager_assigned(state: Engagement, recorded: Recorded[ManagerAssigned]) -> Engagement:
    fact = recorded.fact
    return state.model_copy(update={"manager": fact.manager, "managed_since": fact.assigned_on})


@evolve.on(EstimateSubmitted)
def _estimate_submitted(state: Engagement, recorded: Recorded[EstimateSubmitted]) -> Engagement:
    return _estimate(state, recorded.fact.version, {"submitted": recorded.fact})


@evolve.on(EstimateEndorsed)
def _estimate_endorsed(state: Engagement, recorded: Recorded[EstimateEndorsed]) -> Engagement:
    fact = recorded.fact
    return _estimate(state, fact.version, {"endorsed_by": fact.manager})


@evolve.on(EstimatePriced)
def _estimate_priced(state: Engagement, recorded: Recorded[EstimatePriced]) -> Engagement:
    return _estimate(state, recorded.fact.estimate_version, {"priced": recorded.fact})


@evolve.on(KickoffHeld)
def _kickoff_held(state: Engagement, recorded: Recorded[KickoffHeld]) -> Engagement:
    return state.model_copy(update={"kicked_off_on": recorded.fact.held_on})


@evolve.on(StatusReportPublished)
def _status_reported(state: Engagement, recorded: Recorded[StatusReportPublished]) -> Engagement:
    return state.model_copy(update={"status_report": recorded.fact})


@evolve.on(EngagementPutOnHold)
def _put_on_hold(state: Engagement, recorded: Recorded[EngagementPutOnHold]) -> Engagement:
    return state.model_copy(update={"held": recorded.fact})


@evolve.on(EngagementResumed)
def _resumed(state: Engagement, recorded: Recorded[EngagementResumed]) -> Engagement:
    return state.model_copy(update={"held": None})


@evolve.on(SolutionWentLive)
def _went_live(state: Engagement, recorded: Recorded[SolutionWentLive]) -> Engagement:
    return state.model_copy(update={"live_on": recorded.fact.live_on})


@evolve.on(SurveyAnswered)
def _survey_answered(state: Engagement, recorded: Recorded[SurveyAnswered]) -> Engagement:
    return state.model_copy(update={"survey": recorded.fact})


@evolve.on(EngagementClosed)
def _closed(state: Engagement, recorded: Recorded[EngagementClosed]) -> Engagement:
    return state.model_copy(update={"closed_on": recorded.fact.closed_on})


@evolve.on(NdaSigned)
def _nda_signed(state: Engagement, recorded: Recorded[NdaSigned]) -> Engagement:
    return state.model_copy(update={"nda": recorded.fact})


@evolve.on(MsaSigned)
def _msa_signed(state: Engagement, recorded: Recorded[MsaSigned]) -> Engagement:
    return state.model_copy(update={"msa": recorded.fact})


@evolve.on(SowDrafted)
def _sow_drafted(state: Engagement, recorded: Recorded[SowDrafted]) -> Engagement:
    return _statement(state, Statement(version=recorded.fact.version, status="drafted"))


@evolve.on(SowRedlined)
def _sow_redlined(state: Engagement, recorded: Recorded[SowRedlined]) -> Engagement:
    return _statement(state, Statement(version=recorded.fact.version, status="redlined"))


@evolve.on(SowApproved)
def _sow_approved(state: Engagement, recorded: Recorded[SowApproved]) -> Engagement:
    return _statement(state, Statement(version=recorded.fact.version, status="approved"))


@evolve.on(SowSentForSignature)
def _sow_sent(state: Engagement, recorded: Recorded[SowSentForSignature]) -> Engagement:
    return _statement(state, Statement(version=recorded.fact.version, status="sent"))


@evolve.on(SowSigned)
def _sow_signed(state: Engagement, recorded: Recorded[SowSigned]) -> Engagement:
    fact = recorded.fact
    signed = Statement(version=fact.version, status="signed", signed_on=fact.signed_on)
    return _statement(state, signed)


@evolve.on(AmendmentDrafted)
def _amendment_drafted(state: Engagement, recorded: Recorded[AmendmentDrafted]) -> Engagement:
    fact = recorded.fact
    drafted = Amendment(
        change=fact.change, price_delta=fact.price_delta, finishes_on=fact.finishes_on
    )
    return state.model_copy(update={"amendments": {**state.amendments, fact.amendment: drafted}})


@evolve.on(AmendmentSigned)
def _amendment_signed(state: Engagement, recorded: Recorded[AmendmentSigned]) -> Engagement:
    fact = recorded.fact
    others = {name: kept for name, kept in state.amendments.items() if name != fact.amendment}
    signed = Amendment(
        change=fact.change,
        price_delta=fact.price_delta,
        finishes_on=fact.finishes_on,
        signed_on=fact.signed_on,
    )
    return state.model_copy(update={"amendments": {**others, fact.amendment: signed}})


@evolve.on(EngagementTerminated)
def _terminated(state: Engagement, recorded: Recorded[EngagementTerminated]) -> Engagement:
    return state.model_copy(update={"terminated": recorded.fact})


@evolve.on(ChangePriced)
def _change_priced(state: Engagement, recorded: Recorded[ChangePriced]) -> Engagement:
    fact = recorded.fact
    return state.model_copy(update={"changes": {**state.changes, fact.change: fact.price}})


@evolve.on(InvoiceIssued)
def _invoice_issued(state: Engagement, recorded: Recorded[InvoiceIssued]) -> Engagement:
    fact = recorded.fact
    nothing = Money.zero(fact.amount.currency)
    invoice = Invoice(issued=fact, paid=nothing, credited=nothing)
    return state.model_copy(update={"invoices": {**state.invoices, fact.invoice: invoice}})


@evolve.on(InvoiceVoided)
def _invoice_voided(state: Engagement, recorded: Recorded[InvoiceVoided]) -> Engagement:
    return _invoice(state, recorded.fact.invoice, lambda _: {"voided": True})


@evolve.on(CreditNoteIssued)
def _invoice_credited(state: Engagement, recorded: Recorded[CreditNoteIssued]) -> Engagement:
    fact = recorded.fact
    return _invoice(state, fact.invoice, lambda one: {"credited": one.credited + fact.amount})


@evolve.on(PaymentReceived)
def _payment_received(state: Engagement, recorded: Recorded[PaymentReceived]) -> Engagement:
    fact = recorded.fact
    return _invoice(state, fact.invoice, lambda one: {"paid": one.paid + fact.amount})


@evolve.on(PaymentOverdue)
def _payment_overdue(state: Engagement, recorded: Recorded[PaymentOverdue]) -> Engagement:
    return _invoice(state, recorded.fact.invoice, lambda _: {"fell_due": True})


def _estimate(state: Engagement, version: int, update: dict[str, object]) -> Engagement:
    estimate = state.estimates.get(version, Estimate()).model_copy(update=update)
    return state.model_copy(update={"estimates": {**state.estimates, version: estimate}})


def _statement(state: Engagement, statement: Statement) -> Engagement:
    return state.model_copy(update={"statement": statement})


def _invoice(
    state: Engagement, id: str, news: Callable[[Invoice], dict[str, object]]
) -> Engagement:
    """With the news of an invoice; one that was never issued has none."""
    known = state.invoices.get(id)
    if known is None:
        return state
    moved = known.model_copy(update=news(known))
    return state.model_copy(update={"invoices": {**state.invoices, id: moved}})


@evolve.on_each(DISCONNECT_EVENTS)
def _disconnect(state: Engagement, recorded: Recorded[DisconnectEvent]) -> Engagement:
    still_open = open_disconnects(state.disconnects, recorded.fact)
    return state.model_copy(update={"disconnects": still_open})
