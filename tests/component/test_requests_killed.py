"""Test that requests between streams act once and get their outcome, wherever a process is killed.

The process is killed at its first write, at its second, and so on until there are no more; the next
one has to complete what was begun, within 15 seconds.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from chassis.application.read_models import Views
from chassis.application.requests import RequestDispatcher
from chassis.eventstore.journal import kafka_key
from chassis.eventstore.mongo import Store
from chassis.kafka.topics import create_topics
from chassis.runtime.container import Container, Parts
from contracts.channels import FINANCE as CHANNEL
from contracts.channels import PARTITIONS, Channel
from contracts.event import Event, Recorded, decode, encode
from contracts.finance import InvoiceIssued
from finance.invoices.decisions import ApproveInvoice
from finance.service import SERVICE as FINANCE
from tests.component.consumer_harness import said
from tests.component.killable_store import Life, MortalStore
from tests.component.sample_app import running, settings_at, token
from tests.component.sample_app import until as until_async
from tests.component.sample_department import Process, until
from tests.component.test_followers_killed import hasty
from tests.component.test_relay import on_topic
from tests.infrastructure import KafkaServer, StoreServer
from tests.invoices import UNTAXED
from tests.portfolio_builder import named
from tests.requests_sample import LEDGER, SHEET, CloseLedger, Ledger, Sheet, Submit
from tests.unit.finance import builders

pytestmark = pytest.mark.long

BOTH = (SHEET, LEDGER)
WITHIN = 15.0
OSCAR = token("oscar", "operator")
CORA = token("cora", "controller", "project-accountant")


def with_store(process: Process, url: str, database: str, life: Life) -> Process:
    """Return the process with a store that is killed with this life."""
    process.store = MortalStore(url, database, life)
    for part in (process.journal, process.snapshots):
        part._store = process.store
    return process


def dispatcher_of(process: Process) -> RequestDispatcher:
    """Return a dispatcher for which every request is old enough to be tried again."""
    return RequestDispatcher(
        process.store,
        process.engine,
        now=lambda: process.moment + timedelta(minutes=1),
        retry_after=0.2,
    )


@asynccontextmanager
async def dispatching(process: Process) -> AsyncIterator[Views]:
    """Let the process carry out requests, and write the views by which it finds pending ones."""
    views = Views(process.store, process.journal, process.snapshots, process.repository)
    hasty(views.subscription)
    tasks = [asyncio.create_task(each.run()) for each in (views, dispatcher_of(process))]
    try:
        yield views
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def until_killed(work: Coroutine[Any, Any, object], life: Life) -> bool:
    """Run until the work is done or the life has ended; return whether it has."""
    working = asyncio.create_task(work)
    ended = asyncio.create_task(life.until_ended())
    await asyncio.wait({working, ended}, return_when=asyncio.FIRST_COMPLETED)
    for task in (working, ended):
        task.cancel()
    await asyncio.wait([working, ended], timeout=2.0)
    return life.ended


async def ledger_of(process: Process, name: str) -> Ledger:
    state = (await process.repository.current(f"ledger:{name}")).stream.state
    assert isinstance(state, Ledger)
    return state


async def is_settled(process: Process, sheet: str) -> bool:
    return (await process.repository.current(f"sheet:{sheet}")).stream.requests == {}


def has_followed(views: Views) -> bool:
    """Return whether all commits are in the views, and the next process goes on after them."""
    return views.subscription.done_until is not None


async def test_a_request_is_completed_wherever_the_asking_process_was_killed(
    store: StoreServer, isolation: str
) -> None:
    """Let the sheet ask three ledgers, one of which refuses."""
    async with (
        Process(store.url, isolation, deciders=BOTH) as successor,
        dispatching(successor),
    ):
        await successor.engine.command("ledger", "c", CloseLedger(), actor="ann", key="close")
        for writes in count():
            life, sheet = Life(writes), f"S{writes:02}"
            mortal = with_store(
                Process(store.url, isolation, deciders=BOTH), store.url, isolation, life
            )
            dispatcher = dispatcher_of(mortal)

            async def ask(
                mortal: Process = mortal,
                dispatcher: RequestDispatcher = dispatcher,
                sheet: str = sheet,
            ) -> None:
                submit = Submit(to=("a", "b", "c"))
                answer = await mortal.engine.command("sheet", sheet, submit, actor="ann", key=sheet)
                await dispatcher.settle(answer)

            killed = await until_killed(ask(), life)
            await mortal.store.close()
            await until(partial(is_settled, successor, sheet), WITHIN)
            found = (await successor.repository.current(f"sheet:{sheet}")).stream.state
            assert isinstance(found, Sheet)
            asked = writes > 0
            # After a kill the successor completes the requests in any order.
            assert sorted(found.accepted) == (["a", "b"] if asked else []), f"killed after {writes}"
            assert [*found.refused] == (["c"] if asked else []), f"killed after {writes}"
            if not killed:
                break
        for name in ("a", "b"):
            assert len((await ledger_of(successor, name)).taken) == writes
        assert (await ledger_of(successor, "c")).taken == ()
    assert writes >= 7  # one commit asks, each of three requests and outcomes has one


async def test_requests_are_completed_wherever_the_dispatching_process_was_killed(
    store: StoreServer, isolation: str
) -> None:
    async with Process(store.url, isolation, deciders=BOTH) as process:
        for writes in count():
            life, sheets = Life(writes), [f"S{writes:02}-{number}" for number in range(2)]
            for sheet in sheets:
                await process.engine.command(
                    "sheet", sheet, Submit(to=("a", "b")), actor="ann", key=sheet
                )
            mortal = with_store(
                Process(store.url, isolation, deciders=BOTH), store.url, isolation, life
            )

            async def all_settled(sheets: list[str] = sheets) -> bool:
                return all([await is_settled(process, sheet) for sheet in sheets])

            async def work(mortal: Process = mortal, done: Any = all_settled) -> None:
                async with dispatching(mortal):
                    await until(done, WITHIN)

            killed = await until_killed(work(), life)
            await mortal.store.close()
            async with dispatching(process) as views:
                await until(all_settled, WITHIN)
                # Otherwise the next process would write the views of all streams again.
                await until(partial(has_followed, views), WITHIN)
            if not killed:
                break
        for name in ("a", "b"):
            taken = Counter((await ledger_of(process, name)).taken)
            assert taken == Counter({("S", 1): 2 * (writes + 1)})
    assert writes > 8


async def test_a_request_that_no_process_carries_out_is_tried_again(
    store: StoreServer, isolation: str
) -> None:
    async with Process(store.url, isolation, deciders=BOTH) as process:
        views = Views(process.store, process.journal, process.snapshots, process.repository)
        hasty(views.subscription)
        writing = asyncio.create_task(views.run())
        submit = Submit(to=("a", "b"))
        await process.engine.command("sheet", "S", submit, actor="ann", key="submit")

        async def is_written(pending: bool) -> bool:
            view = await process.store.views.find_one({"_id": "sheet:S"})
            return view is not None and ("asked_at" in view) == pending

        await until(partial(is_written, pending=True), WITHIN)
        moment = process.moment
        dispatcher = RequestDispatcher(process.store, process.engine, now=lambda: moment)
        await dispatcher.retry()
        assert dispatcher.oldest() == 0.0, "it is too young to be tried again"
        assert [each.recorded.event.item for each in await dispatcher.pending()] == ["a", "b"]
        moment += timedelta(seconds=40)
        await dispatcher.retry()
        assert dispatcher.oldest() == 40.0
        assert await is_settled(process, "S")
        await until(partial(is_written, pending=False), WITHIN)
        assert await dispatcher.pending() == []
        await dispatcher.retry()
        assert dispatcher.oldest() == 0.0
        writing.cancel()
        await asyncio.wait([writing])


async def test_invoices_have_every_number_once_wherever_finance_was_killed(
    kafka: KafkaServer, store: StoreServer, isolation: str
) -> None:
    """Approve an invoice of another engagement each time; all services' parts are real."""
    await create_topics(kafka.bootstrap, isolation)
    records = [said(str(getattr(each, each.id_field())), 1, each.channel, each) for each in UNTAXED]
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        for each in records:
            topic = each.event.channel.topic(isolation)
            await producer.send_and_wait(topic, encode(each), kafka_key(each).encode())
    given = settings_at(kafka, store, isolation)
    for writes in count():
        engagement, life = named(writes + 1), Life(None)
        container = Container(
            name=FINANCE.name,
            settings=given,
            deciders=FINANCE.all_deciders,
            event_handling=FINANCE.event_handling,
            parts=Parts(store=partial(MortalStore, life=life)),
        )
        await container.store.prepare("relay", "views")
        for record in records:
            container.reference_data.put(record)
        batch = {f"engagement:{engagement}": contracted(engagement)}
        failed = await container.event_handling.handler.process(batch)
        assert failed == {}
        life.allow(writes)

        async def approve(container: Container[Any] = container, about: str = engagement) -> None:
            command = ApproveInvoice(invoice="invoice-start", issue_on=builders.APRIL_1)
            answer = await container.commands.command(
                "engagement", about, command, actor="cora", key=f"approve-{about}"
            )
            await container.requests.settle(answer)

        killed = await until_killed(approve(), life)
        await container.store.close()

        async with running(FINANCE, given) as client:
            path = f"/engagements/{engagement}"
            body = {"invoice": "invoice-start", "issue_on": builders.APRIL_1.isoformat()}
            headers = {**CORA, "Idempotency-Key": f"again-{engagement}"}

            async def issued(client: Any = client, path: str = path) -> bool:
                view = (await client.get(path, headers=CORA)).json()
                return [view["invoices"][0]["stage"], view["requests"]] == ["issued", []]

            if writes > 0:
                await until_async(issued, WITHIN)
            answer = await client.post(f"{path}/approve-invoice", json=body, headers=headers)
            assert answer.status_code == 200, answer.text
            assert await issued(), f"killed before write {writes + 1}"

            async def nothing_waits(client: Any = client) -> bool:
                pending = await client.get("/operations/requests", headers=OSCAR)
                return bool(pending.json() == {"items": []})

            # The company's ledger has asked its group, too.
            await until_async(nothing_waits, WITHIN)

            async def published(number: int = writes + 1) -> bool:
                return len(await invoices_on(kafka, isolation)) == number

            await until_async(published)
        if not killed:
            break
    found = await invoices_on(kafka, isolation)
    assert sorted(found.values()) == [f"2026-{number:05}" for number in range(1, writes + 2)]
    assert writes >= 3
    documents = Store(store.url, isolation)
    series = {"stream": "number-series:us.invoice.2026"}
    commits = await documents.commits.find(series).to_list(None)
    assert len(commits) == writes + 1
    await documents.close()


def contracted(engagement: str) -> list[Recorded[Event]]:
    """Return the events that lead to a contract whose first invoice is drafted."""
    events = (
        builders.OPENED,
        builders.ESTIMATE,
        builders.PROPOSED,
        builders.WON,
        builders.SOW,
        builders.SOW_SIGNED,
    )
    last: Counter[Channel] = Counter()
    found: list[Recorded[Event]] = []
    for event in events:
        last[event.channel] += 1
        found.append(said(engagement, last[event.channel], event.channel, event))
    return found


async def invoices_on(kafka: KafkaServer, prefix: str) -> dict[str, str]:
    """Return the numbers of the invoices on the topic, by engagement; each has one."""
    found: dict[str, str] = {}
    for key, value in await on_topic(kafka.bootstrap, CHANNEL.topic(prefix), PARTITIONS):
        assert value is not None
        event = decode(value).event
        if isinstance(event, InvoiceIssued):
            assert found.setdefault(key, event.number) == event.number
    return found
