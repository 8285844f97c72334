"""Simulation of the four departments in one process, without clock, network or store.

Events are delivered one at a time by the test. The demo's scenarios run here as they do over HTTP,
so that whole engagements can be repeated with events that arrive in another order.
"""

import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from itertools import count
from random import Random
from typing import Any

import httpx
from pydantic import BaseModel
from pydantic_core import to_json

from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.deadlines import Deadline, DeadlinePassed
from chassis.domain.decider import (
    Decider,
    consumed_channels,
    handle_command,
    handle_events,
    handle_request,
)
from chassis.domain.pending import Requested
from chassis.domain.requests import RecordOutcome
from chassis.domain.stand_ins import require_stand_in
from chassis.domain.stream import Stream
from chassis.runtime.service import Service
from chassis.web.command_routes import CommandRoutes
from contracts.event import Event, Recorded, read_position
from contracts.reference import Reference
from delivery.service import SERVICE as DELIVERY
from finance.postings.events import PeriodPosted
from finance.service import SERVICE as FINANCE
from legal.service import SERVICE as LEGAL
from local.demo.actors import Actors
from local.demo.bank import Bank
from local.demo.driver import Body, Calendar, CommandRefused, Driver
from local.demo.reference_data import CUSTOMERS, SELLERS, publish, roles
from local.demo.timesheets import Timesheets
from sales.accounts.decisions import IntroduceAccount
from sales.importing.export import read_export
from sales.importing.options import Options
from sales.importing.owners import Owners
from sales.service import SERVICE as SALES
from testkit.scenario import RecordsOf

AnyStream = Stream[Any]

ENGAGEMENT = "E-0000000000001"
"""Id of the only engagement of a world."""


@dataclass(frozen=True)
class SentCommand:
    """A command with its caller, and when it happened; `place` is the path of the stream's kind."""

    service: str
    subject: str
    command: str
    body: Body
    by: str
    at: datetime
    key: str
    place: str = "engagements"
    on_behalf_of: str | None = None


