"""Apply other departments' events to Sales' state of an engagement.

An account executive follows who manages the engagement, its estimate and price, whether the
contract is signed, progress against the promised dates, and whether the customer pays.
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
from contracts.event import Recorded
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
    event = recorded.event
    return state.model_copy(update={"manager": event.manager, "managed_since": event.assigned_on})


@evolve.on(EstimateSubmitted)
def _estimate_submitted(state: Engagement, recorded: Recorded[EstimateSubmitted]) -> Engagement:
    return _estimate(state, recorded.event.version, {"submitted": recorded.event})


@evolve.on(EstimateEndorsed)
def _estimate_endorsed(state: Engagement, recorded: Recorded[EstimateEndorsed]) -> Engagement:
    event = recorded.event
    return _estimate(state, event.version, {"endorsed_by": event.manager})


@evolve.on(EstimatePriced)
def _estimate_priced(state: Engagement, recorded: Recorded[EstimatePriced]) -> Engagement:
    return _estimate(state, recorded.event.estimate_version, {"priced": recorded.event})


@evolve.on(KickoffHeld)
def _kickoff_held(state: Engagement, recorded: Recorded[KickoffHeld]) -> Engagement:
    return state.model_copy(update={"kicked_off_on": recorded.event.held_on})


@evolve.on(StatusReportPublished)
def _status_reported(state: Engagement, recorded: Recorded[StatusReportPublished]) -> Engagement:
    return state.model_copy(update={"status_report": recorded.event})


@evolve.on(EngagementPutOnHold)
def _put_on_hold(state: Engagement, recorded: Recorded[EngagementPutOnHold]) -> Engagement:
    return state.model_copy(update={"on_hold": recorded.event})


@evolve.on(EngagementResumed)
def _resumed(state: Engagement, recorded: Recorded[EngagementResumed]) -> Engagement:
    return state.model_copy(update={"on_hold": None})


@evolve.on(SolutionWentLive)
def _went_live(state: Engagement, recorded: Recorded[SolutionWentLive]) -> Engagement:
    return state.model_copy(update={"live_on": recorded.event.live_on})


@evolve.on(SurveyAnswered)
def _survey_answered(state: Engagement, recorded: Recorded[SurveyAnswered]) -> Engagement:
    return state.model_copy(update={"survey": recorded.event})


@evolve.on(EngagementClosed)
def _closed(state: Engagement, recorded: Recorded[EngagementClosed]) -> Engagement:
    return state.model_copy(update={"closed_on": recorded.event.closed_on})


@evolve.on(NdaSigned)
def _nda_signed(state: Engagement, recorded: Recorded[NdaSigned]) -> Engagement:
    return state.model_copy(update={"nda": recorded.event})


@evolve.on(MsaSigned)
def _msa_signed(state: Engagement, recorded: Recorded[MsaSigned]) -> Engagement:
    return state.model_copy(update={"msa": recorded.event})


@evolve.on(SowDrafted)
def _sow_drafted(state: Engagement, recorded: Recorded[SowDrafted]) -> Engagement:
    return _statement(state, Statement(version=recorded.event.version, status="drafted"))


@evolve.on(SowRedlined)
def _sow_redlined(state: Engagement, recorded: Recorded[SowRedlined]) -> Engagement:
    return _statement(state, Statement(version=recorded.event.version, status="redlined"))


@evolve.on(SowApproved)
def _sow_approved(state: Engagement, recorded: Recorded[SowApproved]) -> Engagement:
    return _statement(state, Statement(version=recorded.event.version, status="approved"))


@evolve.on(SowSentForSignature)
def _sow_sent(state: Engagement, recorded: Recorded[SowSentForSignature]) -> Engagement:
    return _statement(state, Statement(version=recorded.event.version, status="sent"))


@evolve.on(SowSigned)
def _sow_signed(state: Engagement, recorded: Recorded[SowSigned]) -> Engagement:
    event = recorded.event
    signed = Statement(version=event.version, status="signed", signed_on=event.signed_on)
    return _statement(state, signed)


@evolve.on(AmendmentDrafted)
def _amendment_drafted(state: Engagement, recorded: Recorded[AmendmentDrafted]) -> Engagement:
    event = recorded.event
    drafted = Amendment(
        change=event.change, price_delta=event.price_delta, finishes_on=event.finishes_on
    )
    return state.model_copy(update={"amendments": {**state.amendments, event.amendment: drafted}})


@evolve.on(AmendmentSigned)
def _amendment_signed(state: Engagement, recorded: Recorded[AmendmentSigned]) -> Engagement:
    event = recorded.event
    # Amendments are kept in the order of signing, so this one goes to the end.
    others = {name: other for name, other in state.amendments.items() if name != event.amendment}
    signed = Amendment(
        change=event.change,
        price_delta=event.price_delta,
        finishes_on=event.finishes_on,
        signed_on=event.signed_on,
    )
    return state.model_copy(update={"amendments": {**others, event.amendment: signed}})


@evolve.on(EngagementTerminated)
def _terminated(state: Engagement, recorded: Recorded[EngagementTerminated]) -> Engagement:
    return state.model_copy(update={"terminated": recorded.event})


@evolve.on(ChangePriced)
def _change_priced(state: Engagement, recorded: Recorded[ChangePriced]) -> Engagement:
    event = recorded.event
    return state.model_copy(update={"changes": {**state.changes, event.change: event.price}})


@evolve.on(InvoiceIssued)
def _invoice_issued(state: Engagement, recorded: Recorded[InvoiceIssued]) -> Engagement:
    event = recorded.event
    zero = Money.zero(event.amount.currency)
    invoice = Invoice(issued=event, paid=zero, credited=zero)
    return state.model_copy(update={"invoices": {**state.invoices, event.invoice: invoice}})


@evolve.on(InvoiceVoided)
def _invoice_voided(state: Engagement, recorded: Recorded[InvoiceVoided]) -> Engagement:
    return _invoice(state, recorded.event.invoice, lambda _: {"voided": True})


@evolve.on(CreditNoteIssued)
def _invoice_credited(state: Engagement, recorded: Recorded[CreditNoteIssued]) -> Engagement:
    event = recorded.event
    return _invoice(state, event.invoice, lambda old: {"credited": old.credited + event.amount})


@evolve.on(PaymentReceived)
def _payment_received(state: Engagement, recorded: Recorded[PaymentReceived]) -> Engagement:
    event = recorded.event
    return _invoice(state, event.invoice, lambda old: {"paid": old.paid + event.amount})


@evolve.on(PaymentOverdue)
def _payment_overdue(state: Engagement, recorded: Recorded[PaymentOverdue]) -> Engagement:
    return _invoice(state, recorded.event.invoice, lambda _: {"fell_due": True})


def _estimate(state: Engagement, version: int, update: dict[str, object]) -> Engagement:
    estimate = state.estimates.get(version, Estimate()).model_copy(update=update)
    return state.model_copy(update={"estimates": {**state.estimates, version: estimate}})


def _statement(state: Engagement, statement: Statement) -> Engagement:
    return state.model_copy(update={"statement": statement})


def _invoice(
    state: Engagement, id: str, changes: Callable[[Invoice], dict[str, object]]
) -> Engagement:
    """Return the state with one invoice updated, or as it is where that was never issued."""
    known = state.invoices.get(id)
    if known is None:
        return state
    updated = known.model_copy(update=changes(known))
    return state.model_copy(update={"invoices": {**state.invoices, id: updated}})


@evolve.on_each(DISCONNECT_EVENTS)
def _disconnect(state: Engagement, recorded: Recorded[DisconnectEvent]) -> Engagement:
    still_open = open_disconnects(state.disconnects, recorded.event)
    return state.model_copy(update={"disconnects": still_open})
