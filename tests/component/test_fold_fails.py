"""Test a projection that fails for one engagement while the gateway's store goes away."""

import math
from collections.abc import Callable, Iterator, Sequence

import pytest

from chassis.eventstore.mongo import Store
from chassis.kafka.acls import group
from chassis.kafka.topics import create_topics
from chassis.runtime.container import Container
from contracts.event import Event, Recorded, encode
from gateway.projection.projector import Projector
from gateway.service import SERVICE
from gateway.view.engagement_view import View, apply_event
from tests.component.consumer_harness import offsets, topics
from tests.component.killable_store import Life, MortalListener, mortal
from tests.component.sample_app import settings, until
from tests.component.test_taken_over import TODAY, stored, undisturbed
from tests.infrastructure import KafkaServer, StoreServer
from tests.portfolio_builder import company, named

FAILS, OTHERS = named(1), (named(3), named(7))
Events = Sequence[Recorded[Event]]


def thirds() -> Iterator[Events]:
    """Yield the events of all engagements, a third of each engagement's at a time."""
    of_each = [[each for each in company() if each.subject == name] for name in (FAILS, *OTHERS)]
    for third in range(3):
        yield [
            each
            for events in of_each
            for each in events[third * len(events) // 3 : (third + 1) * len(events) // 3]
        ]


def of(engagement: str, events: Events) -> list[Recorded[Event]]:
    return [each for each in events if each.subject == engagement]


class Bug:
    """A projection that fails in the middle of one event; the first time it calls `also`."""

    def __init__(self, patch: pytest.MonkeyPatch, bad: str, also: Callable[[], object]) -> None:
        self._bad: str | None = bad
        self._also: Callable[[], object] | None = also
        patch.setattr("gateway.projection.projector.apply_event", self._fold)

    def repair(self) -> None:
        self._bad = None

    def _fold(self, view: View, recorded: Recorded[Event]) -> None:
        apply_event(view, recorded)
        if recorded.id == self._bad:
            also, self._also = self._also, None
            if also is not None:
                also()
            raise ArithmeticError("a rate is divided by nothing")


def parts(container: Container) -> tuple[MortalListener, Projector]:
    assert isinstance(container.consumer, MortalListener)
    assert isinstance(container.event_handling.handler, Projector)
    container.event_handling.handler.today = lambda: TODAY
    return container.consumer, container.event_handling.handler


async def timeline(store: Store) -> dict[str, list[bytes]]:
    """Return the bytes of all events that are stored as projected, by engagement."""
    _, _, runs = await stored(store)
    found: dict[str, list[bytes]] = {}
    for (engagement, _), events in runs.items():
        found.setdefault(engagement, []).extend(events)
    return {engagement: sorted(events) for engagement, events in found.items()}


def bytes_of(events: Events) -> list[bytes]:
    return sorted(map(encode, events))


@pytest.mark.fault
@pytest.mark.parametrize("is_killed", [False, True], ids=["waits", "is killed"])
async def test_one_engagement_alone_is_parked_when_its_projection_fails_as_the_store_goes_away(
    kafka: KafkaServer,
    store: StoreServer,
    fresh_store: Callable[[], StoreServer],
    isolation: str,
    monkeypatch: pytest.MonkeyPatch,
    is_killed: bool,
) -> None:
    first, second, third = thirds()
    published = [*first, *second, *third]
    bad = of(FAILS, third)[1]
    whole = [{name: of(name, published) for name in (FAILS, *OTHERS)}]
    expected = await undisturbed(store.url, isolation, whole)
    own = fresh_store()
    bug = Bug(monkeypatch, bad.id, also=own.kill)
    given = settings(
        kafka_bootstrap=kafka.bootstrap,
        topic_prefix=isolation,
        store_url=own.url,
        store_database=isolation,
    )
    await create_topics(kafka.bootstrap, isolation)
    kept = Store(own.url, isolation)

    async with (
        topics(kafka.bootstrap, isolation) as publisher,
        offsets(kafka.bootstrap, isolation, group(SERVICE.name, isolation)) as is_behind,
    ):

        async def finish(listener: MortalListener, projector: Projector) -> None:
            """Check that one engagement is parked and all is stored; repair the fault and retry."""
            await until(lambda: is_behind(published))
            assert {*listener.parked_records.heads} == {FAILS}
            assert await projector.flush(now=True)
            views, totals, _ = await stored(kept)
            assert {name: views[name] for name in OTHERS} == {
                name: expected[0][name] for name in OTHERS
            }
            assert totals.keys() == expected[1].keys()
            head, *behind = await listener.parked_records.look(FAILS)
            assert (head.code, head.raw) == ("failed", encode(bad))
            assert head.sentence.startswith("ArithmeticError (gateway.projection.projector.")
            assert {each.code for each in behind} == {"waiting"}
            assert '"code":"failed"' in views[FAILS]["waits"].decode()

            projected = await timeline(kept)
            before = first if is_killed else [*first, *second]
            assert {*bytes_of(of(FAILS, before))} <= {*projected[FAILS]}
            waiting = [each.raw or b"" for each in (head, *behind)]
            assert sorted([*projected[FAILS], *waiting]) == bytes_of(of(FAILS, published))
            for name in OTHERS:
                assert projected[name] == bytes_of(of(name, published))

            bug.repair()
            attempt = await listener.retry(FAILS, "olga")
            assert (attempt.taken, attempt.head) == (len(waiting), None)
            assert await projector.flush(now=True)
            views, totals, events = await stored(kept)
            assert events == expected[2]
            assert {name: figures for name, (_, figures) in totals.items()} == {
                name: figures for name, (_, figures) in expected[1].items()
            }
            for field in ("view", "findings", "figures", "summary"):
                assert views[FAILS][field] == expected[0][FAILS][field]

        async with mortal(SERVICE, given, Life(None)) as container:
            listener, projector = parts(container)
            await publisher.say(*first)
            await until(lambda: is_behind(first))

            projector._checkpoints._next = math.inf  # what is projected from now on stays in memory
            listener._committed = 0.0  # offsets that may be committed are committed at once
            await publisher.say(*second)
            await until(lambda: is_folded(projector, [*first, *second]))
            await publisher.say(*third)
            await until(lambda: waits_for_the_store(listener))
            assert await is_behind(first)
            assert not listener.parked_records.heads
            if not is_killed:
                own.start()
                projector._checkpoints._next = 0.0
                await finish(listener, projector)
                return
        own.start()
        assert await timeline(kept) == {
            name: bytes_of(of(name, first)) for name in (FAILS, *OTHERS)
        }
        assert await is_behind(first)
        async with mortal(SERVICE, given, Life(None)) as container:
            await finish(*parts(container))


async def is_folded(projector: Projector, events: Events) -> bool:
    for name in (FAILS, *OTHERS):
        cached = await projector.look(name)
        if cached is None or sum(cached.view.position().values()) < len(of(name, events)):
            return False
    return True


async def waits_for_the_store(listener: MortalListener) -> bool:
    return "StoreAway" in (listener.not_ready() or "")
