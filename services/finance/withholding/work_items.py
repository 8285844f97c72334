"""State on which lines work is held back from billing."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from contracts.money import Money
from finance.engagement import Engagement
from finance.work.works import Withheld

RELEASE = ItemKind(
    "work-held",
    department="finance",
    role="project-accountant",
    command="release-work",
    owed_to="finance",
    blocks=("settle-account",),
)
KINDS = (RELEASE,)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield one item for each line with held work, since the first that is held."""
    lines: dict[str, list[Withheld]] = {}
    for work in state.work.waiting:
        if work.held:
            lines.setdefault(work.held.line, []).append(work.held)
    for line, held in lines.items():
        worth = Money.total((each.worth for each in held), state.money)
        yield RELEASE(
            line,
            f"{worth} on line {line} is held: {held[0].why}",
            since=min(each.on for each in held),
        )
