"""The example of the importer, and how one of its engagements goes on until it is closed."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from local.demo.actors import Actors
from local.demo.bank import Transfer
from local.demo.reference_data import TEMPLATE

TODAY = datetime.now(UTC).date()
EXAMPLE = Path(__file__).parents[1] / "deploy" / "local" / "take_over" / "example.json"
WEEK = TODAY - timedelta(days=21 + TODAY.weekday())
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


async def go_on(actors: Actors) -> None:
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
    await _pay(actors, seen["invoices"])
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


async def _pay(actors: Actors, invoices: list[dict[str, Any]]) -> None:
    """Let the customer pay invoices; their payments come in on a statement of the bank."""
    driver, finance = actors.driver, "finance"
    for each in invoices:
        reference = f"{actors.engagement} {each['invoice']}"
        transfer = Transfer(reference, each["outstanding"], "Novamed Kliniken GmbH")
        driver.bank.transfer("concord-de.main", transfer)
    await driver.hand_in()
    for each in invoices:
        payment = driver.bank.payments[f"{actors.engagement} {each['invoice']}"]
        part = {"engagement": actors.engagement, "invoice": each["invoice"]}
        items = [part | {"amount": each["outstanding"]}]
        customer = {"account": driver.ids["novamed"]}
        stream = f"payments/{payment}"
        await driver.act_on(finance, stream, "fred", "assign-account", customer)
        await driver.act_on(finance, stream, "fred", "allocate-payment", {"items": items})
    await actors.look_until(
        finance,
        "fred",
        lambda seen: all(not float(each["outstanding"]["amount"]) for each in seen["invoices"]),
    )
