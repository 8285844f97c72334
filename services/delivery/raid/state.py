"""State of the RAID items."""

from typing import Annotated

from chassis.domain.state import Keep, Part
from contracts.delivery import DecisionRecorded, IssueRaised, RaidItemClosed, RiskRaised


class Raid(Part):
    """Risks, issues and decisions by id, and the items that were closed."""

    risks: Annotated[dict[str, RiskRaised], Keep("item")] = {}
    issues: Annotated[dict[str, IssueRaised], Keep("item")] = {}
    decisions: Annotated[dict[str, DecisionRecorded], Keep("item")] = {}
    closed: Annotated[dict[str, RaidItemClosed], Keep("item")] = {}

    def knows(self, item: str) -> bool:
        """Return whether a risk, an issue or a decision has this id."""
        return item in self.risks or item in self.issues or item in self.decisions

    @property
    def open_risks(self) -> tuple[RiskRaised, ...]:
        """Return the risks that are not closed."""
        return tuple(risk for item, risk in self.risks.items() if item not in self.closed)

    @property
    def open_issues(self) -> tuple[IssueRaised, ...]:
        """Return the issues that are not closed."""
        return tuple(issue for item, issue in self.issues.items() if item not in self.closed)
