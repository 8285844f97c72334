"""Test a platform like that of docker-compose.yml, reached only by addresses and a key file."""

import asyncio
import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from dotenv import dotenv_values

from chassis.kafka.topics import create_topics
from local import paths
from local.platform import SERVICES, is_healthy
from local.processes import Process, stop_all
from tests.infrastructure import KafkaServer, StoreServer

PROJECT = Path(__file__).parents[2]


def compose(key: Path) -> dict[str, Any]:
    """Return the services of docker-compose.yml, as compose reads them with this `.env`."""
    given = dotenv_values(key)

    def fill(found: re.Match[str]) -> str:
        value = given.get(found.group(1)) or found.group(2)
        assert value is not None, f"{found.group(1)} has to be set"
        return value

    text = re.sub(
        r"\$\{(\w+)(?::-([^}]*)|:\?[^}]*)\}", fill, (PROJECT / "docker-compose.yml").read_text()
    )
    services: dict[str, Any] = yaml.safe_load(text)["services"]
    return services


@dataclass(frozen=True)
class Elsewhere:
    """The addresses of the services, and the file with the secret of their tokens."""

    urls: dict[str, str]
    key: Path

    def run(self, *words: str) -> str:
        """Run a module as `make` does, with no other settings than addresses and key file."""
        given = {name: text for name, text in os.environ.items() if not name.startswith("CONCORD_")}
        given |= {f"CONCORD_{name.upper()}_URL": url for name, url in self.urls.items()}
        python = [sys.executable, "-m"]
        done = subprocess.run(
            [*python, "local", "env", "--key", str(self.key), "--", *python, *words],
            env=given,
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()


def told(part: dict[str, Any]) -> dict[str, str]:
    """Return the settings that compose gives a service, without the collector of telemetry."""
    environment: dict[str, str] = part["environment"]
    return {name: text for name, text in environment.items() if name != "CONCORD_OTLP_ENDPOINT"}


@pytest.fixture
def elsewhere(
    kafka: KafkaServer, store: StoreServer, isolation: str, tmp_path: Path
) -> Iterator[Elsewhere]:
    """Start five services with the settings of compose, but their own addresses and stores."""
    key = tmp_path / ".env"
    example = (PROJECT / "deploy" / "compose" / "example.env").read_text()
    filled = f"CONCORD_TOKEN_SECRET={secrets.token_urlsafe(48)}"
    key.write_text(example.replace("CONCORD_TOKEN_SECRET=", filled))
    asyncio.run(create_topics(kafka.bootstrap, isolation))
    ports = {name: paths.free_port() for name in SERVICES}
    processes = {
        name: Process(
            name,
            [sys.executable, "-m", *part["command"]],
            log=tmp_path / f"{name}.log",
            environment={
                **told(part),
                "CONCORD_SERVICE_HOST": paths.HOST,
                "CONCORD_SERVICE_PORT": str(ports[name]),
                "CONCORD_KAFKA_BOOTSTRAP": kafka.bootstrap,
                "CONCORD_TOPIC_PREFIX": isolation,
                "CONCORD_STORE_URL": store.url,
                "CONCORD_STORE_DATABASE": f"{isolation}-{name}",
            },
        )
        for name, part in compose(key).items()
        if name in SERVICES
    }
    made = Elsewhere({name: f"http://{paths.HOST}:{port}" for name, port in ports.items()}, key)
    try:
        for process in processes.values():
            process.start()
        for name, process in processes.items():
            process.wait_ready(lambda url=made.urls[name]: is_healthy(url), limit=120)  # type: ignore[misc]
        yield made
    finally:
        stop_all(list(processes.values()), grace=20)


def first_command() -> tuple[str, dict[str, Any]]:
    """Return the user and the body of the first command in the README."""
    text = (PROJECT / "README.md").read_text()
    user, body = re.search(r"make -s token AS=(\w+)\).*?-d '(\{.*?\})'", text, re.DOTALL).groups()  # type: ignore[union-attr]
    return user, json.loads(body)


@pytest.mark.long
def test_the_readmes_first_command_succeeds_once_the_demo_is_loaded(elsewhere: Elsewhere) -> None:
    user, body = first_command()
    bearer = elsewhere.run("local.token", "--as", user)

    def give(key: str) -> int:
        headers = {"Authorization": f"Bearer {bearer}", "Idempotency-Key": key}
        url = elsewhere.urls["sales"] + "/engagements"
        return httpx.post(url, json=body, headers=headers, timeout=30).status_code

    assert give("before") == 409  # the account is not published yet
    assert "commands in" in elsewhere.run("local.demo", "--engagements", "2")
    assert give("after") == 201
