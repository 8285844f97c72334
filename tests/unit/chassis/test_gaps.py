"""Which events are next, which are missing, and when a gap is proven."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from chassis.base.partitioning import partition_of
from chassis.domain.decider import CameLate, Gap, NotDecoded, OtherEvent, PassedOver, is_next
from chassis.eventstore.journal import kafka_key
from chassis.kafka.parked_record import ParkedRecord, not_proven
from contracts.channels import LEGAL, SALES, Channel
from contracts.event import Event, Recorded, encode, read
from contracts.legal import FileOpened
from contracts.sales import OpportunityAdvanced

MOMENT = datetime(2026, 3, 2, 9, tzinfo=UTC)
PASSED = PassedOver("sales", 2, 4, "olga", "lost in a fire", MOMENT)


def event(sequence: int, channel: Channel = SALES, **heard: int) -> Recorded[Event]:
    events: dict[Channel, Event] = {
        SALES: OpportunityAdvanced(pipeline_stage="proposing", probability=Decimal(50)),
        LEGAL: FileOpened(account="A-1", title="Migration"),
    }
    return Recorded(
        f"{channel.name}-{sequence}",
        "E-1",
        sequence,
        events[channel],
        "ann",
        "test",
        MOMENT,
        MOMENT,
        heard,
    )


def undecoded(name: bytes) -> Recorded[Event]:
    return read(encode(event(2)).replace(b"opportunity-advanced", name), SALES)


@pytest.mark.parametrize(
    ("sequence", "last", "expected"), [(1, 0, True), (3, 2, True), (2, 2, False), (1, 9, False)]
)
def test_the_event_after_the_last_is_next(sequence: int, last: int, expected: bool) -> None:
    assert is_next(event(sequence), last) is expected


def test_an_event_beyond_the_next_shows_a_gap() -> None:
    with pytest.raises(Gap) as gap:
        is_next(event(5), 2)
    assert gap.value.expected == 3


def test_an_event_that_was_passed_over_is_no_repeat() -> None:
    assert is_next(event(1), 4, [PASSED]) is False
    assert is_next(event(5), 4, [PASSED]) is True
    with pytest.raises(CameLate, match="sales 3 came after olga had passed over it"):
        is_next(event(3), 4, [PASSED])


def test_another_event_of_a_number_that_was_taken_in_is_no_repeat() -> None:
    ids = ("sales-6", "forged", "sales-8", "sales-9")
    assert [is_next(event(number), 9, (), ids) for number in (6, 8, 9)] == [False] * 3
    with pytest.raises(OtherEvent, match="another event, forged, was taken in as sales 7"):
        is_next(event(7), 9, (), ids)


def test_an_event_whose_number_has_no_id_any_more_passes_by() -> None:
    assert is_next(replace(event(5), id="other"), 9, (), ("6", "7", "8", "9")) is False
    assert is_next(replace(event(9), id="other"), 9) is False


def test_an_event_that_cannot_be_read_stops_at_its_number_alone() -> None:
    unknown = undecoded(b"opportunity-sung")
    assert is_next(unknown, 2) is False
    with pytest.raises(Gap):
        is_next(unknown, 0)
    with pytest.raises(NotDecoded) as waits:
        is_next(unknown, 1)
    assert waits.value.newer_version


def parked(of: Recorded[Event], expected: int | None = None) -> ParkedRecord:
    return ParkedRecord(
        id=f"{of.channel.name}/{of.id}",
        engagement=kafka_key(of),
        channel=of.channel,
        partition=partition_of("E-1"),
        offset=0,
        sequence=of.sequence,
        code="waiting" if expected is None else "gap",
        sentence="",
        expected=expected,
        raw=encode(of),
        at=MOMENT,
        order=of.sequence,
    )


HEAD = parked(event(5), expected=3)


@pytest.mark.parametrize(
    ("others", "why"),
    [
        ([], "alone"),
        ([parked(event(5))], "a copy of it"),
        ([parked(event(6))], "the event that follows it: forged as easily"),
        ([parked(event(1, LEGAL, sales=4))], "an author who had heard less"),
        ([replace(parked(event(3)), by="olga")], "one of two missing ones"),
        ([parked(event(3)), parked(event(4))], "records that nobody has looked at"),
        ([replace(parked(event(6)), raw=b"{oops")], "one that is no event"),
    ],
)
def test_one_record_alone_proves_no_gap(others: Sequence[ParkedRecord], why: str) -> None:
    refusal = not_proven(HEAD, [HEAD, *others], None)
    assert refusal is not None, why
    assert refusal.startswith("nothing but sales itself says that it has published 5 events")


@pytest.mark.parametrize(
    ("others", "why"),
    [
        ([parked(event(1, LEGAL, sales=5))], "an author who had heard it"),
        (
            [replace(parked(event(number)), by="olga") for number in (3, 4)],
            "a record for each missing number that a person set aside",
        ),
    ],
)
def test_another_record_proves_it(others: Sequence[ParkedRecord], why: str) -> None:
    assert not_proven(HEAD, [HEAD, *others], None) is None, why


def test_no_engagement_has_that_many_events() -> None:
    head = parked(event(10**9 + 1), expected=3)
    confirmed = parked(event(1, LEGAL, sales=2**53))
    for published in (None, 2**53):
        refusal = not_proven(head, [head, confirmed], published)
        assert refusal == f"no engagement has 1000000001 events: set {head.id} aside"


@pytest.mark.parametrize(("published", "proven"), [(4, False), (5, True), (9, True)])
def test_a_person_who_looked_it_up_proves_or_refutes_it(published: int, *, proven: bool) -> None:
    refusal = not_proven(HEAD, [HEAD], published)
    assert (refusal is None) is proven
    if refusal is not None:
        assert f"has published {published} events" in refusal
