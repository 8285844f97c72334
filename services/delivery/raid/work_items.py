"""State which items of the RAID log are open, each for its owner."""

from collections.abc import Iterator
from datetime import date

from chassis.domain.work_items import ItemKind, WorkItem
from contracts.delivery import ActionItem, AssumptionItem, IssueItem, RiskItem
from contracts.refusals import RefusalCode
from delivery.engagement import Engagement


def _kind(code: RefusalCode, *blocks: str) -> ItemKind:
    return ItemKind(
        code,
        department="delivery",
        role="engagement-manager",
        command="close-raid-item",
        owed_to="delivery",
        blocks=blocks,
    )


ISSUE = _kind("issue-open", "close-engagement")
ACTION = _kind("action-open", "close-engagement")
RISK = _kind("risk-open")
ASSUMPTION = _kind("assumption-open")
KINDS = (ISSUE, ACTION, RISK, ASSUMPTION)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield the open issues, actions, risks and assumptions; the owner may be of the customer."""
    raid = state.raid
    if state.is_over:
        return
    for issue in raid.open(IssueItem):
        yield _item(state, ISSUE, issue, "issue", issue.due_on)
    for action in raid.open(ActionItem):
        yield _item(state, ACTION, action, "action", action.due_on)
    for risk in raid.open(RiskItem):
        yield _item(state, RISK, risk, "risk", risk.due_on)
    for assumption in raid.open(AssumptionItem):
        yield _item(state, ASSUMPTION, assumption, "assumption", assumption.check_on)


def _item(
    state: Engagement,
    kind: ItemKind,
    item: IssueItem | ActionItem | RiskItem | AssumptionItem,
    what: str,
    due: date,
) -> WorkItem:
    return kind(
        item.item,
        f"{what} {item.item} ({item.title}) is open",
        since=state.raid.raised_on.get(item.item),
        due=due,
        person=item.owner,
        to_person=state.manager,
    )
