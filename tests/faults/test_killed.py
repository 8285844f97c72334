"""Services are killed under load: nothing acknowledged is lost, and nothing happens twice."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from gateway.portfolio import Portfolio
from local.platform import SERVICES, Platform
from tests.faults.checker import at_rest
from tests.faults.evidence import Evidence, Places, gather
from tests.faults.killing import kill_at_random, relay_holders, wait_for_all
from tests.faults.load import Load, company
from tests.faults.unified import portfolio

pytestmark = pytest.mark.fault


async def test_every_service_is_killed_again_and_again(platform: Platform, places: Places) -> None:
    await _killed(platform, places, seed=20, kills=20, pause=(0.5, 4.0))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [1, 2, 3, 5])
async def test_they_are_killed_for_a_long_time(
    platform: Platform, places: Places, seed: int
) -> None:
    await _killed(platform, places, seed=seed, kills=50, pause=(0.1, 6.0))


async def _killed(
    platform: Platform, places: Places, *, seed: int, kills: int, pause: tuple[float, float]
) -> None:
    async with Load(company(platform), seed) as load:
        await load.begin()
        await load.moved(50)
        holders = await relay_holders(places)
        killed = await kill_at_random(platform, load, seed, kills, pause=pause)
        await wait_for_all(platform)
        await load.moved(50)
        await load.end()
        evidence = await at_rest(lambda: gather(places), load.acknowledged, limit=120)

        assert Counter(each.service for each in killed) == dict.fromkeys(
            SERVICES, kills // len(SERVICES)
        )
        # Whoever held a lease was killed, and the one that was started took it over.
        for service, holder in (await relay_holders(places)).items():
            assert holder not in {"None", holders[service]}
        await _agrees(load, evidence)


async def _agrees(load: Load, evidence: Evidence) -> None:
    """What the gateway shows is what the topics give."""
    answer = await load.stage.read("gateway", "/portfolio", "vera", {})
    shown = Portfolio.model_validate_json(answer.content)
    assert shown == portfolio(evidence, datetime.now(UTC).date())
    assert shown.engagements > 0
