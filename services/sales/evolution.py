"""Apply Sales' own events to its state of an engagement."""

from contracts.event import Recorded
from contracts.sales import (
    DealLost,
    DealWon,
    EstimateRequested,
    OpportunityAdvanced,
    OpportunityImported,
    OpportunityOpened,
    OpportunityQualified,
    ProposalDrafted,
    ProposalRevised,
    ProposalSubmitted,
)
from sales.state import Engagement, Proposal, evolve


@evolve.on(OpportunityOpened)
def _opened(state: Engagement, recorded: Recorded[OpportunityOpened]) -> Engagement:
    day = state.opened_on or recorded.occurred_at.date()
    return state.model_copy(update={"opened": recorded.event, "opened_on": day})


@evolve.on(OpportunityImported)
def _imported(state: Engagement, recorded: Recorded[OpportunityImported]) -> Engagement:
    event = recorded.event
    return state.model_copy(
        update={
            "imported": event,
            "opened_on": event.opened_on,
            "pipeline_stage": event.pipeline_stage,
        }
    )


@evolve.on(OpportunityQualified)
def _qualified(state: Engagement, recorded: Recorded[OpportunityQualified]) -> Engagement:
    stage = "qualifying" if state.pipeline_stage == "prospecting" else state.pipeline_stage
    return state.model_copy(update={"qualified": recorded.event, "pipeline_stage": stage})


@evolve.on(OpportunityAdvanced)
def _advanced(state: Engagement, recorded: Recorded[OpportunityAdvanced]) -> Engagement:
    event = recorded.event
    return state.model_copy(
        update={"pipeline_stage": event.pipeline_stage, "probability": event.probability}
    )


@evolve.on(EstimateRequested)
def _estimate_requested(state: Engagement, recorded: Recorded[EstimateRequested]) -> Engagement:
    return state.model_copy(update={"estimate_requested": recorded.event})


@evolve.on(ProposalDrafted)
def _drafted(state: Engagement, recorded: Recorded[ProposalDrafted]) -> Engagement:
    proposals = (*state.proposals, Proposal(drafted=recorded.event))
    return state.model_copy(update={"proposals": proposals})


@evolve.on(ProposalSubmitted)
def _submitted(state: Engagement, recorded: Recorded[ProposalSubmitted]) -> Engagement:
    event = recorded.event
    update = {"status": "submitted", "submitted_on": event.submitted_on}
    return _with_proposal(state, event.version, update)


@evolve.on(ProposalRevised)
def _revised(state: Engagement, recorded: Recorded[ProposalRevised]) -> Engagement:
    return _with_proposal(state, recorded.event.version, {"status": "withdrawn"})


@evolve.on(DealWon)
def _won(state: Engagement, recorded: Recorded[DealWon]) -> Engagement:
    return state.model_copy(update={"won": recorded.event})


@evolve.on(DealLost)
def _lost(state: Engagement, recorded: Recorded[DealLost]) -> Engagement:
    return state.model_copy(update={"lost": recorded.event})


def _with_proposal(state: Engagement, version: int, update: dict[str, object]) -> Engagement:
    proposals = tuple(
        proposal.model_copy(update=update) if proposal.version == version else proposal
        for proposal in state.proposals
    )
    return state.model_copy(update={"proposals": proposals})
