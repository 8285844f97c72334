"""Figures of the pipeline: what is offered and neither won nor lost."""

from gateway.portfolio.figures.sums import Figures, add
from gateway.view.engagement_view import View


def add_pipeline(figures: Figures, view: View, currency: str) -> None:
    """Add the price of an opportunity or proposal, in full and by its probability."""
    stage, price = view.stage, view.price
    if view.taken_over or price is None or stage not in ("opportunity", "proposal"):
        return
    add(figures, f"{currency}.pipeline.{stage}", price.amount)
    if view.sales.probability is not None:
        weighted = price.amount * view.sales.probability / 100
        add(figures, f"{currency}.pipeline-weighted", weighted)
