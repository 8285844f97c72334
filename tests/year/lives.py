"""Lives of healthy engagements, with the reports of each month that their companies closed."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any

from pydantic_core import to_json

from contracts.event import Event, Recorded
from gateway.view.engagement_view import View, apply_event
from local.demo import lifecycle
from local.demo.closing import MonthEnds
from local.demo.driver import DemoError
from local.demo.engagement_run import new_run
from local.demo.reference_data import SELLING_COMPANY
from local.demo.scenarios import Scenario
from tests.unit.simulation import ENGAGEMENT, InProcessActors, InProcessDriver, World, founded
from tests.year.healthy import healthy
from tests.year.three_currencies import EVERY_CUSTOMER, publish_pounds, three_companies

LAST_DAY = date(2026, 4, 30)
"""Last day of the simulation; months up to March 2026 are closed by then."""
Figures = dict[str, Any]


@dataclass
class Life:
    """An engagement, its company, and the reports of each closed month as they were then."""

    scenario: Scenario
    company: str
    world: World
    reports: dict[str, Figures] = field(default_factory=dict)
    shown: View = field(default_factory=lambda: View(ENGAGEMENT))
    """The view of the gateway, by the events up to the last time that it was asked."""
    _applied: set[str] = field(default_factory=set)

    @property
    def events(self) -> list[Recorded[Event]]:
        """Return the events of engagements in the order in which they were recorded."""
        said = (each for each in self.world.events() if each.channel.kind == "events")
        return sorted(said, key=lambda each: each.id)

    def finance(self) -> Figures:
        """Return Finance's view of the engagement."""
        return self.world.view("finance", ENGAGEMENT)

    def ledger(self) -> Figures:
        """Return the view of the company's ledger; without a month before the first engagement."""
        if f"ledger:{self.company}" not in self.world.departments["finance"].streams:
            return {"months": []}
        return self.world.view("finance", self.company, "ledgers")

    def show(self) -> View:
        """Return the gateway's view with all events up to now."""
        self.world.deliver_all()
        for each in self.events:
            if each.id not in self._applied:
                self._applied.add(each.id)
                apply_event(self.shown, each)
        return self.shown

    def told(self) -> dict[str, Figures]:
        """Return the report of each closed month, as it is told now.

        It has the month in the ledger of the company, with what was booked and what it cost in
        Finance's view and in the gateway's.
        """
        closed = [each for each in self.ledger()["months"] if each["status"] == "closed"]
        if not closed:
            return {}
        finance, gateway = self.finance(), self.show()
        parts = {
            "booked": _by_month(finance["periods"]),
            "costed": _by_month(finance["periods_costed"]),
            "shown": _seen(gateway.finance.periods),
            "shown costs": _seen(gateway.confidential.periods),
        }
        return {
            each["month"]: {"ledger": each}
            | {name: found.get(each["month"]) for name, found in parts.items()}
            for each in closed
        }

    async def keep(self, _: date) -> None:
        """Keep the reports of months that were closed since the last call."""
        closed = sum(each["status"] == "closed" for each in self.ledger()["months"])
        if closed > len(self.reports):
            self.reports = self.told() | self.reports


def _by_month(periods: list[Figures]) -> dict[str, Figures]:
    return {each["month"]: each for each in periods}


def _seen(periods: Any) -> dict[str, Figures]:
    events = {month: each.event for month, each in periods.items()}
    seen: dict[str, Figures] = json.loads(to_json(events))
    return seen


@cache
def lived(seed: int) -> Life:
    """Return the life of a healthy engagement, the same in each run."""
    with three_companies():
        scenario = healthy(seed, customers=EVERY_CUSTOMER)
        return asyncio.run(_live(scenario))


async def _live(scenario: Scenario) -> Life:
    world = await founded()
    publish_pounds(world, date(2024, 1, 1))
    life = Life(scenario, SELLING_COMPANY[scenario.customer.currency], world)
    driver = InProcessDriver(world, scenario.begins)
    driver.on_new_day += [MonthEnds(driver, scenario.begins).close_due, life.keep]
    actors = _Impatient(driver, scenario.name)
    await lifecycle.run_lifecycle(new_run(scenario, actors, LAST_DAY))
    world.deliver_all()
    while driver.calendar.today < LAST_DAY:
        await driver.calendar.until(driver.calendar.today + timedelta(days=7))
        world.deliver_all()
    return life


class _Impatient(InProcessActors):
    """Actors that raise DemoError where 100 reads do not show what they expect."""

    async def look_until(self, service: str, by: str, seen: Any) -> dict[str, Any]:
        for _ in range(100):
            if seen(state := await self.look(service, by)):
                return state
        raise DemoError(f"{by} waited for {service} in vain")
