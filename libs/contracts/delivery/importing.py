"""Define the event of a baseline and progress from before the platform was introduced."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from contracts.channels import DELIVERY
from contracts.event import Event
from contracts.money import invalid
from contracts.values import (
    Day,
    Deliverable,
    DistinctBy,
    JudgedPercent,
    Milestone,
    RoleHours,
    SourceRecord,
    TakenOver,
)


class ImportedMilestone(Milestone):
    """A milestone of the baseline, and the day on which it was reached."""

    reached_on: Day | None = None
    """Day on which it was reached; null where it is not reached."""


class ImportedDeliverable(Deliverable):
    """A deliverable, and the day on which the customer accepted it."""

    accepted_on: Day | None = None
    """Day on which it was accepted; null where it is open."""


class ImportedProgress(TakenOver, SourceRecord):
    """Baseline and progress of an engagement that was under way before the platform."""

    as_of: Day
    """Last day that hours and progress include; no other day but that of a plan is later."""
    baselined_on: Day
    """Day of the baseline."""
    milestones: Annotated[
        tuple[ImportedMilestone, ...], Field(max_length=200), DistinctBy("milestone")
    ] = ()
    """Milestones of the baseline, reached or not."""
    deliverables: Annotated[
        tuple[ImportedDeliverable, ...], Field(max_length=200), DistinctBy("deliverable")
    ] = ()
    """Deliverables, accepted or open."""
    hours: Annotated[tuple[RoleHours, ...], Field(max_length=200), DistinctBy("role")] = ()
    """Hours to date by role, billable or not."""
    complete: JudgedPercent
    """Completed share of the work in percent."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        reached = (each.reached_on for each in self.milestones)
        accepted = (each.accepted_on for each in self.deliverables)
        for field, days in (
            ("baselined_on", [self.baselined_on]),
            ("milestones", reached),
            ("deliverables", accepted),
        ):
            late = [day for day in days if day is not None and day > self.as_of]
            if late:
                raise invalid(field, f"must not be after as_of, {self.as_of}", late[0])
        known = {each.deliverable for each in self.deliverables}
        named = (each for milestone in self.milestones for each in milestone.deliverables)
        unknown = sorted({*named} - known)
        if unknown:
            raise invalid("milestones", f"{', '.join(unknown)} is no deliverable", unknown)
        return self


class EngagementImported(
    ImportedProgress, Event, channel=DELIVERY, consumed_by=("sales", "finance")
):
    """Baseline and progress of an engagement under way were taken over from another system.

    Published by Delivery; again when they are corrected. What happened before is not judged: no
    gate of Delivery was applied.
    """
