"""Test that engagements come in from files, once, and that one goes on until it is closed."""

import asyncio
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.demo.actors import Actors
from local.demo.driver import Driver, PlatformAccess
from local.demo.reference_data import TEMPLATE
from local.platform import DEPARTMENTS, Platform
from tests.e2e.conftest import ApiClient
from tests.e2e.scenarios import TODAY, monday

EXAMPLE = Path(__file__).parents[2] / "deploy" / "local" / "take_over" / "example.json"
WEEK = monday(21)
"""Monday of the first week that the balances do not contain."""
AS_OF = date(2026, 10, 31)
"""Day of the balances in the example."""


def example() -> dict[str, Any]:
    """Return the example with days by which the balances end on the Sunday before `WEEK`."""
    later = WEEK - timedelta(days=1) - AS_OF

    def moved(found: re.Match[str]) -> str:
        return (date.fromisoformat(found[0]) + later).isoformat()

    text = re.sub(r"\d{4}-\d{2}-\d{2}", moved, EXAMPLE.read_text())
    content: dict[str, Any] = json.loads(text)
    return content


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
    assert "K-2041: delivery: complete: " in done.stdout, done.stdout


def test_the_gateway_shows_them_complete(api: ApiClient, engagements: dict[str, str]) -> None:
    for engagement in engagements.values():
        shown = api.get("gateway", f"/engagements/{engagement}")
        assert (shown["summary"]["stage"], shown["summary"]["import_lacks"]) == ("delivering", [])
        assert shown["disconnects"] == []


def test_one_goes_on_until_it_is_closed(
    access: PlatformAccess, api: ApiClient, engagements: dict[str, str]
) -> None:
    name = engagements["K-2041"]

    async def go_on() -> None:
        async with Driver(access, TODAY, "taken-over") as driver:
            await _go_on(Actors(driver, "taken-over", name))

    asyncio.run(go_on())
    finance = api.get("finance", f"/engagements/{name}")
    bills = {each["kind"]: each["amount"]["amount"] for each in finance["invoices"]}
    # 16 hours at 130 EUR, and what was left of the fixed price.
    assert {kind: float(amount) for kind, amount in bills.items()} == {
        "time": 2_080,
        "on-acceptance": 25_000,
    }
    assert finance["settled_on"] is not None
    shown = api.get("gateway", f"/engagements/{name}")
    assert shown["summary"]["stage"] == "closed"
    closed = shown["delivery"]["closed"]["event"]
    assert float(closed["delivered_hours"]) == 370.5 + 16 + 8


async def _go_on(actors: Actors) -> None:
    """Plan and record work, bill it, have the rest accepted, and close the engagement."""
    ids, month = actors.driver.ids, f"{WEEK + timedelta(days=1):%Y-%m}"
    await actors.act("delivery", "assign-manager", "paul", manager="emma")
    planned = [("portal", "finish", "8"), ("support", "support", "40")]
    await actors.act(
        "delivery",
        "draft-plan",
        "emma",
        template=TEMPLATE,
        tasks=[
            {
                "task": task,
                "title": task.capitalize(),
                "phase": "Build",
                "starts_on": WEEK.isoformat(),
                "finishes_on": (WEEK + timedelta(days=18)).isoformat(),
                "hours": [{"role": "engineer", "hours": hours}],
                "line": line,
            }
            for line, task, hours in planned
        ],
    )
    await actors.act("delivery", "baseline-plan", "emma", version=1)
    entries = [
        {"day": (WEEK + timedelta(days=day)).isoformat(), "task": task, "hours": "8"}
        for day, task in enumerate(("support", "support", "finish"))
    ]
    saved = {"engagements": [{"engagement": actors.engagement, "entries": entries}]}
    for command, body in (("save-timesheet", saved), ("submit-timesheet", {})):
        await actors.driver.act_on_timesheet("gita", f"gita.{WEEK}", command, body)
    await actors.look_until("delivery", "emma", lambda seen: bool(seen["time"]["waiting"]))
    await actors.act("delivery", "approve-time", "emma", person="gita", week=WEEK.isoformat())
    await actors.look_until("finance", "fred", lambda seen: len(seen["unbilled_work"]) == 2)
    await actors.act("finance", "bill-time", "fred", month=month)
    await actors.act(
        "delivery", "submit-deliverable", "emma", deliverable="portal", content="The portal."
    )
    accepted = {"deliverable": "portal", "submission": 1, "accepted_by": ids["jonas"]}
    await actors.act("delivery", "accept-deliverable", "emma", **accepted)
    seen = await actors.look_until("finance", "fred", lambda seen: len(seen["invoices"]) == 2)
    for invoice in seen["invoices"]:
        await actors.act("finance", "approve-invoice", "dora", invoice=invoice["invoice"])
    seen = await actors.look_until(
        "finance", "fred", lambda seen: all(each["number"] for each in seen["invoices"])
    )
    for invoice in seen["invoices"]:
        owed = {"invoice": invoice["invoice"], "amount": invoice["outstanding"]}
        await actors.act("finance", "record-payment", "fred", **owed)
    await actors.act("delivery", "go-live", "emma")
    await actors.act(
        "delivery",
        "send-survey",
        "emma",
        survey="S-1",
        kind="nps",
        phase="Whole engagement",
        contacts=[ids["jonas"]],
    )
    await actors.act(
        "delivery", "hold-pir", "emma", went_well=["It went on."], went_badly=["It was late."]
    )
    await actors.act("finance", "settle-account", "fred")
    await actors.look_until("delivery", "emma", lambda seen: seen["gates"]["closing"] == [])
    await actors.act("delivery", "close-engagement", "emma")
