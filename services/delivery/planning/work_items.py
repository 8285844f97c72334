"""State that the plan waits for a baseline: the first one (gate 4), or with a change (gate 6)."""

from collections.abc import Iterator
from datetime import date

from chassis.domain.work_items import ItemKind, WorkItem
from delivery.engagement import Engagement
from delivery.policies import change_not_released, not_implementable

BASELINE = ItemKind(
    "plan-not-baselined",
    department="delivery",
    role="engagement-manager",
    command="baseline-plan",
    owed_to="delivery",
    blocks=("progress-task", "approve-time"),
)
REBASELINE = ItemKind(
    "plan-not-rebaselined",
    department="delivery",
    role="engagement-manager",
    command="baseline-plan",
    owed_to="delivery",
    blocks=("implement-change", "approve-time"),
)
KINDS = (BASELINE, REBASELINE)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield the baseline that a signed contract asks for, and those that signed amendments do."""
    signed = state.contract.signed
    if signed is None or state.is_over:
        return
    if not state.importing.taken_over:
        for missing in not_implementable(state, date.max):
            if missing.code == "plan-not-baselined":
                yield BASELINE(
                    "plan", missing.sentence, since=signed.signed_on, person=state.manager
                )
    for change, amendment in state.contract.amendments.items():
        for missing in change_not_released(state, change, date.max):
            if missing.code == "plan-not-rebaselined" and state.planning.baseline:
                yield REBASELINE(
                    change, missing.sentence, since=amendment.signed_on, person=state.manager
                )
