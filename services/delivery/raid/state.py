"""State of the RAID items."""

from typing import Annotated, TypeVar

from chassis.domain.state import Keep, Part
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
    RiskRaised,
    RiskUpdated,
)

Item = TypeVar("Item", bound=RaidItem)


class Raid(Part):
    """The items of each kind by id, as raised or last updated, and the items that were closed."""

    risks: Annotated[dict[str, RiskRaised | RiskUpdated], Keep("item")] = {}
    issues: Annotated[dict[str, IssueRaised | IssueUpdated], Keep("item")] = {}
    actions: Annotated[dict[str, ActionRaised | ActionUpdated], Keep("item")] = {}
    assumptions: Annotated[dict[str, AssumptionRaised | AssumptionUpdated], Keep("item")] = {}
    decisions: Annotated[dict[str, DecisionRecorded], Keep("item")] = {}
    closed: Annotated[dict[str, RaidItemClosed], Keep("item")] = {}

    def knows(self, item: str) -> bool:
        """Return whether an item of any kind has this id."""
        return any(
            item in kind
            for kind in (self.risks, self.issues, self.actions, self.assumptions, self.decisions)
        )

    @property
    def open_risks(self) -> tuple[RiskRaised | RiskUpdated, ...]:
        """Return the risks that are not closed."""
        return self._open(self.risks)

    @property
    def open_issues(self) -> tuple[IssueRaised | IssueUpdated, ...]:
        """Return the issues that are not closed."""
        return self._open(self.issues)

    @property
    def open_actions(self) -> tuple[ActionRaised | ActionUpdated, ...]:
        """Return the actions that are not closed."""
        return self._open(self.actions)

    @property
    def open_assumptions(self) -> tuple[AssumptionRaised | AssumptionUpdated, ...]:
        """Return the assumptions that are not closed."""
        return self._open(self.assumptions)

    def _open(self, items: dict[str, Item]) -> tuple[Item, ...]:
        return tuple(each for item, each in items.items() if item not in self.closed)
