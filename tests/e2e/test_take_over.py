"""Test that engagements come in from files, once, and that one goes on until it is closed."""

import asyncio
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from local.demo.actors import Actors
from local.demo.driver import Driver, PlatformAccess
from local.platform import DEPARTMENTS, Platform
from tests.e2e.conftest import ApiClient
from tests.e2e.scenarios import TODAY
from tests.going_on import example, go_on
from tests.infrastructure import wait_until


@dataclass
class Importer:
    """The importer as a process, and the folder for its files."""

    platform: Platform
    api: ApiClient
    folder: Path

    def run(self, content: object) -> subprocess.CompletedProcess[str]:
        file = self.folder / "engagements.json"
        file.write_text(json.dumps(content))
        urls = {
            f"CONCORD_{name.upper()}_URL": self.platform.layout.url(name) for name in DEPARTMENTS
        }
        token = self.api.token("importer", "sales-manager", "operator", "confidential")
        return subprocess.run(
            [sys.executable, "-m", "local.take_over", str(file)],
            env={**os.environ, **urls, "CONCORD_TOKEN": token, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )


@pytest.fixture(scope="module")
def importer(
    platform: Platform,
    access: PlatformAccess,
    api: ApiClient,
    tmp_path_factory: pytest.TempPathFactory,
) -> Importer:
    assert access.ids
    return Importer(platform, api, tmp_path_factory.mktemp("take-over"))


@pytest.fixture(scope="module")
def engagements(importer: Importer) -> dict[str, str]:
    """Take the example over, and return the ids of the engagements by those of the records."""
    done = importer.run(example())
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("taken over") == 20
    found = dict(re.findall(r"(K-\d{4})\W+(E-\w{13})", done.stdout))
    assert len(found) == 5
    return found


def test_files_with_mistakes_send_nothing(importer: Importer) -> None:
    before, content = importer.api.commits(), example()
    content["sales"][0]["account"] = "Novamed Clinic"
    content["finance"][1]["lines"][0]["billed"]["amount"] = "NaN"
    content["legal"].pop()
    done = importer.run(content)
    assert done.returncode == 2
    for saying in (
        "sales 1 (K-2041), account: no account Novamed Clinic is published",
        "finance 2 (K-2044), lines.0.billed",
        "sales 5 (K-2063), external_id: there is no record of legal",
    ):
        assert saying in done.stderr
    assert importer.api.commits() == before


def test_a_second_run_adds_nothing(importer: Importer, engagements: dict[str, str]) -> None:
    assert engagements
    before = importer.api.commits()
    done = importer.run(example())
    assert (done.returncode, done.stdout.count("unchanged")) == (0, 20), done.stdout
    assert importer.api.commits() == before


def test_a_refusal_of_a_department_is_told(importer: Importer, engagements: dict[str, str]) -> None:
    assert engagements
    content = example()
    content["delivery"][0]["complete"] = "71"
    done = importer.run(content)
    assert done.returncode == 1
    assert "K-2041: delivery: " in done.stdout, done.stdout
    assert "complete" in done.stdout


def test_the_gateway_shows_them_complete(api: ApiClient, engagements: dict[str, str]) -> None:
    def is_complete(engagement: str) -> bool:
        summary = api.get("gateway", f"/engagements/{engagement}")["summary"]
        return (summary["stage"], summary["import_lacks"]) == ("delivering", [])

    for engagement in engagements.values():
        wait_until(partial(is_complete, engagement))
        assert api.get("gateway", f"/engagements/{engagement}")["disconnects"] == []


def test_one_goes_on_until_it_is_closed(
    access: PlatformAccess, api: ApiClient, engagements: dict[str, str]
) -> None:
    name = engagements["K-2041"]

    async def run() -> None:
        async with Driver(access, TODAY, "taken-over") as driver:
            await go_on(Actors(driver, "taken-over", name))

    asyncio.run(run())
    finance = api.get("finance", f"/engagements/{name}")
    bills = {each["kind"]: each["amount"]["amount"] for each in finance["invoices"]}
    # 16 hours at 130 EUR, and what was left of the fixed price.
    assert {kind: float(amount) for kind, amount in bills.items()} == {
        "time": 2_080,
        "on-acceptance": 25_000,
    }
    assert finance["settled_on"] is not None

    def is_closed() -> bool:
        shown = api.get("gateway", f"/engagements/{name}")
        return bool(shown["summary"]["stage"] == "closed")

    wait_until(is_closed)
    shown = api.get("gateway", f"/engagements/{name}")
    closed = shown["delivery"]["closed"]["event"]
    assert float(closed["delivered_hours"]) == 370.5 + 16 + 8
