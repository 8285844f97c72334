"""Compute customer satisfaction (CSAT) and the net promoter score (NPS) of dated answers."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from chassis.domain.commands import Missing
from common.figures.figure import Figure, figure
from contracts.survey_scores import csat_of, nps_of


@dataclass(frozen=True, slots=True)
class Answer:
    """A customer's answer on a day: from 1 to 5 for satisfaction, from 0 to 10 for the NPS."""

    day: date
    score: int


def customer_satisfaction(answers: Iterable[Answer], first: date, as_of: date) -> Figure[Decimal]:
    """Return the answers of 4 or 5 in percent of all from `first` to `as_of`, with two decimals."""
    return _score(csat_of, answers, first, as_of)


def net_promoter_score(answers: Iterable[Answer], first: date, as_of: date) -> Figure[Decimal]:
    """Return the percentage of 9 and 10 less that of 0 to 6, from `first` to `as_of`.

    A number from -100 to 100 with two decimals.
    """
    return _score(nps_of, answers, first, as_of)


def _score(
    score_of: Callable[[Collection[int]], Decimal | None],
    answers: Iterable[Answer],
    first: date,
    as_of: date,
) -> Figure[Decimal]:
    score = score_of([each.score for each in answers if first <= each.day <= as_of])
    if score is None:
        return figure(
            Missing("divisor-zero", f"no customer answered from {first} to {as_of}"), as_of
        )
    return figure(score, as_of)
