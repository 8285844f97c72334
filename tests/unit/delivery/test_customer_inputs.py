from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.delivery import (
    CustomerDelayRecorded,
    CustomerInputReceived,
    CustomerInputRequested,
)
from delivery.customer_inputs.decisions import (
    ReceiveCustomerInput,
    RecordCustomerDelay,
    RequestCustomerInput,
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
