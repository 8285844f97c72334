"""Publish accounts, the customer organisations, as reference data for all departments."""

from collections.abc import Iterable

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command
from chassis.domain.context import Context
from contracts.event import Event
from contracts.reference import AccountDetails, AccountPublished
from contracts.values import AccountId, Day, ShortText
from sales.accounts.state import Account
from sales.roles import SELLERS

capability = Capability[Account](__name__)


class PublishAccount(AccountDetails, Command):
    """Publish an account, or a new version of its record.

    The new version replaces the whole record; a field that is not given becomes empty.
    """

    effective_from: Day | None = None


@capability.decide(PublishAccount, by=SELLERS, opens=True)
def publish_account(state: Account, command: PublishAccount, context: Context) -> Iterable[Event]:
    """Publish the next version of the record, unless it equals the last one."""
    event = AccountPublished(account=state.account, **dict(command))
    if state.published != event:
        yield event


class IntroduceAccount(Command):
    """Publish an account by its name, unless it is published already."""

    name: ShortText


@capability.decide(IntroduceAccount, by=None, opens=True)
def introduce_account(
    state: Account, command: IntroduceAccount, context: Context
) -> Iterable[Event]:
    """Publish the first version; leave a published record unchanged."""
    if state.published is None:
        yield AccountPublished(account=state.account, name=command.name)


class AccountView(ViewModel):
    """The newest record of an account."""

    account: AccountId
    record: AccountPublished | None


@capability.view
def account_view(state: Account) -> AccountView:
    """Return the view of an account for all staff."""
    return AccountView(account=state.account, record=state.published)


class AccountRow(ViewModel):
    """The list row of an account."""

    name: str | None
    sector: str | None
    country: str | None
    own_pmo: bool | None


@capability.row
def account_row(state: Account) -> AccountRow:
    """Return the list row of an account."""
    known = state.published
    return AccountRow(
        name=known.name if known else None,
        sector=known.sector if known else None,
        country=known.country if known else None,
        own_pmo=known.own_pmo if known else None,
    )
