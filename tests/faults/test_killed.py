"""Test that kills under load and invalid records lose nothing and repeat nothing.

Everything acknowledged is kept, has its effects once, and no other record is affected.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from random import Random

import pytest

from gateway.portfolio.reporting import ReportedPortfolio, reported
from gateway.projection.timeline import in_order
from gateway.projection.view_store import ViewStore
from gateway.view.engagement_view import dump
from local.platform import SERVICES, Platform
from local.processes import Process
from testkit.scenario import RecordsOf
from tests.faults.chaos import kill_at_random, relay_holders
from tests.faults.checker import at_rest
from tests.faults.collected_state import Evidence, Places, Published, gather, opened
from tests.faults.gateway_checks import portfolio
from tests.faults.load import Load, company
from tests.faults.record_injection import (
    AHEAD,
    FORGEABLE,
    Operator,
    Planter,
    Seed,
    everything,
    some,
)
from tests.faults.seeds import seeds

pytestmark = [pytest.mark.fault, pytest.mark.timeout(1500)]


@pytest.mark.long
async def test_every_service_is_killed_while_hostile_records_are_published(
    platform: Platform, places: Places
) -> None:
    """Rebuild the gateway from all topics afterwards, including the hostile records."""
    planted = some(Random(20), 40)
    kills = await _killed(platform, places, seed=20, rounds=4, planted=planted)
    assert kills >= 20
    await _rebuilt(platform, places)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", seeds("killed", 2))
async def test_services_are_killed_for_a_long_time(
    platform: Platform, places: Places, seed: int
) -> None:
    assert await _killed(platform, places, seed=seed, rounds=12) >= 60


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", seeds("planted", 2))
async def test_every_kind_of_hostile_record_is_published_while_they_are_killed(
    platform: Platform, places: Places, seed: int
) -> None:
    kills = await _killed(platform, places, seed=seed, rounds=8, planted=everything())
    assert kills >= 40
    await _rebuilt(platform, places)


async def _killed(
    platform: Platform, places: Places, *, seed: int, rounds: int, planted: Sequence[Seed] = ()
) -> int:
    """Return how often services were killed."""
    async with AsyncExitStack() as stack:
        load = await stack.enter_async_context(Load(company(platform), seed, clients=10))
        await load.begin()
        planter = await stack.enter_async_context(Planter(places.bootstrap, load, seed))
        operator = await stack.enter_async_context(Operator(platform, load, planter))
        await load.moved(20)
        planting = asyncio.create_task(planter.plant(planted, seconds=10 * rounds))
        holders = await relay_holders(places)
        try:
            kills = await kill_at_random(platform, load, seed, rounds)
            await planting
        finally:
            planting.cancel()
        await load.moved(50)
        await load.end()
        evidence = await at_rest(lambda: gather(places), load.acknowledged, limit=120)

        killed = Counter(each.service for each in kills if not each.coming_up)
        assert killed == dict.fromkeys(SERVICES, rounds)
        # The holder of each relay's lease was killed, and the process started next took it over.
        for service, holder in (await relay_holders(places)).items():
            assert holder not in {"None", holders[service]}
        if planted:
            assert len(planter.done) == len(planted)
            assert operator.decided
            assert max(_last_number(evidence.topics[name]) for name in FORGEABLE) < AHEAD[0]
        await _agrees(load, places, evidence)
        return len(kills)


def _last_number(records: Sequence[Published]) -> int:
    return max((each.recorded.sequence for each in records if each.recorded is not None), default=0)


async def _rebuilt(platform: Platform, places: Places) -> None:
    """Check that a rebuild from the first records gives each engagement's view the same bytes.

    Deadlines of some engagements may pass meanwhile; these are not compared.
    """
    before = _folded(await at_rest(lambda: gather(places), limit=120))
    rebuild = Process(
        "rebuild",
        [sys.executable, "-m", "gateway.rebuild"],
        log=platform.layout.logs / "rebuild.log",
        environment=platform.environment("gateway"),
    )
    rebuild.start()
    assert await asyncio.to_thread(rebuild.wait, 60) == 0
    async with asyncio.timeout(60), opened(places, "gateway") as store:
        while await ViewStore(store).partitions_to_rebuild():  # noqa: ASYNC110 - another process ends it
            await asyncio.sleep(0.2)
    after = _folded(await at_rest(lambda: gather(places), limit=120))
    unchanged = [name for name, (position, *_) in before.items() if after[name][0] == position]
    assert len(unchanged) > len(before) / 2
    assert {name: after[name] for name in unchanged} == {name: before[name] for name in unchanged}


def _folded(evidence: Evidence) -> dict[str, tuple[object, ...]]:
    """Return position, view as bytes, events passed over and timeline, by engagement."""
    return {
        name: (
            cached.view.position(),
            dump(cached.view),
            cached.passed_over,
            {
                (each.channel.name, each.sequence): each.record
                for each in in_order(evidence.timelines[name])
            },
        )
        for name, cached in evidence.folded.items()
    }


async def _agrees(load: Load, places: Places, evidence: Evidence) -> None:
    """Check that the gateway shows what the topics give, once no deadline is overdue."""
    for _ in range(10):
        answer = await load.driver.read("gateway", "/portfolio", "vera", {})
        shown = ReportedPortfolio.model_validate_json(answer.content)
        figures = portfolio(evidence, datetime.now(UTC).date())
        expected = reported(figures, RecordsOf([]), currency=None)
        if shown == expected:
            break
        evidence = await at_rest(lambda: gather(places), load.acknowledged, limit=120)
    assert shown == expected
    assert shown.engagements > 0
