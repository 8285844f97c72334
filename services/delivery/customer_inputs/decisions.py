"""Request inputs of the customer, record their arrival, and record delays that they caused."""

from collections.abc import Iterable

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.rules import same_day, unless_recorded
from contracts.delivery import (
    CustomerDelay,
    CustomerDelayRecorded,
    CustomerInput,
    CustomerInputReceived,
    CustomerInputRequested,
    ReceivedInput,
)
from contracts.event import Event
from contracts.values import Day, Identifier, TotalDays
from delivery.engagement import Engagement
from delivery.policies import require_customer, require_open
from delivery.roles import MANAGERS, WORKERS

capability = Capability[Engagement](__name__)


class RequestCustomerInput(CustomerInput, Command):
    """Request something that the customer has to provide by a day."""

    input: Identifier | None = None
    requested_on: Day | None = Field(default=None, description="today unless given")


class ReceiveCustomerInput(ReceivedInput, Command):
    """Record that the customer provided a requested input."""

    received_on: Day | None = Field(default=None, description="today unless given")


class RecordCustomerDelay(CustomerDelay, Command):
    """Record days that the customer cost the engagement: by an input or at a milestone."""

    delay: Identifier | None = None
    recorded_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(RequestCustomerInput, by=WORKERS)
def request_customer_input(
    state: Engagement, command: RequestCustomerInput, context: Context
) -> Iterable[Event]:
    """Record the request.

    Raises Refused where the person is not a contact of the account, where something that waits for
    the input is not in the plan, or where the id belongs to another request or to an input that has
    come.
    """
    require_open(state)
    for item in command.blocks:
        if state.planning.task(item) is None and not _is_milestone(state, item):
            raise Refused("plan-item-unknown", f"{item} is no task or milestone of the plan")
    name = command.input or context.new_id("CI")
    received = state.customer_inputs.received.get(name)
    if received:
        raise Refused("input-received", f"input {name} was received on {received.received_on}")
    known = state.customer_inputs.requested.get(name)
    if known is None:
        require_customer(state, "requested_from", command.requested_from, context)
    day = same_day("requested_on", command, known, context)
    event = CustomerInputRequested(**{**dict(command), "input": name, "requested_on": day})
    yield from unless_recorded(known, event, f"input {name}")


@capability.decide(ReceiveCustomerInput, by=WORKERS)
def receive_customer_input(
    state: Engagement, command: ReceiveCustomerInput, context: Context
) -> Iterable[Event]:
    """Record the arrival; also after a termination.

    Raises Refused where the input was not requested, was requested after that day, or was received
    with other data.
    """
    require_open(state, after_termination=True)
    requested = state.customer_inputs.requested.get(command.input)
    if requested is None:
        raise Refused("input-unknown", f"no input {command.input} was requested")
    known = state.customer_inputs.received.get(command.input)
    day = same_day("received_on", command, known, context)
    if day < requested.requested_on:
        raise Refused("date-before-request", f"it was requested on {requested.requested_on}")
    event = CustomerInputReceived(**{**dict(command), "received_on": day})
    yield from unless_recorded(known, event, f"the arrival of {command.input}")


@capability.decide(RecordCustomerDelay, by=MANAGERS)
def record_customer_delay(
    state: Engagement, command: RecordCustomerDelay, context: Context
) -> Iterable[Event]:
    """Record the delay; also after a termination.

    Raises Refused where the input or the milestone is unknown, or the id belongs to another delay.
    """
    require_open(state, after_termination=True)
    if command.input is not None and command.input not in state.customer_inputs.requested:
        raise Refused("input-unknown", f"no input {command.input} was requested")
    if command.milestone is not None and not _is_milestone(state, command.milestone):
        sentence = f"milestone {command.milestone} is not in the baseline"
        raise Refused("milestone-unknown", sentence)
    name = command.delay or context.new_id("CD")
    known = state.customer_inputs.delays.get(name)
    day = same_day("recorded_on", command, known, context)
    event = CustomerDelayRecorded(**{**dict(command), "delay": name, "recorded_on": day})
    yield from unless_recorded(known, event, f"delay {name}")


def _is_milestone(state: Engagement, name: str) -> bool:
    baseline = state.planning.baseline
    return baseline is not None and name in {each.milestone for each in baseline.milestones}


class CustomerInputView(ViewModel):
    """A requested input, and its arrival; null while the customer owes it."""

    requested: CustomerInputRequested
    received: CustomerInputReceived | None


class CustomerInputFields(ViewModel):
    """The customer's inputs and delays in the view of an engagement.

    `customer_delay_days` is the sum of the delays, in calendar days.
    """

    customer_inputs: tuple[CustomerInputView, ...]
    customer_delays: tuple[CustomerDelayRecorded, ...]
    customer_delay_days: TotalDays


@capability.view
def customer_inputs_view(state: Engagement) -> CustomerInputFields:
    """Return the customer's inputs and delays for the view of an engagement."""
    inputs = state.customer_inputs
    return CustomerInputFields(
        customer_inputs=tuple(
            CustomerInputView(requested=requested, received=inputs.received.get(name))
            for name, requested in inputs.requested.items()
        ),
        customer_delays=tuple(inputs.delays.values()),
        customer_delay_days=sum(delay.days for delay in inputs.delays.values()),
    )
