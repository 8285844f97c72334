"""Apply Legal's own events to its state of an engagement."""

from contracts.event import Recorded
from contracts.legal import (
    AmendmentDrafted,
    AmendmentSigned,
    EarlyStartAuthorised,
    EarlyStartExpired,
    EngagementTerminated,
    FileOpened,
    MsaSigned,
    NdaSigned,
    SowApproved,
    SowDrafted,
    SowRedlined,
    SowSentForSignature,
    SowSignatureRecorded,
    SowSigned,
)
from legal.state import Amendment, Change, Contract, EarlyStart, Engagement, Sow, evolve, with_sow


@evolve.on(FileOpened)
def file_opened(state: Engagement, recorded: Recorded[FileOpened]) -> Engagement:
    """Record the file."""
    return state.model_copy(update={"file": recorded.event})


@evolve.on(NdaSigned)
def nda_signed(state: Engagement, recorded: Recorded[NdaSigned]) -> Engagement:
    """Record the non-disclosure agreement; the last one is in force."""
    return state.model_copy(update={"nda": recorded.event})


@evolve.on(MsaSigned)
def msa_signed(state: Engagement, recorded: Recorded[MsaSigned]) -> Engagement:
    """Record the master services agreement; the last one is in force."""
    return state.model_copy(update={"msa": recorded.event})


@evolve.on(SowDrafted)
def sow_drafted(state: Engagement, recorded: Recorded[SowDrafted]) -> Engagement:
    """Add the version, without reviews, approval or signatures."""
    return state.model_copy(update={"sows": (*state.sows, Sow(drafted=recorded.event))})


@evolve.on(SowRedlined)
def sow_redlined(state: Engagement, recorded: Recorded[SowRedlined]) -> Engagement:
    """Add the redline to its version."""
    sow = state.sows[recorded.event.version - 1]
    return with_sow(state, recorded.event.version, redlines=(*sow.redlines, recorded.event))


@evolve.on(SowApproved)
def sow_approved(state: Engagement, recorded: Recorded[SowApproved]) -> Engagement:
    """Record Legal's approval, on the day (UTC) on which it occurred."""
    return with_sow(state, recorded.event.version, approved_on=recorded.occurred_at.date())


@evolve.on(SowSentForSignature)
def sow_sent(state: Engagement, recorded: Recorded[SowSentForSignature]) -> Engagement:
    """Record that the version was sent for signature."""
    return with_sow(state, recorded.event.version, sent_on=recorded.event.sent_on)


@evolve.on(SowSignatureRecorded)
def signature_recorded(state: Engagement, recorded: Recorded[SowSignatureRecorded]) -> Engagement:
    """Add the signature to its version."""
    sow, event = state.sows[recorded.event.version - 1], recorded.event
    return with_sow(state, event.version, signatories=(*sow.signatories, event.signatory))


@evolve.on(SowSigned)
def sow_signed(state: Engagement, recorded: Recorded[SowSigned]) -> Engagement:
    """Make the signed version the contract."""
    drafted = state.sows[recorded.event.version - 1].drafted
    contract = Contract(
        version=drafted.version,
        content_hash=drafted.content_hash,
        signed_on=recorded.event.signed_on,
        price=drafted.price,
        pricing=drafted.pricing,
        starts_on=drafted.starts_on,
        finishes_on=drafted.finishes_on,
        deliverables=drafted.deliverables,
        billing_schedule=drafted.billing_schedule,
    )
    return state.model_copy(update={"contract": contract})


@evolve.on(EarlyStartAuthorised)
def early_start_authorised(
    state: Engagement, recorded: Recorded[EarlyStartAuthorised]
) -> Engagement:
    """Add the authorisation to the earlier ones."""
    early = EarlyStart(authorised=recorded.event, authorised_by=recorded.actor)
    return state.model_copy(update={"early_starts": (*state.early_starts, early)})


@evolve.on(EarlyStartExpired)
def early_start_expired(state: Engagement, recorded: Recorded[EarlyStartExpired]) -> Engagement:
    """Mark all authorisations with this last day as expired."""
    early_starts = tuple(
        early.model_copy(update={"expired": True})
        if early.authorised.expires_on == recorded.event.expired_on
        else early
        for early in state.early_starts
    )
    return state.model_copy(update={"early_starts": early_starts})


@evolve.on(AmendmentDrafted)
def amendment_drafted(state: Engagement, recorded: Recorded[AmendmentDrafted]) -> Engagement:
    """Record the draft and its basis; it replaces an earlier draft of the amendment."""
    event, contract = recorded.event, state.contract
    change = state.changes.get(event.change, Change())
    amendment = Amendment(
        drafted=event,
        assessed=change.assessed,
        price=change.price,
        contract_finish=contract.finishes_on if contract else event.finishes_on,
    )
    return state.model_copy(update={"amendments": {**state.amendments, event.amendment: amendment}})


@evolve.on(AmendmentSigned)
def amendment_signed(state: Engagement, recorded: Recorded[AmendmentSigned]) -> Engagement:
    """Apply the amendment to the contract."""
    event, contract = recorded.event, state.contract
    signed = state.amendments[event.amendment].model_copy(update={"signed": event})
    amended = contract and contract.model_copy(
        update={
            "price": contract.price + event.price_delta,
            "finishes_on": event.finishes_on,
            "deliverables": (
                *(
                    deliverable
                    for deliverable in contract.deliverables
                    if deliverable.deliverable not in event.deliverables_descoped
                ),
                *event.deliverables_added,
            ),
            "billing_schedule": (*contract.billing_schedule, *event.billing_schedule),
        }
    )
    return state.model_copy(
        update={
            "amendments": {**state.amendments, event.amendment: signed},
            "contract": amended,
        }
    )


@evolve.on(EngagementTerminated)
def engagement_terminated(
    state: Engagement, recorded: Recorded[EngagementTerminated]
) -> Engagement:
    """Record the termination."""
    return state.model_copy(update={"terminated": recorded.event})
