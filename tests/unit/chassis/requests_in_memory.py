"""Provide a journal in memory whose reads and writes wait for their turn, and processes on it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import Any, cast

from chassis.application.command_handler import Answer, CommandHandler
from chassis.application.event_handler import StreamEventHandler
from chassis.application.repository import ContextFactory, Repository
from chassis.application.requests import RequestDispatcher
from chassis.documents.store import DocumentStore
from chassis.domain.decider import Decider
from chassis.eventstore.journal import AlreadyDone, Commit, Journal, Raced
from chassis.eventstore.mongo import Document, Store, StoreAway
from chassis.eventstore.snapshots import Known, Snapshots, advanced, nothing_known
from contracts.reference import Reference
from testkit.matchers import RecordsOf
from tests.requests_sample import LEDGER, SHEET, CloseLedger, Submit
from tests.unit.chassis.documents_in_memory import MemoryDocuments

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
_numbers = count()


class Shared:
    """The documents of the journal, and the reads and writes that wait for their turn."""

    def __init__(self, *deciders: Decider[Any]) -> None:
        self.deciders = {each.kind: each for each in deciders or (SHEET, LEDGER)}
        self.documents: list[Document] = []
        self.waiting: list[asyncio.Future[None]] = []
        self.is_away = False
        self.turns = 0

    async def turn(self) -> None:
        self.turns += 1
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        await future
        if self.is_away:
            raise StoreAway("away")

    def commits(self, stream: str) -> list[Commit]:
        return [Commit.read(each) for each in self.documents if each["stream"] == stream]

    def known(self, kind: str, subject: str) -> Known:
        decider = self.deciders[kind]
        known = nothing_known(decider, f"{kind}:{subject}")
        for commit in self.commits(f"{kind}:{subject}"):
            known = advanced(decider, known, commit)
        return known


class MemoryJournal:
    """A journal on the shared documents, with the unique keys of the real one."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    async def append(self, commit: Commit) -> None:
        await self._shared.turn()
        for each in self._shared.documents:
            if each["_id"] == commit.cause:
                raise AlreadyDone(commit.cause)
            if (each["stream"], each["number"]) == (commit.stream, commit.number):
                raise Raced(commit.stream, commit.number)
        self._shared.documents.append(commit.document())
        await self._shared.turn()  # a process killed here does not know that it was written

    async def by_cause(self, cause: str) -> Commit | None:
        await self._shared.turn()
        found = [each for each in self._shared.documents if each["_id"] == cause]
        return Commit.read(found[0]) if found else None

    async def read(
        self, stream: str, *, after: int = 0, until: int | None = None
    ) -> AsyncIterator[Commit]:
        await self._shared.turn()
        for commit in self._shared.commits(stream):
            if after < commit.number and (until is None or commit.number <= until):
                yield commit

    async def everything(self) -> AsyncIterator[Commit]:
        await self._shared.turn()
        for document in self._shared.documents:
            yield Commit.read(document)


class NoSnapshots:
    """Snapshots of which there are none."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    async def load(self, stream: str) -> Known:
        return nothing_known(self._shared.deciders[stream.partition(":")[0]], stream)


class Process:
    """A process with caches of its own, and its tasks."""

    def __init__(
        self,
        shared: Shared,
        *records: Reference,
        now: datetime = NOW,
        documents: MemoryDocuments | None = None,
    ) -> None:
        repository = Repository(
            shared.deciders.values(),
            cast(Journal, MemoryJournal(shared)),
            cast(Snapshots, NoSnapshots(shared)),
            now=lambda: now,
            documents=cast("DocumentStore | None", documents),
        )
        contexts = ContextFactory(
            RecordsOf(records), lambda: now, lambda: f"event-{next(_numbers)}"
        )
        self.commands = CommandHandler(repository, contexts)
        self.events = StreamEventHandler(repository, contexts)
        self.dispatcher = RequestDispatcher(
            cast(Store, None),
            self.commands,
            now=lambda: now,
            settle_within=None,  # what happens depends on the turns, not on the machine's speed
        )
        self.tasks: list[asyncio.Task[object]] = []

    def begin(self, work: Coroutine[Any, Any, object]) -> None:
        self.tasks.append(asyncio.create_task(work))

    async def submit(self, key: int, to: Sequence[str]) -> Answer:
        return await self.dispatcher.settle(await self.ask(key, to))

    async def ask(self, key: int, to: Sequence[str]) -> Answer:
        """Submit the sheet, and leave its requests to others."""
        submit = Submit(to=tuple(to))
        return await self.commands.command("sheet", "S", submit, actor="ann", key=f"submit-{key}")

    async def close(self, ledger: str, closed: bool, key: int) -> None:
        command = CloseLedger(closed=closed)
        await self.commands.command("ledger", ledger, command, actor="ann", key=f"close-{key}")

    async def dispatch(self) -> None:
        await self.dispatcher.finish("sheet:S")

    async def kill(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def take_turns(shared: Shared, random: Any, most: int) -> None:
    for _ in range(most):
        await _rest()
        shared.waiting = [each for each in shared.waiting if not each.done()]
        if not shared.waiting:
            return
        random.choice(shared.waiting).set_result(None)
    await _rest()


async def interleave(
    shared: Shared,
    process: Callable[[], Process],
    actions: Sequence[tuple[int, int, tuple[Any, ...]]],
    random: Any,
    *,
    rounds: int,
) -> None:
    """Let two processes carry out the actions, and two others then all that is left.

    An action names its process, the turns taken after it, and a method with its arguments, or
    `kill` or `away`: the store cannot be reached. The others dispatch `rounds` times.
    """
    processes = [process(), process()]
    for place, turns, (action, *options) in actions:
        if action == "kill":
            await processes[place].kill()
            processes[place] = process()
        elif action == "away":
            shared.is_away = True
            await take_turns(shared, random, 3)
            shared.is_away = False
        else:
            processes[place].begin(getattr(processes[place], action)(*options))
        await take_turns(shared, random, turns)
    for each in processes:
        await each.kill()
    await finish(shared, [process(), process()], random, rounds=rounds)


async def finish(shared: Shared, processes: Sequence[Process], random: Any, *, rounds: int) -> None:
    """Let replicas carry out at the same time all that is left."""
    for _ in range(rounds):
        for each in processes:
            each.begin(each.dispatch())
        await take_turns(shared, random, 10_000)
    for each in processes:
        await asyncio.gather(*each.tasks)


async def _rest() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def all_turns(shared: Shared) -> None:
    while True:
        await take_turns(shared, Random(1), 100)
