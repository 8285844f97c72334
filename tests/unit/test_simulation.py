"""Test that the simulation keeps what a service keeps: for whom a stand-in asked other streams."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from contracts.delivery import TimeRejected, TimeSubmitted
from local.demo.reference_data import CUSTOMERS
from tests.unit.simulation import ENGAGEMENT, SentCommand, World, founded

AT = datetime(2024, 2, 9, 12, tzinfo=UTC)
WEEK = "2024-02-05"


def give(
    world: World, path: str, body: Mapping[str, Any], by: str, on_behalf_of: str | None = None
) -> None:
    service, place, subject, command = path.split("/")
    sent = SentCommand(service, subject, command, body, by, AT, path, place, on_behalf_of)
    world.command(sent)
    world.deliver_all()


def test_requests_of_a_stand_in_name_the_person() -> None:
    world = asyncio.run(founded())
    opening = {
        "account": world.ids[CUSTOMERS[0].account],
        "title": "Portal",
        "expected_value": {"amount": "9000", "currency": "EUR"},
        "expected_close": "2024-03-01",
        "owner": "ann",
    }
    give(world, f"sales/engagements/{ENGAGEMENT}/open-opportunity", opening, "ann")
    for person, instead, purpose in (("elif", "vera", "time"), ("emma", "paul", "approvals")):
        entry = {"stand_in": instead, "first": WEEK, "last": "2024-02-11", "purpose": purpose}
        path = f"stand-ins/{person}/publish-stand-ins"
        world.publish("delivery", path, {"stand_ins": [entry]}, person)
    hours = {"day": WEEK, "task": "initiation", "role": "architect", "hours": "8"}
    lines = {"engagements": [{"engagement": ENGAGEMENT, "entries": [hours]}]}
    sheet = f"delivery/timesheets/elif.{WEEK}"
    give(world, f"{sheet}/save-timesheet", lines, "vera", "elif")
    give(world, f"{sheet}/submit-timesheet", {}, "vera", "elif")
    rejection = {"person": "elif", "week": WEEK, "why": "Whose work is it?"}
    give(world, f"delivery/engagements/{ENGAGEMENT}/reject-time", rejection, "paul", "emma")

    assert [
        (type(each.event), each.actor, each.on_behalf_of)
        for each in world.events()
        if isinstance(each.event, TimeSubmitted | TimeRejected)
    ] == [(TimeSubmitted, "vera", "elif"), (TimeRejected, "paul", "emma")]
