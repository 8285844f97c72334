"""Request inputs of the customer, record arrivals and delays, and correct wrong records."""

from collections.abc import Iterable

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.rules import correction_day, same_day, unless_recorded
from contracts.delivery import (
    CustomerDelay,
    CustomerDelayRecorded,
    CustomerDelayWithdrawal,
    CustomerDelayWithdrawn,
    CustomerInput,
    CustomerInputCorrection,
    CustomerInputReceived,
    CustomerInputReopened,
    CustomerInputRequested,
    CustomerInputWithdrawn,
    ReceivedInput,
)
from contracts.event import Event
from contracts.values import Day, Identifier, TotalDays
from delivery.customer_inputs import work_items
from delivery.engagement import Engagement
from delivery.policies import require_customer, require_open
from delivery.roles import MANAGERS, WORKERS

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)


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


class ReopenCustomerInput(CustomerInputCorrection, Command):
    """Take back that an input was received; the customer owes it again."""

    reopened_on: Day | None = Field(default=None, description="today unless given")


class WithdrawCustomerInput(CustomerInputCorrection, Command):
    """Withdraw an input that was requested by mistake; the customer owes it no more."""

    withdrawn_on: Day | None = Field(default=None, description="today unless given")


class WithdrawCustomerDelay(CustomerDelayWithdrawal, Command):
    """Withdraw a delay that was recorded by mistake."""

    withdrawn_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(RequestCustomerInput, by=WORKERS)
def request_customer_input(
    state: Engagement, command: RequestCustomerInput, context: Context
) -> Iterable[Event]:
    """Record the request.

    Raises Refused where the person is not a contact of the account, where something that waits for
    the input is not in the plan, or where the id belongs to another request, to one that was
    withdrawn, or to an input that has come.
    """
    require_open(state)
    for item in command.blocks:
        if state.planning.task(item) is None and not _is_milestone(state, item):
            raise Refused("plan-item-unknown", f"{item} is no task or milestone of the plan")
    name = command.input or context.new_id("CI")
    _require_not_withdrawn(state, name)
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

    Raises Refused where the input was not requested, was withdrawn, was requested after that day,
    or was received with other data.
    """
    require_open(state, after_termination=True)
    requested = _requested(state, command.input)
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

    Raises Refused where the input is unknown or withdrawn, the milestone is unknown, or the id
    belongs to another delay or to one that was withdrawn.
    """
    require_open(state, after_termination=True)
    if command.input is not None:
        _requested(state, command.input)
    if command.milestone is not None and not _is_milestone(state, command.milestone):
        sentence = f"milestone {command.milestone} is not in the baseline"
        raise Refused("milestone-unknown", sentence)
    name = command.delay or context.new_id("CD")
    if name in state.customer_inputs.delays_withdrawn:
        raise Refused("delay-withdrawn", f"delay {name} was withdrawn")
    known = state.customer_inputs.delays.get(name)
    day = same_day("recorded_on", command, known, context)
    event = CustomerDelayRecorded(**{**dict(command), "delay": name, "recorded_on": day})
    yield from unless_recorded(known, event, f"delay {name}")


@capability.decide(ReopenCustomerInput, by=MANAGERS)
def reopen_customer_input(
    state: Engagement, command: ReopenCustomerInput, context: Context
) -> Iterable[Event]:
    """Record that the input has not come; also after a termination.

    Raises Refused where the input is unknown, withdrawn or not received.
    """
    require_open(state, after_termination=True)
    _requested(state, command.input)
    received = state.customer_inputs.received.get(command.input)
    if received is None:
        sentence = f"input {command.input} is not recorded as received, or that was taken back"
        raise Refused("input-not-received", sentence)
    day = correction_day("reopened_on", command, received.received_on, context)
    yield CustomerInputReopened(
        input=command.input, why=command.why, received_on=received.received_on, reopened_on=day
    )


@capability.decide(WithdrawCustomerInput, by=MANAGERS)
def withdraw_customer_input(
    state: Engagement, command: WithdrawCustomerInput, context: Context
) -> Iterable[Event]:
    """Withdraw the request, received or not; also after a termination.

    Raises Refused where the input is unknown, a delay is recorded for it, or it was withdrawn with
    other data.
    """
    require_open(state, after_termination=True)
    inputs = state.customer_inputs
    known = inputs.withdrawn.get(command.input)
    if known:
        day = same_day("withdrawn_on", command, known, context)
    else:
        requested = _requested(state, command.input)
        for delay in inputs.valid_delays:
            if delay.input == command.input:
                sentence = f"delay {delay.delay} is recorded for {delay.input}: withdraw it first"
                raise Refused("delay-recorded", sentence)
        day = correction_day("withdrawn_on", command, requested.requested_on, context)
    event = CustomerInputWithdrawn(**{**dict(command), "withdrawn_on": day})
    yield from unless_recorded(known, event, f"the withdrawal of {command.input}")


@capability.decide(WithdrawCustomerDelay, by=MANAGERS)
def withdraw_customer_delay(
    state: Engagement, command: WithdrawCustomerDelay, context: Context
) -> Iterable[Event]:
    """Withdraw the delay; also after a termination.

    Raises Refused where the delay is unknown, or was withdrawn with other data.
    """
    require_open(state, after_termination=True)
    known = state.customer_inputs.delays_withdrawn.get(command.delay)
    delay = state.customer_inputs.delays.get(command.delay)
    if delay is None:
        raise Refused("delay-unknown", f"no delay {command.delay} is recorded")
    if known:
        day = same_day("withdrawn_on", command, known, context)
    else:
        day = correction_day("withdrawn_on", command, delay.recorded_on, context)
    event = CustomerDelayWithdrawn(**{**dict(command), "withdrawn_on": day})
    yield from unless_recorded(known, event, f"the withdrawal of {command.delay}")


def _requested(state: Engagement, name: str) -> CustomerInputRequested:
    """Return the request of an input; raises Refused where it is unknown or withdrawn."""
    requested = state.customer_inputs.requested.get(name)
    if requested is None:
        raise Refused("input-unknown", f"no input {name} was requested")
    _require_not_withdrawn(state, name)
    return requested


def _require_not_withdrawn(state: Engagement, name: str) -> None:
    withdrawn = state.customer_inputs.withdrawn.get(name)
    if withdrawn:
        raise Refused("input-withdrawn", f"input {name} was withdrawn on {withdrawn.withdrawn_on}")


def _is_milestone(state: Engagement, name: str) -> bool:
    baseline = state.planning.baseline
    return baseline is not None and name in {each.milestone for each in baseline.milestones}


class CustomerInputView(ViewModel):
    """A requested input, and its arrival; null while the customer owes it."""

    requested: CustomerInputRequested
    received: CustomerInputReceived | None


class CustomerInputFields(ViewModel):
    """The customer's inputs and delays in the view of an engagement.

    Withdrawn ones are left out. `customer_delay_days` is the sum of the delays, in calendar days.
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
            CustomerInputView(requested=each, received=inputs.received.get(each.input))
            for each in inputs.valid
        ),
        customer_delays=inputs.valid_delays,
        customer_delay_days=sum(delay.days for delay in inputs.valid_delays),
    )
