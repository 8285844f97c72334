"""A version that was planned for a later day stays in force from then on when today's is mended."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from chassis.domain.availability import available_hours_of
from chassis.domain.context import ReferenceData
from chassis.domain.decider import Decider
from chassis.domain.reference import Publish, record_view
from contracts.reference import (
    AccountPublished,
    AccountTax,
    CompanyPublished,
    PersonPublished,
)
from delivery.calendars.decisions import PublishCalendar
from delivery.service import CALENDAR
from finance.companies.decisions import PublishCompany
from finance.cost_rates.decisions import PublishCostRates
from finance.costing.rates import cost_rates_on
from finance.rate_cards.decisions import PublishRateCard
from finance.rate_cards.pricing import rate_card_on
from finance.service import COMPANY_RECORD, COST_RATES, RATE_CARD
from sales.accounts.decisions import PublishAccountFinances, RecordAccount
from sales.accounts.names import account_id
from sales.service import ACCOUNT
from testkit.matchers import RecordsOf
from testkit.scenario import given
from tests.amounts import per_hour
from tests.unit.finance.builders import rates

TODAY, NEW_YEAR = date(2026, 11, 16), date(2027, 1, 1)
EVE = NEW_YEAR - timedelta(days=1)
ACME = account_id("Acme")


@dataclass(frozen=True)
class Case:
    """A record with a version in force, one that is planned, and one that mends the first one.

    `read` returns what a decision reads of a day: `mended` before the planned day, then `planned`.
    """

    decider: Decider[Any]
    id: str
    first: tuple[Any, ...]
    plan: Publish
    mend: Publish
    read: Callable[[ReferenceData, date], object]
    mended: object
    planned: object


def card(rate: int, day: date | None = None) -> PublishRateCard:
    return PublishRateCard(currency="EUR", rates=rates(architect=rate), effective_from=day)


def costs(rate: int, day: date | None = None) -> PublishCostRates:
    return PublishCostRates(currency="EUR", rates=rates(architect=rate), effective_from=day)


def exempt(reason: str, day: date | None = None) -> PublishAccountFinances:
    tax = AccountTax(treatment="exempt", exemption=reason)
    return PublishAccountFinances(tax=tax, effective_from=day)


def company(address: str, day: date | None = None) -> PublishCompany:
    return PublishCompany.model_validate(
        {
            "legal_name": "Concord Consulting GmbH",
            "address": address,
            "country": "DE",
            "base_currency": "EUR",
            "time_zone": "Europe/Berlin",
            "effective_from": day,
        }
    )


def calendar(*weekdays: str, day: date | None = None) -> PublishCalendar:
    return PublishCalendar.model_validate(
        {"name": "Munich", "weekdays": weekdays, "effective_from": day}
    )


def rate_of_architects(records: ReferenceData, day: date) -> object:
    known = rate_card_on(records, "EUR", None, day)
    return known and known.event.by_role["architect"]


def cost_of_architects(records: ReferenceData, day: date) -> object:
    known = cost_rates_on(records, "EUR", day)
    return known and known.by_role["architect"]


def exemption(records: ReferenceData, day: date) -> object:
    known = records.on(AccountPublished, ACME, day)
    return known and known.event.tax and known.event.tax.exemption


def address(records: ReferenceData, day: date) -> object:
    known = records.on(CompanyPublished, "concord-de", day)
    return known and known.event.address


CASES = {
    "rate card": Case(
        RATE_CARD,
        "standard-EUR",
        (card(150, date(2026, 1, 1)),),
        card(160, NEW_YEAR),
        card(155),
        rate_of_architects,
        per_hour(155),
        per_hour(160),
    ),
    "cost rates": Case(
        COST_RATES,
        "standard-EUR",
        (costs(80, date(2026, 1, 1)),),
        costs(90, NEW_YEAR),
        costs(85),
        cost_of_architects,
        per_hour(85),
        per_hour(90),
    ),
    "account": Case(
        ACCOUNT,
        ACME,
        (RecordAccount(name="Acme"), exempt("charity")),
        exempt("hospital", NEW_YEAR),
        exempt("school"),
        exemption,
        "school",
        "hospital",
    ),
    "company": Case(
        COMPANY_RECORD,
        "concord-de",
        (company("Uferstrasse 12\n80331 Munich"),),
        company("Hafenweg 1\n20457 Hamburg", NEW_YEAR),
        company("Uferstrasse 21\n80331 Munich"),
        address,
        "Uferstrasse 21\n80331 Munich",
        "Hafenweg 1\n20457 Hamburg",
    ),
}


@pytest.mark.parametrize("dated", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_a_planned_version_is_not_cancelled_by_one_of_an_earlier_day(
    name: str, dated: bool
) -> None:
    case = CASES[name]
    scenario = given(case.decider, case.id).on(TODAY)
    for command in (*case.first, case.plan):
        scenario = scenario.after(command)
    mend = case.mend.model_copy(update={"effective_from": TODAY}) if dated else case.mend
    mended = scenario.after(mend)
    versions = mended.state.versions
    records = RecordsOf(versions)

    assert case.read(records, TODAY) == case.read(records, EVE) == case.mended
    assert case.read(records, NEW_YEAR) == case.planned
    for day, version in ((TODAY, versions[-1]), (NEW_YEAR, versions[-2])):
        view = record_view(mended.stream, day)
        assert view.in_force is not None
        assert view.in_force.record == version
    mended.when(mend).then_nothing()
    mended.when(case.plan).then_nothing()


def test_a_planned_version_is_replaced_by_a_newer_one_of_the_same_day() -> None:
    for name, case in CASES.items():
        scenario = given(case.decider, case.id).on(TODAY)
        for command in (*case.first, case.plan):
            scenario = scenario.after(command)
        again = case.mend.model_copy(update={"effective_from": NEW_YEAR})
        records = RecordsOf(scenario.after(again).state.versions)
        assert case.read(records, NEW_YEAR) == case.mended, name


def test_a_planned_calendar_counts_from_its_day_on() -> None:
    """Plan a week of four days for the new year, and free Wednesdays today."""
    every = ("monday", "tuesday", "wednesday", "thursday", "friday")
    munich = given(CALENDAR, "munich").on(TODAY).after(calendar(*every))
    munich = munich.after(calendar(*every[:4], day=NEW_YEAR))
    munich = munich.after(calendar(*every[:2], *every[3:]))
    dev = PersonPublished(person="dev", name="Dev", department="delivery", calendar="munich")
    records = RecordsOf([dev, *munich.state.versions])

    def worked(monday: date) -> Decimal | None:
        return available_hours_of(records, "dev", monday, monday + timedelta(days=4))

    assert worked(date(2026, 12, 14)) == worked(date(2027, 1, 11)) == 4 * 10
    friday = date(2026, 12, 18)
    assert available_hours_of(records, "dev", friday, friday) == 10
    friday = date(2027, 1, 15)
    assert available_hours_of(records, "dev", friday, friday) == 0
