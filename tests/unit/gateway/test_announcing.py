"""Findings on their way to the topics: their names, and that one of them holds up no other."""

import asyncio
from collections.abc import Iterable
from typing import Any, cast

import pytest

from chassis.application.command_handler import CommandHandler
from chassis.base.partitioning import partition_of
from chassis.eventstore.mongo import StoreAway
from contracts import delivery
from contracts.values import Deliverable
from gateway.announcing import Announcing
from gateway.disconnects import judge
from gateway.findings import found_now
from gateway.folding import Folding
from gateway.shelf import Held
from tests.builders import Life
from tests.unit.gateway.test_fold import view_of

LONG = "change-for-the-second-release-of-the-customer-portal-"


def approved(life: Life, change: str) -> Life:
    return life.say(
        60,
        delivery.ChangeRequested(
            change=change, requested_by="cora", description="More.", requested_on=life.day(60)
        ),
        delivery.ChangeApproved(change=change, approved_by="cora", approved_on=life.day(61)),
    )


def test_a_finding_about_a_thing_with_a_long_name_can_be_announced() -> None:
    life = approved(approved(Life().worked(8), LONG + "north"), LONG + "south")
    found = judge(view_of(life.events), life.day(96))

    assert len(found) == 2
    assert {found_now(each).finding for each in found.values()} == found.keys()
    assert all(name.startswith("change-not-followed.") for name in found)
    assert judge(view_of(life.events), life.day(96)) == found
    assert judge(view_of(approved(Life().worked(8), "C-1").events), life.day(96)).keys() == {
        "change-not-followed.C-1"
    }


def test_a_finding_with_much_to_say_can_be_announced() -> None:
    life = Life().kicked_off()
    more = tuple(
        Deliverable(deliverable=f"d-{number}", title="Report " * 20) for number in range(50)
    )
    plan = life.plan(2)
    life.say(40, plan.model_copy(update={"deliverables": (*plan.deliverables, *more)}))
    (finding,) = judge(view_of(life.events), life.day(45)).values()

    assert found_now(finding).sentence.endswith("…")


class Rested:
    """Engagements at rest, of which some cannot be looked at."""

    def __init__(self, broken: dict[str, Exception], *engagements: str) -> None:
        self.broken = broken
        self.waiting = [*broken, *engagements]
        self.later: dict[str, float] = {}

    def to_announce(self, _: float, most: int) -> list[str]:
        found, self.waiting = self.waiting[:most], self.waiting[most:]
        return found

    def announce_later(self, engagements: Iterable[str], seconds: float = 0.0) -> None:
        self.later |= dict.fromkeys(engagements, seconds)

    async def look(self, engagement: str) -> Held:
        if engagement in self.broken:
            raise self.broken[engagement]
        return Held(view_of(Life(engagement).opened().events), partition_of(engagement))


class Told:
    """Which engagements were announced."""

    def __init__(self) -> None:
        self.engagements: list[str] = []

    async def command(self, _: str, engagement: str, *__: Any, **___: Any) -> None:
        self.engagements.append(engagement)


async def _nothing() -> None:
    pass


def announced(rested: Rested) -> list[str]:
    told = Told()
    announcing = Announcing(
        cast(Folding, rested), cast(CommandHandler, told), lambda: False, look_after=_nothing
    )
    asyncio.run(announcing.announce())
    return told.engagements


def test_an_engagement_that_cannot_be_announced_holds_up_no_other() -> None:
    rested = Rested({"E-broken": ValueError("no such thing")}, "E-1", "E-2")
    assert announced(rested) == ["E-1", "E-2"]
    assert rested.later.keys() == {"E-broken"}
    assert rested.later["E-broken"] > 0, "it would be tried again without a pause"


def test_while_the_store_is_away_nothing_is_lost() -> None:
    rested = Rested({"E-1": StoreAway("gone")}, "E-2")
    with pytest.raises(StoreAway):
        announced(rested)
    assert rested.later == {"E-1": 0, "E-2": 0}
