from datetime import date
from decimal import Decimal

import pytest

from common.figures.surveys import Answer, customer_satisfaction, net_promoter_score

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)


def answers(*counts: tuple[int, int], day: date = LAST) -> list[Answer]:
    """Return a number of answers of each score."""
    return [Answer(day, score) for number, score in counts for _ in range(number)]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        # Delighted, "How is CSAT calculated?" (rounded to 69 there)
        (((42, 5), (32, 4), (10, 3), (9, 2), (14, 1)), "69.16"),
        # Intercom, "What is CSAT and how is CSAT score calculated?"
        (((10, 5), (20, 4), (10, 3), (5, 2), (5, 1)), "60"),
    ],
)
def test_satisfaction_is_the_share_of_answers_of_4_or_5(
    counts: tuple[tuple[int, int], ...], expected: str
) -> None:
    assert customer_satisfaction(answers(*counts), FIRST, LAST).value == Decimal(expected)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        # SightMill, "How to calculate NPS": 3, 4, 5, 6, 8, 8, 8, 9, 10, 10
        (((1, 3), (1, 4), (1, 5), (1, 6), (3, 8), (1, 9), (2, 10)), -10),
        # theprimecalculator.com, "How to calculate net promoter score": 60 % less 15 %
        (((35, 10), (25, 9), (15, 8), (10, 7), (10, 6), (5, 0)), 45),
    ],
)
def test_the_net_promoter_score_is_promoters_less_detractors(
    counts: tuple[tuple[int, int], ...], expected: int
) -> None:
    assert net_promoter_score(answers(*counts), FIRST, LAST).value == expected


def test_only_answers_of_the_period_count_and_without_any_the_score_is_unknown() -> None:
    late = answers((1, 10), day=date(2026, 4, 1)) + answers((1, 0), day=date(2026, 2, 28))
    for score in (customer_satisfaction, net_promoter_score):
        none = score(late, FIRST, LAST)
        assert none.value is None
        assert none.missing[0].sentence == "no customer answered from 2026-03-01 to 2026-03-31"
    assert net_promoter_score(late, FIRST, date(2026, 4, 1)).value == Decimal(100)
