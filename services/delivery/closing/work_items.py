"""State what is left to do after the solution went live: what gate 7 asks for, and the closing."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from contracts.refusals import RefusalCode
from delivery.closing.readiness import not_closable
from delivery.engagement import Engagement

BLOCKED = ("close-engagement",)
SUBMIT = ItemKind(
    "deliverable-not-submitted",
    department="delivery",
    role="engagement-manager",
    command="submit-deliverable",
    owed_to="customer",
    blocks=BLOCKED,
)
REVIEW = ItemKind(
    "pir-not-held",
    department="delivery",
    role="engagement-manager",
    command="hold-pir",
    owed_to="delivery",
    blocks=BLOCKED,
)
SEND_SURVEY = ItemKind(
    "survey-not-sent",
    department="delivery",
    role="engagement-manager",
    command="send-survey",
    owed_to="delivery",
    blocks=BLOCKED,
)
CLOSE = ItemKind(
    "engagement-not-closed",
    department="delivery",
    role="engagement-manager",
    command="close-engagement",
    owed_to="delivery",
)
KINDS = (SUBMIT, REVIEW, SEND_SURVEY, CLOSE)

_CONDITIONS: dict[RefusalCode, ItemKind] = {each.code: each for each in (REVIEW, SEND_SURVEY)}
"""Conditions of gate 7 that neither another capability states nor Finance, which settles."""


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield what is to be done from the go-live on."""
    live = state.closing.live
    if live is None or state.is_over:
        return
    missing = tuple(not_closable(state))
    for name, deliverable in state.owed.items():
        if name not in state.acceptance.submitted and not state.acceptance.is_accepted(name):
            sentence = f"deliverable {name} ({deliverable.title}) is not submitted"
            yield SUBMIT(name, sentence, since=live.live_on, person=state.manager)
    for each in missing:
        kind = _CONDITIONS.get(each.code)
        if kind is not None:
            yield kind("closing", each.sentence, since=live.live_on, person=state.manager)
    if not missing:
        sentence = f"the solution is live since {live.live_on}, and nothing is left to do"
        yield CLOSE("closing", sentence, since=live.live_on, person=state.manager)
