from datetime import date
from decimal import Decimal

from common.figures.surveys import Answer, customer_satisfaction, net_promoter_score

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)


def answers(*counts: tuple[int, int], day: date = LAST) -> list[Answer]:
    """Return a number of answers of each score."""
    return [Answer(day, score) for number, score in counts for _ in range(number)]


def test_satisfaction_is_the_share_of_answers_of_4_or_5() -> None:
    # searchcustomerexperience: 150 positive ones of 250 answers are 60 %
    csat = customer_satisfaction(answers((100, 5), (50, 4), (60, 3), (40, 1)), FIRST, LAST)
    assert csat.value == 60


def test_the_net_promoter_score_is_promoters_less_detractors() -> None:
    # 70 % promoters, 20 % detractors and 10 % passives are an NPS of 50
    nps = net_promoter_score(
        answers((40, 10), (30, 9), (5, 8), (5, 7), (15, 6), (5, 0)), FIRST, LAST
    )
    assert nps.value == 50


def test_only_answers_of_the_period_count_and_without_any_the_score_is_unknown() -> None:
    late = answers((1, 10), day=date(2026, 4, 1)) + answers((1, 0), day=date(2026, 2, 28))
    for score in (customer_satisfaction, net_promoter_score):
        none = score(late, FIRST, LAST)
        assert none.value is None
        assert none.missing[0].sentence == "no customer answered from 2026-03-01 to 2026-03-31"
    assert net_promoter_score(late, FIRST, date(2026, 4, 1)).value == Decimal(100)
