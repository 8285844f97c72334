"""The view of the contract; Sales decides nothing about it."""

from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from contracts.legal import EngagementTerminated
from contracts.money import Money
from sales.contract.state import Amendment, Statement
from sales.engagement import Engagement

capability = Capability[Engagement](__name__)


class ContractView(ViewModel):
    """Agreements, statement of work, amendments, prices of changes, and termination."""

    nda_signed_on: date | None
    msa_signed_on: date | None
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
            nda_signed_on=contract.nda.signed_on if contract.nda else None,
            msa_signed_on=contract.msa.signed_on if contract.msa else None,
            statement_of_work=contract.statement,
            amendments=contract.amendments,
            change_prices=contract.change_prices,
            terminated=contract.terminated,
        )
    )
