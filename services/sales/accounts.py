"""Publish accounts, the customer organisations, as reference data for all departments."""

from collections.abc import Iterable

from chassis.domain.commands import Command
from chassis.domain.context import Context
from contracts.event import Event
from contracts.reference import AccountPublished
from contracts.values import Day, ShortText, YesNo
from sales.state import Account, decide_account


class PublishAccount(Command):
    """Publish an account, or a new version of its record.

    The new version replaces the whole record; a field that is not given becomes empty.
    """

    name: ShortText
    sector: ShortText | None = None
    country: ShortText | None = None
    own_pmo: YesNo = False
    effective_from: Day | None = None


@decide_account.on(PublishAccount)
def publish_account(state: Account, command: PublishAccount, context: Context) -> Iterable[Event]:
    """Publish the next version of the record, unless it equals the last one."""
    event = AccountPublished(account=state.account, **dict(command))
    if state.published != event:
        yield event


class IntroduceAccount(Command):
    """Publish an account by its name, unless it is published already."""

    name: ShortText


@decide_account.on(IntroduceAccount)
def introduce_account(
    state: Account, command: IntroduceAccount, context: Context
) -> Iterable[Event]:
    """Publish the first version; leave a published record unchanged."""
    if state.published is None:
        yield AccountPublished(account=state.account, name=command.name)
