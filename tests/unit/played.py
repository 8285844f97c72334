"""Engagements of the demo, simulated in memory with all five services, and their events."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import count, groupby

from chassis.domain.commands import Command
from chassis.domain.context import Context
from chassis.domain.decider import handle_command
from chassis.domain.stream import Stream
from contracts.event import Event, Recorded
from gateway.decider import ENGAGEMENT as DISCONNECTS
from gateway.decider import (
    EngagementDisconnects,
    PublishDisconnects,
    WaiveDisconnect,
    detected,
)
from gateway.rules import judge
from gateway.view.engagement_view import View, apply_event
from local.demo import lifecycle
from local.demo.closing import MonthEnds
from local.demo.engagement_run import new_run
from local.demo.scenarios import Scenario, scenarios
from testkit.scenario import RecordsOf
from tests.unit.simulation import ENGAGEMENT, InProcessActors, InProcessDriver, founded

TODAY = date(2026, 6, 1)
SEED = 2026


@dataclass(frozen=True)
class Played:
    """An engagement of the demo: its events, and the reference data, as they were recorded.

    `view` is what the gateway has of it at the end of the last day.
    """

    scenario: Scenario
    events: tuple[Recorded[Event], ...]
    references: tuple[Recorded[Event], ...]
    view: View

    @property
    def found(self) -> set[str]:
        """Return the rules that find a disconnect at the end."""
        return {each.rule for each in judge(self.view, TODAY).values()}


EVERY = tuple(scenarios(TODAY, SEED))
"""The engagements of the demo, as they are loaded on a day."""


@cache
def played(scenario: Scenario) -> Played:
    """Return the engagement of a scenario; the same in each run."""

    async def whole() -> Played:
        world = await founded()
        driver = InProcessDriver(world, scenario.begins)
        driver.on_new_day.append(MonthEnds(driver, scenario.begins).close_due)
        last_day = TODAY - timedelta(days=1)
        await lifecycle.run_lifecycle(
            new_run(scenario, InProcessActors(driver, scenario.name), last_day)
        )
        world.deliver_all()
        recorded = sorted(world.events(), key=lambda each: each.id)
        gateway = Gateway()
        events = (*recorded, *gateway.disconnects(recorded))
        return Played(scenario, events, tuple(world.reference_events), gateway.view)

    return asyncio.run(whole())


class Gateway:
    """The gateway of one engagement."""

    def __init__(self) -> None:
        self.view = View(ENGAGEMENT)
        self._stream = Stream(DISCONNECTS.stream(ENGAGEMENT), DISCONNECTS.initial(ENGAGEMENT))
        self._numbers = count(1)
        self._waived: set[bool] = set()

    def disconnects(self, events: Iterable[Recorded[Event]]) -> Iterator[Recorded[Event]]:
        """Yield what it publishes if it judges once a week; vera waives the first ones."""
        of_engagements = (each for each in events if each.channel.kind == "events")
        for week, group in groupby(of_engagements, lambda each: each.recorded_at.isocalendar()[:2]):
            for recorded in group:
                apply_event(self.view, recorded)
            yield from self._judge(date.fromisocalendar(week[0], week[1], 7))

    def _judge(self, day: date) -> Iterator[Recorded[Event]]:
        """Yield the events that the disconnects of a day (UTC) lead to."""
        if not self.view.causally_complete:
            return
        found = judge(self.view, day)
        command = PublishDisconnects(disconnects=tuple(map(detected, found.values())))
        yield from self._decide(command, "gateway", day)
        for each in found.values():
            if each.confidential not in self._waived:
                self._waived.add(each.confidential)
                waiver = WaiveDisconnect(
                    finding=each.finding,
                    why="The customer knows about it.",
                    until=day + timedelta(days=28),
                )
                yield from self._decide(waiver.given_by(confidential=True), "vera", day)

    def _decide(self, command: Command, actor: str, day: date) -> Iterator[Recorded[Event]]:
        at = datetime.combine(day, time(12), UTC)
        numbers = self._numbers
        context = Context(
            actor=actor,
            occurred_at=at,
            recorded_at=at,
            cause=f"{actor}/{command.named()}-{day}",
            reference_data=RecordsOf([]),
            new_event_id=lambda: f"disconnect-{next(numbers):06d}",
        )
        stream: Stream[EngagementDisconnects] = self._stream
        step = handle_command(DISCONNECTS, stream, command, context)
        self._stream = step.stream
        for recorded in step.own_events:
            apply_event(self.view, recorded)
            yield recorded
