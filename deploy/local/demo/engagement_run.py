"""Run one scenario: its engagement, its people, and the values that later steps need."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from local.demo.actors import Actors
from local.demo.scenarios import Scenario, demanded
from local.demo.staffing import Staffing, working_days


class EndOfDemo(Exception):
    """The demo's last day is reached, or the scenario ends here."""


@dataclass(slots=True)
class EngagementRun:
    """One engagement while its scenario runs, with the values that later steps need."""

    scenario: Scenario
    actors: Actors
    last_day: date
    random: Random
    deliverables: list[dict[str, Any]]
    starts_on: date
    finishes_on: date
    lines: list[dict[str, Any]] = field(default_factory=list)
    """Lines of the won deal, with billing schedules."""
    requests: set[str] = field(default_factory=set)
    """Ids of the resource requests."""
    recorded: dict[tuple[str, date], None] = field(default_factory=dict)
    """The people and Mondays of the weeks whose time was recorded."""
    obligations: dict[str, str] = field(default_factory=dict)
    """Ids of the open obligations, by party."""

    @property
    def account(self) -> str:
        """Return the id of the customer's account."""
        return self.actors.driver.ids[self.scenario.customer.account]

    @property
    def sponsor(self) -> str:
        """Return the id of the contact who signs, accepts and answers."""
        return self.actors.driver.ids[self.scenario.customer.sponsor[0]]

    def line(self, name: str) -> dict[str, Any]:
        """Return a line of the won deal."""
        return next(line for line in self.lines if line["line"] == name)

    async def on(self, day: date) -> None:
        """Wait until a day, or the next working day; raises EndOfDemo after the last day."""
        day = working_days(self.scenario.home).add(day, 0)
        if day > self.last_day:
            raise EndOfDemo
        await self.actors.until(day)

    async def after(self, days: int) -> None:
        """Wait a number of days; raises EndOfDemo after the last day."""
        await self.on(self.actors.today + timedelta(days=days))

    def money(self, amount: Decimal | int) -> dict[str, str]:
        """Return an amount in the engagement's currency."""
        return {"amount": str(amount), "currency": self.scenario.customer.currency}


def new_run(scenario: Scenario, actors: Actors, last_day: date) -> EngagementRun:
    """Return the run of a scenario at its beginning."""
    if not scenario.team:  # outside the portfolio
        team = Staffing().team(scenario.home, demanded(scenario), scenario.manager)
        scenario = replace(scenario, team=team)
    return EngagementRun(
        scenario=scenario,
        actors=actors,
        last_day=last_day,
        random=Random(scenario.seed),
        deliverables=[
            {
                "deliverable": title.lower().replace(" ", "-"),
                "title": title,
                "acceptance_criteria": f"{title} works as the requirements describe it.",
            }
            for title in scenario.deliverables
        ],
        starts_on=scenario.starts,
        finishes_on=scenario.starts + timedelta(weeks=scenario.weeks),
    )
