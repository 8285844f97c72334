"""Figures of reported status, holds, surveys and hours."""

from decimal import Decimal
from itertools import chain

from contracts.survey_scores import is_detractor, is_promoter, is_satisfied
from gateway.portfolio.figures.sums import Figures, add
from gateway.view.engagement_view import View


def add_quality(figures: Figures, view: View) -> None:
    """Add an engagement's status, hold, survey answers and approved hours."""
    delivery = view.delivery
    if view.stage in ("mobilising", "delivering", "closing") and delivery.rag is not None:
        add(figures, f"rag.{delivery.rag}", Decimal(1))
    if view.on_hold:
        add(figures, "on-hold", Decimal(1))
    surveys = delivery.surveys.values()
    for score in chain.from_iterable(survey.satisfaction for survey in surveys):
        add(figures, "csat.answers", Decimal(1))
        if is_satisfied(score):
            add(figures, "csat.satisfied", Decimal(1))
    for score in chain.from_iterable(survey.recommend for survey in surveys):
        add(figures, "nps.answers", Decimal(1))
        if is_promoter(score):
            add(figures, "nps.promoters", Decimal(1))
        elif is_detractor(score):
            add(figures, "nps.detractors", Decimal(1))
    add(figures, "hours.approved", delivery.approved_hours)
    add(figures, "hours.project-management", delivery.project_management_hours)
