"""State that the requirements wait for their submission or for their sign-off (gate 4)."""

from collections.abc import Iterator
from datetime import date

from chassis.domain.work_items import ItemKind, WorkItem
from delivery.engagement import Engagement
from delivery.policies import not_implementable

BLOCKED = ("progress-task", "approve-time")
SUBMIT = ItemKind(
    "brd-not-submitted",
    department="delivery",
    role="engagement-manager",
    command="submit-brd",
    owed_to="customer",
    blocks=BLOCKED,
)
SIGN_OFF = ItemKind(
    "brd-not-signed-off",
    department="delivery",
    role="engagement-manager",
    command="sign-off-brd",
    owed_to="delivery",
    by_customer=True,
    blocks=BLOCKED,
)
KINDS = (SUBMIT, SIGN_OFF)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield the document that gate 4 asks for, once the contract is signed or it is submitted."""
    newest, signed = state.requirements.submitted, state.contract.signed
    if state.is_over or state.importing.taken_over:
        return
    for missing in not_implementable(state, date.max):
        if missing.code != "brd-not-signed-off" or missing.owed_by != "delivery":
            continue
        if newest is not None:
            yield SIGN_OFF(
                f"brd-{newest.version}",
                f"the customer has not signed off version {newest.version} of the requirements",
                since=state.requirements.submitted_on,
                to_person=state.manager,
            )
        elif signed:
            sentence = "no requirements document is submitted"
            yield SUBMIT("brd", sentence, since=signed.signed_on, person=state.manager)
