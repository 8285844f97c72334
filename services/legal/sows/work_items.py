"""State what the statement of work waits for in Legal: a draft, redlines, the approval (gate 2)."""

from collections.abc import Iterator
from datetime import date

from chassis.domain.work_items import ItemKind, WorkItem
from contracts.refusals import RefusalCode
from legal.engagement import Engagement
from legal.policies import missing_approvals, missing_resolutions
from legal.sows.state import Sow

BLOCKED = ("approve-sow", "send-sow", "record-signature")
DRAFT = ItemKind(
    "sow-not-drafted",
    department="legal",
    role="contract-manager",
    command="draft-sow",
    owed_to="sales",
    blocks=("record-signature",),
)


def _again(code: RefusalCode) -> ItemKind:
    return ItemKind(
        code,
        department="legal",
        role="contract-manager",
        command="draft-sow",
        owed_to="sales",
        blocks=BLOCKED,
    )


DRAFT_AGAIN: dict[RefusalCode, ItemKind] = {
    each.code: each
    for each in (
        _again("delivery-objected"),
        _again("finance-objected"),
        _again("redline-accepted"),
    )
}
"""Conditions of gate 2 that the next version ends."""
RESOLVE = ItemKind(
    "redline-open",
    department="legal",
    role="contract-manager",
    command="resolve-redline",
    owed_to="customer",
    blocks=BLOCKED,
)
APPROVE = ItemKind(
    "legal-approval-missing",
    department="legal",
    role="counsel",
    command="approve-sow",
    owed_to="sales",
    blocks=("send-sow",),
)
KINDS = (DRAFT, *DRAFT_AGAIN.values(), RESOLVE, APPROVE)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield what the latest version waits for in Legal, until one is signed.

    The reviews of Delivery and Finance are stated by these departments.
    """
    won, sow = state.deal.won, state.sows.latest
    if state.contract or state.importing.taken_over or state.ending.over:
        return
    if sow is None:
        if won and state.file.opened:
            sentence = f"the deal was won on {won.won_on}, and no statement of work is drafted"
            yield DRAFT("sow", sentence, since=won.won_on)
        return
    for redline in state.sows.open_redlines:
        sentence = f"the {redline.by}'s redline of clause {redline.clause} is not resolved"
        yield RESOLVE(redline.redline, sentence, since=state.sows.redlined_on.get(redline.redline))
    name = f"sow-{sow.drafted.version}"
    missing = (*missing_approvals(sow), *missing_resolutions(state, sow))
    for each in {each.code: each for each in reversed(missing)}.values():
        if kind := DRAFT_AGAIN.get(each.code):
            yield kind(name, each.sentence, since=_since(state, sow, each.code))
    if not missing and not sow.approved_on:
        sentence = f"version {sow.drafted.version} is reviewed, and Legal has not approved it"
        reviewed = (each.reviewed_on for each in sow.reviews.values())
        yield APPROVE(name, sentence, since=max(reviewed, default=None))


def _since(state: Engagement, sow: Sow, code: RefusalCode) -> date | None:
    """Return the day of an objection, or of the first redline that was accepted."""
    if code == "redline-accepted":
        resolved = (state.sows.resolutions.get(each.redline) for each in sow.redlines)
        accepted = (each.resolved_on for each in resolved if each and each.outcome == "accepted")
        return min(accepted, default=None)
    return sow.reviews["delivery" if code == "delivery-objected" else "finance"].reviewed_on
