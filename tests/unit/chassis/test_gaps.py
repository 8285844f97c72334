"""The proof that events of a parked engagement are missing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from chassis.base.partitioning import partition_of
from chassis.eventstore.journal import kafka_key
from chassis.kafka.parked_record import ParkedRecord, not_proven
from contracts.channels import LEGAL, SALES, Channel
from contracts.event import Event, Recorded, encode
from contracts.legal import FileOpened
from contracts.sales import OpportunityAdvanced

MOMENT = datetime(2026, 3, 2, 9, tzinfo=UTC)


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
