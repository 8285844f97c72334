"""Define the events of an engagement's manager: assignment, method tier and holds."""

from contracts.channels import DELIVERY
from contracts.event import Event
from contracts.values import Day, PersonId, ShortText, Tier, Value


class ManagerAssigned(Event, channel=DELIVERY, consumed_by=("sales", "finance")):
    """An engagement manager was assigned, or replaced the one before. Published by Delivery."""

    manager: PersonId
    """Engagement manager who is responsible from now on."""
    assigned_on: Day
    """First day of the assignment."""


class TierChoice(Value):
    """The choice of a method tier, with its reason."""

    tier: Tier
    """Tier that was chosen."""
    reason: ShortText
    """Reason for the choice."""


class TierChosen(TierChoice, Event, channel=DELIVERY):
    """The method tier of the engagement was chosen; it decides how much method is applied.

    Published by Delivery.
    """

    proposed: Tier
    """Tier that Delivery computed from price, duration, novelty and the customer's own PMO."""


class EngagementPutOnHold(Event, channel=DELIVERY, consumed_by=("sales",)):
    """Work on the engagement was put on hold until it is resumed. Published by Delivery.

    It replaces the rest of an earlier hold of which its first day is one.
    """

    reason: ShortText
    """Reason for the interruption."""
    held_on: Day
    """First day of the hold."""


class EngagementResumed(Event, channel=DELIVERY, consumed_by=("sales",)):
    """Work on the engagement was resumed after a hold. Published by Delivery."""

    resumed_on: Day
    """Day on which the work continues: the first that is not on hold."""
