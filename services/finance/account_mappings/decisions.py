"""Publish the accounts of a company's general ledger as reference data."""

from collections.abc import Iterable

from chassis.domain.capability import Capability
from chassis.domain.context import Context
from chassis.domain.reference import Publish, Record, next_version, require_record
from contracts.event import Event
from contracts.reference import AccountMappingDetails, AccountMappingPublished, CompanyPublished
from finance.roles import CONTROLLING

capability = Capability[Record[AccountMappingPublished]](__name__)


class PublishAccountMapping(AccountMappingDetails, Publish):
    """Publish the accounts to which the postings of a company go; its id is that of the company.

    A month that was exported keeps the accounts of its export.
    """


@capability.decide(PublishAccountMapping, by=CONTROLLING, opens=True)
def publish_account_mapping(
    state: Record[AccountMappingPublished], command: PublishAccountMapping, context: Context
) -> Iterable[Event]:
    """Publish the next version, unless it equals the one in force.

    Raises Refused where the company is unknown.
    """
    require_record("company-unknown", "account_mapping", CompanyPublished, state.id, context)
    yield from next_version(state, command, context)
