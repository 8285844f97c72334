"""A service stops within the time that it is given, however many of its parts do not."""

import asyncio
import time

from chassis.runtime.container import Container
from tests.component.sample_app import settings


async def test_parts_that_do_not_stop_share_the_time_and_every_one_is_asked() -> None:
    container = Container(name="sales", settings=settings(stop_within=0.6), deciders=())
    asked: list[int] = []

    def part(number: int) -> tuple[str, object]:
        async def end() -> None:
            asked.append(number)
            await asyncio.Event().wait()

        return f"part {number}", end

    container._entered = [part(number) for number in range(20)]  # type: ignore[misc]
    began = time.monotonic()
    await container.__aexit__(None, None, None)

    assert asked == list(reversed(range(20)))
    assert time.monotonic() - began < 3  # 20 times 0.2 s were 4 s
