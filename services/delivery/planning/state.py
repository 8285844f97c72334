"""State of the plan."""

from collections.abc import Mapping
from datetime import date
from functools import cached_property
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

    @property
    def has_new_draft(self) -> bool:
        """Return whether a draft is newer than the baseline."""
        approved = self.baseline.version if self.baseline else 0
        return self.draft is not None and self.draft.version > approved

    @cached_property
    def _tasks(self) -> Mapping[str, PlannedTask]:
        plan = self.baseline or self.draft
        return {task.task: task for task in plan.tasks} if plan else {}

    def task(self, id: str) -> PlannedTask | None:
        """Return a task of the baseline (else of the draft); None if unknown."""
        return self._tasks.get(id)
