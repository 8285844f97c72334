"""Test that each work is in one place, wherever Finance is killed while works move and return.

A process books a month, consumes the reversal of an entry, and voids the invoice over the month. It
is killed at its first write, at its second, and so on. Another one completes what was begun.
"""

from datetime import date
from functools import partial
from itertools import count
from typing import Any

import httpx
import pytest

from chassis.base.settings import Settings
from chassis.domain.commands import Command
from chassis.kafka.topics import create_topics
from chassis.runtime.container import Container, Parts
from contracts.channels import Channel
from contracts.event import Event, Recorded
from contracts.lines import BillingItem
from finance.invoices.decisions import ApproveInvoice, VoidInvoice
from finance.periods.requests import BookPeriod
from finance.service import SERVICE
from finance.time_billing.decisions import BillTime
from tests.amounts import eur
from tests.component.consumer_harness import said
from tests.component.killable_store import Life, MortalStore
from tests.component.sample_app import running, settings_at, token
from tests.component.test_requests_killed import until_killed
from tests.infrastructure import KafkaServer, StoreServer
from tests.invoices import UNTAXED
from tests.portfolio_builder import named
from tests.unit.finance import builders

pytestmark = pytest.mark.long

CORA = token("cora", "controller", "project-accountant")
INVOICE = "invoice-time-2026-04"
WORK = (
    builders.time("a"),
    builders.time("b"),
    builders.time("never-billed", why_not_billed="Agreed so."),
)
GONE = builders.time_reversed(WORK[1])
APPROVE = ApproveInvoice(invoice=INVOICE, issue_on=date(2026, 5, 31))
VOID = VoidInvoice(invoice=INVOICE, why="Wrong.")


def recorded(engagement: str, *events: Event) -> list[Recorded[Event]]:
    """Return events of an engagement with the numbers that they have on their channels."""
    last: dict[Channel, int] = {}
    found = list[Recorded[Event]]()
    for event in events:
        last[event.channel] = last.get(event.channel, 0) + 1
        found.append(said(engagement, last[event.channel], event.channel, event))
    return found


def contracted(engagement: str, *more: Event) -> list[Recorded[Event]]:
    """Return the events up to approved work on a contract by time and materials, and some more."""
    item = BillingItem(item="time", kind="time", amount=eur(20_000))
    return recorded(
        engagement,
        builders.OPENED,
        builders.ESTIMATE,
        builders.PROPOSED,
        builders.WON,
        builders.sow_of(builders.hourly_line(item)),
        builders.SOW_SIGNED,
        *WORK,
        *more,
    )


def process_of(given: Settings, life: Life) -> Container[Any]:
    container = Container(
        name=SERVICE.name,
        settings=given,
        deciders=SERVICE.all_deciders,
        event_handling=SERVICE.event_handling,
        parts=Parts(store=partial(MortalStore, life=life)),
    )
    for each in (builders.COSTS, *UNTAXED):
        name = str(getattr(each, each.id_field()))
        container.reference_data.put(said(name, 1, each.channel, each))
    return container


class Process:
    """A process of Finance with one engagement."""

    def __init__(self, given: Settings, engagement: str) -> None:
        self.engagement, self.life = engagement, Life(None)
        self.container = process_of(given, self.life)

    async def consume(self, *events: Event) -> None:
        known = contracted(self.engagement, *events)
        batch = {f"engagement:{self.engagement}": known}
        assert await self.container.event_handling.handler.process(batch) == {}

    async def give(self, *commands: Command) -> None:
        for command in commands:
            answer = await self.container.commands.command(
                "engagement",
                self.engagement,
                command,
                actor="cora",
                key=f"{command.named()}-{self.engagement}",
            )
            await self.container.requests.settle(answer)

    async def correct(self) -> None:
        """Book the month, consume the reversal, and void the invoice; carry out all requests."""
        await self.settle()
        await self.give(BookPeriod(company="us", month="2026-04", accepted="Late."))
        await self.settle()
        await self.consume(GONE)
        await self.settle()
        await self.give(VOID)
        await self.settle()

    async def settle(self) -> None:
        stream = f"engagement:{self.engagement}"
        while (await self.container.repository.current(stream)).stream.requests:
            await self.container.requests.finish(stream)


async def test_each_work_is_in_one_place_wherever_finance_was_killed(
    kafka: KafkaServer, store: StoreServer, isolation: str
) -> None:
    await create_topics(kafka.bootstrap, isolation)
    given = settings_at(kafka, store, isolation)
    async with running(SERVICE, given) as client:
        for writes in count():
            mortal = Process(given, named(writes + 1))
            await mortal.container.store.prepare("relay", "views")
            await mortal.consume()
            await mortal.give(BillTime(month="2026-04"), APPROVE)
            await mortal.settle()
            mortal.life.allow(writes)
            killed = await until_killed(mortal.correct(), mortal.life)
            await mortal.container.store.close()

            successor = Process(given, mortal.engagement)
            await successor.correct()
            await successor.container.store.close()
            await check(client, mortal.engagement, f"killed before write {writes + 1}")
            if not killed:
                break
    assert writes >= 8  # the engagement and the month commit in turn


async def check(client: httpx.AsyncClient, engagement: str, when: str) -> None:
    """Check where the works are: one is unbilled again, one is gone, one is never billed."""
    view = (await client.get(f"/engagements/{engagement}", headers=CORA)).json()
    assert [view["requests"], view["corrections"], view["to_credit"]] == [[], [], []], when
    assert [each["stage"] for each in view["invoices"]] == ["voided"], when
    assert [each["unbilled"]["amount"] for each in view["unbilled"]] == ["800"], when
    month = (await client.get(f"/booked-works/{engagement}.2026-04", headers=CORA)).json()
    assert [each["entry"] for each in month["works"]] == ["never-billed"], when
