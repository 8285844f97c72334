"""Test that requests act once and get their outcome, however processes interleave and die.

Two processes work on one journal in memory. Each of their reads and writes waits for its turn, and
the order of turns, the commands and the kills are drawn at random. A killed process loses its
caches and everything in progress; a write may have been done, and its answer lost.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.application.command_handler import CommandHandler
from chassis.application.repository import ContextFactory, Repository
from chassis.application.requests import RequestDispatcher
from chassis.eventstore.journal import AlreadyDone, Commit, Journal, Raced
from chassis.eventstore.mongo import Document, Store, StoreAway
from chassis.eventstore.snapshots import Known, Snapshots, advanced, nothing_known
from testkit.matchers import RecordsOf
from tests.requests_sample import LEDGER, SHEET, CloseLedger, Ledger, Sheet, Submit

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DECIDERS = {each.kind: each for each in (SHEET, LEDGER)}
LEDGERS = ("a", "b")
_numbers = count()


class Shared:
    """The documents of the journal, and the reads and writes that wait for their turn."""

    def __init__(self) -> None:
        self.documents: list[Document] = []
        self.waiting: list[asyncio.Future[None]] = []
        self.is_away = False

    async def turn(self) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        await future
        if self.is_away:
            raise StoreAway("away")

    def commits(self, stream: str) -> list[Commit]:
        return [Commit.read(each) for each in self.documents if each["stream"] == stream]

    def known(self, kind: str, subject: str) -> Known:
        decider = DECIDERS[kind]
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


class NoSnapshots:
    """Snapshots of which there are none."""

    async def load(self, stream: str) -> Known:
        return nothing_known(DECIDERS[stream.partition(":")[0]], stream)


class Process:
    """A process with caches of its own, and its tasks."""

    def __init__(self, shared: Shared) -> None:
        repository = Repository(
            DECIDERS.values(),
            cast(Journal, MemoryJournal(shared)),
            cast(Snapshots, NoSnapshots()),
            now=lambda: NOW,
        )
        contexts = ContextFactory(RecordsOf([]), lambda: NOW, lambda: f"event-{next(_numbers)}")
        self.commands = CommandHandler(repository, contexts)
        self.dispatcher = RequestDispatcher(cast(Store, None), self.commands, now=lambda: NOW)
        self.tasks: list[asyncio.Task[object]] = []

    def begin(self, work: Coroutine[Any, Any, object]) -> None:
        self.tasks.append(asyncio.create_task(work))

    async def submit(self, key: int, to: Sequence[str]) -> None:
        answer = await self.commands.command(
            "sheet", "S", Submit(to=tuple(to)), actor="ann", key=f"submit-{key}"
        )
        await self.dispatcher.settle(answer)

    async def close(self, ledger: str, closed: bool, key: int) -> None:
        command = CloseLedger(closed=closed)
        await self.commands.command("ledger", ledger, command, actor="ann", key=f"close-{key}")

    async def dispatch(self) -> None:
        await self.dispatcher.finish("sheet:S")

    async def kill(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


SUBMITS = st.tuples(st.just("submit"), st.integers(1, 3), st.sampled_from([("a",), LEDGERS]))
CLOSES = st.tuples(st.just("close"), st.sampled_from(LEDGERS), st.booleans(), st.integers(1, 1_000))
OTHERS = st.sampled_from([("dispatch",), ("kill",), ("away",)])
TURNS = st.tuples(st.just("turns"), st.integers(1, 12))
ACTIONS = st.lists(
    st.tuples(st.integers(0, 1), st.one_of(SUBMITS, CLOSES, OTHERS, TURNS, TURNS)), max_size=25
)


@settings(max_examples=150)
@given(ACTIONS, st.randoms(use_true_random=False))
def test_each_request_acts_once_and_its_outcome_is_recorded(
    actions: list[tuple[int, tuple[Any, ...]]], random: Any
) -> None:
    asyncio.run(_interleaved(actions, random))


def test_a_refusal_is_final_although_the_stream_would_accept_later() -> None:
    async def run() -> None:
        shared = Shared()
        turns = asyncio.create_task(_all_turns(shared))
        one, other = Process(shared), Process(shared)
        await one.close("a", closed=True, key=1)
        answer = await one.commands.command(
            "sheet", "S", Submit(to=("a",)), actor="ann", key="submit"
        )
        (asked,) = answer.requests
        refused = await one.commands.carry_out("sheet:S", asked)
        assert refused.refusal is not None
        # The process is killed here, before it records the outcome.
        await other.close("a", closed=False, key=2)
        await other.dispatch()
        _check(shared)
        assert shared.known("sheet", "S").stream.state.refused == {"a": "account-settled"}
        assert not shared.known("ledger", "b").open
        turns.cancel()

    asyncio.run(run())


async def _all_turns(shared: Shared) -> None:
    while True:
        await _take_turns(shared, Random(1), 100)


async def _interleaved(actions: list[tuple[int, tuple[Any, ...]]], random: Any) -> None:
    shared = Shared()
    processes = [Process(shared), Process(shared)]
    for place, (action, *options) in actions:
        if action == "kill":
            await processes[place].kill()
            processes[place] = Process(shared)
        elif action == "turns":
            await _take_turns(shared, random, *options)
        elif action == "away":
            shared.is_away = True
            await _take_turns(shared, random, 3)
            shared.is_away = False
        else:
            process = processes[place]
            process.begin(getattr(process, action)(*options))
    for process in processes:
        await process.kill()

    last = [Process(shared), Process(shared)]  # a replica may do the same at the same time
    for _ in range(2):
        for process in last:
            process.begin(process.dispatch())
        await _take_turns(shared, random, 10_000)
    for process in last:
        await asyncio.gather(*process.tasks)
    _check(shared)


async def _take_turns(shared: Shared, random: Any, most: int) -> None:
    for _ in range(most):
        await _rest()
        shared.waiting = [each for each in shared.waiting if not each.done()]
        if not shared.waiting:
            return
        random.choice(shared.waiting).set_result(None)
    await _rest()


async def _rest() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def _check(shared: Shared) -> None:
    sheet = shared.known("sheet", "S")
    assert sheet.stream.requests == {}
    state = sheet.stream.state
    assert isinstance(state, Sheet)
    asked = [
        (each.event.item, each.event.revision)  # type: ignore[attr-defined]
        for commit in shared.commits("sheet:S")
        for each in commit.new_events()
        if each.event.type == "chassis.requested"
    ]
    outcomes = [
        each.event
        for commit in shared.commits("sheet:S")
        for each in commit.new_events()
        if each.event.type == "chassis.outcome-recorded"
    ]
    assert len(outcomes) == len(asked)
    for name in LEDGERS:
        ledger = shared.known("ledger", name).stream.state
        assert isinstance(ledger, Ledger)
        assert len({*ledger.taken}) == len(ledger.taken), "a request acted twice"
        revisions = [revision for _, revision in ledger.taken]
        accepted = [
            int(event.id.partition("-")[2])  # type: ignore[attr-defined]
            for event in outcomes
            if event.item == name and event.refusal is None  # type: ignore[attr-defined]
        ]
        assert sorted(accepted) == sorted(revisions), "the sheet knows something else"
        assert {*revisions} <= {revision for item, revision in asked if item == name}
        if (name, state.revision) in asked:
            assert (name in state.accepted) == (state.revision in revisions)
            assert (name in state.refused) == (state.revision not in revisions)
