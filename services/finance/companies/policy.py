"""Find the rounding policy and the time zone of a company."""

from datetime import date, tzinfo
from zoneinfo import ZoneInfo

from chassis.domain.context import ReferenceData
from contracts.decimals import ROUNDING, Rounding
from contracts.reference import CompanyPublished


def rounding_on(records: ReferenceData, company: str | None, day: date) -> Rounding:
    """Return the rounding policy of a company on a day; half up where the company is unknown."""
    found = None if company is None else records.on(CompanyPublished, company, day)
    return ROUNDING if found is None else found.event.rounding


def company_zone(company: str | None, records: ReferenceData, day: date) -> tzinfo | None:
    """Return the time zone of a company on a day; None where the company is not known."""
    found = None if company is None else records.on(CompanyPublished, company, day)
    return None if found is None else ZoneInfo(found.event.time_zone)
