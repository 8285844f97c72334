"""State of the plan."""

from datetime import date
from typing import Self

from chassis.domain.state import Kept, Part, on_event
from contracts.delivery import PlanBaselined, PlanDrafted
from contracts.values import PlannedTask


class Planning(Part):
    """The newest draft of the plan, its baseline, and the day of the first baseline."""

    draft: Kept[PlanDrafted] = None
    baseline: Kept[PlanBaselined] = None
    first_baselined_on: date | None = None

    @on_event
    def _baselined(self, event: PlanBaselined) -> Self:
        return self.updated(first_baselined_on=self.first_baselined_on or event.baselined_on)

    def task(self, id: str) -> PlannedTask | None:
        """Return a task of the baseline (else of the draft); None if unknown."""
        plan = self.baseline or self.draft
        return next((task for task in plan.tasks if task.task == id), None) if plan else None
