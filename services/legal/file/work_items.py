"""State that a won deal waits for its file, where Sales named no account."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from legal.engagement import Engagement

OPEN = ItemKind(
    "file-not-open",
    department="legal",
    role="contract-manager",
    command="open-file",
    owed_to="legal",
    blocks=("draft-sow",),
)
KINDS = (OPEN,)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield the file of a won deal that could not be opened automatically."""
    won = state.deal.won
    if won and state.file.opened is None and not state.ending.over:
        sentence = "the deal is won, and its file is not open: give its account"
        yield OPEN("file", sentence, since=won.won_on)
