"""Test requests between streams: how they are declared, recorded, carried out and answered."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chassis.domain.capability import Capability
from chassis.domain.commands import Command
from chassis.domain.context import Context
from chassis.domain.decider import Decider, handle_command, handle_request, replay
from chassis.domain.internal import INTERNAL, Internal, decode_internal, encode_internal
from chassis.domain.pending import OutcomeRecorded, Refusal, Requested
from chassis.domain.requests import Outcome, RecordOutcome
from chassis.domain.state import Part
from chassis.eventstore.journal import Commit, StoredEvent
from contracts.event import Event, Undecodable
from testkit.matchers import RecordsOf
from testkit.scenario import given
from tests.requests_sample import (
    LEDGER,
    SHEET,
    CloseLedger,
    HoursAccepted,
    HoursRefused,
    HoursTaken,
    Sheet,
    SheetSubmitted,
    Submit,
    TakeHours,
    sheets,
    taking,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CONTEXT = Context("ann", NOW, NOW, "step", RecordsOf([]), lambda: "event-1")
EMPTY = given(SHEET, "S")
SUBMITTED = EMPTY.after(Submit(to=("a", "b")))
REFUSAL = Refusal("account-settled", "the ledger is closed")


def test_a_decision_yields_requests_among_its_events() -> None:
    outcome = EMPTY.when(Submit(to=("a", "b")), by="ann")
    outcome.then(SheetSubmitted(revision=1))
    hours = TakeHours(sheet="S", revision=1)
    outcome.then_requests(
        taking("a", hours, id="hours-1", item="a", revision=1),
        taking("b", hours, id="hours-1", item="b", revision=1),
    )
    assert [each.stream for each in outcome.requests] == ["ledger:a", "ledger:b"]


def test_a_request_is_published_nowhere_and_moves_no_position() -> None:
    step = handle_command(SHEET, EMPTY.stream, Submit(to=("a",)), CONTEXT)
    assert step.own_events == ()
    assert (step.stream.position, step.stream.number) == ({}, 1)
    assert [each.event.key for each in step.requests] == ["hours-1/a"]
    assert all(each.heard == {} and each.sequence == 1 for each in step.new_events)


def test_the_outcome_is_recorded_and_the_capability_decides_on_it() -> None:
    taken = SUBMITTED.when_outcome("hours-1", "a", HoursTaken(sheet="S", revision=1))
    after = taken.then(HoursAccepted(ledger="a", revision=1, place=1))
    assert [*after.stream.requests] == ["hours-1/b"]
    refused = after.when_outcome("hours-1", "b", refused=REFUSAL)
    refused.then(HoursRefused(ledger="b", revision=1, code="account-settled"))
    assert refused.after.stream.requests == {}


def test_an_outcome_that_is_recorded_already_changes_nothing() -> None:
    asked = SUBMITTED.stream.requests["hours-1/a"]
    again = RecordOutcome(key="hours-1/a", asked=asked.id, refusal=REFUSAL)
    answered = SUBMITTED.after(again)
    answered.when(again).then_nothing()
    other = RecordOutcome(key="hours-1/b", asked="another event", refusal=REFUSAL)
    answered.when(other).then_nothing()


def test_the_outcome_of_an_older_revision_is_ignored() -> None:
    second = SUBMITTED.after(Submit(to=("a",)))
    late = second.when_outcome("hours-1", "a", HoursTaken(sheet="S", revision=1)).then()
    assert late.state == second.state
    assert [*late.stream.requests] == ["hours-1/b", "hours-2/a"]


def test_a_request_that_is_pending_is_not_made_again() -> None:
    asking: Capability[Sheet] = Capability(__name__)
    again = asking.request(TakeHours, of="ledger")

    @asking.react
    def always(state: Sheet, context: Context) -> Iterable[Event]:
        yield again("a", TakeHours(sheet="S", revision=1), id="hours-1", item="a")

    @again.outcome
    def ignored(state: Sheet, outcome: Outcome[TakeHours], context: Context) -> Iterable[Event]:
        return ()

    capability: Capability[Sheet] = Capability(sheets.module)
    capability.commands = sheets.commands
    decider = replace(SHEET, capabilities=(capability, asking))
    once = given(decider, "S").when(Submit(to=("a",)))
    assert len(once.requests) == 1
    # A reaction that asks for the same again would never end; it is a bug.
    asked = once.after.stream.requests["hours-1/a"]
    outcome = RecordOutcome(key="hours-1/a", asked=asked.id, refusal=REFUSAL)
    with pytest.raises(RuntimeError, match="asks for hours-1/a again on its outcome"):
        once.after.when(outcome)


def test_the_pending_requests_follow_from_the_journal() -> None:
    stream = EMPTY.stream
    for command in (Submit(to=("a", "b")), Submit(to=("a",))):
        step = handle_command(SHEET, stream, command, CONTEXT)
        kept = tuple(StoredEvent.of(each.recorded, own=each.own) for each in step.entries)
        commit = Commit("cause", stream.id, step.stream.number, {}, "ann", NOW, kept)
        read = Commit.read(commit.document())
        assert read == commit
        assert [each.recorded for each in step.entries] == [*read.recorded()]
        stream = replay(SHEET, stream, list(read.recorded()), {}, {})
        assert stream == step.stream
    assert [*stream.requests] == ["hours-1/a", "hours-1/b", "hours-2/a"]


def test_a_refused_request_and_one_without_effect_are_commits_without_events() -> None:
    closed = given(LEDGER, "a").after(CloseLedger()).stream
    step, refusal = handle_request(LEDGER, closed, TakeHours(sheet="S", revision=1), CONTEXT)
    assert (step.stream, step.entries) == (closed.numbered_after(()), ())
    assert refusal == REFUSAL
    step, refusal = handle_request(LEDGER, closed, CloseLedger(), CONTEXT)
    assert (step.stream.number, step.entries, refusal) == (2, (), None)


def test_an_internal_event_is_read_back_equal_and_a_broken_one_is_named() -> None:
    recorded = SUBMITTED.stream.requests["hours-1/a"]
    assert decode_internal(encode_internal(recorded)) == recorded
    broken = encode_internal(recorded).replace(b'"revision":1', b'"revision":"x"')
    with pytest.raises(Undecodable, match=r"data\.revision: int_parsing"):
        decode_internal(broken)
    for bytes_ in (b"", b"[]", b"{}", b'{"type":"sales.nothing"}', b"\xff"):
        with pytest.raises(Undecodable):
            decode_internal(bytes_)


def test_every_internal_event_has_a_type_of_its_own() -> None:
    assert INTERNAL["chassis.requested"] is Requested
    assert INTERNAL["chassis.outcome-recorded"] is OutcomeRecorded
    with pytest.raises(TypeError, match="defined twice"):
        type("HoursTaken", (Internal,), {"__module__": "tests.other"})


def test_two_capabilities_cannot_ask_for_the_same() -> None:
    other: Capability[Sheet] = Capability("other")
    other.request(TakeHours, of="ledger")
    with pytest.raises(TypeError, match="take-hours of ledger is asked for by two capabilities"):
        Decider("sales", "sheet", lambda _: Sheet(), (sheets, other))


class _Unknown(Command):
    pass


def test_what_is_left_out_of_a_request_is_named_at_start() -> None:
    from chassis.runtime.service import Service

    asking: Capability[Part] = Capability(__name__)
    asking.request(_Unknown, of="ledger")
    asking.request(TakeHours, of="shelf")
    decider: Decider[Part] = Decider("sales", "asking", lambda _: Part(), (asking,))
    service = Service("sales", "Sales", deciders=(decider, LEDGER))
    named = [*service._omitted_requests()]
    assert "no stream of the kind ledger decides _unknown" in named
    assert "no stream of the kind shelf decides take-hours" in named
    assert "nothing is decided on the outcome of take-hours" in named
    assert [*Service("sales", "Sales", deciders=(SHEET, LEDGER))._omitted_requests()] == []
