"""Test that any accepted command leaves states and events that can be stored, read and shown."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import Any

import bson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from chassis.domain.commands import Command, NotRecordable, Refused
from chassis.domain.context import Context
from chassis.domain.decider import Decider, handle_command
from chassis.domain.stream import Stream as DeciderStream
from chassis.eventstore.journal import StoredEvent
from chassis.eventstore.paging import key_of
from chassis.web.command_routes import CommandRoutes
from contracts.event import Event, Recorded
from contracts.vocabularies import HEARD
from gateway.decider import ENGAGEMENT as ANNOUNCING
from gateway.decider import PublishDisconnects, detected
from gateway.portfolio.figures import build_portfolio, contribution, replace_contribution
from gateway.portfolio.list_index import EngagementRow, ListIndex
from gateway.portfolio.summary import Summary, summary
from gateway.queries import EngagementDetails
from gateway.redaction import NOBODY, Reader
from gateway.rules import judge
from gateway.schemas import disconnect_page, engagement_view, timeline_entry
from gateway.view.engagement_view import View, dump, load
from local.demo.driver import Body
from testkit.scenario import RecordsOf
from tests.unit.extremes import Extremes
from tests.unit.lived import LIVES, Moment, fork, lived, moments
from tests.unit.simulation import AnyStream, Department, SentCommand, World, founded
from tests.unit.test_interleaving import shown

_READER = Reader("vera", confidential=True, everyone=True)
_FAR = datetime(2999, 12, 31, tzinfo=UTC)
_THOROUGH = not settings().derandomize
"""Flag for new random examples in each run (`make faults`) instead of always the same ones."""
_SUPPRESSED = list(HealthCheck)
_ONE = settings(
    max_examples=200 if _THOROUGH else 5,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=_SUPPRESSED,
)
_WHOLE = settings(
    max_examples=200 if _THOROUGH else 8,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=_SUPPRESSED,
)


_NOT_SENT = {"introduce-account"}
"""Commands that no person sends, beside those of requests: the import gives them."""


def kinds() -> dict[tuple[str, str], type[Command]]:
    """Return the commands that people send, by department and name."""
    world = World()
    return {
        (name, kind.named()): kind
        for name, department in world.departments.items()
        for routes in department.service.routes
        for kind, entry in routes.decider.commands.items()
        if entry.by is not None and kind.named() not in _NOT_SENT
    }


KINDS = kinds()


# ---- checks of a world ---------------------------------------------------------------------------


def check(world: World, since: World | None = None) -> None:
    """Assert that all states and events can be stored, read and shown, by the gateway too.

    Streams and events that are the same in the earlier world `since` are not checked again.
    """
    for name, department in world.departments.items():
        before = since.departments[name] if since else Department(department.service)
        deciders = {decider.kind: decider for decider in department.service.all_deciders}
        routes = {each.decider.kind: each for each in department.service.routes}
        for stream in department.streams.values():
            if stream is before.streams.get(stream.id):
                continue
            kind = stream.id.partition(":")[0]
            check_kept(deciders[kind], stream)
            if kind in routes:
                check_shown(routes[kind], stream)
        for recorded in department.said[len(before.said) :]:
            StoredEvent.of(recorded, own=True)
    check_gateway([each for each in world.events() if each.channel.kind == "events"])


def check_kept(decider: Decider[Any], stream: AnyStream) -> None:
    state = stream.state
    assert type(state).model_validate_json(state.model_dump_json(), context=HEARD) == state
    for deadline in decider.deadlines(state):
        kept = bson.decode(bson.encode({"at": deadline.at}))["at"]
        assert kept.replace(tzinfo=UTC) == deadline.at


def check_shown(routes: CommandRoutes[Any], stream: AnyStream) -> None:
    for view in (routes.decider.views, routes.decider.confidential_views):
        check_schema(view.model("View")(**view(stream.state)))
    if routes.listing is not None:
        row = dict(routes.listing.summarise(stream.state))
        assert bson.decode(bson.encode(row)) == row
        for value in row.values():
            assert not isinstance(value, int) or abs(value) < 2**53
            key_of(value, stream.id)


def check_schema(view: BaseModel) -> None:
    """Assert that a view conforms to its schema."""
    text = view.model_dump_json(warnings="error")
    assert type(view).model_validate_json(text, context=HEARD).model_dump_json() == text


def check_gateway(events: Iterable[Recorded[Event]]) -> None:
    events = list(events)
    view = shown(events)
    assert load(dump(view)) == view
    assert view.causally_complete
    for today in (date(2026, 6, 1), date(2999, 12, 31)):
        findings = judge(view, today)
        line = summary(view, findings)
        assert Summary.model_validate_json(line.model_dump_json(warnings="error")) == line
        figures = contribution(view, findings.values())
        totals: dict[str, Any] = {}
        replace_contribution(totals, {}, figures)
        for available in (Decimal(0), Decimal("0.01"), Decimal(1_000_000)):
            check_schema(build_portfolio(totals, today, available, with_confidential=True))
        row = EngagementRow(3, 1, line, list(findings.values()), dict(view.gateway.waived))
        rows = ListIndex()
        rows.put(row)
        page = rows.disconnects(lambda _: True, None, 50)
        to_json(disconnect_page(page))
        for reader in (NOBODY, _READER):
            unified = EngagementDetails(
                view, findings, row, complete=True, open_part_complete=True, open_number=1
            )
            to_json(engagement_view(unified, reader))
        found = tuple(map(detected, findings.values()))
        check_announced(view, PublishDisconnects(disconnects=found))
    to_json([timeline_entry(each, _READER) for each in events])


def check_announced(view: View, command: PublishDisconnects) -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    context = Context("gateway", now, now, "found", RecordsOf([]), lambda: "event-1")
    stream = DeciderStream(f"engagement:{view.engagement}", ANNOUNCING.initial(view.engagement))
    step = handle_command(ANNOUNCING, stream, command, context)
    for entry in step.entries:
        StoredEvent.of(entry.recorded, own=True)
    check_kept(ANNOUNCING, step.stream)


def accepted(moment: Moment, world: World, body: Body, key: str = "extreme") -> bool:
    """Return whether a world accepts the command with this body.

    Raises NotRecordable where it leads to an event that cannot be recorded.
    """
    if not is_command(KINDS[moment.sent.service, moment.sent.command], body):
        return False
    try:
        moment.give(world, body, key)
    except NotRecordable:
        raise  # a rule of the department should have refused it before
    except Refused:
        return False
    return True


def is_command(kind: type[Command], body: Body) -> bool:
    try:
        kind.model_validate(body)
    except ValidationError:
        return False
    return True


def settled(world: World) -> World:
    """Deliver all events, let all deadlines pass, and return the world."""
    world.deliver_all()
    world.tell_time(_FAR)
    world.deliver_all()
    return world


# ---- one command with extreme values -------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(KINDS), ids="/".join)
def test_all_can_be_read_after_a_command_with_extreme_values(kind: tuple[str, str]) -> None:
    known = moments()[kind]

    @_ONE
    @given(st.data())
    def all_can_be_read(data: st.DataObject) -> None:
        moment = data.draw(st.sampled_from(known))
        extremes = Extremes(KINDS[kind], moment.sent.at.date())
        body = extremes.changed(data.draw, moment.sent.body, all_of_it=data.draw(st.booleans()))
        world = fork(moment.world)
        if accepted(moment, world, body):
            check(settled(world), moment.world)

    all_can_be_read()


@pytest.mark.parametrize("kind", sorted(KINDS), ids="/".join)
def test_all_can_be_read_after_the_largest_command_was_sent_50_times(kind: tuple[str, str]) -> None:
    moment = moments()[kind][0]
    world = fork(moment.world)
    largest = Extremes(KINDS[kind], moment.sent.at.date()).largest(moment.sent.body)
    for number in range(50):
        accepted(moment, world, again(KINDS[kind], largest, number), f"again-{number}")
    check(settled(world), moment.world)


def again(kind: type[Command], body: Body, number: int) -> Body:
    """Return the body for another item: with another id, title, reason or duration."""
    own = {"entry": "T", "change": "CR", "request": "RQ", "survey": "S"}
    other = dict(body)
    for name, field in kind.model_fields.items():
        if name in own and not field.is_required():
            other[name] = f"{own[name]}-again-{number}"
        elif name in {"title", "narrative", "reason", "why", "description", "scope", "method"}:
            other[name] = f"{number} times"
        elif name == "duration_days":
            other[name] = 10_000 - number
    return other


# ---- whole scenarios with extreme values ---------------------------------------------------------


class Extravagant(World):
    """World that replaces the bodies of the `chosen` commands by extreme ones where accepted."""

    def __init__(self, random: Random | None = None) -> None:
        super().__init__(random)
        self.draw: Any = None
        self.chosen: set[str] = set()

    def command(self, sent: SentCommand) -> AnyStream:
        if (sent.service, sent.command) not in KINDS:
            # Imports have no route for their records: the export is read and checked before.
            return super().command(sent)
        kind, bodies = KINDS[sent.service, sent.command], [sent.body]
        if sent.command in self.chosen and self.draw is not None:
            extremes = Extremes(kind, sent.at.date())
            drawn = extremes.changed(self.draw, sent.body, all_of_it=False)
            bodies = [drawn, extremes.largest(sent.body), sent.body]
            if self.draw(st.booleans()):
                bodies[:2] = bodies[1::-1]
        refusal: Refused | None = None
        for each in bodies:
            if not is_command(kind, each):
                refusal = Refused("field-missing", f"{sent.command} is not given as it should be")
                continue
            try:
                return super().command(replace(sent, body=each))
            except NotRecordable:
                raise AssertionError(f"{sent.command} leads to what cannot be recorded") from None
            except Refused as refused:
                refusal = refused
        assert refusal is not None
        raise refusal


_CONSEQUENTIAL = (
    "publish-rate-card",
    "publish-cost-rates",
    "publish-template",
    "open-opportunity",
    "submit-estimate",
    "draft-proposal",
    "win-deal",
    "draft-sow",
    "draft-plan",
    "authorise-early-start",
    "request-resource",
    "save-timesheet",
    "submit-expense",
    "progress-task",
    "publish-status-report",
    "assess-change",
    "draft-amendment",
    "take-statement",
    "allocate-payment",
)


@pytest.mark.parametrize("name", LIVES)
def test_all_can_be_read_after_a_scenario_with_extreme_values(name: str) -> None:
    @_WHOLE
    @given(st.data())
    def all_can_be_read(data: st.DataObject) -> None:
        world = Extravagant()
        world.draw = data.draw
        world.chosen = data.draw(st.sets(st.sampled_from(_CONSEQUENTIAL), min_size=1, max_size=6))
        asyncio.run(founded(world=world))
        check(settled(asyncio.run(lived(name, world))))

    all_can_be_read()
