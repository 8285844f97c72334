"""The projector when a rule or the store fails: other engagements are not affected."""

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
from gateway.portfolio.totals import Share, Total
from gateway.projection import projector as module
from gateway.projection import view_store as stores
from gateway.projection.projector import Projector
from gateway.projection.tolerances import CompanyTolerances
from gateway.projection.view_store import CachedView, ViewStore
from gateway.publisher import DisconnectPublisher
from gateway.rules import Disconnect, Tolerances, judge_open
from gateway.view.engagement_view import View
from testkit.scenario import RecordsOf
from tests.builders import Life

TODAY = date(2026, 3, 2)
EVENTS = Life().won().events
E = EVENTS[0].subject
OTHER = "E-0000000000009"
HEAD = Head("failed", "a bug", "sales", 3, None, datetime(2026, 3, 2, 9, tzinfo=UTC), 0)


class InMemory(ViewStore):
    """A view store in memory that can be away."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.runs_of: dict[str, list[bytes]] = {}
        self.away = False

    async def cached_views(self, engagements: Sequence[str]) -> dict[str, CachedView]:
        if self.away:
            raise StoreAway("the test wants it so")
        return {
            each: stores._cached(self.documents[each])
            if each in self.documents
            else CachedView(View(each), partition_of(each))
            for each in engagements
        }

    async def put(self, cached: Sequence[CachedView]) -> dict[str, Share]:
        if self.away:
            raise StoreAway("the test wants it so")
        sound = [each for each in cached if not each.is_broken]
        for each in sound:
            self.documents[each.view.engagement] = stores._document(each)
            for run in each.unwritten.begin():
                self.runs_of.setdefault(each.view.engagement, []).extend(run.events)
            each.unwritten.written()
        return {each.view.engagement: each.share for each in sound}

    async def rows(self, partitions: frozenset[int]) -> tuple[list[stores.StoredRow], list[str]]:
        found = map(stores._stored_row, self.documents.values())
        return [each for each in found if each.row.partition in partitions], []

    async def put_totals(self, totals: Mapping[int, Total]) -> None: ...

    async def stored_totals(self, partitions: frozenset[int]) -> dict[int, Total]:
        return {}

    async def correct_totals(
        self, stored: Mapping[int, Total], counted: Mapping[int, Total]
    ) -> None: ...

    async def partitions_to_rebuild_here(self) -> frozenset[int]:
        return frozenset()

    def folded(self, engagement: str) -> dict[str, int]:
        """Return the position of an engagement as it is written."""
        return stores._cached(self.documents[engagement]).view.position()


class FailingRule:
    """The rules, which fail for one engagement while `broken` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.broken = False
        monkeypatch.setattr(module, "judge_open", self)

    def __call__(self, view: View, today: date, allowed: Tolerances) -> dict[str, Disconnect]:
        if self.broken and view.engagement == E:
            raise ArithmeticError("a rule is broken: 870.12 EUR of cost")
        return judge_open(view, today, allowed)


def of_other(events: Sequence[Recorded[Event]]) -> list[Recorded[Event]]:
    return [each for each in Life(OTHER).won().events if each.sequence][: len(events)]


async def begun(store: InMemory) -> Projector:
    projector = Projector(store, lambda: TODAY, CompanyTolerances(RecordsOf([])))
    assert await projector.assigned(frozenset(range(PARTITIONS))) is None
    return projector


async def test_events_applied_beside_a_failing_rule_are_written_after_the_store_was_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, rule = InMemory(), FailingRule(monkeypatch)
    projector = await begun(store)
    assert await projector.process({E: EVENTS[:3], OTHER: of_other(EVENTS[:3])}) == {}
    rule.broken, store.away = True, True

    errors = await projector.process({OTHER: of_other(EVENTS)[3:], E: EVENTS[3:]})
    assert errors.keys() == {E}
    trouble, _ = trouble_of(errors[E], SALES)
    assert "ArithmeticError (gateway.projection.projector." in trouble.sentence
    assert "870.12" not in trouble.sentence  # all readers of the engagement see the sentence
    with pytest.raises(StoreAway):
        await projector.flush(now=True)
    store.away = False
    assert await projector.flush(now=True)

    assert sum(store.folded(OTHER).values()) == len(of_other(EVENTS))
    assert sum(store.folded(E).values()) == 3
    rule.broken = False
    assert await projector.process({E: EVENTS[3:]}) == {}  # none of them counts as seen
    assert await projector.flush(now=True)
    assert sum(store.folded(E).values()) == len(EVENTS)


