"""How Legal's own facts change what it knows of an engagement."""

from contracts.fact import Recorded
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
    """There is a file."""
    return state.model_copy(update={"file": recorded.fact})


@evolve.on(NdaSigned)
def nda_signed(state: Engagement, recorded: Recorded[NdaSigned]) -> Engagement:
    """The last non-disclosure agreement is the one in force."""
    return state.model_copy(update={"nda": recorded.fact})


@evolve.on(MsaSigned)
def msa_signed(state: Engagement, recorded: Recorded[MsaSigned]) -> Engagement:
    """The last master services agreement is the one in force."""
    return state.model_copy(update={"msa": recorded.fact})


@evolve.on(SowDrafted)
def sow_drafted(state: Engagement, recorded: Recorded[SowDrafted]) -> Engagement:
    """A new version begins with no review, approval or signature."""
    return state.model_copy(update={"sows": (*state.sows, Sow(drafted=recorded.fact))})


@evolve.on(SowRedlined)
def sow_redlined(state: Engagement, recorded: Recorded[SowRedlined]) -> Engagement:
    """Redlines stay with the version they are about."""
    sow = state.sows[recorded.fact.version - 1]
    return with_sow(state, recorded.fact.version, redlines=(*sow.redlines, recorded.fact))


@evolve.on(SowApproved)
def sow_approved(state: Engagement, recorded: Recorded[SowApproved]) -> Engagement:
    """The version may be sent."""
    return with_sow(state, recorded.fact.version, approved_on=recorded.occurred_at.date())


@evolve.on(SowSentForSignature)
def sow_sent(state: Engagement, recorded: Recorded[SowSentForSignature]) -> Engagement:
    """The version may be signed."""
    return with_sow(state, recorded.fact.version, sent_on=recorded.fact.sent_on)


@evolve.on(SowSignatureRecorded)
def signature_recorded(state: Engagement, recorded: Recorded[SowSignatureRecorded]) -> Engagement:
    """One party signed."""
    sow, fact = state.sows[recorded.fact.version - 1], recorded.fact
    return with_sow(state, fact.version, signatories=(*sow.signatories, fact.signatory))


@evolve.on(SowSigned)
def sow_signed(state: Engagement, recorded: Recorded[SowSigned]) -> Engagement:
    """The signed version becomes the contract."""
    drafted = state.sows[recorded.fact.version - 1].drafted
    contract = Contract(
        version=drafted.version,
        content_hash=drafted.content_hash,
        signed_on=recorded.fact.signed_on,
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
    """A further authorisation stands beside those before it."""
    early = EarlyStart(authorised=recorded.fact, authorised_by=recorded.actor)
    return state.model_copy(update={"early_starts": (*state.early_starts, early)})


@evolve.on(EarlyStartExpired)
def early_start_expired(state: Engagement, recorded: Recorded[EarlyStartExpired]) -> Engagement:
    """The end of all authorisations to that day is on record."""
    early_starts = tuple(
        early.model_copy(update={"expired": True})
        if early.authorised.expires_on == recorded.fact.expired_on
        else early
        for early in state.early_starts
    )
    return state.model_copy(update={"early_starts": early_starts})


@evolve.on(AmendmentDrafted)
def amendment_drafted(state: Engagement, recorded: Recorded[AmendmentDrafted]) -> Engagement:
    """A draft replaces an earlier one of the same amendment."""
    fact, contract = recorded.fact, state.contract
    change = state.changes.get(fact.change, Change())
    amendment = Amendment(
        drafted=fact,
        assessed=change.assessed,
        price=change.price,
        contract_finish=contract.finishes_on if contract else fact.finishes_on,
    )
    return state.model_copy(update={"amendments": {**state.amendments, fact.amendment: amendment}})


@evolve.on(AmendmentSigned)
def amendment_signed(state: Engagement, recorded: Recorded[AmendmentSigned]) -> Engagement:
    """The contract is from now on what the amendment makes of it."""
    fact, contract = recorded.fact, state.contract
    signed = state.amendments[fact.amendment].model_copy(update={"signed": fact})
    amended = contract and contract.model_copy(
        update={
            "price": contract.price + fact.price_delta,
            "finishes_on": fact.finishes_on,
            "deliverables": (
                *(
                    deliverable
                    for deliverable in contract.deliverables
                    if deliverable.deliverable not in fact.deliverables_descoped
                ),
                *fact.deliverables_added,
            ),
            "billing_schedule": (*contract.billing_schedule, *fact.billing_schedule),
        }
    )
    return state.model_copy(
        update={
            "amendments": {**state.amendments, fact.amendment: signed},
            "contract": amended,
        }
    )


@evolve.on(EngagementTerminated)
def engagement_terminated(
    state: Engagement, recorded: Recorded[EngagementTerminated]
) -> Engagement:
    """Nothing is drafted or signed any more."""
    return state.model_copy(update={"terminated": recorded.fact})
