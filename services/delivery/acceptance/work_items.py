"""State which deliverables wait for the customer's decision, or for their next submission."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from contracts.values import days_after
from delivery.engagement import Engagement
from delivery.policies import deemed_after

ACCEPT = ItemKind(
    "deliverable-not-accepted",
    department="delivery",
    role="engagement-manager",
    command="accept-deliverable",
    owed_to="delivery",
    by_customer=True,
    blocks=("close-engagement",),
)
SUBMIT_AGAIN = ItemKind(
    "submission-rejected",
    department="delivery",
    role="engagement-manager",
    command="submit-deliverable",
    owed_to="customer",
    blocks=("close-engagement",),
)
KINDS = (ACCEPT, SUBMIT_AGAIN)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield the submissions without a decision, and those that the customer rejected.

    A decision is due on the last day before the submission is deemed accepted, if the contract says
    so.
    """
    acceptance = state.acceptance
    for name, last in acceptance.submitted.items():
        if acceptance.is_accepted(name) or name not in state.owed or state.is_over:
            continue
        if rejected := acceptance.rejected(name):
            yield SUBMIT_AGAIN(
                name,
                f"the customer rejected submission {last.submission} of {name}: {rejected.why}",
                since=rejected.rejected_on,
                person=state.manager,
                to_person=rejected.rejected_by,
            )
        else:
            withdrawn = acceptance.withdrawn.get(name)
            again = withdrawn and withdrawn.submission == last.submission
            days = deemed_after(state)
            yield ACCEPT(
                name,
                f"submission {last.submission} of {name} waits for acceptance",
                since=withdrawn.withdrawn_on if withdrawn and again else last.submitted_on,
                due=None if again or days is None else days_after(last.submitted_on, days),
                to_person=state.manager,
            )
