"""State that the plan waits for a baseline: the first one (gate 4), or with a change (gate 6).

A draft comes first: the item names `draft-plan` until there is one to approve.
"""

from collections.abc import Iterator
from datetime import date

from chassis.domain.work_items import ItemKind, WorkItem
from contracts.refusals import RefusalCode
from delivery.engagement import Engagement
from delivery.policies import change_not_released, not_implementable


def _kind(code: RefusalCode, command: str, *blocks: str) -> ItemKind:
    return ItemKind(
        code,
        department="delivery",
        role="engagement-manager",
        command=command,
        owed_to="delivery",
        blocks=(*blocks, "approve-time"),
    )


DRAFT = _kind("plan-not-baselined", "draft-plan", "progress-task")
BASELINE = _kind("plan-not-baselined", "baseline-plan", "progress-task")
DRAFT_AGAIN = _kind("plan-not-rebaselined", "draft-plan", "implement-change")
REBASELINE = _kind("plan-not-rebaselined", "baseline-plan", "implement-change")
KINDS = (DRAFT, BASELINE, DRAFT_AGAIN, REBASELINE)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield the baseline that a signed contract asks for, and those that signed amendments do."""
    signed, draft = state.contract.signed, state.planning.draft
    if signed is None or state.is_over:
        return
    if not state.importing.taken_over:
        for missing in not_implementable(state, date.max):
            if missing.code == "plan-not-baselined":
                kind = BASELINE if draft else DRAFT
                yield kind("plan", missing.sentence, since=signed.signed_on, person=state.manager)
    for change, amendment in state.contract.amendments.items():
        for missing in change_not_released(state, change, date.max):
            if missing.code == "plan-not-rebaselined" and state.planning.baseline:
                kind = REBASELINE if draft and change in draft.changes else DRAFT_AGAIN
                yield kind(
                    change, missing.sentence, since=amendment.signed_on, person=state.manager
                )
