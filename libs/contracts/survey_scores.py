"""Compute the scores of surveys: customer satisfaction (CSAT) and net promoter score (NPS).

Departments and the gateway count with the same functions. Counts add up over surveys and
engagements; scores do not.
"""

from collections.abc import Collection
from decimal import Decimal

from contracts.decimals import round_decimal


def is_satisfied(score: int) -> bool:
    """Return whether an answer from 1 to 5 counts as satisfied: 4 or 5."""
    return score >= 4


def is_promoter(recommend: int) -> bool:
    """Return whether an answer from 0 to 10 is that of a promoter: 9 or 10."""
    return recommend >= 9


def is_detractor(recommend: int) -> bool:
    """Return whether an answer from 0 to 10 is that of a detractor: 0 to 6."""
    return recommend <= 6


def customer_satisfaction(satisfied: Decimal, answers: Decimal, places: int = 2) -> Decimal | None:
    """Return the satisfied answers in percent of all; None where there is no answer."""
    return round_decimal(satisfied * 100 / answers, places) if answers else None


def net_promoter_score(
    promoters: Decimal, detractors: Decimal, answers: Decimal, places: int = 2
) -> Decimal | None:
    """Return the percentage of promoters less that of detractors; None where there is no answer.

    It is a number from -100 to 100.
    """
    return round_decimal((promoters - detractors) * 100 / answers, places) if answers else None


def csat_of(scores: Collection[int]) -> Decimal | None:
    """Return the customer satisfaction in percent of answers from 1 to 5; None without any."""
    return customer_satisfaction(Decimal(sum(map(is_satisfied, scores))), Decimal(len(scores)))


def nps_of(recommend: Collection[int]) -> Decimal | None:
    """Return the net promoter score of answers from 0 to 10; None without any."""
    return net_promoter_score(
        Decimal(sum(map(is_promoter, recommend))),
        Decimal(sum(map(is_detractor, recommend))),
        Decimal(len(recommend)),
    )
