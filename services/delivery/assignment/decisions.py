"""Assign the engagement manager."""

from collections.abc import Iterable
from datetime import date

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.rules import past_day
from contracts.delivery import ManagerAssigned
from contracts.event import Event
from contracts.values import Day, PersonId
from delivery.engagement import Engagement
from delivery.policies import known_person, require_open
from delivery.roles import DIRECTORS

capability = Capability[Engagement](__name__)

MANAGER_ROLE = "engagement-manager"


class AssignManager(Command):
    """Assign the engagement's manager, or replace the current one.

    The person must be known, belong to Delivery and be an engagement manager. The earlier a manager
    is assigned, the better.
    """

    manager: PersonId
    assigned_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(AssignManager, by=DIRECTORS)
def assign_manager(state: Engagement, command: AssignManager, context: Context) -> Iterable[Event]:
    """Assign the manager; a current manager is replaced.

    Raises Refused where the person is unknown or is not an engagement manager of Delivery.
    """
    require_open(state)
    person = known_person(context, command.manager)
    if person.department != "delivery" or MANAGER_ROLE not in person.roles:
        raise Refused(
            "person-not-engagement-manager",
            f"{command.manager} belongs to {person.department}"
            f" (roles: {', '.join(person.roles) or 'none'}):"
            " only an engagement manager of Delivery can manage an engagement",
        )
    current = state.assignment.manager
    if current is None or current.manager != command.manager:
        day = past_day("assigned_on", command.assigned_on, context)
        yield ManagerAssigned(manager=command.manager, assigned_on=day)


class ManagerFields(ViewModel):
    """The engagement manager in the view of an engagement."""

    manager: PersonId | None
    managed_since: date | None


@capability.view
def manager_view(state: Engagement) -> ManagerFields:
    """Return the engagement manager for the view of an engagement."""
    current = state.assignment.manager
    return ManagerFields(
        manager=current.manager if current else None,
        managed_since=current.assigned_on if current else None,
    )
