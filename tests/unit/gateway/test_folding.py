"""The folding where a rule or the store fails: one engagement's trouble stays its own."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, cast

import pytest

from chassis.base.partitioning import partition_of
from chassis.domain.stream import OtherEvent, PassedOver
from chassis.domain.trouble import Head
from chassis.eventstore.mongo import LARGEST_DOCUMENT, DocumentTooLarge, StoreAway
from chassis.kafka.parked_record import trouble_of
from contracts.channels import PARTITIONS, SALES
from contracts.event import Event, Recorded
from gateway import folding as module
from gateway import shelf as shelves
from gateway.announcing import Announcing
from gateway.disconnects import Finding, judge
from gateway.fold import View
from gateway.folding import Folding
from gateway.shelf import Held, Shelf
from gateway.totals import Share, Total
from tests.builders import Life

TODAY = date(2026, 3, 2)
EVENTS = Life().won().events
E = EVENTS[0].subject
OTHER = "E-0000000000009"
HEAD = Head("failed", "a bug", "sales", 3, None, datetime(2026, 3, 2, 9, tzinfo=UTC), 0)


class InMemory(Shelf):
    """Documents as they are in the store, which can be away."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.runs_of: dict[str, list[bytes]] = {}
        self.away = False

    async def take(self, engagements: Sequence[str]) -> dict[str, Held]:
        if self.away:
            raise StoreAway("the test wants it so")
        return {
            each: shelves._held(self.documents[each])
            if each in self.documents
            else Held(View(each), partition_of(each))
            for each in engagements
        }

    async def put(self, held: Sequence[Held]) -> dict[str, Share]:
        if self.away:
            raise StoreAway("the test wants it so")
        sound = [each for each in held if not each.torn]
        for each in sound:
            self.documents[each.view.engagement] = shelves._document(each)
            for run in each.unwritten.begin():
                self.runs_of.setdefault(each.view.engagement, []).extend(run.events)
            each.unwritten.written()
        return {each.view.engagement: each.share for each in sound}

    async def rows(self, partitions: frozenset[int]) -> tuple[list[shelves.Written], list[str]]:
        found = map(shelves._written, self.documents.values())
        return [each for each in found if each.row.partition in partitions], []

    async def put_totals(self, totals: Mapping[int, Total]) -> None: ...

    async def stored_totals(self, partitions: frozenset[int]) -> dict[int, Total]:  # noqa: ARG002
        return {}

    async def correct_totals(
        self, stored: Mapping[int, Total], counted: Mapping[int, Total]
    ) -> None: ...

    async def to_fold_again(self) -> frozenset[int]:
        return frozenset()

    def folded(self, engagement: str) -> dict[str, int]:
        """How far an engagement is folded as it is written."""
        return shelves._held(self.documents[engagement]).view.position()


class Rule:
    """The rules, of which one fails for an engagement as long as it is broken."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.broken = False
        monkeypatch.setattr(module, "judge", self)

    def __call__(self, view: View, today: date) -> dict[str, Finding]:
        if self.broken and view.engagement == E:
            raise ArithmeticError("a rule is broken: 870.12 EUR of cost")
        return judge(view, today)


def of_other(events: Sequence[Recorded[Event]]) -> list[Recorded[Event]]:
    return [each for each in Life(OTHER).won().events if each.sequence][: len(events)]


async def begun(shelf: InMemory) -> Folding:
    folding = Folding(shelf, lambda: TODAY)
    assert await folding.given(frozenset(range(PARTITIONS))) is None
    return folding


async def test_what_was_folded_beside_a_broken_rule_is_written_though_the_store_was_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shelf, rule = InMemory(), Rule(monkeypatch)
    folding = await begun(shelf)
    assert await folding.take({E: EVENTS[:3], OTHER: of_other(EVENTS[:3])}) == {}
    rule.broken, shelf.away = True, True

    errors = await folding.take({OTHER: of_other(EVENTS)[3:], E: EVENTS[3:]})
    assert errors.keys() == {E}
    trouble, _ = trouble_of(errors[E], SALES)
    assert "ArithmeticError (gateway.folding." in trouble.sentence
    assert "870.12" not in trouble.sentence  # everybody who reads the engagement is told it
    with pytest.raises(StoreAway):
        await folding.settle(now=True)
    shelf.away = False
    assert await folding.settle(now=True)

    assert sum(shelf.folded(OTHER).values()) == len(of_other(EVENTS))
    assert sum(shelf.folded(E).values()) == 3
    rule.broken = False
    assert await folding.take({E: EVENTS[3:]}) == {}  # none of them counts as seen
    assert await folding.settle(now=True)
    assert sum(shelf.folded(E).values()) == len(EVENTS)


async def test_a_broken_rule_keeps_no_worker_from_taking_its_partitions_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its engagement was tried again, and the process ended before it was judged."""
    shelf, rule = InMemory(), Rule(monkeypatch)
    folding = await begun(shelf)
    await folding.take({E: EVENTS})
    await folding.waits(E, HEAD)
    assert await folding.settle(now=True)
    rule.broken = True

    folding = await begun(shelf)
    await folding.wait({})

    held = await folding.look(E)
    assert held is not None
    assert held.waits is None
    assert await folding.settle(now=True)


