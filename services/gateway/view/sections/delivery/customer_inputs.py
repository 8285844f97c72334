"""Keep what the customer has to provide, and describe delays that the customer caused."""

from dataclasses import dataclass
from datetime import date

from contracts import delivery
from contracts.counting import counted
from contracts.event import Recorded
from gateway.formatting import day
from gateway.view.sections.steps import PartSteps, Ref, ref


@dataclass(slots=True)
class CustomerInput:
    """Something that the customer has to provide; `received_on` is None until it has come."""

    description: str
    requested_from: str
    due_on: date
    blocks: list[str]
    said: Ref
    received_on: date | None = None

    def is_overdue(self, today: date) -> bool:
        """Return whether it has not come although its day has passed."""
        return self.received_on is None and self.due_on < today


def customer_input(recorded: Recorded[delivery.CustomerInputRequested]) -> CustomerInput:
    """Return what an event requests from the customer."""
    event = recorded.event
    return CustomerInput(
        event.description, event.requested_from, event.due_on, list(event.blocks), ref(recorded)
    )


steps = PartSteps[object]()

steps.describe(
    delivery.CustomerInputRequested,
    lambda event, names: (
        f"{names.person(event.requested_from)} is asked for: {event.description}, by "
        f"{day(event.due_on)}."
    ),
)
steps.describe(
    delivery.CustomerInputReceived,
    lambda event, _: f"Input {event.input} of the customer received on {day(event.received_on)}.",
)
steps.describe(
    delivery.CustomerInputReopened,
    lambda event, _: (
        f"Input {event.input} of the customer has not come, as recorded for "
        f"{day(event.received_on)}: “{event.why}”"
    ),
)
steps.describe(
    delivery.CustomerInputWithdrawn,
    lambda event, _: (
        f"Input {event.input} of the customer withdrawn on {day(event.withdrawn_on)}: “{event.why}”"
    ),
)
steps.describe(
    delivery.CustomerDelayRecorded,
    lambda event, _: (
        f"The customer caused {counted(event.days, 'day')} of delay: {event.cause}. "
        f"“{event.evidence}”"
    ),
)
steps.describe(
    delivery.CustomerDelayWithdrawn,
    lambda event, _: f"Delay {event.delay} withdrawn on {day(event.withdrawn_on)}: “{event.why}”",
)
