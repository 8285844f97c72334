"""Back-off: pauses, outages, the deadline, and the event that ends a pause."""

import asyncio

import pytest

from chassis.base import backoff as backoff_module
from chassis.base.backoff import Backoff


class Time:
    """The module's clock and sleep: a pause takes no time and moves the clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(backoff_module, "time", time)
    monkeypatch.setattr(asyncio, "sleep", time.sleep)
    return time


async def test_pauses_double_up_to_the_longest_and_differ_by_a_fifth_at_most(time: Time) -> None:
    every: list[list[float]] = []
    for _ in range(50):
        backoff = Backoff(0.1, 1.0)
        time.pauses = []
        for _ in range(6):
            await backoff.pause()
        every.append(time.pauses)
    for expected, pauses in zip(
        (0.1, 0.2, 0.4, 0.8, 1.0, 1.0), zip(*every, strict=True), strict=True
    ):
        assert expected * 0.8 <= min(pauses) < max(pauses) <= expected * 1.2


async def test_an_outage_of_days_has_a_pause(time: Time) -> None:
    backoff = Backoff(0.1, 5.0)
    for _ in range(5_000):
        await backoff.pause()
    assert backoff.next_pause <= 6.0


async def test_the_beginning_and_the_end_of_an_outage_are_logged_once(time: Time) -> None:
    backoff = Backoff()
    assert not backoff.reset()
    assert backoff.must_log()
    await backoff.pause()
    assert not backoff.must_log()
    await backoff.pause()
    assert backoff.reset()
    assert not backoff.reset()
    assert backoff.pauses == 0
    assert backoff.next_pause <= 0.12
    assert backoff.must_log()


@pytest.mark.parametrize(("ran", "is_new"), [(1.9, False), (2.1, True)])
async def test_a_fault_after_a_long_run_is_a_new_outage(
    time: Time, ran: float, is_new: bool
) -> None:
    backoff = Backoff(0.1, 2.0)
    for _ in range(5):
        backoff.must_log()
        await backoff.pause()

    backoff.begin()
    time.now += ran
    assert backoff.must_log() is is_new
    assert not backoff.must_log()
    await backoff.pause()
    assert (time.pauses[-1] <= 0.12) is is_new

    # What waits before it begins again does not run.
    time.now += 10
    assert not backoff.must_log()


async def test_it_is_over_when_the_next_pause_would_end_too_late(time: Time) -> None:
    backoff = Backoff(1.0, 1.0, within=10.0)
    while not backoff.is_over:
        await backoff.pause()
    assert 1010 - 1.2 < time.now <= 1010
    assert not Backoff(1.0, 1.0).is_over


async def test_an_event_ends_a_pause() -> None:
    backoff = Backoff(60.0, 60.0)
    until = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, until.set)
    async with asyncio.timeout(5):
        await backoff.pause(until)
    short = Backoff(0.01, 0.01)
    await short.pause(asyncio.Event())
    assert short.pauses == 1
