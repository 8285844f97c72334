"""Find what applies to a company: rounding, base currency, limits of accountants."""

from datetime import date
from decimal import Decimal

from chassis.domain.context import ReferenceData
from contracts.decimals import ROUNDING, Rounding
from contracts.reference import CompanyPublished


def rounding_on(records: ReferenceData, company: str | None, day: date) -> Rounding:
    """Return the rounding policy of a company on a day; half up where the company is unknown."""
    found = None if company is None else records.on(CompanyPublished, company, day)
    return ROUNDING if found is None else found.event.rounding


def base_currency_on(records: ReferenceData, company: str | None, day: date) -> str | None:
    """Return the currency of a company's books; None where the company is not known."""
    found = None if company is None else records.on(CompanyPublished, company, day)
    return None if found is None else found.event.base_currency


def accountant_limits(
    records: ReferenceData, company: str | None, day: date
) -> tuple[Decimal, Decimal]:
    """Return the limits of bank charges and write-offs on a day, in percent of the allocated money.

    0 where the company is unknown: then only a controller may accept any.
    """
    found = None if company is None else records.on(CompanyPublished, company, day)
    if found is None:
        return Decimal(0), Decimal(0)
    return found.event.bank_charge_limit, found.event.write_off_limit
