"""Apply other departments' events to the state, each department in a part of its own.

Parts are independent, so the order in which departments' events arrive does not matter. The expiry
of an early start needs no event: its authorisation contains the last day.
"""

from contracts import finance, legal, sales
from contracts.event import Recorded
from contracts.gateway import DISCONNECT_EVENTS, DisconnectEvent, open_disconnects
from delivery.evolution import keep, within
from delivery.state import Engagement, PricedChange, evolve

keep(sales.OpportunityOpened, "deal.opened")
keep(sales.OpportunityImported, "deal.imported")
keep(sales.OpportunityQualified, "deal.qualified")
keep(sales.EstimateRequested, "deal.requested")
keep(sales.ProposalDrafted, "deal.proposals", by="version")
keep(sales.DealWon, "deal.won")
keep(sales.DealLost, "deal.lost")
keep(legal.SowDrafted, "contract.drafted", by="version")
keep(legal.SowSigned, "contract.signed")
keep(legal.AmendmentDrafted, "contract.amendments_drafted", by="change")
keep(legal.AmendmentSigned, "contract.amendments", by="change")
keep(legal.EngagementTerminated, "contract.terminated")
keep(finance.EstimatePriced, "ledger.estimates", by="estimate_version")
keep(finance.BudgetSet, "ledger.budget")


@evolve.on(legal.EarlyStartAuthorised)
def _early_start(state: Engagement, recorded: Recorded[legal.EarlyStartAuthorised]) -> Engagement:
    """Add the authorisation; earlier ones stay valid."""
    early_starts = (*state.contract.early_starts, recorded.event)
    return within(state, "contract", early_starts=early_starts)


@evolve.on(sales.ProposalSubmitted)
def _submitted(state: Engagement, recorded: Recorded[sales.ProposalSubmitted]) -> Engagement:
    return within(state, "deal", submitted=recorded.event.version)


@evolve.on(finance.ChangePriced)
def _change_priced(state: Engagement, recorded: Recorded[finance.ChangePriced]) -> Engagement:
    """Store the price and Finance's position, which identifies the assessment it is for."""
    event = recorded.event
    priced = PricedChange(price=event.price, heard=recorded.heard.get("delivery", 0))
    return within(state, "ledger", changes=state.ledger.changes | {event.change: priced})


@evolve.on(finance.AccountSettled)
def _account_settled(state: Engagement, recorded: Recorded[finance.AccountSettled]) -> Engagement:
    """Store the settlement and Finance's position, which identifies the work it includes."""
    heard = recorded.heard.get("delivery", 0)
    return within(state, "ledger", settled=recorded.event, settled_heard=heard)


@evolve.on(finance.BudgetAmended)
def _budget_amended(state: Engagement, recorded: Recorded[finance.BudgetAmended]) -> Engagement:
    """Reopen a settled account, since the amended budget has to be settled again."""
    amended = state.ledger.amended | {recorded.event.change: recorded.event}
    return within(state, "ledger", amended=amended, settled=None)


@evolve.on(finance.InvoiceIssued)
def _invoiced(state: Engagement, recorded: Recorded[finance.InvoiceIssued]) -> Engagement:
    """Reopen a settled account: an invoice issued later has to be settled, too."""
    return within(state, "ledger", settled=None)


@evolve.on(finance.AccountReopened)
def _reopened(state: Engagement, recorded: Recorded[finance.AccountReopened]) -> Engagement:
    """Reopen the account: work approved after the settlement has still to be billed."""
    return within(state, "ledger", settled=None)


@evolve.on_each(DISCONNECT_EVENTS)
def _disconnect(state: Engagement, recorded: Recorded[DisconnectEvent]) -> Engagement:
    still_open = open_disconnects(state.disconnects, recorded.event)
    return state.model_copy(update={"disconnects": still_open})
