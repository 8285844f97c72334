"""What Legal takes in of what other departments say."""

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
    """Sales names the customer and the matter."""
    opportunity = Opportunity(account=recorded.event.account, title=recorded.event.title)
    return state.model_copy(update={"opportunity": opportunity})


@evolve.on(OpportunityImported)
def opportunity_imported(state: Engagement, recorded: Recorded[OpportunityImported]) -> Engagement:
    """The same from a CRM, which may not know the customer; a lost one is over."""
    event = recorded.event
    lost_on = (event.closed_on or recorded.occurred_at.date()) if event.outcome == "lost" else None
    opportunity = Opportunity(account=event.account, title=event.title)
    return state.model_copy(update={"opportunity": opportunity, "lost_on": lost_on})


@evolve.on(ProposalDrafted)
def proposal_drafted(state: Engagement, recorded: Recorded[ProposalDrafted]) -> Engagement:
    """The newest proposal is what the contract will be measured by."""
    return state.model_copy(update={"proposal": recorded.event, "proposal_submitted_on": None})


@evolve.on(ProposalSubmitted)
def proposal_submitted(state: Engagement, recorded: Recorded[ProposalSubmitted]) -> Engagement:
    """The customer has it."""
    return state.model_copy(update={"proposal_submitted_on": recorded.event.submitted_on})


@evolve.on(DealWon)
def deal_won(state: Engagement, recorded: Recorded[DealWon]) -> Engagement:
    """What was agreed in principle: the statement of work starts from it."""
    return state.model_copy(update={"won": recorded.event})


@evolve.on(DealLost)
def deal_lost(state: Engagement, recorded: Recorded[DealLost]) -> Engagement:
    """There will be no contract."""
    return state.model_copy(update={"lost_on": recorded.event.lost_on})


@evolve.on(DeliveryReviewed)
def delivery_reviewed(state: Engagement, recorded: Recorded[DeliveryReviewed]) -> Engagement:
    """Delivery's word on a version; its last one counts."""
    return _reviewed(state, "delivery", recorded.event)


@evolve.on(FinanceReviewed)
def finance_reviewed(state: Engagement, recorded: Recorded[FinanceReviewed]) -> Engagement:
    """Finance's word on a version; its last one counts."""
    return _reviewed(state, "finance", recorded.event)


@evolve.on(ChangeRequested)
def change_requested(state: Engagement, recorded: Recorded[ChangeRequested]) -> Engagement:
    """Somebody wants something else than was agreed."""
    return _with_change(state, recorded.event.change, requested=recorded.event)


@evolve.on(ChangeAssessed)
def change_assessed(state: Engagement, recorded: Recorded[ChangeAssessed]) -> Engagement:
    """What it does to days and deliverables."""
    event = recorded.event
    return _with_change(state, event.change, assessed=event, assessed_at=recorded.sequence)


@evolve.on(ChangePriced)
def change_priced(state: Engagement, recorded: Recorded[ChangePriced]) -> Engagement:
    """What it does to the price."""
    event, knowing = recorded.event, recorded.heard.get("delivery", 0)
    return _with_change(state, event.change, price=event.price, price_knowing=knowing)


@evolve.on(ChangeApproved)
def change_approved(state: Engagement, recorded: Recorded[ChangeApproved]) -> Engagement:
    """The customer agreed; where it is tomorrow already, by the day of the record."""
    event = recorded.event
    day = min(event.approved_on, recorded.occurred_at.date())
    return _with_change(state, event.change, verdict="approved", approved_on=day)


@evolve.on(ChangeRejected)
def change_rejected(state: Engagement, recorded: Recorded[ChangeRejected]) -> Engagement:
    """It will not be made."""
    event = recorded.event
    return _with_change(state, event.change, verdict="rejected", why_rejected=event.why)


@evolve.on(ChangeImplemented)
def change_implemented(state: Engagement, recorded: Recorded[ChangeImplemented]) -> Engagement:
    """Its work is done."""
    event = recorded.event
    return _with_change(state, event.change, implemented_on=event.implemented_on)


