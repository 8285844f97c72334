"""Define the events of the RAID log: risks, assumptions, issues and decisions, and actions."""

from typing import Literal

from contracts.channels import DELIVERY
from contracts.event import Event
from contracts.values import (
    Correction,
    Day,
    Identifier,
    JudgedPercent,
    PersonId,
    ShortText,
    Text,
    Value,
)

Weight = Literal["low", "medium", "high"]


class RaidItem(Value):
    """An item of the RAID log: a risk, issue, action, assumption or decision."""

    item: Identifier
    """Id of the RAID item, unique within the engagement across all kinds."""


class Risk(Value):
    """A problem that may occur."""

    title: ShortText
    """The event that may occur, in one line."""
    probability: JudgedPercent
    """Probability in percent that it occurs."""
    impact: Weight
    """Effect if it occurs."""
    owner: PersonId
    """Person who is responsible."""
    response: Text
    """Response to the risk."""
    due_on: Day
    """Day by which the response is due."""


class RiskItem(RaidItem, Risk):
    """A risk and its id."""


class RiskRaised(RiskItem, Event, channel=DELIVERY):
    """A risk was raised: a problem that may occur. Published by Delivery."""


class ItemUpdate(Value):
    """The reason of an update of a RAID item."""

    why: ShortText
    """Reason of the update."""


class RiskUpdated(RiskItem, ItemUpdate, Event, channel=DELIVERY):
    """A risk was judged anew. Contains the whole risk. Published by Delivery."""


class Issue(Value):
    """A problem that has occurred."""

    title: ShortText
    """The problem in one line."""
    severity: Weight
    """Harm that the issue does to the engagement."""
    owner: PersonId
    """Person who is responsible."""
    due_on: Day
    """Day by which it is to be solved."""


class IssueItem(RaidItem, Issue):
    """An issue and its id."""


class IssueRaised(IssueItem, Event, channel=DELIVERY):
    """An issue was raised: a problem that has occurred. Published by Delivery.

    An engagement with an open issue cannot be closed.
    """


class IssueUpdated(IssueItem, ItemUpdate, Event, channel=DELIVERY):
    """An issue was judged anew. Contains the whole issue. Published by Delivery."""


class Action(Value):
    """Something that a person has to do by a day."""

    title: ShortText
    """The task in one line."""
    owner: PersonId
    """Person who has to do it; of the company or of the customer."""
    due_on: Day
    """Day by which it is to be done."""


class ActionItem(RaidItem, Action):
    """An action and its id."""


class ActionRaised(ActionItem, Event, channel=DELIVERY):
    """An action was agreed: something that a person has to do by a day. Published by Delivery.

    An engagement with an open action cannot be closed.
    """


class ActionUpdated(ActionItem, ItemUpdate, Event, channel=DELIVERY):
    """An action was changed. Contains the whole action. Published by Delivery."""


Validity = Literal["unknown", "confirmed", "false"]


class Assumption(Value):
    """Something that the plan takes for true until it is checked."""

    title: ShortText
    """The assumption in one line."""
    owner: PersonId
    """Person who checks it."""
    check_on: Day
    """Day by which it is to be checked."""
    validity: Validity = "unknown"
    """`unknown` until it is checked; then `confirmed` or `false`."""


class AssumptionItem(RaidItem, Assumption):
    """An assumption and its id."""


class AssumptionRaised(AssumptionItem, Event, channel=DELIVERY):
    """An assumption was recorded. Published by Delivery."""


class AssumptionUpdated(AssumptionItem, ItemUpdate, Event, channel=DELIVERY):
    """An assumption was checked or changed. Contains it whole. Published by Delivery."""


class Decision(Value):
    """A decision with its rationale."""

    title: ShortText
    """The decision in one line."""
    rationale: Text
    """Why it was decided so."""


class DecisionRecorded(RaidItem, Decision, Event, channel=DELIVERY):
    """A decision was recorded with its rationale. Published by Delivery."""

    decided_by: PersonId
    """Person who decided."""
    decided_on: Day
    """Day of the decision."""


class RaidItemResolution(RaidItem):
    """The resolution of a RAID item that is not a decision."""

    resolution: Text
    """Outcome of the item, in words."""


class RaidItemClosed(RaidItemResolution, Event, channel=DELIVERY):
    """A risk, issue, action or assumption was closed. Published by Delivery."""

    closed_on: Day
    """Day on which it was closed."""


class RaidItemCorrection(RaidItem, Correction):
    """The correction of a wrong record of a RAID item, or of its closing."""


class RaidItemReopened(RaidItemCorrection, Event, channel=DELIVERY):
    """A RAID item that was closed by mistake is open again, as it was before.

    Published by Delivery.
    """

    closed_on: Day
    """Day of the closing that is taken back."""
    reopened_on: Day
    """Day on which the record was corrected."""


class RaidItemWithdrawn(RaidItemCorrection, Event, channel=DELIVERY):
    """A RAID item that was recorded by mistake, of any kind, was withdrawn. Published by Delivery.

    Its id is not used again.
    """

    withdrawn_on: Day
    """Day on which the record was withdrawn."""
