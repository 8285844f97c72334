"""Test a controller's close: what is missing, how it is mended, and that the month never changes.

The engagement's company sells no other engagement of these tests.
"""

import asyncio
import csv
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from io import StringIO
from itertools import count
from time import monotonic, sleep
from typing import Any

import pytest

from contracts.finance import BookedTotals, PeriodBooked, PeriodCosted
from contracts.reference import LedgerPublished
from local.demo.actors import Actors
from local.demo.delivering import mobilise
from local.demo.driver import CommandRefused, DemoError, Driver, PlatformAccess
from local.demo.engagement_run import new_run
from local.demo.recording import approve, approved_entries, lines_of, record, submit
from local.demo.reference_data import CUSTOMERS, SELLING_COMPANY
from local.demo.scenarios import Scenario
from local.demo.selling import contract, sell
from local.demo.timesheets import sheet_id
from local.demo.working import people
from local.platform import Platform
from tests.e2e.conftest import ApiClient, events
from tests.e2e.scenarios import LAST_DAY, monday, scenario

CURRENCY = "USD"
LEDGER = f"/ledgers/{SELLING_COMPANY[CURRENCY]}"
WEEK = timedelta(days=7)
State = dict[str, Any]


@dataclass
class Controller:
    """The controller, and what she was shown, by step."""

    actors: Actors
    shown: dict[str, State] = field(default_factory=dict)
    keys: Any = field(default_factory=lambda: count(1))

    async def give(self, command: str, month: str, **body: str) -> State:
        """Send a command on the ledger, and return the month once all engagements answered."""
        driver = self.actors.driver
        at = datetime.combine(self.actors.today, time(18), UTC)
        await driver.send(
            "finance",
            f"{LEDGER}/{command}",
            {"month": month, **body},
            "dora",
            key=f"{LEDGER}/{next(self.keys)}/{command}",
            headers={"Occurred-At": at.isoformat()},
        )
        for _ in range(300):
            shown: State = (await self.ledger())["months"][-1]
            if not shown["waiting"]:
                return shown
            await asyncio.sleep(0.05)
        raise DemoError(f"engagements did not answer: {shown}")

    async def ledger(self) -> State:
        return await self._read(LEDGER)

    async def missing(self) -> str:
        """Return what the engagement misses, one sentence a line."""
        group = await self._read(f"{LEDGER.replace('ledgers', 'ledger-groups')}.1")
        items = group["open_items"][self.actors.engagement]["items"]
        return "\n".join(each["sentence"] for each in items)

    async def keep(self, step: str) -> None:
        """Keep the figures of the first month, as they are shown now."""
        engagement = await self.actors.look("finance", "dora")
        self.shown[step] = {
            "company": (await self.ledger())["months"][0],
            "engagement": engagement["periods"][0],
            "cost": engagement["periods_costed"][0],
        }

    async def _read(self, path: str) -> State:
        answer = await self.actors.driver.read("finance", path, "dora", {})
        found: State = answer.json()
        return found


async def month_end(actors: Actors, of: Scenario) -> Controller:
    """Close two months of an engagement by the hour; raises DemoError where a step fails."""
    run, dora = new_run(of, actors, LAST_DAY), Controller(actors)
    await sell(run)
    await contract(run)
    work = await mobilise(run)
    first = run.starts_on - timedelta(days=run.starts_on.weekday())
    task = next(each["task"] for each in work.tasks if each["hours"][0]["role"] == "engineer")
    weeks = []
    for start in (first, first + WEEK):
        person = people(run, "engineer", start)[0]
        lines = lines_of(run, person, "engineer", task, start, Decimal(10))
        await run.on(start + timedelta(days=4))
        weeks.append({person: lines})
        if start == first:
            await record(run, start, weeks[0])
        else:
            await submit(run, start, weeks[1])
    why = "The number of the customer's order was missing."  # so that it is drafted again
    [wrong] = (await actors.look("finance", "fred"))["invoices"]
    await actors.act("finance", "void-invoice", "dora", invoice=wrong["invoice"], why=why)
    last = first + WEEK + timedelta(days=6)  # of the second week, which may span two months
    month, after = month_of(last), month_of(month_after(last))
    await run.on(month_after(last) + timedelta(days=2))

    assert (await dora.give("start-closing", month))["open"] == {"1": 1}
    missing = await dora.missing()
    assert "wait for approval" in missing
    assert "is not approved" in missing
    assert "is not recognised" in missing
    with pytest.raises(CommandRefused, match="misses something"):
        await dora.give("close-period", month)

    await approve(run, first + WEEK, weeks[1])
    run.recorded |= dict.fromkeys((person, first + WEEK) for person in weeks[1])
    await mend(actors, month)
    assert (await dora.give("start-closing", month))["open"] == {}
    assert (await dora.give("close-period", month))["status"] == "closed"
    await dora.keep("closed")

    # An entry of the closed month was wrong, which is found in the next one.
    person, start, entry = (await approved_entries(run))[0]
    reversal = {"entries": [entry], "why": "It was another engagement."}
    await actors.driver.act_on_timesheet(
        "paul" if person == of.manager else of.manager,
        sheet_id(person, start),
        "reverse-time",
        reversal,
    )
    await actors.look_until("finance", "fred", lambda seen: Decimal(seen["unbooked"]["hours"]) < 0)
    await dora.keep("corrected")
    await run.on(month_after(month_after(last)) + timedelta(days=2))
    await mend(actors, after)
    assert (await dora.give("start-closing", after))["open"] == {}
    assert (await dora.give("close-period", after))["status"] == "closed"
    await dora.keep("asked again")
    return dora


