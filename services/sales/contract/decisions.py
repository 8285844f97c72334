"""Confirm a signed contract as what was sold, and return the view of the contract."""

from collections.abc import Iterable

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from contracts.event import Event
from contracts.legal import EngagementTerminated
from contracts.money import Money
from contracts.sales import ContractConfirmation, ContractConfirmed
from sales.contract.state import Amendment, Statement
from sales.engagement import Engagement
from sales.policies import require_not_ended
from sales.roles import SELLERS

capability = Capability[Engagement](__name__)


class ConfirmContract(ContractConfirmation, Command):
    """Confirm the signed contract as what was sold, even where the deal differs.

    It ends the disconnects between the deal and the statement of work. A contract that is
    not what was sold is changed by an amendment, or terminated.
    """


@capability.decide(ConfirmContract, by=SELLERS)
def confirm_contract(
    state: Engagement, command: ConfirmContract, context: Context
) -> Iterable[Event]:
    """Confirm the contract; the same confirmation again changes nothing, another reason does.

    Raises Refused where no statement of work is signed, or the content is not the signed one.
    """
    require_not_ended(state)
    statement = state.contract.statement
    if statement is None or statement.signed_content is None:
        raise Refused("sow-not-signed", "no statement of work is signed yet")
    if command.content_hash != statement.signed_content:
        raise Refused(
            "content-differs",
            f"the signed content is {statement.signed_content}, not {command.content_hash}",
        )
    event = ContractConfirmed(**dict(command))
    if state.contract.confirmed != event:
        yield event


class ContractView(ViewModel):
    """Statement of work, amendments, prices of changes, termination, and the confirmation."""

    statement_of_work: Statement | None
    amendments: dict[str, Amendment]
    change_prices: dict[str, Money]
    terminated: EngagementTerminated | None
    confirmed: ContractConfirmed | None


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
            confirmed=contract.confirmed,
        )
    )
