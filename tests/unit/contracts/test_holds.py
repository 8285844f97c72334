"""The days on which work was on hold."""

from datetime import date

import pytest

from contracts.holds import after_hold, hold_of


def may(day: int) -> date:
    return date(2026, 5, day)


@pytest.mark.parametrize(
    ("since", "until", "days"),
    [
        (20, 22, {10, 11, 12, 13, 20, 21}),
        (14, 15, {10, 11, 12, 13, 14}),
        (14, 14, {10, 11, 12, 13}),
    ],
)
def test_a_hold_adds_its_days_to_those_of_the_past(since: int, until: int, days: set[int]) -> None:
    past = after_hold({may(10): may(14)}, may(since), may(until))
    assert {day for day in range(1, 31) if hold_of(past, may(day))} == days


def test_the_hold_of_a_day_is_named_by_its_first_day_and_the_day_after_it() -> None:
    past = {may(2): may(4), may(10): may(14)}
    assert hold_of(past, may(13)) == (may(10), may(14))
    assert hold_of(past, may(14)) is None