@evolve.on(EngagementClosed)
def engagement_closed(state: Engagement, recorded: Recorded[EngagementClosed]) -> Engagement:
    """Nothing is owed any more."""
    return state.model_copy(update={"closed_on": recorded.event.closed_on})


@evolve.on(InvoiceIssued)
def invoice_issued(state: Engagement, recorded: Recorded[InvoiceIssued]) -> Engagement:
    """The customer owes its amount, and the account is not settled, or no longer."""
    event = recorded.event
    receivable = Receivable(number=event.number, outstanding=event.amount, due_on=event.due_on)
    receivables = {**state.receivables, event.invoice: receivable}
    return state.model_copy(update={"receivables": receivables, "settled_on": None})


@evolve.on(PaymentOverdue)
def payment_overdue(state: Engagement, recorded: Recorded[PaymentOverdue]) -> Engagement:
    """The customer is late with it."""
    known = state.receivables.get(recorded.event.invoice)
    if known is None:
        return state
    late = known.model_copy(update={"overdue": True, "outstanding": recorded.event.outstanding})
    return state.model_copy(
        update={"receivables": {**state.receivables, recorded.event.invoice: late}}
    )


@evolve.on(PaymentReceived)
def payment_received(state: Engagement, recorded: Recorded[PaymentReceived]) -> Engagement:
    """The customer owes so much less."""
    return _owed_less(state, recorded.event.invoice, recorded.event.amount)


@evolve.on(CreditNoteIssued)
def credit_note_issued(state: Engagement, recorded: Recorded[CreditNoteIssued]) -> Engagement:
    """The customer owes so much less."""
    return _owed_less(state, recorded.event.invoice, recorded.event.amount)


@evolve.on(InvoiceVoided)
def invoice_voided(state: Engagement, recorded: Recorded[InvoiceVoided]) -> Engagement:
    """The customer owes nothing on it."""
    return _owed_less(state, recorded.event.invoice, recorded.event.amount)


@evolve.on(AccountSettled)
def account_settled(state: Engagement, recorded: Recorded[AccountSettled]) -> Engagement:
    """Everything that was due is paid, credited or void."""
    return state.model_copy(update={"settled_on": recorded.event.settled_on})


@evolve.on(BudgetAmended)
def budget_amended(state: Engagement, recorded: Recorded[BudgetAmended]) -> Engagement:
    """Price and schedule are no longer those that were settled.

    Legal's own amendment says nothing of that: Finance may settle before it hears of it or after.
    """
    return state.model_copy(update={"settled_on": None})


@evolve.on(AccountReopened)
def account_reopened(state: Engagement, recorded: Recorded[AccountReopened]) -> Engagement:
    """There is time to be billed again."""
    return state.model_copy(update={"settled_on": None})


def _reviewed(
    state: Engagement, reviewer: Reviewer, event: DeliveryReviewed | FinanceReviewed
) -> Engagement:
    if event.version > len(state.sows):
        return state
    review = Review(content_hash=event.content_hash, verdict=event.verdict, why=event.why)
    reviews = {**state.sows[event.version - 1].reviews, reviewer: review}
    return with_sow(state, event.version, reviews=reviews)


def _with_change(state: Engagement, change: str, **news: object) -> Engagement:
    changed = state.changes.get(change, Change()).model_copy(update=news)
    return state.model_copy(update={"changes": {**state.changes, change: changed}})


def _owed_less(state: Engagement, invoice: str, amount: Money) -> Engagement:
    others = {one: owed for one, owed in state.receivables.items() if one != invoice}
    known = state.receivables.get(invoice)
    if known is not None and amount < known.outstanding:
        others[invoice] = known.model_copy(update={"outstanding": known.outstanding - amount})
    return state.model_copy(update={"receivables": others})


@evolve.on_each(DISCONNECT_EVENTS)
def _disconnect(state: Engagement, recorded: Recorded[DisconnectEvent]) -> Engagement:
    still_open = open_disconnects(state.disconnects, recorded.event)
    return state.model_copy(update={"disconnects": still_open})
