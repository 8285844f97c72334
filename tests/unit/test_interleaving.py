"""Test that states, events and views do not depend on the order in which channels arrive."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.channels import CHANNELS, FINANCE, FINANCE_CONFIDENTIAL
from contracts.event import Event, Recorded
from gateway.rules import judge
from gateway.view.engagement_view import View, apply_event, dump
from local.demo import lifecycle
from local.demo.engagement_run import new_run
from local.demo.reference_data import CUSTOMERS
from local.demo.scenarios import Scenario
from tests.unit.simulation import ENGAGEMENT, InProcessActors, InProcessDriver, World, founded

LAST_DAY = date(2026, 6, 1)


def scenario(**different: Any) -> Scenario:
    """Return a small scenario with most commands in it; `different` replaces fields of it."""
    usual: dict[str, Any] = {
        "name": "life",
        "title": "Customer portal",
        "customer": CUSTOMERS[0],
        "deliverables": ("Portal", "Reports"),
        "seller": "ann",
        "manager": "emma",
        "begins": date(2025, 3, 3),
        "hours": 240,
        "weeks": 6,
        "selling_days": 30,
        "shape": "fixed",
        "outcome": "delivered",
        "early_start": False,
        "change": True,
        "rejection": True,
        "days_late_paying": -3,
        "satisfaction": 4,
        "seed": 7,
    }
    return Scenario(**{**usual, **different})


LIVES = {
    "whole, with a change and a rejection": scenario(),
    "by the hour, begun before the signature": scenario(shape="hourly", early_start=True),
    "lost and won, paid late, a draft amended": scenario(
        days_late_paying=25, deliverables=("A", "B", "C"), reconsidered=True
    ),
    "recorded by mistake and withdrawn, and on hold": scenario(
        mistakes=True, obliged=True, hold=True, change=False
    ),
    "lost": scenario(outcome="lost"),
    "terminated": scenario(outcome="terminated", hours=400, weeks=8),
    "billed before it was due": scenario(troubles=frozenset({"billed-early"}), change=False),
    "a manager who came late": scenario(troubles=frozenset({"late-manager"})),
}


async def live(scenario: Scenario, chance: Random | None = None) -> World:
    """Run a scenario in a new world, and return the world with all events delivered.

    `chance` determines the order of delivery; without it, events are delivered at once.
    """
    world = await founded(chance)
    await lifecycle.run_lifecycle(
        new_run(
            scenario,
            InProcessActors(InProcessDriver(world, scenario.begins), scenario.name),
            LAST_DAY,
        )
    )
    world.deliver_all()
    return world


def told(value: Any) -> Any:
    """Return a value without invoice numbers, which depend on the order of approvals."""
    if isinstance(value, dict):
        return {name: told(each) for name, each in value.items() if name != "number"}
    if isinstance(value, list | tuple):
        return [told(each) for each in value]
    return value


def known(world: World) -> dict[str, Any]:
    return {name: told(state.model_dump()) for name, state in world.states().items()}


def said(world: World) -> Counter[str]:
    return Counter(f"{each.event.type} {told(each.event.model_dump())}" for each in world.events())


def shown(events: Iterable[Recorded[Event]]) -> View:
    view = View(ENGAGEMENT)
    for recorded in events:
        apply_event(view, recorded)
    return view


def interleaved(world: World, chance: Random) -> Sequence[Recorded[Event]]:
    """Return the events of a world with channels interleaved at random, each in its order."""
    queues: dict[str, list[Recorded[Event]]] = {}
    for recorded in world.events():
        if recorded.channel.kind == "events":
            queues.setdefault(recorded.channel.name, []).append(recorded)
    order = [name for name, queue in queues.items() for _ in queue]
    chance.shuffle(order)
    return [queues[name].pop(0) for name in order]


@pytest.mark.parametrize("life", LIVES)
def test_the_order_in_which_channels_arrive_does_not_matter(life: str) -> None:
    in_order = asyncio.run(live(LIVES[life]))

    @settings(max_examples=3)
    @given(st.integers(min_value=0, max_value=2**32))
    def in_any_order(seed: int) -> None:
        chance = Random(seed)
        world = asyncio.run(live(LIVES[life], chance))

        assert said(world) == said(in_order)
        assert known(world) == known(in_order)
        one, other = (shown(interleaved(world, chance)) for _ in range(2))
        assert dump(one) == dump(other)
        assert one.causally_complete
        assert judge(one, LAST_DAY) == judge(other, LAST_DAY)

    in_any_order()


def test_a_scenario_runs_to_its_end() -> None:
    world = asyncio.run(live(LIVES["whole, with a change and a rejection"]))

    assert shown(each for each in world.events() if each.channel.kind == "events").stage == "closed"
    types = {type(each.event).__name__ for each in world.events()}
    assert {"DeliverableRejected", "AmendmentSigned", "BudgetAmended", "PaymentAllocated"} <= types


def test_only_confidential_events_name_confidential_channels_in_heard() -> None:
    world = asyncio.run(live(LIVES["whole, with a change and a rejection"]))
    named = {
        channel.confidential: {
            name
            for each in world.events()
            if each.channel.confidential is channel.confidential
            for name in each.heard
        }
        for channel in (FINANCE, FINANCE_CONFIDENTIAL)
    }

    assert named[False] >= {"sales", "legal", "delivery", "finance"}
    assert not any(CHANNELS[name].confidential for name in named[False])
    assert named[True] >= {"sales", "legal", "delivery", "finance"}
