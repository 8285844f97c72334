"""The view of the contract; Sales decides nothing about it."""

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from contracts.legal import EngagementTerminated
from contracts.money import Money
from sales.contract.state import Amendment, Statement
from sales.engagement import Engagement

capability = Capability[Engagement](__name__)


class ContractView(ViewModel):
    """Statement of work, amendments, prices of changes, and termination."""

    statement_of_work: Statement | None
    amendments: dict[str, Amendment]
    change_prices: dict[str, Money]
    terminated: EngagementTerminated | None


class ContractFields(ViewModel):
    """The contract in the view of an engagement."""

    contract: ContractView


@capability.view
def contract_view(state: Engagement) -> ContractFields:
    """Return the contract for the view of an engagement."""
    contract = state.contract
    return ContractFields(
        contract=ContractView(
            statement_of_work=contract.statement,
            amendments=contract.amendments,
            change_prices=contract.change_prices,
            terminated=contract.terminated,
        )
    )
