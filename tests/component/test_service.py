"""Test a service as a process: its readiness while it waits, its stop, and what it refuses."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from chassis.kafka.topics import create_topics
from local.paths import free_port
from tests.component.sample_app import SECRET
from tests.infrastructure import KafkaServer, StoreServer, wait_until


@contextmanager
def process(service: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    given = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
    given |= {f"CONCORD_{name.upper()}": value for name, value in environment.items()}
    command = [sys.executable, "-m", f"{service}.service"]
    with subprocess.Popen(command, env=given, stderr=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            running.kill()


def answer(url: str) -> httpx.Response | None:
    try:
        return httpx.get(url, timeout=5)
    except httpx.TransportError:
        return None


def status(url: str) -> int | None:
    given = answer(url)
    return None if given is None else given.status_code


def said(url: str) -> str:
    given = answer(url)
    return "" if given is None else given.text


async def test_a_service_comes_up_says_what_it_waits_for_and_stops_in_order(
    kafka: KafkaServer, store: StoreServer, isolation: str
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with process(
        "sales",
        service_port=str(port),
        kafka_bootstrap=kafka.bootstrap,
        topic_prefix=isolation,
        store_url=store.url,
        store_database=isolation,
        token_secret=SECRET,
    ) as sales:
        wait_until(lambda: status(f"{url}/live") == 200)
        # There are no topics yet, so reference data cannot be read: it says so, and takes nothing.
        wait_until(lambda: "is not there" in said(f"{url}/ready"))
        waiting = answer(f"{url}/ready")
        assert waiting is not None
        assert waiting.status_code == 503
        assert waiting.json()["parts"]["store"] == {"ready": True}
        assert waiting.json()["parts"]["process"] == {"ready": True}
        assert waiting.json()["parts"]["reference-data"]["ready"] is False
        assert status(f"{url}/health") == 200
        await create_topics(kafka.bootstrap, isolation)
        wait_until(lambda: status(f"{url}/ready") == 200)
        sales.send_signal(signal.SIGTERM)
        _, log = sales.communicate(timeout=20)
        assert sales.returncode == 0, log
        assert '"message": "stopped"' in log
        assert SECRET not in log


def test_an_unsafe_service_does_not_start() -> None:
    with process("sales", token_secret="short", service_host="0.0.0.0") as unsafe:  # noqa: S104
        _, log = unsafe.communicate(timeout=30)
    assert unsafe.returncode == 2
    assert "CONCORD_TOKEN_SECRET: must have at least 32 bytes" in log
