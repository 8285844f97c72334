"""State that the approved statement of work waits to be sent, and for the signature of a party."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from legal.engagement import Engagement
from legal.policies import missing_approvals, missing_resolutions

SEND = ItemKind(
    "sow-not-sent",
    department="legal",
    role="contract-manager",
    command="send-sow",
    owed_to="customer",
    blocks=("record-signature",),
)
SIGN = ItemKind(
    "sow-not-signed",
    department="legal",
    role="contract-manager",
    command="record-signature",
    owed_to="customer",
    blocks=("hold-kickoff", "approve-time"),
)
SIGN_BY_CUSTOMER = ItemKind(
    "sow-not-signed",
    department="legal",
    role="contract-manager",
    command="record-signature",
    owed_to="legal",
    by_customer=True,
    blocks=("hold-kickoff", "approve-time"),
)
KINDS = (SEND, SIGN, SIGN_BY_CUSTOMER)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield the sending of an approved version, or the signatures that are missing on a sent one.

    A party that declined to sign has taken it back: it is to be sent again, or drafted anew.
    """
    sow = state.sows.latest
    if sow is None or state.contract or state.ending.over:
        return
    name = f"sow-{sow.drafted.version}"
    if sow.sent is not None:
        signed = {each.party for each in sow.signatories}
        for kind, party in ((SIGN, "company"), (SIGN_BY_CUSTOMER, "customer")):
            if party not in signed:
                sentence = f"the {party} has not signed version {sow.drafted.version}"
                yield kind(f"{name}/{party}", sentence, since=sow.sent.sent_on)
    elif sow.approved_on and not any((*missing_approvals(sow), *missing_resolutions(state, sow))):
        declined = sow.declined
        why = f": the {declined.party} declined, {declined.why}" if declined else ""
        yield SEND(
            name,
            f"version {sow.drafted.version} is approved and not out for signature{why}",
            since=declined.declined_on if declined else sow.approved_on,
        )
