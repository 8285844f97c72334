"""Publish accounts, the customer organisations, as reference data for all departments."""

from collections.abc import Iterable

from chassis.domain.capability import Capability
from chassis.domain.commands import Command
from chassis.domain.context import Context
from chassis.domain.reference import Publish, Record, next_version
from contracts.event import Event
from contracts.reference import AccountDetails, AccountPublished
from contracts.values import ShortText
from sales.roles import SELLERS

capability = Capability[Record[AccountPublished]](__name__)


class PublishAccount(AccountDetails, Publish):
    """Publish an account, or a new version of its record.

    The new version replaces the whole record; a field that is not given becomes empty.
    """


@capability.decide(PublishAccount, by=SELLERS, opens=True)
def publish_account(
    state: Record[AccountPublished], command: PublishAccount, context: Context
) -> Iterable[Event]:
    """Publish the next version of the record, unless it equals the last one."""
    yield from next_version(state, command)


class IntroduceAccount(Command):
    """Publish an account by its name, unless it is published already."""

    name: ShortText


@capability.decide(IntroduceAccount, by=None, opens=True)
def introduce_account(
    state: Record[AccountPublished], command: IntroduceAccount, context: Context
) -> Iterable[Event]:
    """Publish the first version; leave a published record unchanged."""
    if state.newest is None:
        yield AccountPublished(account=state.id, name=command.name)
