"""State of the RAID items."""

from datetime import date
from typing import Annotated, TypeVar

from chassis.domain.state import Keep, KeepDay, Part
from contracts.delivery import (
    ActionRaised,
    ActionUpdated,
    AssumptionRaised,
    AssumptionUpdated,
    DecisionRecorded,
    IssueRaised,
    IssueUpdated,
    RaidItem,
    RaidItemClosed,
    RaidItemReopened,
    RaidItemWithdrawn,
    RiskRaised,
    RiskUpdated,
)

K = TypeVar("K", bound=RaidItem)

AnyItem = (
    RiskRaised
    | RiskUpdated
    | IssueRaised
    | IssueUpdated
    | ActionRaised
    | ActionUpdated
    | AssumptionRaised
    | AssumptionUpdated
    | DecisionRecorded
)


class Raid(Part):
    """The items of all kinds by id, as raised or last updated; those closed and those withdrawn."""

    items: Annotated[dict[str, AnyItem], Keep("item")] = {}
    raised_on: Annotated[
        dict[str, date],
        KeepDay((RiskRaised, IssueRaised, ActionRaised, AssumptionRaised), "item"),
    ] = {}
    closed: Annotated[dict[str, RaidItemClosed], Keep("item", until=(RaidItemReopened,))] = {}
    withdrawn: Annotated[dict[str, RaidItemWithdrawn], Keep("item")] = {}

    def open(self, kind: type[K]) -> tuple[K, ...]:
        """Return the items of a kind that are neither closed nor withdrawn."""
        over = self.closed.keys() | self.withdrawn.keys()
        return tuple(
            each for item, each in self.items.items() if isinstance(each, kind) and item not in over
        )
