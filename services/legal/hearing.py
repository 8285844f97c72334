"""Apply other departments' events to Legal's state of an engagement."""

from contracts.delivery import (
    ChangeApproved,
    ChangeAssessed,
    ChangeImplemented,
    ChangeRejected,
    ChangeRequested,
    EngagementClosed,
)
from contracts.delivery import SowReviewed as DeliveryReviewed
from contracts.event import Recorded
from contracts.finance import (
    AccountReopened,
    AccountSettled,
    BudgetAmended,
    ChangePriced,
    CreditNoteIssued,
    InvoiceIssued,
    InvoiceVoided,
    PaymentOverdue,
    PaymentReceived,
)
from contracts.finance import SowReviewed as FinanceReviewed
from contracts.gateway import DISCONNECT_EVENTS, DisconnectEvent, open_disconnects
from contracts.money import Money
from contracts.sales import (
    DealLost,
    DealWon,
    OpportunityImported,
    OpportunityOpened,
    ProposalDrafted,
    ProposalSubmitted,
)
from legal.state import (
    Change,
    Engagement,
    Opportunity,
    Receivable,
    Review,
    Reviewer,
    evolve,
    with_sow,
)


@evolve.on(OpportunityOpened)
def opportunity_opened(state: Engagement, recorded: Recorded[OpportunityOpened]) -> Engagement:
    """Record account and title."""
    opportunity = Opportunity(account=recorded.event.account, title=recorded.event.title)
    return state.model_copy(update={"opportunity": opportunity})


@evolve.on(OpportunityImported)
def opportunity_imported(state: Engagement, recorded: Recorded[OpportunityImported]) -> Engagement:
    """Record account and title; the account may be unknown, and an opportunity may be lost.

    Without a closing day, a lost one was lost on the day (UTC) of the event.
    """
    event = recorded.event
    lost_on = (event.closed_on or recorded.occurred_at.date()) if event.outcome == "lost" else None
    opportunity = Opportunity(account=event.account, title=event.title)
    return state.model_copy(update={"opportunity": opportunity, "lost_on": lost_on})


@evolve.on(ProposalDrafted)
def proposal_drafted(state: Engagement, recorded: Recorded[ProposalDrafted]) -> Engagement:
    """Record the newest proposal as not yet submitted."""
    return state.model_copy(update={"proposal": recorded.event, "proposal_submitted_on": None})


@evolve.on(ProposalSubmitted)
def proposal_submitted(state: Engagement, recorded: Recorded[ProposalSubmitted]) -> Engagement:
    """Record the day on which the proposal was submitted."""
    return state.model_copy(update={"proposal_submitted_on": recorded.event.submitted_on})


@evolve.on(DealWon)
def deal_won(state: Engagement, recorded: Recorded[DealWon]) -> Engagement:
    """Record the won deal; it has the default terms of the statement of work."""
    return state.model_copy(update={"won": recorded.event})


@evolve.on(DealLost)
def deal_lost(state: Engagement, recorded: Recorded[DealLost]) -> Engagement:
    """Record the day on which the deal was lost."""
    return state.model_copy(update={"lost_on": recorded.event.lost_on})


@evolve.on(DeliveryReviewed)
def delivery_reviewed(state: Engagement, recorded: Recorded[DeliveryReviewed]) -> Engagement:
    """Record Delivery's latest review of a version."""
    return _reviewed(state, "delivery", recorded.event)


@evolve.on(FinanceReviewed)
def finance_reviewed(state: Engagement, recorded: Recorded[FinanceReviewed]) -> Engagement:
    """Record Finance's latest review of a version."""
    return _reviewed(state, "finance", recorded.event)


@evolve.on(ChangeRequested)
def change_requested(state: Engagement, recorded: Recorded[ChangeRequested]) -> Engagement:
    """Record the request of a change."""
    return _with_change(state, recorded.event.change, requested=recorded.event)


@evolve.on(ChangeAssessed)
def change_assessed(state: Engagement, recorded: Recorded[ChangeAssessed]) -> Engagement:
    """Record Delivery's assessment and its sequence."""
    event = recorded.event
    return _with_change(state, event.change, assessed=event, assessed_at=recorded.sequence)


@evolve.on(ChangePriced)
def change_priced(state: Engagement, recorded: Recorded[ChangePriced]) -> Engagement:
    """Record the price, and how far Finance had processed Delivery's events."""
    event, processed = recorded.event, recorded.heard.get("delivery", 0)
    return _with_change(state, event.change, price=event.price, price_knowing=processed)


@evolve.on(ChangeApproved)
def change_approved(state: Engagement, recorded: Recorded[ChangeApproved]) -> Engagement:
    """Record the customer's approval, on the day (UTC) of the event where that is earlier.

    East of UTC the customer's day may be one later.
    """
    event = recorded.event
    day = min(event.approved_on, recorded.occurred_at.date())
    return _with_change(state, event.change, verdict="approved", approved_on=day)