async def test_a_failing_rule_does_not_prevent_a_worker_from_taking_over_partitions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """End the process after an engagement was tried again and before its rules were evaluated."""
    store, rule = InMemory(), FailingRule(monkeypatch)
    projector = await begun(store)
    await projector.process({E: EVENTS})
    await projector.show_parked(E, HEAD)
    assert await projector.flush(now=True)
    rule.broken = True

    projector = await begun(store)
    await projector.show_only_parked({})

    cached = await projector.look(E)
    assert cached is not None
    assert cached.waits is None
    assert await projector.flush(now=True)


async def test_rules_of_a_new_day_are_evaluated_when_the_store_is_back() -> None:
    store = InMemory()
    projector = await begun(store)
    await projector.process({E: EVENTS})
    assert await projector.flush(now=True)
    projector = await begun(store)
    tomorrow = TODAY.replace(day=3)
    projector.today = lambda: tomorrow

    async def nothing() -> None: ...

    publisher = DisconnectPublisher(projector, cast("Any", None), lambda: True, nothing)
    store.away = True
    with pytest.raises(StoreAway):
        await publisher._judge_again()
    store.away = False
    await publisher._judge_again()

    cached = await projector.look(E)
    assert cached is not None
    assert cached.judged_on == tomorrow


async def test_a_document_that_uses_the_reserved_bytes_is_refused() -> None:
    store = InMemory()
    projector = await begun(store)
    await projector.process({E: EVENTS})
    cached = await projector.look(E)
    assert cached is not None
    document = stores._document(cached)
    document["view"] = b" " * (LARGEST_DOCUMENT - 1_000)

    with pytest.raises(DocumentTooLarge, match="its view has"):
        stores._refuse_full(document)


async def test_an_engagement_that_is_evicted_while_others_are_read_is_read_again() -> None:
    store = InMemory()
    projector = await begun(store)
    await projector.process({E: EVENTS})
    assert await projector.flush(now=True)
    took = asyncio.Event()
    take = store.cached_views

    async def slowly(engagements: Sequence[str]) -> dict[str, CachedView]:
        took.set()
        await asyncio.sleep(0)
        return await take(engagements)

    store.cached_views = slowly  # type: ignore[method-assign]
    holding = asyncio.create_task(projector._load([E, OTHER]))
    await took.wait()
    projector._most = 0
    projector._evict()

    assert (await holding).keys() == {E, OTHER}


SALES_EVENTS = [each for each in EVENTS if each.channel is SALES]


@pytest.mark.parametrize("written", [False, True])
async def test_another_event_with_an_applied_sequence_is_distinguished_from_a_repeat(
    written: bool,
) -> None:
    store = InMemory()
    projector = await begun(store)
    forged, honest = replace(SALES_EVENTS[1], id="forged"), SALES_EVENTS[1]
    assert await projector.process({E: [SALES_EVENTS[0], forged]}) == {}
    if written:
        assert await projector.flush(now=True)
        projector = await begun(store)

    assert await projector.process({E: [SALES_EVENTS[0], forged]}) == {}
    assert isinstance((await projector.process({E: [honest]}))[E], OtherEvent)
    assert await projector.process({E: [SALES_EVENTS[2]]}) == {}
    cached = await projector.look(E)
    assert cached is not None
    assert cached.view.position() == {"sales": 3}


async def test_another_event_with_the_same_sequence_is_detected_in_one_batch() -> None:
    projector = await begun(InMemory())
    forged = replace(SALES_EVENTS[1], id="forged")
    errors = await projector.process(
        {E: [SALES_EVENTS[0], forged, SALES_EVENTS[1], SALES_EVENTS[2]]}
    )
    assert str(errors[E]) == "another event, forged, was taken in as sales 2"


async def test_a_view_that_is_restored_has_the_same_latest_ids_after_skipped_events(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Restore a view after an event failed; skipped events are applied to it again."""
    store, rule = InMemory(), FailingRule(monkeypatch)
    projector = await begun(store)
    passed = PassedOver("sales", 2, 2, "olga", "lost in a fire", HEAD.since)
    await projector.process({E: SALES_EVENTS[:1]})
    await projector.pass_over(E, passed)
    await projector.process({E: EVENTS[2:4]})
    cached = await projector.look(E)
    assert cached is not None
    before = dict(cached.view.latest_ids)
    assert before == {"delivery": (EVENTS[2].id,), "sales": (EVENTS[3].id,)}

    rule.broken = True
    assert (await projector.process({E: EVENTS[4:5]})).keys() == {E}
    rule.broken = False
    await projector.flush(now=True)
    cached = await projector.look(E)
    assert cached is not None
    assert cached.view.latest_ids == before
