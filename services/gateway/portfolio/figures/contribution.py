"""Join what an engagement adds to each of the portfolio's figures."""

from collections.abc import Iterable
from decimal import Decimal

from gateway.portfolio.figures.backlog import add_backlog
from gateway.portfolio.figures.billing import add_billing
from gateway.portfolio.figures.costs import add_costs
from gateway.portfolio.figures.disconnects import add_disconnects
from gateway.portfolio.figures.imported import add_imported, history
from gateway.portfolio.figures.pipeline import add_pipeline
from gateway.portfolio.figures.quality import add_quality
from gateway.portfolio.figures.sums import Figures
from gateway.portfolio.figures.utilisation import add_weeks
from gateway.rules import Disconnect
from gateway.view.engagement_view import View


def contribution(
    view: View, disconnects: Iterable[Disconnect], waived: Iterable[str] = ()
) -> Figures:
    """Return what an engagement adds to the figures; `waived` are ids of disconnects."""
    if view.is_history:
        return history(view)
    figures: Figures = {f"stage.{view.stage}": Decimal(1)}
    add_imported(figures, view)
    if (currency := view.currency) is not None:
        add_pipeline(figures, view, currency)
        add_backlog(figures, view, currency)
        add_billing(figures, view, currency)
        add_costs(figures, view, currency)
    add_quality(figures, view)
    add_disconnects(figures, view, disconnects, waived)
    add_weeks(figures, view)
    return figures
