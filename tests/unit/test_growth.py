"""Check what of the states and the gateway's view grows with time entries and expenses."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import count
from typing import Any

from gateway.view.engagement_view import dump
from tests.unit.lived import Remembered, fork, lived
from tests.unit.simulation import ENGAGEMENT, SentCommand, World, founded
from tests.unit.test_interleaving import shown

MONDAY = date(2025, 5, 5)
WEEKS = 9
GROWING = {"finance.work"}
"""Parts that grow with each entry."""
NOISE = 20
"""Bytes by which a part may differ: the digits of sequences and ids."""


@cache
def beginning() -> World:
    """Return a world with a signed contract by the hour, before the first timesheet."""
    world = Remembered()
    asyncio.run(founded(world=world))
    asyncio.run(lived("by the hour", world))
    first = next(each for each in world.moments if each.sent.command == "save-timesheet")
    began = fork(first.world)
    began.deliver_all()
    return began


class Office:
    """People who record, approve and bill the same hours in few entries, or in many."""

    def __init__(self, a_day: int) -> None:
        self.world = fork(beginning())
        self._a_day = a_day
        self._keys = count(1)
        planned = self.world.view("delivery", ENGAGEMENT)["plan"]["tasks"]
        titles = {each["planned"]["title"]: each["planned"]["task"] for each in planned}
        self._task = titles["Construction"]

    def work(self) -> World:
        """Return the world after all weeks; their months are billed."""
        self._do("finance", "recognise-revenue", "fred", MONDAY, month="2025-04")
        for week in range(WEEKS):
            monday = MONDAY + timedelta(weeks=week)
            self._week(monday)
            after = monday + timedelta(weeks=1)
            if after.month != monday.month:
                self._end_month(f"{monday:%Y-%m}", after + timedelta(days=8))
        return self.world

    def _week(self, monday: date) -> None:
        hours = Decimal("4.5") / self._a_day
        entries = [
            {
                "day": f"{monday + timedelta(days=day)}",
                "task": self._task,
                "role": "engineer",
                "hours": f"{hours}",
            }
            for day in range(5)
            for _ in range(self._a_day)
        ]
        line = {"engagement": ENGAGEMENT, "entries": entries}
        sunday, sheet = monday + timedelta(days=6), f"timesheets/gita.{monday}"
        self._do("delivery", "save-timesheet", "gita", sunday, sheet, engagements=[line])
        self._do("delivery", "submit-timesheet", "gita", sunday, sheet)
        self._do("delivery", "approve-time", "emma", sunday, person="gita", week=f"{monday}")
        for _ in range(self._a_day):
            amount = {"amount": f"{Decimal('22.5') / self._a_day}", "currency": "USD"}
            self._do(
                "delivery",
                "submit-expense",
                "gita",
                sunday,
                amount=amount,
                description="Train",
                category="travel",
                spent_on=f"{monday}",
                billable=False,
            )
            [waiting] = self._seen("delivery")["expenses"]["waiting"]
            self._do("delivery", "approve-expense", "emma", sunday, expense=waiting["expense"])

    def _end_month(self, month: str, on: date) -> None:
        self._do("finance", "recognise-revenue", "fred", on, month=month)
        self._do("finance", "bill-time", "fred", on, month=month)
        for invoice in self._seen("finance")["invoices"]:
            if invoice["stage"] == "drafted":
                self._do("finance", "approve-invoice", "dora", on, invoice=invoice["invoice"])

    def _seen(self, service: str) -> dict[str, Any]:
        return self.world.view(service, ENGAGEMENT)

    def _do(
        self,
        service: str,
        command: str,
        by: str,
        on: date,
        stream: str = f"engagements/{ENGAGEMENT}",
        **body: Any,
    ) -> None:
        place, subject = stream.split("/")
        at = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
        key = f"office-{next(self._keys)}"
        self.world.command(SentCommand(service, subject, command, body, by, at, key, place))
        self.world.deliver_all()


@cache
def worked(a_day: int) -> World:
    return Office(a_day).work()


def sizes(world: World) -> dict[str, int]:
    """Return the bytes of each part of the states of the engagement, and its requests."""
    found: dict[str, int] = {}
    for name, department in world.departments.items():
        stream = department.streams[f"engagement:{ENGAGEMENT}"]
        parts = json.loads(stream.state.model_dump_json(exclude_defaults=True))
        found |= {f"{name}.{part}": length(value) for part, value in parts.items()}
        found[f"{name}.requests"] = len(stream.requests)
    return found


def length(value: object) -> int:
    return len(json.dumps(value))


def grown(few: Mapping[str, int], many: Mapping[str, int]) -> Iterator[str]:
    for part in sorted({*few, *many}):
        if abs(many.get(part, 0) - few.get(part, 0)) > NOISE:
            yield part


def test_the_states_of_departments_do_not_grow_with_entries_and_expenses() -> None:
    few, many = sizes(worked(2)), sizes(worked(9))
    assert {*grown(few, many)} == GROWING


def test_the_view_of_the_gateway_does_not_grow_with_entries_and_expenses() -> None:
    few, many = (in_gateway(worked(a_day)) for a_day in (2, 9))
    assert not {*grown(few, many)}


def in_gateway(world: World) -> dict[str, int]:
    """Return the bytes of each part of the gateway's view."""
    view = shown(each for each in world.events() if each.channel.kind == "events")
    return {name: length(part) for name, part in json.loads(dump(view)).items()}
