"""Test that the checker finds a broken part: a relay, a journal or an event handler.

The parts are real ones with one fault, in services that are otherwise unchanged, on a real Kafka
and a real store.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from chassis.application.event_handler import StreamEventHandler
from chassis.application.ports import Batch
from chassis.domain.decider import Step
from chassis.eventstore.journal import Commit, Journal
from chassis.eventstore.snapshots import AnyDecider
from chassis.kafka.outbox_relay import Record, Relay
from chassis.runtime.container import Parts, handle_by_streams
from contracts.delivery import DecisionRecorded
from contracts.event import Event, Recorded
from delivery import service as delivery
from gateway import service as gateway
from gateway.projection.projector import Projector
from gateway.view.engagement_view import apply_event
from sales import service as sales
from tests.faults.checker import at_rest
from tests.faults.collected_state import gather
from tests.faults.in_process_platform import Variant, World, world
from tests.faults.load import Person
from tests.infrastructure import KafkaServer, StoreServer

pytestmark = pytest.mark.long

LIMIT = 60.0


class Skips(Relay):
    """A relay that does not publish one event."""

    async def _publish(self, records: Sequence[Record]) -> None:
        if others := [each for each in records if not is_qualified(each)]:
            await super()._publish(others)


class Swaps(Relay):
    """A relay that publishes one event after the next one."""

    _kept: Record | None = None

    async def _publish(self, records: Sequence[Record]) -> None:
        for record in records:
            if is_qualified(record):
                self._kept = record
                continue
            await super()._publish([record])
            if self._kept is not None:
                kept, self._kept = self._kept, None
                await super()._publish([kept])


class Forgets(Journal):
    """A journal that acknowledges one command without writing it."""

    async def append(self, commit: Commit) -> None:
        if commit.command != "qualify-opportunity":
            await super().append(commit)


class TakesInTwice(StreamEventHandler):
    """A department that stores consumed events twice."""

    def _commit(self, decider: AnyDecider, step: Step[Any], first: Recorded[Event]) -> Commit:
        consumed = tuple(entry for entry in step.entries if not entry.own)
        return super()._commit(decider, replace(step, entries=(*consumed, *step.entries)), first)


class FoldsOtherwise(Projector):
    """A projector of the gateway that applies recorded decisions with another title."""

    async def process(self, batch: Batch) -> Mapping[str, Exception]:
        errors = await super().process(batch)
        for engagement, events in batch.items():
            for recorded in events:
                cached = self._cached[engagement]
                if isinstance(recorded.event, DecisionRecorded):
                    fresh = copy.deepcopy(cached.view.freshness)
                    other = recorded.event.model_copy(update={"title": "Three phases"})
                    apply_event(cached.view, replace(recorded, event=other))
                    cached.view.freshness = fresh
        return errors


def is_qualified(record: Record) -> bool:
    return record[2] is not None and b"opportunity-qualified" in record[2]


async def a_beginning(made: World) -> None:
    """Start an engagement, with commands only to the departments that run."""
    novamed = {"name": "Novamed", "country": "DE"}
    await made.driver.record("sales", "accounts", novamed, "sam", name="novamed")
    emma = {"name": "Emma", "department": "delivery", "roles": ["engagement-manager"]}
    await made.driver.publish("delivery", "people/emma/publish-person", emma, "paul")
    for name, department in (("ann", "sales"), ("jonas", "executive")):
        record = {"name": name.title(), "department": department}
        await made.driver.publish("delivery", f"people/{name}/publish-person", record, "paul")
    person = Person(made.driver, "beginning")
    await person.open(
        {
            "account": made.driver.ids["novamed"],
            "title": "Portal",
            "expected_value": {"amount": "1000", "currency": "EUR"},
            "expected_close": "2025-06-01",
            "owner": "ann",
        },
        "ann",
    )
    await person.act("delivery", "assign-manager", "paul", manager="emma")
    await person.act(
        "delivery",
        "record-decision",
        "emma",
        title="Two phases",
        rationale="Less at once.",
        decided_by="jonas",
    )
    await person.act(
        "sales",
        "qualify-opportunity",
        "ann",
        budget=True,
        authority=True,
        need=True,
        timing=True,
        score="70",
    )
    await person.act(
        "sales", "advance-opportunity", "ann", pipeline_stage="proposing", probability="50"
    )


@pytest.mark.fault
@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (None, None),
        (
            Variant(sales.SERVICE, Parts(relay=Skips)),
            "sales: E-.* 2 is in the journal and not on",
        ),
        (Variant(sales.SERVICE, Parts(relay=Swaps)), "sales: E-.* 3 came where 2 was expected"),
        (Variant(sales.SERVICE, Parts(journal=Forgets)), "ann/.* was acknowledged and is not in"),
        (
            Variant(
                replace(
                    delivery.SERVICE,
                    event_handling=partial(handle_by_streams, handler=TakesInTwice),
                )
            ),
            "1 was taken in 2 times",
        ),
        (
            Variant(
                replace(
                    gateway.SERVICE,
                    event_handling=partial(gateway.event_handling, projector_class=FoldsOtherwise),
                )
            ),
            "not what its events give, in delivery",
        ),
    ],
    ids=["sound", "skips", "swaps", "forgets", "takes-in-twice", "folds-otherwise"],
)
async def test_a_broken_part_is_found(
    kafka: KafkaServer,
    store: StoreServer,
    isolation: str,
    broken: Variant | None,
    sentence: str | None,
) -> None:
    only = ("sales", "delivery", "gateway")
    async with world(kafka, store, isolation, only=only, broken=broken) as made:
        await a_beginning(made)

        async def rest() -> None:
            await at_rest(lambda: gather(made.places), made.driver.acknowledged, limit=LIMIT)

        if sentence is None:
            await rest()
        else:
            with pytest.raises(AssertionError, match=sentence):
                await rest()
