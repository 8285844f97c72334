"""The container: it stops in time even if its parts do not, and runs the parts it is given."""

import asyncio
import time
from dataclasses import replace
from functools import partial
from typing import assert_type

from chassis.application.event_handler import StreamEventHandler
from chassis.eventstore.journal import Journal
from chassis.eventstore.mongo import Store
from chassis.kafka.consumer import Consumer
from chassis.kafka.outbox_relay import Relay
from chassis.runtime.container import Container, Parts, handle_by_streams
from chassis.runtime.service import create_app
from gateway import service as gateway
from gateway.projection.projector import Projector
from tests.component.sample_app import sales, settings


async def test_parts_that_do_not_stop_share_the_time_and_each_is_told_to_stop() -> None:
    container = Container(
        name="sales",
        settings=settings(stop_within=0.6),
        deciders=(),
        event_handling=handle_by_streams,
    )
    told: list[int] = []

    def part(number: int) -> tuple[str, object]:
        async def stop() -> None:
            told.append(number)
            await asyncio.Event().wait()

        return f"part {number}", stop

    container._to_stop = [part(number) for number in range(20)]  # type: ignore[misc]
    began = time.monotonic()
    await container.__aexit__(None, None, None)

    assert told == list(reversed(range(20)))
    assert time.monotonic() - began < 3  # with 0.2 s for each of the 20 it would be 4 s


class OwnStore(Store):
    """A store of a test."""


class OwnJournal(Journal):
    """A journal of a test."""


class OwnRelay(Relay):
    """A relay of a test."""


class OwnConsumer(Consumer):
    """A consumer of a test."""


class OwnHandler(StreamEventHandler):
    """A handler of a test."""


OWN = Parts(store=OwnStore, journal=OwnJournal, relay=OwnRelay, consumer=OwnConsumer)


async def test_a_service_runs_with_the_parts_that_it_is_given() -> None:
    service = replace(
        sales(), event_handling=partial(handle_by_streams, handler=OwnHandler), reads=()
    )
    app = create_app(service, settings(stop_within=0.6), OWN)
    async with app.router.lifespan_context(app):
        container: Container = app.state.container
        assert type(container.store) is OwnStore
        assert type(container.journal) is OwnJournal
        assert type(container.relay) is OwnRelay
        assert type(container.consumer) is OwnConsumer
        assert type(container.event_handling.handler) is OwnHandler
        # The other parts work with them.
        assert container.repository.journal is container.journal
        assert container.relay._journal is container.journal


async def test_the_gateway_has_its_projector_or_the_one_that_it_is_given() -> None:
    class OwnProjector(Projector):
        """A projector of a test."""

    for given, expected in (
        (gateway.event_handling, Projector),
        (partial(gateway.event_handling, projector_class=OwnProjector), OwnProjector),
    ):
        container = Container(
            name="gateway", settings=settings(), deciders=(), event_handling=given
        )
        assert_type(container, Container[Projector])
        assert type(container.event_handling.handler) is expected


def test_the_routes_of_the_gateway_get_what_its_service_runs() -> None:
    """Check what the type of `get_gateway` relies on."""
    assert gateway.SERVICE.event_handling is gateway.event_handling
