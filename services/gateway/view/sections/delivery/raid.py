"""Keep the RAID log: risks, assumptions, issues, actions and decisions."""

from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from contracts import delivery
from contracts.event import Recorded
from gateway.formatting import day, number
from gateway.view.sections.steps import PartSteps, Ref, ref


@dataclass(slots=True)
class RaidItem:
    """An item of the RAID log that is not a decision; `closed_on` is None while it is open.

    `weight` is the impact of a risk, the severity of an issue or the validity of an assumption, and
    None for an action. `due_on` is the day by which it is to be answered, solved, done or checked;
    None for an assumption that was checked.
    """

    kind: str
    title: str
    weight: str | None
    owner: str
    due_on: date | None
    said: Ref
    closed_on: date | None = None

    def is_overdue(self, today: date) -> bool:
        """Return whether its day has passed, while it is open."""
        return self.due_on is not None and self.due_on < today


Raised: TypeAlias = (
    delivery.RiskRaised
    | delivery.RiskUpdated
    | delivery.IssueRaised
    | delivery.IssueUpdated
    | delivery.ActionRaised
    | delivery.ActionUpdated
    | delivery.AssumptionRaised
    | delivery.AssumptionUpdated
)


def raid_item(recorded: Recorded[Raised]) -> RaidItem:
    """Return the item of the RAID log that an event raises or judges anew."""
    event = recorded.event
    kind, weight, due_on = _judged(event)
    return RaidItem(kind, event.title, weight, event.owner, due_on, ref(recorded))


def _judged(event: Raised) -> tuple[str, str | None, date | None]:
    """Return the kind of a RAID item, its weight, and the day by which something is due."""
    match event:
        case delivery.RiskItem():
            return "risk", event.impact, event.due_on
        case delivery.IssueItem():
            return "issue", event.severity, event.due_on
        case delivery.AssumptionItem():
            check_on = event.check_on if event.validity == "unknown" else None
            return "assumption", event.validity, check_on
        case _:
            return "action", None, event.due_on


steps = PartSteps[object]()

steps.describe(
    delivery.RiskRaised,
    lambda event, names: (
        f"Risk raised ({event.impact} impact, {number(event.probability)}% likely): {event.title}; "
        f"owner {names.person(event.owner)}. “{event.response}”, by {day(event.due_on)}."
    ),
)
steps.describe(
    delivery.RiskUpdated,
    lambda event, names: (
        f"Risk judged anew ({event.impact} impact, {number(event.probability)}% likely): "
        f"{event.title}; owner {names.person(event.owner)}, due {day(event.due_on)}. “{event.why}”"
    ),
)
steps.describe(
    delivery.IssueRaised,
    lambda event, names: (
        f"Issue raised ({event.severity}): {event.title}; owner {names.person(event.owner)}, due "
        f"{day(event.due_on)}."
    ),
)
steps.describe(
    delivery.IssueUpdated,
    lambda event, names: (
        f"Issue judged anew ({event.severity}): {event.title}; owner {names.person(event.owner)}, "
        f"due {day(event.due_on)}. “{event.why}”"
    ),
)
steps.describe(
    delivery.ActionRaised,
    lambda event, names: (
        f"Action of {names.person(event.owner)}, due {day(event.due_on)}: {event.title}."
    ),
)
steps.describe(
    delivery.ActionUpdated,
    lambda event, names: (
        f"Action changed: {event.title}; owner {names.person(event.owner)}, due "
        f"{day(event.due_on)}. “{event.why}”"
    ),
)
steps.describe(
    delivery.AssumptionRaised,
    lambda event, names: (
        f"Assumed: {event.title}. {names.person(event.owner)} checks it by {day(event.check_on)}."
    ),
)
steps.describe(
    delivery.AssumptionUpdated,
    lambda event, names: (
        f"Assumption “{event.title}” is {event.validity}; {names.person(event.owner)} checks it by "
        f"{day(event.check_on)}. “{event.why}”"
    ),
)
steps.describe(
    delivery.DecisionRecorded,
    lambda event, names: (
        f"Decided by {names.person(event.decided_by)} on {day(event.decided_on)}: {event.title}. "
        f"“{event.rationale}”"
    ),
)
steps.describe(
    delivery.RaidItemClosed,
    lambda event, _: f"{event.item} closed on {day(event.closed_on)}: “{event.resolution}”",
)
steps.describe(
    delivery.RaidItemReopened,
    lambda event, _: (
        f"{event.item}, closed on {day(event.closed_on)}, is open again: “{event.why}”"
    ),
)
steps.describe(
    delivery.RaidItemWithdrawn,
    lambda event, _: f"{event.item} withdrawn on {day(event.withdrawn_on)}: “{event.why}”",
)