async def mend(actors: Actors, month: str) -> None:
    """Issue the drafts, and recognise the revenue to the end of a month."""
    state = await actors.look("finance", "fred")
    for invoice in state["invoices"]:
        if invoice["stage"] == "drafted":
            await actors.act("finance", "approve-invoice", "dora", invoice=invoice["invoice"])
    state = await actors.look_until(
        "finance",
        "fred",
        lambda seen: all(each["stage"] in {"issued", "voided"} for each in seen["invoices"]),
    )
    done = state["recognised_to"]
    signed = next(sow["signed_on"] for sow in state["sows"] if sow["signed_on"])
    day = date.fromisoformat(f"{done or signed[:7]}-01")
    day = month_after(day) if done else day
    while month_of(day) <= month:
        await actors.act("finance", "recognise-revenue", "fred", month=month_of(day))
        day = month_after(day)


def month_of(day: date) -> str:
    return f"{day:%Y-%m}"


def month_after(day: date) -> date:
    """Return the first day of the month after that of a day."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


@pytest.fixture(scope="module")
def dora(access: PlatformAccess) -> Controller:
    customer = next(each for each in CUSTOMERS if each.currency == CURRENCY)
    of = scenario("month-end", begins=monday(150), shape="hourly", customer=customer, seed=23)

    async def run() -> Controller:
        async with Driver(access, of.begins, "month-end") as driver:
            found: list[Controller] = []

            async def whole() -> None:
                found.append(await month_end(Actors(driver, "month-end"), of))

            await driver.hold_clocks()
            try:
                await driver.calendar.run([whole()])
            finally:
                await driver.release_clocks()
            return found[0]

    return asyncio.run(run())


def test_the_closed_month_has_the_same_figures_whenever_they_are_asked_for(
    dora: Controller,
) -> None:
    """They are kept before a late correction, after it, and after the next month is closed."""
    first = dora.shown["closed"]
    assert Decimal(first["engagement"]["hours"]) == 20
    assert first["company"]["status"] == "closed"
    assert [*dora.shown.values()] == [first] * 3


def test_a_late_correction_is_in_the_next_month(api: ApiClient, dora: Controller) -> None:
    closed = api.get("finance", LEDGER, by="dora")["months"]
    engagement = api.get("finance", f"/engagements/{dora.actors.engagement}", by="dora")
    booked = engagement["periods"]
    assert Decimal(booked[1]["hours"]) < 0
    assert Decimal(engagement["periods_costed"][1]["cost"]["amount"]) < 0
    for company, own in zip(closed, booked, strict=True):
        [totals] = company["totals"]
        names = (*BookedTotals.model_fields, "unbilled")
        assert {name: totals[name] for name in names} == {name: own[name] for name in names}


def test_the_postings_of_each_month_balance_and_stay_the_same(
    api: ApiClient, dora: Controller
) -> None:
    accounts: set[str] = set()
    for month in (each["month"] for each in api.get("finance", LEDGER, by="dora")["months"]):
        headers = {"Idempotency-Key": f"export-{month}"}
        path, body = f"{LEDGER}/export-postings", {"month": month}
        released = api.request("POST", "finance", path, by="dora", body=body, headers=headers)
        assert released.status_code == 200, released.text
        address = f"{LEDGER}/postings/{month}"
        first, again = (api.request("GET", "finance", address, by="dora") for _ in range(2))
        assert first.status_code == 200
        assert first.text == again.text
        assert api.request("GET", "finance", address, by="fred").status_code == 403
        balances: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row in csv.DictReader(StringIO(first.text)):
            for kind in ("", "base_"):
                moved = Decimal(row[f"{kind}debit"] or 0) - Decimal(row[f"{kind}credit"] or 0)
                balances[row["posting"], kind] += moved
            accounts.add(row["account"])
        assert balances
        assert set(balances.values()) == {0}
    assert accounts >= {"receivables", "contract-balance", "revenue", "cost", "cost-clearing"}


def test_the_gateway_shows_the_same_figures(api: ApiClient, dora: Controller) -> None:
    path = f"/engagements/{dora.actors.engagement}"
    booked = api.get("finance", path, by="dora")["periods"]
    ends = monotonic() + 30
    while len((shown := api.get("gateway", path, by="everybody"))["finance"]["periods"]) < 2:
        assert monotonic() < ends
        sleep(0.1)
    found = shown["finance"]["periods"]
    assert [found[each["month"]]["event"] for each in booked] == booked
    assert shown["confidential"]["periods"].keys() == found.keys()


def test_each_booking_is_on_its_topic_once(platform: Platform, dora: Controller) -> None:
    published = events(platform)
    own = [each.event for each in published if each.subject == dora.actors.engagement]
    months = [each.month for each in own if isinstance(each, PeriodBooked)]
    assert months == [each.month for each in own if isinstance(each, PeriodCosted)]
    assert len(months) == 2
    ledger = [each for each in published if isinstance(each.event, LedgerPublished)]
    assert {each.subject for each in ledger} == {SELLING_COMPANY[CURRENCY]}
    assert [each.event for each in sorted(ledger, key=lambda each: each.sequence)] == [
        LedgerPublished(ledger=SELLING_COMPANY[CURRENCY], closed_to=to, closing=closing)
        for to, closing in (
            (None, months[0]),
            (months[0], None),
            (months[0], months[1]),
            (months[1], None),
        )
    ]
