"""Services are killed under load: nothing acknowledged is lost, and nothing happens twice."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from gateway.portfolio import Portfolio
from local.platform import SERVICES, Platform
from tests.faults.checker import at_rest
from tests.faults.evidence import Evidence, Places, gather
from tests.faults.killing import kill_at_random, relay_holders
from tests.faults.load import Load, company
from tests.faults.unified import portfolio

pytestmark = [pytest.mark.fault, pytest.mark.timeout(1500)]


async def test_every_service_is_killed_again_and_again(platform: Platform, places: Places) -> None:
    assert await _killed(platform, places, seed=20, rounds=4) >= 20


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [1, 2, 3, 5])
async def test_they_are_killed_for_a_long_time(
    platform: Platform, places: Places, seed: int
) -> None:
    assert await _killed(platform, places, seed=seed, rounds=12) >= 60


async def _killed(platform: Platform, places: Places, *, seed: int, rounds: int) -> int:
    async with Load(company(platform), seed, clients=10) as load:
        await load.begin()
        holders = await relay_holders(places)
        kills = await kill_at_random(platform, load, seed, rounds)
        await load.moved(50)
        await load.end()
        evidence = await at_rest(lambda: gather(places), load.acknowledged, limit=120)

        killed = Counter(each.service for each in kills if not each.coming_up)
        assert killed == dict.fromkeys(SERVICES, rounds)
        # Whoever held a relay's lease was killed, and the one that was started took it over.
        for service, holder in (await relay_holders(places)).items():
            assert holder not in {"None", holders[service]}
        await _agrees(load, places, evidence)
        return len(kills)


async def _agrees(load: Load, places: Places, evidence: Evidence) -> None:
    """What the gateway shows is what the topics give, once no deadline that was due is left."""
    for _ in range(10):
        answer = await load.stage.read("gateway", "/portfolio", "vera", {})
        shown = Portfolio.model_validate_json(answer.content)
        told = portfolio(evidence, datetime.now(UTC).date())
        if shown == told:
            break
        evidence = await at_rest(lambda: gather(places), load.acknowledged, limit=120)
    assert shown == told
    assert shown.engagements > 0
