"""Judge whether the amendment of a change may be drafted and signed (gate 6)."""

from collections.abc import Iterator

from chassis.domain.commands import Missing
from contracts.legal import AmendmentDrafted
from contracts.values import AmendmentReview
from legal.amendments.document import agreed, faults
from legal.amendments.state import Amendment, Change
from legal.engagement import Engagement
from legal.sows.state import Contract, Reviewer


def unready(name: str, change: Change) -> Iterator[Missing]:
    """Yield what is missing before the amendment of a change can be drafted."""
    if change.assessed is None:
        yield Missing("change-not-assessed", f"Delivery has not assessed {name}", "delivery")
    if not change.is_priced:
        sentence = f"Finance has not priced the last assessment of {name}"
        yield Missing("change-not-priced", sentence, "finance")
    if change.verdict == "rejected":
        why = change.why_rejected or "no reason given"
        yield Missing("change-rejected", f"change {name} was rejected: {why}", "delivery")
    elif change.verdict is None:
        yield Missing("change-not-approved", f"the customer has not approved {name}", "delivery")


def unfit(contract: Contract, amendment: Amendment, change: Change) -> Iterator[Missing]:
    """Yield why a drafted amendment cannot be signed as it is."""
    yield from outdated(amendment, change)
    yield from faults(contract, amendment.drafted)


def outdated(amendment: Amendment, change: Change) -> Iterator[Missing]:
    """Yield a fault where the change was assessed or priced again after the draft."""
    draft = amendment.drafted
    if (amendment.assessed, amendment.priced) != (change.assessed, change.priced):
        yield Missing(
            "amendment-outdated",
            f"{draft.change} was assessed or priced again after {draft.amendment} was drafted",
            "legal",
        )


def missing_reviews(
    state: Engagement, contract: Contract, draft: AmendmentDrafted, change: Change
) -> Iterator[Missing]:
    """Yield the missing reviews of a draft that differs from the approved change (gate 6)."""
    default = agreed(contract, draft.change, change)
    if (draft.changes, draft.finishes_on) == (default.changes, default.finishes_on):
        return
    reviews: tuple[tuple[Reviewer, AmendmentReview | None], ...] = (
        ("delivery", state.amendments.delivery_reviews.get(draft.amendment)),
        ("finance", state.amendments.finance_reviews.get(draft.amendment)),
    )
    for reviewer, review in reviews:
        name = reviewer.capitalize()
        if review is None or review.content_hash != draft.content_hash:
            yield Missing(
                "amendment-not-reviewed",
                f"{draft.amendment} differs from {draft.change}, and {name} has not reviewed it",
                reviewer,
            )
        elif review.verdict == "objected":
            yield Missing(
                "amendment-objected",
                f"{name} objected to {draft.amendment}: {review.why or 'no reason given'}",
                "legal",
            )
