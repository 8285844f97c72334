"""Accounts: the customer organisations, published whole for everybody to look up."""

from collections.abc import Iterable

from chassis.domain.decider import Command, Context
from contracts.event import Event
from contracts.reference import AccountPublished
from contracts.values import Day, ShortText, YesNo
from sales.state import Account, decide_account


class PublishAccount(Command):
    """Publish a customer organisation, or its record as it stands now (the whole of it)."""

    name: ShortText
    sector: ShortText | None = None
    country: ShortText | None = None
    own_pmo: YesNo = False
    effective_from: Day | None = None


@decide_account.on(PublishAccount)
def publish_account(state: Account, command: PublishAccount, context: Context) -> Iterable[Event]:
    """Publish the next version of the record, if it says anything new."""
    event = AccountPublished(account=state.account, **dict(command))
    if state.published != event:
        yield event


class IntroduceAccount(Command):
    """Publish a customer organisation by its name, unless its record stands already."""

    name: ShortText


@decide_account.on(IntroduceAccount)
def introduce_account(
    state: Account, command: IntroduceAccount, context: Context
) -> Iterable[Event]:
    """Publish its first version; what is known of it already stays."""
    if state.published is None:
        yield AccountPublished(account=state.account, name=command.name)
