"""Keep change requests, from the request to the implementation."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Protocol

from contracts import delivery
from contracts.counting import counted
from contracts.decimals import Number
from contracts.event import Recorded
from contracts.lines import LineScopeChange
from gateway.formatting import day, hours
from gateway.view.sections.steps import PartSteps, Ref, ref


@dataclass(slots=True)
class Change:
    """A change request: its assessment and what was decided about it.

    `hours` is the sum of all changes of hours, negative where more are taken away.
    """

    change: str
    description: str
    requested: Ref | None = None
    assessed: Ref | None = None
    changes: list[LineScopeChange] = field(default_factory=list)
    hours: Number = Decimal(0)
    days: int = 0
    approved: Ref | None = None
    approved_on: date | None = None
    rejected: Ref | None = None
    implemented: Ref | None = None
    implemented_on: date | None = None


class Fields(Protocol):
    """Fields of the section that these steps change."""

    changes: dict[str, Change]


steps = PartSteps[Fields]()


def _delta(changes: Iterable[LineScopeChange]) -> str:
    return hours(sum((change.hours_delta for change in changes), Decimal(0)))


def _change(section: Fields, change: str) -> Change:
    return section.changes.setdefault(change, Change(change, ""))


steps.describe(
    delivery.ChangeRequested,
    lambda event, names: (
        f"Change {event.change} requested by {names.person(event.requested_by)} on "
        f"{day(event.requested_on)}: “{event.description}”"
    ),
)


@steps.on(delivery.ChangeRequested)
def _requested(section: Fields, recorded: Recorded[delivery.ChangeRequested]) -> None:
    change = _change(section, recorded.event.change)
    change.description, change.requested = recorded.event.description, ref(recorded)


steps.describe(
    delivery.ChangeAssessed,
    lambda event, _: (
        f"Change {event.change} assessed: {_delta(event.changes)}, {counted(event.days, 'day')} on "
        f"the finish. “{event.risk}”"
    ),
)


@steps.on(delivery.ChangeAssessed)
def _assessed(section: Fields, recorded: Recorded[delivery.ChangeAssessed]) -> None:
    change = _change(section, recorded.event.change)
    change.changes = list(recorded.event.changes)
    change.hours = sum((line.hours_delta for line in change.changes), Decimal(0))
    change.days, change.assessed = recorded.event.days, ref(recorded)


steps.describe(
    delivery.ChangeApproved,
    lambda event, names: (
        f"Change {event.change} approved by {names.person(event.approved_by)} on "
        f"{day(event.approved_on)}."
    ),
)


@steps.on(delivery.ChangeApproved)
def _change_approved(section: Fields, recorded: Recorded[delivery.ChangeApproved]) -> None:
    change = _change(section, recorded.event.change)
    change.approved, change.approved_on = ref(recorded), recorded.event.approved_on


steps.describe(
    delivery.ChangeRejected,
    lambda event, _: f"Change {event.change} rejected: “{event.why}”",
)


@steps.on(delivery.ChangeRejected)
def _change_rejected(section: Fields, recorded: Recorded[delivery.ChangeRejected]) -> None:
    _change(section, recorded.event.change).rejected = ref(recorded)


steps.describe(
    delivery.ChangeImplemented,
    lambda event, _: f"Change {event.change} implemented on {day(event.implemented_on)}.",
)


@steps.on(delivery.ChangeImplemented)
def _implemented(section: Fields, recorded: Recorded[delivery.ChangeImplemented]) -> None:
    change = _change(section, recorded.event.change)
    change.implemented, change.implemented_on = ref(recorded), recorded.event.implemented_on
