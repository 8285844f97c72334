"""Test that requests act once and get their outcome, however processes interleave and die.

Two processes work on one journal in memory. Each of their reads and writes waits for its turn, and
the order of turns, the commands and the kills are drawn at random. A killed process loses its
caches and everything in progress; a write may have been done, and its answer lost.
"""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.requests_sample import Ledger, Sheet
from tests.unit.chassis.requests_in_memory import Process, Shared, finish, take_turns

LEDGERS = ("a", "b")
SUBMITS = st.tuples(st.just("submit"), st.integers(1, 3), st.sampled_from([("a",), LEDGERS]))
CLOSES = st.tuples(st.just("close"), st.sampled_from(LEDGERS), st.booleans(), st.integers(1, 1_000))
ASKS = st.tuples(st.just("ask"), st.integers(4, 6), st.sampled_from([("a",), LEDGERS]))
OTHERS = st.sampled_from([("dispatch",), ("kill",), ("away",)])
TURNS = st.tuples(st.just("turns"), st.integers(1, 12))
ACTIONS = st.lists(
    st.tuples(st.integers(0, 1), st.one_of(SUBMITS, ASKS, CLOSES, OTHERS, TURNS, TURNS)),
    max_size=25,
)


@settings(max_examples=150)
@given(ACTIONS, st.randoms(use_true_random=False))
def test_each_request_acts_once_and_its_outcome_is_recorded(
    actions: list[tuple[int, tuple[Any, ...]]], random: Any
) -> None:
    asyncio.run(_interleaved(actions, random))


async def _interleaved(actions: list[tuple[int, tuple[Any, ...]]], random: Any) -> None:
    shared = Shared()
    processes = [_running(shared), _running(shared)]
    for place, (action, *options) in actions:
        if action == "kill":
            await processes[place].kill()
            processes[place] = _running(shared)
        elif action == "turns":
            await take_turns(shared, random, *options)
        elif action == "away":
            shared.is_away = True
            await take_turns(shared, random, 3)
            shared.is_away = False
        else:
            process = processes[place]
            process.begin(getattr(process, action)(*options))
    for process in processes:
        await process.kill()

    # A replica may do the same at the same time.
    await finish(shared, [Process(shared), Process(shared)], random, rounds=2)
    _check(shared)


def _running(shared: Shared) -> Process:
    """Return a process that carries out the requests that it commits."""
    process = Process(shared)
    process.begin(process.dispatcher._carry_out_own())
    return process


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
