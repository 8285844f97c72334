from decimal import Decimal

import pytest

from contracts.survey_scores import csat_of, nps_of


@pytest.mark.parametrize(
    ("scores", "expected"),
    [((), None), ((3,), "0"), ((4,), "100"), ((5, 4, 3), "66.67"), ((1, 2, 3, 5), "25")],
)
def test_csat_is_the_share_of_answers_of_4_or_5(
    scores: tuple[int, ...], expected: str | None
) -> None:
    assert csat_of(scores) == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(
    ("recommend", "expected"),
    [
        ((), None),
        ((9,), "100"),
        ((8, 7), "0"),
        ((6,), "-100"),
        ((0, 10), "0"),
        ((10, 9, 8, 6), "25"),
    ],
)
def test_nps_is_the_share_of_9_and_10_less_that_of_0_to_6(
    recommend: tuple[int, ...], expected: str | None
) -> None:
    assert nps_of(recommend) == (None if expected is None else Decimal(expected))