async def test_who_could_not_be_judged_on_a_new_day_is_judged_when_the_store_is_back() -> None:
    shelf = InMemory()
    folding = await begun(shelf)
    await folding.take({E: EVENTS})
    assert await folding.settle(now=True)
    folding = await begun(shelf)
    tomorrow = TODAY.replace(day=3)
    folding.today = lambda: tomorrow

    async def nothing() -> None: ...

    announcing = Announcing(folding, cast("Any", None), lambda: True, nothing)
    shelf.away = True
    with pytest.raises(StoreAway):
        await announcing._judge_on_a_new_day()
    shelf.away = False
    await announcing._judge_on_a_new_day()

    held = await folding.look(E)
    assert held is not None
    assert held.judged_on == tomorrow


async def test_events_leave_room_for_what_their_engagement_waits_for() -> None:
    shelf = InMemory()
    folding = await begun(shelf)
    await folding.take({E: EVENTS})
    held = await folding.look(E)
    assert held is not None
    document = shelves._document(held)
    document["view"] = b" " * (LARGEST_DOCUMENT - 1_000)

    with pytest.raises(DocumentTooLarge, match="its view has"):
        shelves._refuse_full(document)


async def test_who_was_evicted_while_others_were_read_is_read_again() -> None:
    shelf = InMemory()
    folding = await begun(shelf)
    await folding.take({E: EVENTS})
    assert await folding.settle(now=True)
    took = asyncio.Event()
    take = shelf.take

    async def slowly(engagements: Sequence[str]) -> dict[str, Held]:
        took.set()
        await asyncio.sleep(0)
        return await take(engagements)

    shelf.take = slowly  # type: ignore[method-assign]
    holding = asyncio.create_task(folding._hold([E, OTHER]))
    await took.wait()
    folding._most = 0
    folding._evict()

    assert (await holding).keys() == {E, OTHER}


SALES_EVENTS = [each for each in EVENTS if each.channel is SALES]


@pytest.mark.parametrize("written", [False, True])
async def test_another_event_of_a_number_that_was_folded_is_told_from_a_repeat(
    written: bool,
) -> None:
    shelf = InMemory()
    folding = await begun(shelf)
    forged, honest = replace(SALES_EVENTS[1], id="forged"), SALES_EVENTS[1]
    assert await folding.take({E: [SALES_EVENTS[0], forged]}) == {}
    if written:
        assert await folding.settle(now=True)
        folding = await begun(shelf)

    assert await folding.take({E: [SALES_EVENTS[0], forged]}) == {}
    assert isinstance((await folding.take({E: [honest]}))[E], OtherEvent)
    assert await folding.take({E: [SALES_EVENTS[2]]}) == {}
    held = await folding.look(E)
    assert held is not None
    assert held.view.position() == {"sales": 3}


async def test_another_event_is_told_in_the_batch_of_its_twin() -> None:
    folding = await begun(InMemory())
    forged = replace(SALES_EVENTS[1], id="forged")
    errors = await folding.take({E: [SALES_EVENTS[0], forged, SALES_EVENTS[1], SALES_EVENTS[2]]})
    assert str(errors[E]) == "another event, forged, was taken in as sales 2"


async def test_what_is_folded_from_the_timeline_remembers_the_same_ids_behind_a_gap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A fold broke off, and what was passed over is put into the view once more."""
    shelf, rule = InMemory(), Rule(monkeypatch)
    folding = await begun(shelf)
    passed = PassedOver("sales", 2, 2, "olga", "lost in a fire", HEAD.since)
    await folding.take({E: SALES_EVENTS[:1]})
    await folding.pass_over(E, passed)
    await folding.take({E: EVENTS[2:4]})
    held = await folding.look(E)
    assert held is not None
    before = dict(held.view.latest_ids)
    assert before == {"delivery": (EVENTS[2].id,), "sales": (EVENTS[3].id,)}

    rule.broken = True
    assert (await folding.take({E: EVENTS[4:5]})).keys() == {E}
    rule.broken = False
    await folding.settle(now=True)
    held = await folding.look(E)
    assert held is not None
    assert held.view.latest_ids == before
