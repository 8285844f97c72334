"""Runs of the timeline are bounded in bytes, and complete even if writing them fails."""

from dataclasses import replace

from contracts.event import encode
from gateway.projection.timeline import LONGEST, Run, Unwritten, in_order
from tests.builders import ENGAGEMENT, Life

MIB = 1024 * 1024


def test_twenty_events_of_a_mebibyte_are_written_in_twenty_documents() -> None:
    event = Life().opened().events[0]
    unwritten = Unwritten(ENGAGEMENT)
    for sequence in range(1, 21):
        unwritten.add(replace(event, sequence=sequence, record=b" " * MIB))
    runs = unwritten.begin()
    assert [(run.first, run.last) for run in runs] == [(each, each) for each in range(1, 21)]
    assert len({run.id for run in runs}) == 20


def test_small_events_share_a_run_up_to_its_limit() -> None:
    event = Life().opened().events[0]
    unwritten = Unwritten(ENGAGEMENT)
    for sequence in range(1, 11):
        unwritten.add(replace(event, sequence=sequence, record=b" " * (LONGEST // 4)))
    assert [len(run.events) for run in unwritten.begin()] == [4, 4, 2]


def test_runs_that_could_not_be_written_are_written_with_later_events() -> None:
    events = [each for each in Life().won().events if each.channel.name == "sales"]
    unwritten = Unwritten(ENGAGEMENT)
    stored: dict[str, Run] = {}
    for number, recorded in enumerate(events):
        unwritten.add(replace(recorded, record=encode(recorded)))
        runs = unwritten.begin()
        if number % 2:
            stored |= {run.id: run for run in runs}
            unwritten.written()
            assert unwritten.runs == []
        else:
            unwritten.not_written()
    assert list(in_order([*stored.values(), *unwritten.runs])) == events
