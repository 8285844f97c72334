"""A service stops in time, even if its parts do not."""

import asyncio
import time

from chassis.runtime.container import Container
from tests.component.sample_app import settings


async def test_parts_that_do_not_stop_share_the_time_and_each_is_told_to_stop() -> None:
    container = Container(name="sales", settings=settings(stop_within=0.6), deciders=())
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
