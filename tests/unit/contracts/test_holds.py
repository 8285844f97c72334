"""The days on which work was on hold are those that were recorded last."""

from datetime import date

import pytest

from contracts.holds import after_hold, hold_of


def may(day: int) -> date:
    return date(2026, 5, day)


@pytest.mark.parametrize(
    ("since", "until", "days"),
    [
        (20, 22, {10, 11, 12, 13, 20, 21}),
        (10, 10, set()),
        (10, 12, {10, 11}),
        (12, 13, {10, 11, 12}),
        (12, 12, {10, 11}),
        (12, 16, {10, 11, 12, 13, 14, 15}),
        (8, 16, {8, 9, 10, 11, 12, 13, 14, 15}),
        (8, 12, {8, 9, 10, 11, 12, 13}),
        (8, 10, {8, 9, 10, 11, 12, 13}),
        (14, 15, {10, 11, 12, 13, 14}),
    ],
)
def test_a_hold_replaces_the_rest_of_one_that_it_begins_in_and_frees_no_day_after_it(
    since: int, until: int, days: set[int]
) -> None:
    past = after_hold({may(10): may(14)}, may(since), may(until))
    assert {day for day in range(1, 31) if hold_of(past, may(day))} == days


def test_the_hold_of_a_day_is_named_by_its_first_day_and_the_day_after_it() -> None:
    past = {may(2): may(4), may(10): may(14)}
    assert hold_of(past, may(13)) == (may(10), may(14))
    assert hold_of(past, may(14)) is None


def test_holds_that_overlap_are_corrected_one_by_one() -> None:
    past = after_hold({may(9): may(12)}, may(7), may(10))
    assert hold_of(past, may(9)) == (may(7), may(10))
    assert hold_of(past, may(11)) == (may(9), may(12))
    assert after_hold(past, may(9), may(9)) == {may(7): may(9)}
    assert after_hold(past, may(11), may(11)) == {may(7): may(10), may(9): may(11)}
