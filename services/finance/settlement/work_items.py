"""State that the account of an engagement that is live or terminated waits to be settled."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from finance.engagement import Engagement

SETTLE = ItemKind(
    "account-not-settled",
    department="finance",
    role="project-accountant",
    command="settle-account",
    owed_to="delivery",
    blocks=("close-engagement",),
)
KINDS = (SETTLE,)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield the settlement, from the go-live or the termination on; again after later work."""
    live, terminated = state.progress.live, state.contract.terminated_on
    since = live.live_on if live else terminated
    settled_on = None if state.settlement.work_since else state.settlement.settled_on
    if since is None or settled_on or state.budget is None:
        return
    how = "live since" if live else "terminated on"
    again = " again: billable work was decided since" if state.settlement.settled_on else ""
    yield SETTLE(
        "account",
        f"the engagement is {how} {since}, and the account waits to be settled{again}",
        since=since,
    )
