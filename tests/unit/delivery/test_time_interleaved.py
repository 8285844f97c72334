"""Test that a timesheet and its engagements agree, however processes interleave and die.

Two processes work on one journal in memory, as in tests/unit/chassis/test_requests_interleaved.py:
the person saves, submits and withdraws, a manager approves, rejects and reverses, and processes are
killed between the two halves of what they do.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.application.repository import Unknown
from chassis.domain.commands import Command, Refused
from chassis.eventstore.mongo import StoreAway
from contracts.delivery import (
    TimeApproved,
    TimeRejected,
    TimeReversed,
    TimeSubmitted,
    TimeWithdrawn,
)
from contracts.event import Event
from delivery.engagement import Engagement
from delivery.service import ENGAGEMENT, TIMESHEET
from delivery.time_entries.decisions import ApproveTime, RejectTime
from delivery.timesheets.decisions import (
    ReverseTime,
    SaveTimesheet,
    SubmitTimesheet,
    WithdrawTimesheet,
)
from delivery.timesheets.events import TimesheetSubmitted
from delivery.timesheets.state import Timesheet, is_engagement
from testkit.matchers import recorded_as
from tests.unit.chassis.requests_in_memory import NOW, Process, Shared, interleave, take_turns
from tests.unit.delivery.builders import ID, OPENED, PEOPLE, SOW, SOW_SIGNED, WEEK, WON

OTHER, GHOST = "E-0000000000002", "E-0000000000003"
SHEET = f"dev.{WEEK}"
WEEKLY_HOURS = 40
"""Hours of a week by the record of every person."""
MOMENT = datetime(2026, 4, 12, 9, tzinfo=NOW.tzinfo)
NAMES = st.sampled_from([ID, ID, ID, OTHER, GHOST])
REVISIONS = st.tuples(st.just("revise"), NAMES, st.integers(1, 4))
DECISIONS = st.tuples(
    st.sampled_from(["approve", "approve", "reject"]),
    st.sampled_from([ID, ID, OTHER]),
    st.booleans(),
)
OTHERS = st.sampled_from([("withdraw",), ("reverse",), ("dispatch",)])
FAULTS = st.sampled_from([("kill",), ("away",)])
TURNS = st.sampled_from([200, 0, 2, 5, 10, 20, 40])
"""Reads and writes that are done before the next action begins; 200 are enough for any action."""
ACTIONS = st.lists(
    st.tuples(
        st.integers(0, 1),
        TURNS,
        st.one_of(REVISIONS, REVISIONS, OTHERS, DECISIONS, DECISIONS, FAULTS),
    ),
    min_size=8,
    max_size=25,
)


class TimeProcess(Process):
    """A process of Delivery."""

    def __init__(self, shared: Shared, keys: "count[int]") -> None:
        super().__init__(shared, *PEOPLE, now=MOMENT)
        self._keys = keys

    async def give(self, kind: str, subject: str, command: Command, by: str) -> None:
        """Give a command, which may be refused, as an HTTP request does."""
        with suppress(Refused, Unknown, StoreAway):
            answer = await self.commands.command(
                kind, subject, command, actor=by, key=f"key-{next(self._keys)}"
            )
            await self.dispatcher.settle(answer)

    async def revise(self, name: str, entries: int) -> None:
        """Save and submit some entries of an engagement."""
        days = (WEEK + timedelta(days=number) for number in range(entries))
        some = [
            {"day": str(day), "task": "initiation", "role": "architect", "hours": "6"}
            for day in days
        ]
        lines = [{"engagement": name, "entries": some}]
        command = SaveTimesheet.model_validate({"engagements": lines})
        await self.give("timesheet", SHEET, command, "dev")
        await self.give("timesheet", SHEET, SubmitTimesheet(), "dev")

    async def withdraw(self) -> None:
        await self.give("timesheet", SHEET, WithdrawTimesheet(), "dev")

    async def approve(self, name: str, one_only: bool) -> None:
        entries = await self._waiting(name) if one_only else ()
        command = ApproveTime(person="dev", week=WEEK, entries=entries)
        await self.give("engagement", name, command, "mara")

    async def reject(self, name: str, one_only: bool) -> None:
        entries = await self._waiting(name) if one_only else ()
        command = RejectTime(person="dev", week=WEEK, entries=entries, why="No.")
        await self.give("engagement", name, command, "mara")

    async def reverse(self) -> None:
        with suppress(Unknown, StoreAway):
            stream = await self.commands.read("timesheet", SHEET)
            found = [
                each.entry
                for line in stream.state.lines.values()
                for each in line.of_status("approved")
            ]
            if found:
                command = ReverseTime(entries=(found[0],), why="Wrong.")
                await self.give("timesheet", SHEET, command, "mara")

    async def dispatch(self) -> None:
        """Carry out what is pending, as the follower of the journal does."""
        for stream in (f"timesheet:{SHEET}", f"engagement:{ID}", f"engagement:{OTHER}"):
            await self.dispatcher.finish(stream)

    async def open(self, name: str) -> None:
        """Process the events by which an engagement is under contract."""
        numbers: Counter[str] = Counter()
        for event in (OPENED, WON, SOW, SOW_SIGNED):
            channel = event.channel.name
            numbers[channel] += 1
            recorded = recorded_as(event, name, numbers[channel], "ann", MOMENT, {})
            await self.events.handle_events(f"engagement:{name}", [recorded])

    async def _waiting(self, name: str) -> tuple[str, ...]:
        try:
            stream = await self.commands.read("engagement", name)
        except StoreAway:
            return ()
        waiting = stream.state.time.waiting.get(SHEET)
        return (waiting.entries[0].entry,) if waiting else ()


@settings(max_examples=150)
@given(ACTIONS, st.randoms(use_true_random=False))
def test_a_sheet_and_its_engagements_agree_on_every_entry(
    actions: list[tuple[int, int, tuple[Any, ...]]], random: Any
) -> None:
    asyncio.run(_interleaved(actions, random))


async def _interleaved(actions: list[tuple[int, int, tuple[Any, ...]]], random: Any) -> None:
    shared, keys = Shared(ENGAGEMENT, TIMESHEET), count(1)
    opening = TimeProcess(shared, keys)
    for name in (ID, OTHER):
        opening.begin(opening.open(name))
    await take_turns(shared, random, 10_000)
    await opening.kill()
    await interleave(shared, lambda: TimeProcess(shared, keys), actions, random, rounds=3)
    _check(shared)


def _check(shared: Shared) -> None:
    sheet = shared.known("timesheet", SHEET)
    assert sheet.stream.requests == {}
    state = sheet.stream.state
    assert isinstance(state, Timesheet)
    submitted = _entries(_events(shared, f"timesheet:{SHEET}"), TimesheetSubmitted)
    length = sum(state.hours_by_day(drafted=False).values())
    beyond = length - WEEKLY_HOURS if length > WEEKLY_HOURS else None
    for name, line in state.lines.items():
        assert not line.is_pending
        assert line.of_status("requested", "reversing") == ()
        if name == GHOST:
            assert line.entries == {}
    for name in (ID, OTHER):
        stream = shared.known("engagement", name).stream
        assert stream.requests == {}
        engagement = stream.state
        assert isinstance(engagement, Engagement)
        line = state.line(name)
        events = _events(shared, f"engagement:{name}")
        taken, approved = _entries(events, TimeSubmitted), _entries(events, TimeApproved)
        ended = [each for kind in (TimeRejected, TimeWithdrawn) for each in _entries(events, kind)]
        back = _entries(events, TimeReversed)
        for some in (taken, [*approved, *ended], back):
            assert len({*some}) == len(some), "an entry was recorded or decided twice"
        assert {*taken} <= {*submitted[:]}
        assert {*back} <= {*approved} <= {*taken}
        waiting = engagement.time.waiting.get(SHEET)
        if waiting:
            assert waiting.beyond_weekly_hours == beyond
        assert {each.entry for each in line.of_status("waiting")} == {
            each.entry for each in (waiting.entries if waiting else ())
        }
        known = {each.entry for each in line.of_status("approved")}
        assert known == {*approved} - {*back}
        assert {each.entry for each in line.returned} <= {*ended, *back}
        total = sum(each.hours for each in line.of_status("approved"))
        assert engagement.time.approved_hours == total
    assert all(hours <= 24 for hours in state.hours_by_day(drafted=False).values())


def _events(shared: Shared, stream: str) -> list[Event]:
    return [each.event for commit in shared.commits(stream) for each in commit.new_events()]


def _entries(events: list[Event], kind: type[Any]) -> list[str]:
    """Return the ids of the entries of some events, in order."""
    lines = (
        part
        for event in events
        if isinstance(event, kind)
        for part in (
            [line for line in event.lines if is_engagement(line.name)]
            if isinstance(event, TimesheetSubmitted)
            else [event]
        )
    )
    return [entry.entry for part in lines for entry in part.entries]
