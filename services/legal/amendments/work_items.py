"""State which amendments wait to be drafted, reviewed and signed (gate 6)."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from legal.amendments.document import amendment_of
from legal.amendments.readiness import missing_reviews, unfit, unready
from legal.amendments.state import Amendment, Change
from legal.engagement import Engagement
from legal.sows.state import Contract

DRAFT = ItemKind(
    "amendment-not-drafted",
    department="legal",
    role="contract-manager",
    command="draft-amendment",
    owed_to="delivery",
    blocks=("sign-amendment", "implement-change"),
)
DRAFT_AGAIN = ItemKind(
    "amendment-outdated",
    department="legal",
    role="contract-manager",
    command="draft-amendment",
    owed_to="delivery",
    blocks=("sign-amendment", "implement-change"),
)
DRAFT_OTHERWISE = ItemKind(
    "amendment-objected",
    department="legal",
    role="contract-manager",
    command="draft-amendment",
    owed_to="delivery",
    blocks=("sign-amendment", "implement-change"),
)
REVIEW_BY_DELIVERY = ItemKind(
    "amendment-not-reviewed",
    department="delivery",
    role="engagement-manager",
    command="review-amendment",
    owed_to="legal",
    blocks=("sign-amendment",),
)
REVIEW_BY_FINANCE = ItemKind(
    "amendment-not-reviewed",
    department="finance",
    role="project-accountant",
    command="review-amendment",
    owed_to="legal",
    blocks=("sign-amendment",),
)
SIGN = ItemKind(
    "amendment-not-signed",
    department="legal",
    role="contract-manager",
    command="sign-amendment",
    owed_to="delivery",
    blocks=("implement-change", "approve-time"),
)
KINDS = (DRAFT, DRAFT_AGAIN, DRAFT_OTHERWISE, REVIEW_BY_DELIVERY, REVIEW_BY_FINANCE, SIGN)

_REVIEWS = {
    ("amendment-not-reviewed", "delivery"): REVIEW_BY_DELIVERY,
    ("amendment-not-reviewed", "finance"): REVIEW_BY_FINANCE,
    ("amendment-objected", "legal"): DRAFT_OTHERWISE,
}


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield what the amendment of each approved and priced change waits for, until it is signed.

    Only Legal knows whether a draft differs from the change, so it states the reviews of others.
    """
    contract = state.contract
    if contract is None or state.ending.over:
        return
    for name, change in state.amendments.changes.items():
        amendment = state.amendments.by_id.get(amendment_of(name))
        if any(unready(name, change)) or (amendment and amendment.signed):
            continue
        if amendment is None:
            sentence = f"change {name} is approved, and its amendment is not drafted"
            yield DRAFT(name, sentence, since=change.approved_on)
        else:
            yield from _of_draft(state, contract, amendment, change)


def _of_draft(
    state: Engagement, contract: Contract, amendment: Amendment, change: Change
) -> Iterator[WorkItem]:
    draft = amendment.drafted
    since = state.amendments.drafted_on.get(draft.amendment)
    faults = tuple(unfit(contract, amendment, change))
    reviews = tuple(missing_reviews(state, contract, draft, change))
    if faults:
        yield DRAFT_AGAIN(draft.amendment, faults[0].sentence, since=since)
    for each in {} if faults else {(each.code, each.owed_by): each for each in reviews}.values():
        kind = _REVIEWS[each.code, each.owed_by or "legal"]
        yield kind(draft.amendment, each.sentence, since=since)
    if not faults and not reviews:
        sentence = f"amendment {draft.amendment} of change {draft.change} is not signed"
        yield SIGN(draft.amendment, sentence, since=since)