@evolve.on(ChangeRejected)
def change_rejected(state: Engagement, recorded: Recorded[ChangeRejected]) -> Engagement:
    """Record that the change was rejected, with the reason."""
    event = recorded.event
    return _with_change(state, event.change, verdict="rejected", why_rejected=event.why)


@evolve.on(ChangeImplemented)
def change_implemented(state: Engagement, recorded: Recorded[ChangeImplemented]) -> Engagement:
    """Record the day on which the change was implemented."""
    event = recorded.event
    return _with_change(state, event.change, implemented_on=event.implemented_on)


@evolve.on(EngagementClosed)
def engagement_closed(state: Engagement, recorded: Recorded[EngagementClosed]) -> Engagement:
    """Record the day on which the engagement was closed."""
    return state.model_copy(update={"closed_on": recorded.event.closed_on})


@evolve.on(InvoiceIssued)
def invoice_issued(state: Engagement, recorded: Recorded[InvoiceIssued]) -> Engagement:
    """Record the amount owed on the invoice; the account is no longer settled."""
    event = recorded.event
    receivable = Receivable(number=event.number, outstanding=event.amount, due_on=event.due_on)
    receivables = {**state.receivables, event.invoice: receivable}
    return state.model_copy(update={"receivables": receivables, "settled_on": None})


@evolve.on(PaymentOverdue)
def payment_overdue(state: Engagement, recorded: Recorded[PaymentOverdue]) -> Engagement:
    """Mark the receivable as overdue, with the outstanding amount, unless nothing is owed."""
    known = state.receivables.get(recorded.event.invoice)
    if known is None:
        return state
    overdue = known.model_copy(update={"overdue": True, "outstanding": recorded.event.outstanding})
    return state.model_copy(
        update={"receivables": {**state.receivables, recorded.event.invoice: overdue}}
    )


@evolve.on(PaymentReceived)
def payment_received(state: Engagement, recorded: Recorded[PaymentReceived]) -> Engagement:
    """Deduct the payment from the receivable."""
    return _owed_less(state, recorded.event.invoice, recorded.event.amount)


@evolve.on(CreditNoteIssued)
def credit_note_issued(state: Engagement, recorded: Recorded[CreditNoteIssued]) -> Engagement:
    """Deduct the credit note from the receivable."""
    return _owed_less(state, recorded.event.invoice, recorded.event.amount)


@evolve.on(InvoiceVoided)
def invoice_voided(state: Engagement, recorded: Recorded[InvoiceVoided]) -> Engagement:
    """Deduct the whole amount of the invoice, so that nothing is owed on it."""
    return _owed_less(state, recorded.event.invoice, recorded.event.amount)


@evolve.on(AccountSettled)
def account_settled(state: Engagement, recorded: Recorded[AccountSettled]) -> Engagement:
    """Record the settlement: all that was due is invoiced and paid, credited or void."""
    return state.model_copy(update={"settled_on": recorded.event.settled_on})


@evolve.on(BudgetAmended)
def budget_amended(state: Engagement, recorded: Recorded[BudgetAmended]) -> Engagement:
    """Record that the account is not settled, because price and billing schedule changed.

    Legal's own amendment does not do this: Finance may settle before or after it processes that.
    """
    return state.model_copy(update={"settled_on": None})


@evolve.on(AccountReopened)
def account_reopened(state: Engagement, recorded: Recorded[AccountReopened]) -> Engagement:
    """Record that the account is not settled, because time or expenses can be billed again."""
    return state.model_copy(update={"settled_on": None})


def _reviewed(
    state: Engagement, reviewer: Reviewer, event: DeliveryReviewed | FinanceReviewed
) -> Engagement:
    if event.version > len(state.sows):
        return state
    review = Review(content_hash=event.content_hash, verdict=event.verdict, why=event.why)
    reviews = {**state.sows[event.version - 1].reviews, reviewer: review}
    return with_sow(state, event.version, reviews=reviews)


def _with_change(state: Engagement, change: str, **fields: object) -> Engagement:
    changed = state.changes.get(change, Change()).model_copy(update=fields)
    return state.model_copy(update={"changes": {**state.changes, change: changed}})


def _owed_less(state: Engagement, invoice: str, amount: Money) -> Engagement:
    """Return the state with a receivable reduced; it is removed where nothing is owed any more."""
    others = {name: other for name, other in state.receivables.items() if name != invoice}
    known = state.receivables.get(invoice)
    if known is not None and amount < known.outstanding:
        others[invoice] = known.model_copy(update={"outstanding": known.outstanding - amount})
    return state.model_copy(update={"receivables": others})


@evolve.on_each(DISCONNECT_EVENTS)
def _disconnect(state: Engagement, recorded: Recorded[DisconnectEvent]) -> Engagement:
    still_open = open_disconnects(state.disconnects, recorded.event)
    return state.model_copy(update={"disconnects": still_open})
