"""Internal events of a ledger about the export of its postings."""

from chassis.domain.internal import Internal
from contracts.reference import AccountMappingDetails
from contracts.values import Month, PersonId


class PostingsExported(Internal):
    """The postings of a closed month were released for the general ledger, with these accounts."""

    month: Month
    accounts: AccountMappingDetails
    exported_by: PersonId
