"""Test what becomes of single requests, on a journal in memory."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from chassis.domain.capability import Capability
from chassis.domain.pending import Refusal
from chassis.eventstore.mongo import StoreAway
from tests.requests_sample import LEDGER, SHEET, CloseLedger, Ledger, Sheet, TakeHours, ledgers
from tests.unit.chassis.requests_in_memory import Process, Shared, all_turns

Test = Callable[[Shared], Awaitable[None]]


def run(test: Test, shared: Shared | None = None) -> None:
    async def with_turns() -> None:
        chosen = shared or Shared()
        turns = asyncio.create_task(all_turns(chosen))
        await test(chosen)
        turns.cancel()

    asyncio.run(with_turns())


def sheet_of(shared: Shared) -> Sheet:
    state = shared.known("sheet", "S").stream.state
    assert isinstance(state, Sheet)
    return state


def test_the_answer_to_the_command_contains_the_outcomes() -> None:
    async def test(shared: Shared) -> None:
        process = Process(shared)
        answer = await process.submit(1, ("a", "b"))
        assert [*answer.stream.state.accepted] == ["a", "b"]
        assert (answer.stream.number, answer.stream.requests) == (3, {})
        assert len(shared.documents) == 1 + 2 * 2  # two commits for each request

    run(test)


def test_a_repeated_command_has_the_same_answer() -> None:
    async def test(shared: Shared) -> None:
        first = await Process(shared).submit(1, ("a", "b"))
        written = len(shared.documents)
        for process in (Process(shared), Process(shared)):
            again = await process.submit(1, ("a", "b"))
            assert again == replace(first, repeated=True)
            await process.submit(2, ("a",))
            assert await process.submit(1, ("a", "b")) == replace(first, repeated=True)
        assert len(shared.documents) == written + 3

    run(test)


def test_a_refusal_is_final_although_the_stream_would_accept_later() -> None:
    async def test(shared: Shared) -> None:
        one, other = Process(shared), Process(shared)
        await one.close("a", closed=True, key=1)
        (asked,) = (await one.ask(1, ("a",))).requests
        refused = await one.commands.carry_out("sheet:S", asked)
        assert refused.refusal is not None
        # The process is killed here, before it records the outcome.
        await other.close("a", closed=False, key=2)
        await other.dispatch()
        assert sheet_of(shared).refused == {"a": "account-settled"}
        assert shared.known("ledger", "a").stream.state == Ledger()

    run(test)


def test_a_refused_request_does_not_open_the_stream_that_is_asked() -> None:
    opening = Capability[Ledger](ledgers.module)
    opening.commands = [
        replace(each, opens=each.command is CloseLedger) for each in ledgers.commands
    ]
    decider = replace(LEDGER, capabilities=(opening,))

    async def test(shared: Shared) -> None:
        process = Process(shared)
        await process.submit(1, ("a",))
        assert sheet_of(shared).refused == {"a": "unknown-stream"}
        for known in (shared.known("ledger", "a"), process.commands.repository.cached("ledger:a")):
            assert known is not None
            assert (known.open, known.stream.number) == (False, 1)
        await process.close("a", closed=False, key=1)
        assert not shared.known("ledger", "a").open
        await process.close("a", closed=True, key=2)
        assert shared.known("ledger", "a").open

    run(test, Shared(SHEET, decider))


def test_a_request_whose_key_was_used_for_another_command_is_refused() -> None:
    async def test(shared: Shared) -> None:
        process = Process(shared)
        (asked,) = (await process.submit(1, ("a",))).requests
        other = asked.event.model_copy(
            update={"content": TakeHours(sheet="S", revision=9).model_dump_json()}
        )
        carried = await process.commands.carry_out("sheet:S", replace(asked, event=other))
        assert carried.refusal == Refusal(
            "key-reused", "the key 'hours-1/a' was used for another command"
        )

    run(test)


def test_a_fault_of_the_store_is_raised_and_leaves_the_request_pending() -> None:
    async def test(shared: Shared) -> None:
        process = Process(shared)
        answer = await process.ask(1, ("a",))
        shared.is_away = True
        with pytest.raises(StoreAway):
            await Process(shared).dispatch()
        assert await process.dispatcher.settle(answer) == answer
        shared.is_away = False
        assert [*shared.known("sheet", "S").stream.requests] == ["hours-1/a"]
        await process.dispatch()
        assert shared.known("sheet", "S").stream.requests == {}

    run(test)


def test_an_error_of_a_decision_is_kept_for_operators_and_stops_no_other_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test(shared: Shared) -> None:
        process = Process(shared)
        await process.ask(1, ("a",))
        with monkeypatch.context() as broken:
            broken.setattr(TakeHours, "model_validate_json", lambda _: 1 / 0)
            await process.dispatcher._finish_each(["sheet:S"])
            answer = await process.submit(2, ("b",))
        assert [*answer.stream.requests] == ["hours-1/a", "hours-2/b"]
        assert process.dispatcher._failures["sheet:S"].startswith("ZeroDivisionError")
        await process.dispatcher._finish_each(["sheet:S"])
        assert shared.known("sheet", "S").stream.requests == {}
        assert process.dispatcher._failures == {}

    run(test)


def test_a_request_that_nobody_waits_for_is_carried_out_by_the_process_that_committed_it() -> None:
    async def test(shared: Shared) -> None:
        process = Process(shared)
        process.begin(process.dispatcher._carry_out_own())
        await process.close("b", closed=True, key=1)
        await process.ask(1, ("a", "b"))
        async with asyncio.timeout(10):
            while shared.known("sheet", "S").stream.requests:  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0)
        assert (sheet_of(shared).accepted, [*sheet_of(shared).refused]) == ({"a": 1}, ["b"])
        await process.kill()

    run(test)


def test_a_request_that_its_command_carried_out_is_not_read_again() -> None:
    async def test(shared: Shared) -> None:
        process = Process(shared)
        answer = await process.ask(1, ("a", "b"))
        process.begin(process.dispatcher._carry_out_own())
        await process.dispatcher.settle(answer)
        turns, written = shared.turns, len(shared.documents)
        for _ in range(100):
            await asyncio.sleep(0)
        assert process.commands.repository.asking.empty()
        assert (shared.turns, len(shared.documents)) == (turns, written)
        await process.kill()

    run(test)
