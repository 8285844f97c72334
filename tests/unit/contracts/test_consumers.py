"""The consumers named in the contracts are the departments that handle the events."""

from typing import Any

import pytest

from chassis.domain.decider import Decider
from contracts.event import EVENTS, Event
from delivery.service import ENGAGEMENT as DELIVERY
from finance.service import ENGAGEMENT as FINANCE
from legal.service import ENGAGEMENT as LEGAL
from sales.service import ENGAGEMENT as SALES

DECIDERS: tuple[Decider[Any], ...] = (SALES, LEGAL, DELIVERY, FINANCE)
# Tests of the chassis define events of their own.
CONTRACTS = [kind for kind in EVENTS.values() if kind.__module__.startswith("contracts.")]
PUBLISHED = [kind for kind in CONTRACTS if kind.channel.kind != "reference"]


@pytest.mark.parametrize("kind", PUBLISHED, ids=lambda kind: kind.type)
def test_an_event_names_exactly_the_departments_that_handle_it(kind: type[Event]) -> None:
    handling = {
        decider.department
        for decider in DECIDERS
        if kind in decider.evolves_by and decider.department != kind.channel.department
    }

    assert set(kind.consumed_by) == handling
