"""A platform as docker-compose.yml sets it up, reached by its addresses and its key file alone."""

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

from local import places
from local.platform import SERVICES, Layout, Platform

PROJECT = Path(__file__).parents[2]


def compose(key: Path) -> dict[str, Any]:
    """The services of docker-compose.yml, as compose reads them with this `.env`."""
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
    """Where the services are, and the file with the secret of their tokens."""

    layout: Layout
    key: Path

    def run(self, *words: str) -> str:
        """Run a module as `make` does, told only the addresses and the key file."""
        given = {name: text for name, text in os.environ.items() if not name.startswith("CONCORD_")}
        given |= {f"CONCORD_{name.upper()}_URL": self.layout.url(name) for name in SERVICES}
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


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    """Five services with what compose tells them, but for where they and their parts listen."""
    folder = tmp_path_factory.mktemp("elsewhere")
    key = folder / ".env"
    example = (PROJECT / "deploy" / "compose" / "example.env").read_text()
    filled = f"CONCORD_TOKEN_SECRET={secrets.token_urlsafe(48)}"
    key.write_text(example.replace("CONCORD_TOKEN_SECRET=", filled))
    platform = Platform(Layout.on_free_ports(folder / "home"), say=lambda _: None)
    for name, part in compose(key).items():
        if name not in SERVICES:
            continue
        told = dict(part["environment"])
        told.pop("CONCORD_OTLP_ENDPOINT")
        own = platform.environment(name)
        moved = ("CONCORD_SERVICE_PORT", "CONCORD_STORE_URL", "CONCORD_KAFKA_BOOTSTRAP")
        told |= {name: own[name] for name in moved} | {"CONCORD_SERVICE_HOST": places.HOST}
        platform.services[name].environment = told
    try:
        platform.start()
        yield Elsewhere(platform.layout, key)
    finally:
        platform.stop()


def first_command() -> tuple[str, dict[str, Any]]:
    """Who gives the command that the README tries first, and what it sends."""
    text = (PROJECT / "README.md").read_text()
    who, body = re.search(r"make -s token AS=(\w+)\).*?-d '(\{.*?\})'", text, re.DOTALL).groups()  # type: ignore[union-attr]
    return who, json.loads(body)


def test_the_readmes_first_command_succeeds_once_the_demo_is_loaded(elsewhere: Elsewhere) -> None:
    who, body = first_command()
    bearer = elsewhere.run("chassis.token", "--as", who)

    def give(key: str) -> int:
        headers = {"Authorization": f"Bearer {bearer}", "Idempotency-Key": key}
        url = elsewhere.layout.url("sales") + "/engagements"
        return httpx.post(url, json=body, headers=headers, timeout=30).status_code

    assert give("before") == 409  # nobody has published the account
    assert "commands in" in elsewhere.run("local.play", "--engagements", "2")
    assert give("after") == 201