class Department:
    """Service without store and Kafka: streams, published events, and events not yet delivered."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.channels = {channel.name for channel in consumed_channels(service.all_deciders)}
        self.streams: dict[str, AnyStream] = {}
        self.arriving: dict[str, deque[Recorded[Event]]] = {}
        self.said: list[Recorded[Event]] = []

    def routes(self, path: str) -> CommandRoutes[Any]:
        return next(each for each in self.service.routes if each.path == path)

    def stream(self, decider: Decider[Any], subject: str) -> AnyStream:
        stream = decider.stream(subject)
        return self.streams.get(stream) or Stream(stream, decider.initial(subject))


class World:
    """Departments, and the delivery of events between them.

    `random` determines which event is delivered next, and when. Without it, every event is
    delivered to all departments before the next command or read of the driver.
    """

    def __init__(self, random: Random | None = None) -> None:
        self.departments = {
            each.name: Department(each) for each in (SALES, LEGAL, DELIVERY, FINANCE)
        }
        self.records = RecordsOf([])
        self.ids: dict[str, str] = {}
        self._references: list[Reference] = []
        self.reference_events: list[Recorded[Event]] = []
        self._random = random
        self._told: set[tuple[str, Deadline]] = set()
        self._carried_out: set[str] = set()
        self.posted: list[PeriodPosted] = []
        """Name what Finance posted with booked months, in order."""
        self._numbers = count(1)

    def record(self, service: str, path: str, body: Body, key: str) -> str:
        """Record reference data under a new id, and return the id."""
        decider = self.departments[service].routes(path).decider  # type: ignore[index]
        [entry] = (each for each in decider.commands.values() if each.path == "")
        subject = entry.new_id(entry.command.model_validate(body), key)
        self.publish(service, f"{path}/{subject}/{entry.command.named()}", body)
        return subject

    def publish(self, service: str, path: str, body: Body, by: str = "someone") -> None:
        """Publish reference data, which all departments have at once."""
        place, subject, command = path.split("/")
        self.command(SentCommand(service, subject, command, body, by, _START, path, place))

    def command(self, sent: SentCommand) -> AnyStream:
        """Decide a command on the events that have been delivered; raises Refused."""
        department = self.departments[sent.service]  # type: ignore[index]
        routes = department.routes(sent.place)
        kind = next(each for each in routes.decider.commands if each.named() == sent.command)
        stream = department.stream(routes.decider, sent.subject)
        if stream.number == 0 and kind not in routes.decider.opens:
            sentence = f"{sent.service} has processed no event of {sent.subject}"
            raise Refused("opportunity-not-opened", sentence)
        context = self._context(sent.by, sent.at, sent.key)
        if sent.on_behalf_of is not None:
            context = replace(context, on_behalf_of=sent.on_behalf_of)
            require_stand_in(context, routes.decider.commands[kind].stand_in)
        step = handle_command(routes.decider, stream, kind.model_validate(sent.body), context)
        self._keep(department, step.stream, step.own_events)
        return department.streams[step.stream.id]

    def deliver_some(self) -> None:
        """Deliver a random number of events, at least one; without `random` all of them."""
        if self._random is None:
            self.deliver_all()
            return
        for _ in range(1 + int(self._random.expovariate(0.3))):
            self.deliver_one()

    def deliver_all(self) -> None:
        """Deliver events until no queue has any."""
        while self.deliver_one():
            pass

    def deliver_one(self) -> bool:
        """Deliver the next event of one channel to one department; return whether there was any."""
        ways = [
            (department, channel)
            for department in self.departments.values()
            for channel, queue in department.arriving.items()
            if queue
        ]
        if not ways:
            return False
        department, channel = self._random.choice(ways) if self._random else ways[0]
        self._arrive(department, department.arriving[channel].popleft())
        return True

    def deliver_until(self, service: str, subject: str, position: Mapping[str, int]) -> None:
        """Deliver events until a stream has processed these positions, by channel.

        Raises AssertionError where no more events can be delivered.
        """
        department = self.departments[service]  # type: ignore[index]
        decider = department.routes("engagements").decider
        while any(
            last > department.stream(decider, subject).position.get(channel, 0)
            for channel, last in position.items()
            if channel in department.channels
        ):
            assert self.deliver_one(), f"{service} cannot reach {position}"

    def tell_time(self, now: datetime) -> None:
        """Let the deadlines of all streams pass that are not after `now`."""
        for department in self.departments.values():
            for decider in department.service.all_deciders:
                for stream in [*department.streams.values()]:
                    if stream.id.startswith(f"{decider.kind}:"):
                        self._tell(department, decider, stream, now)

    def _tell(
        self, department: Department, decider: Decider[Any], stream: AnyStream, now: datetime
    ) -> None:
        """Decide the due deadlines of a stream; one that led to events does not pass again."""
        due = [
            each
            for each in decider.deadlines(stream.state)
            if each.at <= now and (stream.id, each) not in self._told
        ]
        for deadline in sorted(due, key=lambda each: (each.at, each.name)):
            command = DeadlinePassed(deadline=deadline.name, at=deadline.at)
            known = department.streams[stream.id]
            context = self._context(department.service.name, deadline.at, deadline.name)
            step = handle_command(decider, known, command, context)
            if step.own_events:
                self._told.add((stream.id, deadline))
            self._keep(department, step.stream, step.own_events)

    def view(self, service: str, subject: str, place: str = "engagements") -> dict[str, Any]:
        """Return a department's view of an engagement or another stream, as for all rights."""
        department = self.departments[service]  # type: ignore[index]
        decider = department.routes(place).decider
        state = department.stream(decider, subject).state
        view = decider.views(state) | decider.confidential_views(state)
        seen: dict[str, Any] = json.loads(to_json(view))
        return seen

    def states(self) -> dict[str, BaseModel]:
        """Return the states of all streams, by department and stream id."""
        return {
            f"{name}/{stream.id}": stream.state
            for name, department in self.departments.items()
            for stream in department.streams.values()
        }

    def events(self) -> list[Recorded[Event]]:
        """Return all published events, by department, each in its order."""
        return [event for department in self.departments.values() for event in department.said]

    def _arrive(self, department: Department, recorded: Recorded[Event]) -> None:
        for decider in department.service.all_deciders:
            subject = decider.subject_for(recorded)
            if subject is None:
                continue
            step = handle_events(
                decider,
                department.stream(decider, subject),
                [recorded],
                lambda one: self._context(department.service.name, one.occurred_at, one.id),
            )
            if step.changed:
                self._keep(department, step.stream, step.own_events)

    def _keep(
        self, department: Department, stream: AnyStream, said: tuple[Recorded[Event], ...]
    ) -> None:
        department.streams[stream.id] = stream
        self._publish(department, said)
        for key, asked in stream.requests.items():
            if key in department.streams[stream.id].requests and asked.id not in self._carried_out:
                self._carried_out.add(asked.id)
                self._carry_out(department, stream.id, asked)

    def _carry_out(self, department: Department, asking: str, asked: Recorded[Requested]) -> None:
        """Give a request to the stream that it asks, and record the outcome, both at once."""
        deciders = {each.kind: each for each in department.service.all_deciders}
        request = asked.event
        kind, _, subject = request.stream.partition(":")
        command = (
            deciders[kind].by_name[request.command].command.model_validate_json(request.content)
        )
        context = self._context(asked.actor, asked.occurred_at, f"{asking}/request/{request.key}")
        context = replace(context, on_behalf_of=asked.on_behalf_of)
        target = department.stream(deciders[kind], subject)
        step, refusal = handle_request(deciders[kind], target, command, context)
        self._keep(department, step.stream, step.own_events)
        self.posted += (
            each.event for each in step.new_events if isinstance(each.event, PeriodPosted)
        )
        outcome = RecordOutcome(
            key=request.key,
            asked=asked.id,
            events=tuple(each.event for each in step.new_events),
            refusal=refusal,
        )
        decider = deciders[asking.partition(":")[0]]
        context = self._context(department.service.name, asked.occurred_at, asked.id)
        step = handle_command(decider, department.streams[asking], outcome, context)
        self._keep(department, step.stream, step.own_events)

    def _publish(self, department: Department, said: tuple[Recorded[Event], ...]) -> None:
        said = tuple(each for each in said if not self._is_kept(each))
        department.said.extend(said)
        for recorded in said:
            for other in self.departments.values():
                if recorded.channel.name in other.channels:
                    other.arriving.setdefault(recorded.channel.name, deque()).append(recorded)

    def _is_kept(self, recorded: Recorded[Event]) -> bool:
        """Keep an event of reference data, which all have at once; return False for others."""
        if not isinstance(recorded.event, Reference):
            return False
        self.reference_events.append(recorded)
        self._references.append(recorded.event)
        self.records = RecordsOf(self._references)
        return True

    def _context(self, actor: str, at: datetime, cause: str) -> Context:
        return Context(
            actor=actor,
            occurred_at=at,
            recorded_at=at,
            cause=cause,
            reference_data=self.records,
            new_event_id=lambda: f"event-{next(self._numbers):06d}",
            roles=frozenset(_ROLES.get(actor, ())),
        )


