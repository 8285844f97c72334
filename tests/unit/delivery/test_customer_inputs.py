from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.delivery import (
    CustomerDelayRecorded,
    CustomerDelayWithdrawn,
    CustomerInputReceived,
    CustomerInputReopened,
    CustomerInputRequested,
    CustomerInputWithdrawn,
)
from delivery.customer_inputs.decisions import (
    ReceiveCustomerInput,
    RecordCustomerDelay,
    ReopenCustomerInput,
    RequestCustomerInput,
    WithdrawCustomerDelay,
    WithdrawCustomerInput,
)
from testkit.scenario import like
from tests.unit.delivery.builders import FINISH, HASH, TERMINATED, TODAY, opened, released

REQUEST = RequestCustomerInput(
    input="CI-1",
    description="Test data",
    requested_from="cleo",
    due_on=date(2026, 4, 20),
    blocks=("build", "M1"),
)
REQUESTED = CustomerInputRequested(**{**dict(REQUEST), "requested_on": TODAY})
RECEIVE = ReceiveCustomerInput(input="CI-1", evidence=HASH)
DELAY = RecordCustomerDelay(
    delay="CD-1", days=5, cause="Test data came late", input="CI-1", evidence="Reminders."
)


def changed(command: Any, **different: Any) -> Any:
    return type(command).model_validate(dict(command) | different)


def test_an_input_is_requested_and_received() -> None:
    requested = released().when(REQUEST).then(REQUESTED)
    requested.on(date(2026, 4, 9)).when(REQUEST).then_nothing()
    requested.when(changed(REQUEST, due_on=FINISH)).then_refused(
        "already-recorded", fields={"due_on"}
    )
    received = CustomerInputReceived(input="CI-1", evidence=HASH, received_on=TODAY)
    arrived = requested.when(RECEIVE).then(received)
    arrived.on(date(2026, 4, 9)).when(RECEIVE).then_nothing()
    arrived.when(changed(RECEIVE, evidence=None)).then_refused("already-recorded")
    arrived.when(REQUEST).then_refused("input-received")
    (shown,) = arrived.view["customer_inputs"]
    assert (shown.requested, shown.received) == (REQUESTED, received)
    released().when(changed(REQUEST, input=None)).then(like(CustomerInputRequested))


def test_an_input_is_asked_of_the_customer_for_what_is_in_the_plan() -> None:
    released().when(changed(REQUEST, requested_from="mara")).then_refused(
        "contact-unknown", fields=["requested_from"]
    )
    released().when(changed(REQUEST, blocks=("M9",))).then_refused("plan-item-unknown", saying="M9")
    opened().when(REQUEST).then_refused("plan-item-unknown")
    opened().when(changed(REQUEST, blocks=())).then_accepted()


def test_only_a_requested_input_is_received_and_not_before_its_request() -> None:
    released().when(RECEIVE).then_refused("input-unknown")
    requested = released().after(REQUEST)
    early = changed(RECEIVE, received_on=date(2026, 4, 7))
    requested.when(early).then_refused("date-before-request")
    late = changed(RECEIVE, received_on=date(2026, 4, 20))
    requested.when(late).then_refused("date-in-future")


def test_a_delay_names_an_input_or_a_milestone() -> None:
    recorded = (
        released()
        .after(REQUEST)
        .when(DELAY)
        .then(CustomerDelayRecorded(**{**dict(DELAY), "recorded_on": TODAY}))
    )
    recorded.when(DELAY).then_nothing()
    recorded.when(changed(DELAY, days=6)).then_refused("already-recorded", fields={"days"})
    second = changed(DELAY, delay="CD-2", input=None, milestone="M1")
    recorded.after(second).then_view(customer_delay_days=10)
    released().when(DELAY).then_refused("input-unknown")
    released().when(changed(second, milestone="M9")).then_refused("milestone-unknown")


