"""Provide for expected losses of contracts, and release them as the cost comes. Confidential."""

from collections.abc import Iterable

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.context import Context
from contracts.event import Event
from contracts.money import Money
from finance.engagement import Engagement
from finance.provisions.changes import changed_losses

capability = Capability[Engagement](__name__)


@capability.react
def losses(state: Engagement, context: Context) -> Iterable[Event]:
    """Yield the changes of the expected losses by contract and month."""
    yield from changed_losses(state)


class LossView(ViewModel):
    """Expected loss of a contract to the last month: an amendment, or all other lines (null)."""

    amendment: str | None
    expected_loss: Money
    asset_written_down: Money
    provision: Money


class LossFigures(ViewModel):
    """The expected losses of contracts that have or had one, for callers who may see costs."""

    expected_losses: list[LossView]


@capability.confidential_view
def losses_view(state: Engagement) -> LossFigures:
    """Return the expected losses for the confidential view of an engagement."""
    losses = {
        name: state.provisions.loss_to(max(months), name)
        for name, months in state.provisions.changes.items()
    }
    return LossFigures(
        expected_losses=[
            LossView(
                amendment=name or None,
                expected_loss=Money(amount=loss.expected, currency=state.money),
                asset_written_down=Money(amount=loss.written_down, currency=state.money),
                provision=Money(amount=loss.expected - loss.written_down, currency=state.money),
            )
            for name, loss in losses.items()
        ]
    )
