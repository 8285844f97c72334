"""Test that a month is booked once by each engagement, wherever a process is killed meanwhile.

The process that a controller's closing runs in is killed at its first write, at its second, and so
on. Another process of the department completes what was begun, within 15 seconds.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import count
from typing import Any

import httpx
import pytest

from chassis.base.settings import Settings
from chassis.domain.commands import Command
from chassis.kafka.topics import create_topics
from chassis.runtime.container import Container, Parts
from contracts.channels import DELIVERY, FINANCE_REFERENCE, PARTITIONS, SALES
from contracts.channels import FINANCE as CHANNEL
from contracts.event import Event, Recorded, decode
from contracts.finance import PeriodBooked
from contracts.reference import LedgerPublished
from finance.ledgers.decisions import ClosePeriod, StartClosing
from finance.ledgers.state import Ledger
from finance.service import SERVICE
from tests.component.consumer_harness import said
from tests.component.killable_store import Life, MortalStore
from tests.component.sample_app import running, settings_at, token, until
from tests.component.test_relay import on_topic
from tests.component.test_requests_killed import until_killed
from tests.infrastructure import KafkaServer, StoreServer
from tests.portfolio_builder import named
from tests.unit.finance import builders

pytestmark = pytest.mark.long

WITHIN = 15.0
CORA = token("cora", "controller")
NAMES = (named(1), named(2))
FIRST_YEAR = 2024
WHY = "What is missing is booked in the next month."
HOURS = {NAMES[0]: Decimal(5), NAMES[1]: Decimal(3)}


def month_after(writes: int) -> str:
    return f"{FIRST_YEAR + writes // 12}-{writes % 12 + 1:02}"


def process_of(given: Settings, life: Life) -> Container[Any]:
    return Container(
        name=SERVICE.name,
        settings=given,
        deciders=SERVICE.all_deciders,
        event_handling=SERVICE.event_handling,
        parts=Parts(store=partial(MortalStore, life=life)),
    )


def recorded(name: str, writes: int) -> list[Recorded[Event]]:
    """Return the events of an engagement up to the hours of a month, each of a month of its own."""
    sales: tuple[Event, ...] = (builders.OPENED, builders.WON)
    hours: Iterable[Event] = (
        builders.time(
            f"T{each}", hours=HOURS[name], day=date.fromisoformat(f"{month_after(each)}-15")
        )
        for each in range(writes + 1)
    )
    return [
        *(said(name, number, SALES, each) for number, each in enumerate(sales, start=1)),
        *(said(name, number, DELIVERY, each) for number, each in enumerate(hours, start=1)),
    ]


async def ledger_of(process: Container[Any]) -> Ledger:
    state = (await process.repository.current("ledger:us")).stream.state
    assert isinstance(state, Ledger)
    return state


async def close(process: Container[Any], month: str) -> None:
    """Close a month, in a process that carries out its own requests."""

    async def give(command: Command) -> None:
        key = f"{month}-{command.named()}"
        answer = await process.commands.command("ledger", "us", command, actor="cora", key=key)
        await process.requests.settle(answer)

    async def has_answered() -> bool:
        ledger = await ledger_of(process)
        return month in ledger.closed or (ledger.closing is not None and not ledger.closing.waiting)

    own = asyncio.create_task(process.requests.run())
    try:
        await give(StartClosing(month=month))
        await until(has_answered, WITHIN)
        await give(ClosePeriod(month=month, accept=WHY))
        await until(has_answered, WITHIN)
    finally:
        own.cancel()
        await asyncio.wait([own])


async def months_of(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    months: list[dict[str, Any]] = (await client.get("/ledgers/us", headers=CORA)).json()["months"]
    return months


async def close_what_is_left(client: httpx.AsyncClient, month: str) -> dict[str, Any]:
    """Let a controller close a month that a killed process may have closed in part; return it."""

    async def has_answered() -> bool:
        months = await months_of(client)
        return not (months and months[-1]["waiting"])

    async def last() -> Mapping[str, Any]:
        return next(iter((await months_of(client))[-1:]), {})

    async def give(command: str, **body: str) -> None:
        headers = {**CORA, "Idempotency-Key": f"again-{month}-{command}"}
        given = {"month": month, **body}
        answer = await client.post(f"/ledgers/us/{command}", json=given, headers=headers)
        assert answer.status_code == 200, answer.text
        await until(has_answered, WITHIN)

    await until(has_answered, WITHIN)
    if (await last()).get("month") != month:
        await give("start-closing")
    if (await last())["status"] == "closing":
        await give("close-period", accept=WHY)
    return dict(await last())


async def test_each_entry_is_booked_once_wherever_the_closing_process_was_killed(
    kafka: KafkaServer, store: StoreServer, isolation: str
) -> None:
    """Close another month each time; all parts of both processes are real."""
    await create_topics(kafka.bootstrap, isolation)
    given = settings_at(kafka, store, isolation)
    async with running(SERVICE, given) as client:
        for writes in count():
            month, life = month_after(writes), Life(None)
            process = process_of(given, life)
            await process.store.prepare("relay", "views")
            events = {f"engagement:{name}": recorded(name, writes) for name in NAMES}
            assert await process.event_handling.handler.process(events) == {}
            await until(partial(_is_registered, client), WITHIN)
            life.allow(writes)
            killed = await until_killed(close(process, month), life)
            await process.store.close()

            closed = await close_what_is_left(client, month)
            found = (closed["month"], closed["status"], closed["booked"])
            assert found == (month, "closed", len(NAMES)), f"killed before write {writes + 1}"
            (totals,) = closed["totals"]
            assert Decimal(totals["hours"]) == sum(HOURS.values())
            if not killed:
                break
        months = [month_after(each) for each in range(writes + 1)]
        assert [each["month"] for each in await months_of(client)] == months

        async def is_published() -> bool:
            topic = FINANCE_REFERENCE.topic(isolation)
            events = [
                decode(value).event
                for _, value in await on_topic(kafka.bootstrap, topic, PARTITIONS)
                if value is not None
            ]
            known = [each for each in events if isinstance(each, LedgerPublished)]
            return {each.closed_to for each in known} == {None, *months}

        await until(is_published, WITHIN)
        hours = await booked_on(kafka, isolation)
    assert hours == {(name, month): HOURS[name] for name in NAMES for month in months}
    assert writes >= 12  # two rounds, in which the ledger, the group and the engagements commit


async def _is_registered(client: httpx.AsyncClient) -> bool:
    view = (await client.get("/ledgers/us", headers=CORA)).json()
    group = (await client.get("/ledger-groups/us.1", headers=CORA)).json()
    return [view.get("engagements"), len(group.get("engagements", ()))] == 2 * [len(NAMES)]


async def booked_on(kafka: KafkaServer, prefix: str) -> dict[tuple[str, str], Decimal]:
    """Return the hours of bookings on the topic, by engagement and month; each is there once."""
    found: dict[tuple[str, str], Decimal] = {}
    for key, value in await on_topic(kafka.bootstrap, CHANNEL.topic(prefix), PARTITIONS):
        assert value is not None
        event = decode(value).event
        if isinstance(event, PeriodBooked):
            assert (key, event.month) not in found
            found[key, event.month] = event.hours
    return found