_ROLES = roles()
_START = datetime(2024, 1, 1, tzinfo=UTC)
_OPENING = f"/engagements/{ENGAGEMENT}/open-opportunity"


class PureCalendar(Calendar):
    """Calendar whose next day begins as soon as an actor waits for it; deadlines pass then."""

    def __init__(
        self,
        world: World,
        begins: date,
        on_new_day: Callable[[date], Awaitable[None]],
        on_later: Callable[[], Awaitable[None]],
    ) -> None:
        self.today = begins
        self._on_new_day = on_new_day
        self._on_later = on_later
        self._world = world

    async def later(self) -> None:
        await self._on_later()

    async def until(self, day: date) -> None:
        if day > self.today:
            self.today = day
            self._world.tell_time(datetime.combine(day, time(0), UTC))
            await self._on_new_day(day)


class InProcessDriver(Driver):
    """Driver that calls a world instead of services over HTTP."""

    def __init__(self, world: World, begins: date) -> None:
        self.calendar = PureCalendar(world, begins, self._begin_day, self.hand_in)
        self.on_new_day = []
        self.timesheets = Timesheets()
        self.bank = Bank()
        self._on_streams = count(1)
        self.ids = world.ids
        self._world = world

    async def _begin_day(self, today: date) -> None:
        for each in self.on_new_day:
            await each(today)

    async def publish(self, service: str, path: str, body: Body, by: str) -> None:
        self._world.publish(service, path, body, by)

    async def record(self, service: str, path: str, body: Body, by: str, *, name: str) -> None:
        del by
        self.ids[name] = self._world.record(service, path, body, name)

    async def send(
        self,
        service: str,
        path: str,
        body: Body,
        by: str,
        *,
        key: str,
        headers: Mapping[str, str],
    ) -> httpx.Response:
        """Send a command; a refused one is decided again after each further event, as over HTTP.

        Raises CommandRefused where it is still refused after all events were delivered.
        """
        _, place, subject, command = (path if path.count("/") > 1 else _OPENING).split("/")
        if subject == "commands":
            return await self._send_many(service, command, body["items"], by, key, headers)
        at = datetime.fromisoformat(headers["Occurred-At"])
        sent = SentCommand(service, subject, command, body, by, at, key, place)
        sent = replace(sent, on_behalf_of=headers.get("Concord-On-Behalf-Of"))
        self._hear_first(service, subject, headers)
        while True:
            try:
                stream = self._world.command(sent)
            except Refused as refused:
                if not self._world.deliver_one():
                    raise CommandRefused(f"{by}: {command}: {refused}") from refused
            else:
                state = self._world.view(service, subject, place)
                answer = {"id": subject, "position": dict(stream.position), "state": state}
                return httpx.Response(200, json=answer)

    async def _send_many(
        self,
        service: str,
        command: str,
        items: Sequence[Mapping[str, Any]],
        by: str,
        key: str,
        headers: Mapping[str, str],
    ) -> httpx.Response:
        """Send a command to several engagements, and answer as for requests with many commands."""
        answers = []
        for number, item in enumerate(items):
            path = f"/engagements/{item['engagement']}/{command}"
            answer = await self.send(
                service, path, item["command"], by, key=f"{key}/{number}", headers=headers
            )
            answers.append({"status": 200, "position": answer.json()["position"]})
        return httpx.Response(200, json={"items": answers})

    async def take_over(self, row: Mapping[str, str], currency: str, *, key: str) -> str:
        del key
        cells = {"opportunity_id": "1", **row}
        quoted = [f'"{each}"' for each in cells.values()]
        export = read_export(
            {"export.csv": "\n".join([",".join(cells), ",".join(quoted)]).encode()},
            {self.ids[each.account]: IntroduceAccount(name=each.name) for each in CUSTOMERS},
            (),
            Owners({person: name for person, name, _ in SELLERS}, b"key"),
            source="crm",
            today=self.calendar.today,
            options=Options(currency=currency, decimal="point"),
        )
        command = export.taken[0].opportunity
        at = command.occurred_at or _START
        try:
            self._import(command, at, "import")
        except Refused:
            self._import(command.moved(), at, "import-moved")
        return ENGAGEMENT

    def _import(self, command: Command, at: datetime, key: str) -> None:
        self._world.command(
            SentCommand(
                "sales",
                ENGAGEMENT,
                command.named(),
                command.model_dump(),
                "sam",
                at,
                key=key,
            )
        )

    async def read(
        self, service: str, path: str, by: str, headers: Mapping[str, str]
    ) -> httpx.Response:
        del by
        _, place, subject = path.split("/")
        self._hear_first(service, subject, headers)
        return httpx.Response(200, json=self._world.view(service, subject, place))

    def _hear_first(self, service: str, subject: str, headers: Mapping[str, str]) -> None:
        self._world.deliver_until(service, subject, read_position(headers.get("Concord-After", "")))
        self._world.deliver_some()


class InProcessActors(Actors):
    """Actors that read at once until the expected state appears; each read delivers events."""

    async def look_until(
        self, service: str, by: str, seen: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        while not seen(state := await self.look(service, by)):
            pass
        return state


async def founded(random: Random | None = None, world: World | None = None) -> World:
    """Return a world with the demo's people, customers, template and rates."""
    world = world or World(random)
    await publish(InProcessDriver(world, _START.date()), _START.date())
    return world
