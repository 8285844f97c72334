"""Publish the companies that sell engagements, as reference data."""

from collections.abc import Iterable

from chassis.domain.capability import Capability
from chassis.domain.commands import Refused
from chassis.domain.context import Context
from chassis.domain.reference import Publish, Record, next_version, require_record
from contracts.event import Event
from contracts.reference import CalendarPublished, CompanyDetails, CompanyPublished
from finance.roles import CONTROLLING

capability = Capability[Record[CompanyPublished]](__name__)


class PublishCompany(CompanyDetails, Publish):
    """Publish the record of a company: legal name, address, VAT id, bank accounts, numbering.

    The whole record is given, not only what changed. The base currency never changes.
    """


@capability.decide(PublishCompany, by=CONTROLLING, opens=True)
def publish_company(
    state: Record[CompanyPublished], command: PublishCompany, context: Context
) -> Iterable[Event]:
    """Publish the next version of the record, unless it equals the one in force.

    Raises Refused where the books would change their currency, where an invoice and a credit note
    could get the same number, or where the calendar is not published.
    """
    require_record("calendar-unknown", "calendar", CalendarPublished, command.calendar, context)
    if command.invoice_numbers.prefix == command.credit_note_numbers.prefix:
        raise Refused("number-prefixes-equal", "invoices and credit notes need different prefixes")
    newest = state.newest
    if newest is not None and newest.base_currency != command.base_currency:
        raise Refused(
            "currency-differs",
            f"base_currency: the books of {state.id} are in {newest.base_currency}",
        )
    yield from next_version(state, command, context)
