"""State of the expected losses. Confidential."""

from typing import Self

from chassis.domain.state import Part, on_event
from contracts.finance import LossProvided, LossReleased
from contracts.values import Month
from finance.provisions.losses import Loss


class Provisions(Part):
    """The changes of expected losses by contract and by the month in which they count.

    A contract is an amendment that is one of its own, or "" for all other lines.
    """

    changes: dict[str, dict[Month, Loss]] = {}

    @on_event
    def _changed(self, event: LossProvided | LossReleased) -> Self:
        return self.with_loss(event)

    def with_loss(self, event: LossProvided | LossReleased) -> Self:
        """Return the part with a change, which is stated as the loss that is expected after it."""
        contract, month = event.amendment or "", event.month
        loss = Loss(
            expected=event.expected_loss.amount, written_down=event.asset_written_down.amount
        )
        months = self.changes.get(contract, {})
        change = loss.plus(self.loss_to(month, contract), -1).plus(months.get(month, Loss()))
        return self.updated(changes={**self.changes, contract: {**months, month: change}})

    def loss_to(self, month: Month, contract: str | None = None) -> Loss:
        """Return the expected loss to the end of a month: of a contract, or of all."""
        total = Loss()
        for name, months in self.changes.items():
            for each, change in months.items():
                if each <= month and contract in (None, name):
                    total = total.plus(change)
        return total
