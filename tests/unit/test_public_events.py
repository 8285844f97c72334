"""Events of the demo, simulated in memory, are fit for partners and plausible."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from contracts import delivery, release
from contracts.channels import CHANNELS
from contracts.event import Event, Recorded, encode
from tests.unit.played import Played, played

HIDDEN = [name.encode() for name, channel in CHANNELS.items() if channel.confidential]
PLAYED = played()
MOST_HOURS_A_WEEK = 80


@cache
def strict(kind: type[Event]) -> Draft202012Validator:
    return Draft202012Validator(
        release.strict_schema(kind), format_checker=Draft202012Validator.FORMAT_CHECKER
    )


def named(each: Played) -> str:
    return each.scenario.name


def published(each: Played) -> Iterator[Recorded[Event]]:
    yield from each.references
    yield from each.events


@pytest.mark.parametrize("each", PLAYED, ids=named)
def test_public_events_name_no_channel_that_partners_may_not_read(each: Played) -> None:
    for recorded in published(each):
        if not recorded.channel.confidential:
            record = encode(recorded)
            assert [name for name in HIDDEN if name in record] == [], record


@pytest.mark.parametrize("each", PLAYED, ids=named)
def test_events_conform_to_their_schemas_without_further_fields(each: Played) -> None:
    for recorded in published(each):
        data: dict[str, Any] = orjson.loads(encode(recorded))["data"]
        strict(type(recorded.event)).validate(data)


@pytest.mark.parametrize("each", PLAYED, ids=named)
def test_every_milestone_of_a_closed_engagement_was_reached(each: Played) -> None:
    events = [recorded.event for recorded in each.events]
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
