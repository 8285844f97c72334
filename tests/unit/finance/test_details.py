"""Show the time and expenses of people, one by one, to accountants and not to executives."""

import json
from typing import Any

from contracts.delivery import ExpenseSubmitted, TimeSubmitted
from contracts.roles import Role
from tests.amounts import eur, usd
from tests.invoices import UNTAXED
from tests.unit.finance.builders import (
    CARD,
    ESTIMATE,
    HOURLY_SOW,
    ID,
    MONDAY,
    OPENED,
    PROPOSED,
    SOW_SIGNED,
    WON,
    entries,
    expense,
    spent_of,
    time,
    time_reversed,
)
from tests.unit.finance.test_closing_over_http import APRIL, LEDGERS, SEEING, Finance

SECRETS = {
    "zoe",
    "yan",
    "T-held",
    "T-billed",
    "T-wizard",
    "X-waits",
    "X-dollars",
    "7.77",
    "3.33",
    "234.56",
    "77.77",
}
"""People, works, their hours and amounts."""
INVOICE = f"/engagements/{ID}/invoices/invoice-time-2026-04"
EXECUTIVE: tuple[Role, ...] = ("executive", "confidential")


async def working() -> Finance:
    """Return a service with works and expenses of every kind that Finance names one by one."""
    finance = Finance(CARD, *UNTAXED)
    waiting = TimeSubmitted.model_validate(
        {
            "person": "zoe",
            "week": MONDAY,
            "revision": 1,
            "entries": [
                each.model_dump(exclude={"kind", "line"})
                for each in entries("T-waits", hours="7.77")
            ],
        }
    )
    spent = spent_of(expense("X-waits", eur("234.56"), person="zoe"))
    billed = time("T-billed", person="yan")
    await finance.tell(ID, OPENED, ESTIMATE, PROPOSED, WON, HOURLY_SOW, SOW_SIGNED, billed)
    await command(finance, "bill-time", month="2026-04")
    await command(finance, "approve-invoice", invoice="invoice-time-2026-04")
    await finance.tell(
        ID,
        time_reversed(billed),
        time("T-held", person="yan"),
        time("T-free", person="yan"),
        time("T-wizard", "wizard", "3.33", person="yan"),
        expense("X-dollars", usd("77.77"), person="yan"),
        ExpenseSubmitted.model_validate(spent),
        waiting,
    )
    await command(finance, "hold-work", entries=["T-held"], why="Disputed.")
    return finance


async def command(finance: Finance, name: str, **body: object) -> None:
    answer = await finance.request(f"/engagements/{ID}/{name}", body, by="dora")
    assert answer.status_code == 200, answer.text


async def seen(finance: Finance, *roles: Role) -> dict[str, Any]:
    answer = await finance.request(f"/engagements/{ID}", by="eve", roles=roles)
    view: dict[str, Any] = answer.json()
    return view


async def test_accountants_see_whose_time_and_expenses_they_are_and_executives_do_not() -> None:
    finance = await working()
    known: tuple[Role, ...] = ("project-accountant", "controller", "vp-engagement-management")
    for role in known:
        text = json.dumps(await seen(finance, role, "confidential"))
        assert {each for each in SECRETS if each not in text} == set()
    text = json.dumps(await seen(finance, *EXECUTIVE))
    assert {each for each in SECRETS if each in text} == set()


async def test_executives_see_what_is_missing_and_how_much_is_not_billed() -> None:
    finance = await working()
    whole, view = await seen(finance, "controller"), await seen(finance, *EXECUTIVE)
    for field in ("missing_to_close", "open_points", "waiting"):
        assert {each["code"] for each in view[field]} == {each["code"] for each in whole[field]}
    assert [each["code"] for each in view["missing_to_close"]].count("time-waiting") == 1
    numbers = ("unbilled_works", "held_works", "withheld", "unbilled")
    assert [view[each] for each in numbers] == [whole[each] for each in numbers]
    assert (view["unbilled_work"], view["held_work"], view["unassigned"]) == ([], [], [])
    codes = [each["code"] for each in whole["work"]]
    assert [each["code"] for each in view["work"]] == codes
    assert {"rate-not-contracted", "reversed-work-billed"} <= {*codes}


async def test_what_a_booked_month_missed_names_nobody_to_executives() -> None:
    finance = await working()
    for step in (
        {"start-closing": APRIL},
        {"close-period": {**APRIL, "accept": "They are on leave."}},
    ):
        for name, body in step.items():
            answer = await finance.request(f"{LEDGERS}/{name}", body, roles=SEEING)
            assert answer.status_code == 200, answer.text
    [whole] = (await seen(finance, *SEEING))["booked_with_open_items"]
    [booked] = (await seen(finance, *EXECUTIVE))["booked_with_open_items"]
    assert "7.77 h of zoe" in json.dumps(whole)
    assert {each for each in SECRETS if each in json.dumps(booked)} == set()
    assert (booked["count"], booked["why"]) == (whole["count"], "They are on leave.")


async def test_only_readers_of_details_read_time_reports_and_works_of_booked_months() -> None:
    finance = await working()
    for path in (f"{INVOICE}/time-report", f"/booked-works/{ID}.2026-04"):
        answer = await finance.request(path, roles=EXECUTIVE)
        assert answer.status_code == 403
    allowed = await finance.request(f"{INVOICE}/time-report", roles=("project-accountant",))
    assert allowed.status_code == 200
