"""What the contracts say of who hears an event is what the departments do."""

from typing import Any

import pytest

from chassis.domain.decider import Decider
from contracts.event import EVENTS, Event
from delivery.decider import ENGAGEMENT as DELIVERY
from finance.decider import ENGAGEMENT as FINANCE
from legal.decider import ENGAGEMENT as LEGAL
from sales.decider import ENGAGEMENT as SALES

DECIDERS: tuple[Decider[Any], ...] = (SALES, LEGAL, DELIVERY, FINANCE)
# Tests of the chassis say events of their own.
CONTRACTS = [kind for kind in EVENTS.values() if kind.__module__.startswith("contracts.")]
SAID = [kind for kind in CONTRACTS if kind.channel.kind != "reference"]


@pytest.mark.parametrize("kind", SAID, ids=lambda kind: kind.type)
def test_a_event_is_heard_by_those_whom_it_names(kind: type[Event]) -> None:
    hearing = {
        decider.department
        for decider in DECIDERS
        if kind in decider.evolve.types
        and (decider.department != kind.channel.department or kind.channel.kind == "register")
    }

    assert set(kind.heard_by) == hearing
