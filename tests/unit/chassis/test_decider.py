"""A command that would lead to an event that cannot be read back is refused."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Self

import pytest
from pydantic import ValidationError

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, NotRecordable
from chassis.domain.context import Context
from chassis.domain.decider import Decider, handle_command, handle_events
from chassis.domain.state import Part, on_event
from chassis.domain.stream import Stream
from chassis.web.problems import translated
from contracts.event import Event
from contracts.legal import EngagementTerminated, FileOpened
from contracts.sales import DealLost
from testkit.matchers import RecordsOf, recorded_as


class Known(Part):
    ended: bool = False
    filed: bool = False

    @on_event
    def _ended(self, event: EngagementTerminated) -> Self:
        return self.updated(ended=True)

    @on_event
    def _filed(self, event: FileOpened) -> Self:
        return self.updated(filed=True)


class Lose(Command):
    lost_on: str


losing = Capability[Known](__name__)


@losing.decide(Lose, by=None)
def lose(state: Known, command: Lose, context: Context) -> Iterator[Event]:
    yield DealLost.model_validate({"reason": "price", "lost_on": command.lost_on})


@losing.react
def react(state: Known, context: Context) -> Iterator[Event]:
    if state.ended:
        yield DealLost.model_validate({"reason": "price", "lost_on": "0001-01-01"})


DECIDER = Decider("sales", "engagement", lambda _: Known(), (losing,))
NOW = datetime(2026, 3, 2, tzinfo=UTC)
CONTEXT = Context("ann", NOW, NOW, "step", RecordsOf([]), lambda: "event-1")
STREAM = Stream("engagement:E-0000000000001", Known())


def test_the_refusal_names_the_field_of_the_event_and_the_reason() -> None:
    with pytest.raises(NotRecordable) as refused:
        handle_command(DECIDER, STREAM, Lose(lost_on="3000-01-01"), CONTEXT)
    problem = translated(refused.value)
    assert (problem.status_code, problem.code) == (422, "event-not-recordable")
    assert problem.errors is not None
    assert problem.errors[0].field == "lost_on"
    assert "from 1970-01-01 to 2999-12-31" in problem.errors[0].problem
    assert "DealLost" in problem.detail


def test_an_invalid_event_in_a_reaction_raises_so_that_the_engagement_is_parked() -> None:
    terminated = EngagementTerminated(reason="mutual", terminated_on=date(2026, 3, 2))
    consumed = recorded_as(terminated, "E-0000000000001", 1, "legal", NOW, {})
    with pytest.raises(ValidationError):
        handle_events(DECIDER, STREAM, [consumed], lambda _: CONTEXT)


class Terminate(Command):
    pass


def test_a_command_is_recorded_for_the_person_stood_in_for_and_a_reaction_is_not() -> None:
    ending = Capability[Known](__name__)

    @ending.decide(Terminate, by=None)
    def terminate(state: Known, command: Terminate, context: Context) -> Iterator[Event]:
        yield EngagementTerminated(reason="mutual", terminated_on=NOW.date())

    @ending.react
    def react(state: Known, context: Context) -> Iterator[Event]:
        if state.ended and not state.filed:
            yield FileOpened(account="acme", title="Portal")

    legal = Decider("legal", "engagement", lambda _: Known(), (ending,))
    step = handle_command(legal, STREAM, Terminate(), replace(CONTEXT, on_behalf_of="bea"))
    assert [(each.actor, each.on_behalf_of) for each in step.own_events] == [
        ("ann", "bea"),
        ("legal", None),
    ]


class Title(ViewModel):
    title: str


def titled(*, confidential: bool, twice: bool = False) -> Capability[Known]:
    capability = Capability[Known](__name__)
    register = capability.confidential_view if confidential else capability.view

    @register
    def view(state: Known) -> Title:
        return Title(title="A portal")

    if twice:
        register(view)
    return capability


@pytest.mark.parametrize("confidential", [False, True])
def test_two_fields_of_a_view_with_one_name_are_refused_at_start(*, confidential: bool) -> None:
    with pytest.raises(TypeError, match="the field title has two meanings"):
        Decider(
            "sales",
            "engagement",
            lambda _: Known(),
            (titled(confidential=confidential, twice=True),),
        )


def test_a_confidential_field_with_the_name_of_an_open_one_is_refused_at_start() -> None:
    both = (titled(confidential=False), titled(confidential=True))
    with pytest.raises(TypeError, match="title: open and confidential in one view"):
        Decider("sales", "engagement", lambda _: Known(), both)


def test_a_command_that_is_decided_twice_is_refused_at_start() -> None:
    with pytest.raises(TypeError, match="lose is decided twice"):
        Decider("sales", "engagement", lambda _: Known(), (losing, losing))
