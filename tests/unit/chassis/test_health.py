"""The answers of /ready and /health, and the time since when a part does not work."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import httpx
import pytest
from fastapi import FastAPI

from chassis.runtime.health import Check, Condition, Monitor, readiness, router

TEN = datetime(2026, 3, 2, 10, tzinfo=UTC)


def minutes() -> Iterator[datetime]:
    return (TEN + timedelta(minutes=number) for number in count())


async def well() -> None:
    return None


async def away() -> str:
    return "Kafka is away"


async def old() -> Condition:
    return Condition("data are 40 s old", degraded=True, details={"as_of": "10:00"})


async def broken() -> str:
    raise ConnectionError("E-123 is in the text")


async def silent() -> None:
    await asyncio.sleep(60)


async def test_every_precondition_must_be_met_and_answer_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chassis.runtime.health.READY_WITHIN", 0.05)

    assert (await readiness({"a": well})).ready
    found = await readiness({"a": well, "b": away, "c": broken, "d": silent})

    assert not found.ready
    assert {name: part.reason for name, part in found.parts.items()} == {
        "a": None,
        "b": "Kafka is away",
        "c": "the check failed: ConnectionError",
        "d": "no answer within 0.05 s",
    }


async def test_the_time_since_when_a_part_does_not_work_is_kept() -> None:
    clock = minutes()
    parts: dict[str, Check] = {"consumer": well}
    monitor = Monitor("sales", dict, lambda: parts, now=lambda: next(clock))
    assert (await monitor.look()).parts["consumer"].since is None

    parts["consumer"] = away
    await monitor.look()
    found = await monitor.look()
    assert (found.healthy, found.parts["consumer"].since) == (False, TEN)

    parts["consumer"] = well
    assert (await monitor.look()).healthy
    parts["consumer"] = away
    assert (await monitor.look()).parts["consumer"].since == TEN + timedelta(minutes=1)


async def test_a_degraded_part_is_shown_and_leaves_the_service_healthy() -> None:
    monitor = Monitor("sales", dict, lambda: {"consumer": well, "as-of": old})

    found = await monitor.look()

    assert found.healthy
    assert found.degraded == ["as-of"]
    assert found.parts["as-of"].reason == "data are 40 s old"
    assert found.parts["as-of"].details == {"as_of": "10:00"}


async def test_each_part_has_a_gauge_of_one_or_zero() -> None:
    monitor = Monitor("sales", dict, lambda: {"a": well, "b": away, "c": old})
    await monitor.look()

    measured = {
        (each.attributes or {})["part"]: each.value
        for each in monitor._observe(None)  # type: ignore[arg-type]
    }

    assert measured == {"a": 1, "b": 0, "c": 1}


async def test_health_is_200_while_readiness_is_503() -> None:
    monitor = Monitor("sales", lambda: {"store": away}, lambda: {"store": away, "consumer": well})
    app = FastAPI()
    app.include_router(router(lambda: monitor))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sales") as client:
        live, ready = await client.get("/live"), await client.get("/ready")
        health = await client.get("/health")

    assert (live.status_code, ready.status_code, health.status_code) == (200, 503, 200)
    assert ready.json() == {
        "ready": False,
        "parts": {"store": {"ready": False, "reason": "Kafka is away"}},
    }
    assert (health.json()["ready"], health.json()["healthy"]) == (False, False)
    assert health.json()["parts"]["consumer"]["healthy"] is True
    assert health.headers["cache-control"] == "no-store"
