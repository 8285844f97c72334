"""Publishing disconnects: their ids, their length, and that a failure does not delay others."""

import asyncio
from collections.abc import Iterable
from typing import Any, cast

import pytest

from chassis.application.command_handler import CommandHandler
from chassis.base.partitioning import partition_of
from chassis.eventstore.mongo import StoreAway
from contracts import delivery
from contracts.values import Deliverable
from gateway.decider import detected
from gateway.projection.projector import Projector
from gateway.projection.view_store import CachedView
from gateway.publisher import DisconnectPublisher
from gateway.rules import judge
from tests.builders import Life
from tests.unit.gateway.test_engagement_view import view_of

LONG = "change-for-the-second-release-of-the-customer-portal-"


def approved(life: Life, change: str) -> Life:
    return life.say(
        60,
        delivery.ChangeRequested(
            change=change, requested_by="cora", description="More.", requested_on=life.day(60)
        ),
        delivery.ChangeApproved(change=change, approved_by="cora", approved_on=life.day(61)),
    )


def test_a_disconnect_about_a_subject_with_a_long_id_can_be_published() -> None:
    life = approved(approved(Life().worked(8), LONG + "north"), LONG + "south")
    found = judge(view_of(life.events), life.day(96))

    assert len(found) == 2
    assert {detected(each).finding for each in found.values()} == found.keys()
    assert all(name.startswith("change-not-followed.") for name in found)
    assert judge(view_of(life.events), life.day(96)) == found
    assert judge(view_of(approved(Life().worked(8), "C-1").events), life.day(96)).keys() == {
        "change-not-followed.C-1"
    }


def test_a_disconnect_with_a_long_sentence_can_be_published() -> None:
    life = Life().kicked_off()
    more = tuple(
        Deliverable(deliverable=f"d-{number}", title="Report " * 20) for number in range(50)
    )
    plan = life.plan(2)
    life.say(40, plan.model_copy(update={"deliverables": (*plan.deliverables, *more)}))
    (finding,) = judge(view_of(life.events), life.day(45)).values()

    assert detected(finding).sentence.endswith("…")


class QuietEngagements:
    """A projector with quiet engagements, of which some cannot be read."""

    def __init__(self, broken: dict[str, Exception], *engagements: str) -> None:
        self.broken = broken
        self.waiting = [*broken, *engagements]
        self.later: dict[str, float] = {}

    def to_publish(self, _: float, most: int) -> list[str]:
        found, self.waiting = self.waiting[:most], self.waiting[most:]
        return found

    def publish_later(self, engagements: Iterable[str], seconds: float = 0.0) -> None:
        self.later |= dict.fromkeys(engagements, seconds)

    async def look(self, engagement: str) -> CachedView:
        if engagement in self.broken:
            raise self.broken[engagement]
        return CachedView(view_of(Life(engagement).opened().events), partition_of(engagement))


class Commands:
    """A command handler that records the engagements and the keys of its commands."""

    def __init__(self) -> None:
        self.engagements: list[str] = []
        self.keys: list[str] = []

    async def command(self, _: str, engagement: str, *__: Any, key: str, **___: Any) -> None:
        self.engagements.append(engagement)
        self.keys.append(key)


async def _nothing() -> None:
    pass


def published(quiet: QuietEngagements, commands: Commands | None = None) -> list[str]:
    commands = commands or Commands()
    publisher = DisconnectPublisher(
        cast(Projector, quiet),
        cast(CommandHandler, commands),
        lambda: False,
        before_each_round=_nothing,
    )
    asyncio.run(publisher.publish())
    return commands.engagements


def test_an_engagement_that_cannot_be_published_does_not_delay_others() -> None:
    quiet = QuietEngagements({"E-broken": ValueError("no such thing")}, "E-1", "E-2")
    assert published(quiet) == ["E-1", "E-2"]
    assert quiet.later.keys() == {"E-broken"}
    assert quiet.later["E-broken"] > 0, "it would be tried again without a pause"


def test_no_engagement_is_lost_while_the_store_is_away() -> None:
    quiet = QuietEngagements({"E-1": StoreAway("gone")}, "E-2")
    with pytest.raises(StoreAway):
        published(quiet)
    assert quiet.later == {"E-1": 0, "E-2": 0}


def test_the_cause_of_a_disconnect_tells_nothing_about_the_view() -> None:
    # A hash of it would tell a partner, who knows the open part, how much is confidential.
    commands = Commands()
    for _ in range(2):
        published(QuietEngagements({}, "E-1"), commands)
    assert commands.engagements == ["E-1", "E-1"]
    assert len({*commands.keys}) == 2
