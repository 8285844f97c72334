"""Events of the demo, simulated in memory, are fit for partners and plausible."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from contracts import delivery, release
from contracts.channels import CHANNELS
from contracts.event import Event, Recorded, encode
from local.demo.scenarios import Scenario, scenarios
from local.demo.staffing import needed, people_for
from tests.unit.played import SEED, TODAY, chosen, played

HIDDEN = [name.encode() for name, channel in CHANNELS.items() if channel.confidential]
CHOSEN = chosen()
MOST_HOURS_A_WEEK = 80


@cache
def strict(kind: type[Event]) -> Draft202012Validator:
    return Draft202012Validator(
        release.strict_schema(kind), format_checker=Draft202012Validator.FORMAT_CHECKER
    )


def published(scenario: Scenario) -> Iterator[Recorded[Event]]:
    yield from played(scenario).references
    yield from played(scenario).events


def named(scenario: Scenario) -> str:
    return scenario.name


@pytest.mark.parametrize("scenario", CHOSEN, ids=named)
def test_public_events_name_no_channel_that_partners_may_not_read(scenario: Scenario) -> None:
    for recorded in published(scenario):
        if not recorded.channel.confidential:
            record = encode(recorded)
            assert [name for name in HIDDEN if name in record] == [], record


@pytest.mark.parametrize("scenario", CHOSEN, ids=named)
def test_events_conform_to_their_schemas_without_further_fields(scenario: Scenario) -> None:
    for recorded in published(scenario):
        data: dict[str, Any] = orjson.loads(encode(recorded))["data"]
        strict(type(recorded.event)).validate(data)


@pytest.mark.parametrize("scenario", CHOSEN, ids=named)
def test_every_milestone_of_a_closed_engagement_was_reached(scenario: Scenario) -> None:
    events = [recorded.event for recorded in played(scenario).events]
    if not any(isinstance(event, delivery.EngagementClosed) for event in events):
        return
    plan = [event for event in events if isinstance(event, delivery.PlanBaselined)][-1]
    reached: set[str] = set()
    for event in events:
        if isinstance(event, delivery.MilestoneReached):
            reached.add(event.milestone)
        elif isinstance(event, delivery.MilestoneWithdrawn):
            reached.discard(event.milestone)
    assert {each.milestone for each in plan.milestones} - reached == set()


def test_no_one_works_more_hours_than_is_plausible() -> None:
    worked: dict[tuple[str, date], Decimal] = {}
    for scenario in CHOSEN:
        for recorded in played(scenario).events:
            if isinstance(event := recorded.event, delivery.TimeApproved):
                key = event.person, event.week
                worked[key] = worked.get(key, Decimal(0)) + event.hours
    assert {key: hours for key, hours in worked.items() if hours > MOST_HOURS_A_WEEK} == {}


@pytest.mark.parametrize("seed", [1, 7, SEED])
def test_no_one_is_asked_for_more_hours_than_is_plausible(seed: int) -> None:
    for days in range(0, 400, 40):
        asked: dict[tuple[str, date], float] = {}
        for scenario in scenarios(TODAY + timedelta(days=days), seed):
            for role, by_week in needed(scenario.hours, scenario.starts, scenario.weeks).items():
                for week, hours in by_week.items():
                    helpers = scenario.team.get(role, ())[: people_for(hours)]
                    for person in helpers:
                        before = asked.get((person, week), 0)
                        asked[person, week] = before + hours / len(helpers)
        assert max(asked.values()) < MOST_HOURS_A_WEEK, days