@pytest.mark.parametrize(
    "wrong",
    [{"milestone": "M1"}, {"input": None}, {"days": 0}, {"days": "5"}, {"evidence": ""}],
)
def test_an_incomplete_delay_is_invalid(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        changed(DELAY, **wrong)


def test_after_a_termination_inputs_come_and_none_are_requested() -> None:
    over = released().after(REQUEST).consumed(TERMINATED)
    over.when(RECEIVE).then_accepted()
    over.when(DELAY).then_accepted()
    over.when(changed(REQUEST, input="CI-2")).then_refused("engagement-over")


LATER = date(2026, 4, 10)
REOPEN = ReopenCustomerInput(input="CI-1", why="Another year's data.")
WITHDRAW = WithdrawCustomerInput(input="CI-1", why="They gave it before.")
WITHDRAW_DELAY = WithdrawCustomerDelay(delay="CD-1", why="It was ours.")


def test_an_input_received_by_mistake_is_owed_again() -> None:
    requested = released().after(REQUEST)
    event = CustomerInputReopened(
        input="CI-1", why="Another year's data.", received_on=TODAY, reopened_on=LATER
    )
    received = requested.after(RECEIVE).on(LATER)
    again = received.when(REOPEN).then(event)
    assert again.view["customer_inputs"] == requested.view["customer_inputs"]
    again.when(REOPEN).then_refused("input-not-received")
    again.when(RECEIVE).then_accepted()
    requested.when(REOPEN).then_refused("input-not-received")
    released().when(REOPEN).then_refused("input-unknown")
    early = changed(REOPEN, reopened_on=date(2026, 4, 7))
    received.when(early).then_refused("date-before-record", saying="reopened_on")


def test_an_input_requested_by_mistake_is_withdrawn_received_or_not() -> None:
    requested = released().after(REQUEST)
    event = CustomerInputWithdrawn(input="CI-1", why="They gave it before.", withdrawn_on=TODAY)
    for before in (requested, requested.after(RECEIVE)):
        gone = before.when(WITHDRAW).then(event).then_view(customer_inputs=())
        gone.on(LATER).when(WITHDRAW).then_nothing()
        gone.when(changed(WITHDRAW, why="Twice.")).then_refused("already-recorded", fields={"why"})
        for command in (REQUEST, RECEIVE, REOPEN, DELAY):
            gone.when(command).then_refused("input-withdrawn")
    early = changed(WITHDRAW, withdrawn_on=date(2026, 4, 7))
    requested.when(early).then_refused("date-before-record", saying="withdrawn_on")
    released().when(WITHDRAW).then_refused("input-unknown")


def test_an_input_with_a_delay_is_not_withdrawn_before_the_delay() -> None:
    delayed = released().after(REQUEST).after(DELAY)
    delayed.when(WITHDRAW).then_refused("delay-recorded", saying="CD-1")
    event = CustomerDelayWithdrawn(delay="CD-1", why="It was ours.", withdrawn_on=TODAY)
    gone = delayed.when(WITHDRAW_DELAY).then(event)
    gone.then_view(customer_delays=(), customer_delay_days=0)
    gone.on(LATER).when(WITHDRAW_DELAY).then_nothing()
    gone.when(changed(WITHDRAW_DELAY, why="Twice.")).then_refused("already-recorded")
    gone.when(DELAY).then_refused("delay-withdrawn")
    gone.when(WITHDRAW).then_accepted()
    early = changed(WITHDRAW_DELAY, withdrawn_on=date(2026, 4, 7))
    delayed.when(early).then_refused("date-before-record")
    released().when(WITHDRAW_DELAY).then_refused("delay-unknown")


def test_inputs_are_corrected_after_a_termination_and_can_be_stored() -> None:
    over = released().after(REQUEST).after(RECEIVE).after(DELAY).consumed(TERMINATED)
    gone = over.after(REOPEN).after(WITHDRAW_DELAY).after(WITHDRAW)
    state = gone.state
    assert type(state).model_validate_json(state.model_dump_json()) == state
