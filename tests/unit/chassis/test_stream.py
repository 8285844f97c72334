"""The check that decides which event of a channel is next."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from chassis.domain.stream import CameLate, Gap, NotDecoded, OtherEvent, PassedOver, is_next
from contracts.channels import SALES
from contracts.event import Event, Recorded, encode, read
from contracts.sales import OpportunityAdvanced

MOMENT = datetime(2026, 3, 2, 9, tzinfo=UTC)
PASSED = PassedOver("sales", 2, 4, "olga", "lost in a fire", MOMENT)


def event(sequence: int) -> Recorded[Event]:
    advanced = OpportunityAdvanced(pipeline_stage="proposing", probability=Decimal(50))
    return Recorded(
        f"sales-{sequence}", "E-1", sequence, advanced, "ann", "test", MOMENT, MOMENT, {}
    )


def undecoded(name: bytes) -> Recorded[Event]:
    return read(encode(event(2)).replace(b"opportunity-advanced", name), SALES)


@pytest.mark.parametrize(
    ("sequence", "last", "expected"), [(1, 0, True), (3, 2, True), (2, 2, False), (1, 9, False)]
)
def test_the_event_after_the_last_is_next(sequence: int, last: int, expected: bool) -> None:
    assert is_next(event(sequence), last) is expected


def test_an_event_after_a_missing_one_raises_gap() -> None:
    with pytest.raises(Gap) as gap:
        is_next(event(5), 2)
    assert gap.value.expected == 3


def test_an_event_that_was_passed_over_is_not_a_repeat() -> None:
    assert is_next(event(1), 4, [PASSED]) is False
    assert is_next(event(5), 4, [PASSED]) is True
    with pytest.raises(CameLate, match="sales 3 came after olga had passed over it"):
        is_next(event(3), 4, [PASSED])


def test_another_event_with_a_used_number_is_not_a_repeat() -> None:
    ids = ("sales-6", "forged", "sales-8", "sales-9")
    assert [is_next(event(number), 9, (), ids) for number in (6, 8, 9)] == [False] * 3
    with pytest.raises(OtherEvent, match="another event, forged, was taken in as sales 7"):
        is_next(event(7), 9, (), ids)


def test_an_event_with_a_number_whose_id_is_no_longer_kept_is_a_repeat() -> None:
    assert is_next(replace(event(5), id="other"), 9, (), ("6", "7", "8", "9")) is False
    assert is_next(replace(event(9), id="other"), 9) is False


def test_an_undecoded_event_raises_only_when_it_is_next() -> None:
    unknown = undecoded(b"opportunity-sung")
    assert is_next(unknown, 2) is False
    with pytest.raises(Gap):
        is_next(unknown, 0)
    with pytest.raises(NotDecoded) as raised:
        is_next(unknown, 1)
    assert raised.value.newer_version
