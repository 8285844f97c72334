"""Publish accounts, the customer organisations, as reference data for all departments."""

from collections.abc import Iterable, Iterator
from datetime import date

from chassis.domain.capability import Capability
from chassis.domain.commands import Command, refused_field
from chassis.domain.context import Context
from chassis.domain.ids import comparable
from chassis.domain.reference import Publish, Record, require_contact, require_record
from chassis.domain.rules import unless_recorded
from contracts.event import Event
from contracts.places import CountryCode
from contracts.reference import AccountDetails, AccountFinances, AccountPublished, in_force
from contracts.values import AccountId, ShortText
from sales.accounts.names import PREFIX
from sales.roles import ACCOUNTING, SELLERS

capability = Capability[Record[AccountPublished]](__name__)


class RecordAccount(AccountDetails, Command):
    """Record a new account, which gets an id.

    An account with this name, apart from case and spaces, is not recorded a second time.
    """


class PublishAccount(AccountDetails, Publish):
    """Publish a new version of the record of an account; its tax and billing data stay.

    All these fields are replaced; one that is not given becomes empty. Without a day, the version
    in force today is replaced from its first day on.
    """


class PublishAccountFinances(AccountFinances, Publish):
    """Publish a new version of the tax and billing data of an account; its other data stay.

    Both are replaced; one that is not given becomes empty. Without a day, the version in force
    today is replaced from its first day on.
    """


class IntroduceAccount(Command):
    """Record an account as another system has it, unless there is one with this id."""

    name: ShortText
    parent: AccountId | None = None
    sector: ShortText | None = None
    country: CountryCode | None = None


@capability.decide(
    RecordAccount, by=SELLERS, prefix=PREFIX, id_from=lambda command: comparable(command.name)
)
def record_account(
    state: Record[AccountPublished], command: RecordAccount, context: Context
) -> Iterable[Event]:
    """Publish the first version; a repeated, equal command changes nothing.

    Raises Refused where the account is recorded with other content, another one has the name, or
    the parent is unknown.
    """
    event = AccountPublished(account=state.id, **dict(command))
    current = in_force(state.versions, context.today)
    if current is not None:
        kept = ("effective_from", *AccountFinances.model_fields)
        event = event.model_copy(update={name: getattr(current, name) for name in kept})
    for new in unless_recorded(current, event, f"the account {state.id}"):
        _require_consistent(state.id, command, context)
        yield new


@capability.decide(PublishAccount, by=SELLERS)
def publish_account(
    state: Record[AccountPublished], command: PublishAccount, context: Context
) -> Iterable[Event]:
    """Publish the next version of the record, unless it equals the one in force.

    Raises Refused where another account has the name, the parent is unknown, or the account would
    be its own parent.
    """
    _require_consistent(state.id, command, context)
    yield from _versions(state, command, context.today)


@capability.decide(PublishAccountFinances, by=ACCOUNTING)
def publish_account_finances(
    state: Record[AccountPublished], command: PublishAccountFinances, context: Context
) -> Iterable[Event]:
    """Publish the next version of the record, unless it equals the one in force.

    Raises Refused where the contact for invoices is not one of this account.
    """
    if command.billing is not None:
        require_contact("billing.contact", command.billing.contact, state.id, context)
    yield from _versions(state, command, context.today)


def _versions(
    state: Record[AccountPublished], command: Publish, today: date
) -> Iterator[AccountPublished]:
    """Yield the versions by which a department changes its part of the record from a day on.

    Without a day, the version in force today is changed from its first day on. Versions that are in
    force later are published again with the change, and keep the other department's part; from the
    first one on that has another part of this department, that part stays as it was planned.
    Nothing is yielded where nothing changes.
    """
    known = state.versions
    current = in_force(known, command.effective_from or today)
    if current is None:
        return
    changed = {name: value for name, value in command if name != "effective_from"}
    before = {name: getattr(current, name) for name in changed}
    if changed == before:
        return
    first = command.effective_from or current.effective_from
    yield current.model_copy(update={**changed, "effective_from": first})
    for day in sorted({each.effective_from for each in known if each.effective_from}):
        later = in_force(known, day)
        if later is None or (first is not None and day <= first):
            continue
        if any(getattr(later, name) != value for name, value in before.items()):
            return
        yield later.model_copy(update=changed)


@capability.decide(IntroduceAccount, by=None, opens=True)
def introduce_account(
    state: Record[AccountPublished], command: IntroduceAccount, context: Context
) -> Iterable[Event]:
    """Publish the first version; leave a published record unchanged."""
    if state.newest is None:
        yield AccountPublished(account=state.id, **dict(command))


def _require_consistent(account: AccountId, given: AccountDetails, context: Context) -> None:
    """Refuse a name that another account has, and a parent that is unknown or below the account."""
    name = comparable(given.name)
    for each in context.reference_data.all(AccountPublished):
        other = each.event
        if other.account != account and comparable(other.name) == name:
            sentence = f"name: {other.name} is the account {other.account}"
            raise refused_field("account-name-taken", "name", sentence)
    above = given.parent
    seen = {account}
    while above is not None:
        if above in seen:
            sentence = f"parent: {account} would be above itself"
            raise refused_field("account-above-itself", "parent", sentence)
        seen.add(above)
        record = require_record("account-unknown", "parent", AccountPublished, above, context)
        above = record.parent if record else None
