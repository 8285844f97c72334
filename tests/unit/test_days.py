"""Days are judged in the time zone of the account or company: in Sydney, Los Angeles and nowhere.

On 2 and 3 March 2026 it is 11 hours later in Sydney than in UTC, and 8 hours earlier in Los
Angeles.
"""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from fastapi import Request

from chassis.domain.commands import NotAllowed
from chassis.domain.stand_ins import require_stand_in
from chassis.domain.stream import Stream
from chassis.web import reference_routes
from chassis.web.auth import Caller
from chassis.web.reference_routes import ReferenceRoutes
from contracts.legal import EarlyStartAuthorised
from contracts.places import day_at
from contracts.reference import (
    AccountPublished,
    AgreementPublished,
    CompanyPublished,
    ContactPublished,
    Reference,
    StandIn,
    StandInsPublished,
)
from contracts.roles import COMPANY
from contracts.sales import EstimateRequested, OpportunityOpened
from finance.revenue.decisions import RecogniseRevenue
from finance.service import COMPANY_RECORD
from legal.early_starts.decisions import AuthoriseEarlyStart
from legal.service import AGREEMENT
from sales.opportunity.decisions import RequestEstimate
from sales.service import ACCOUNT, CONTACT, ENGAGEMENT
from testkit.matchers import RecordsOf
from testkit.scenario import given, like
from tests.unit.finance.builders import contracted
from tests.unit.legal.builders import filed
from tests.unit.sales.builders import OPEN, PORTAL, SELLERS, opened

SECOND, THIRD = date(2026, 3, 2), date(2026, 3, 3)
BEFORE, AFTER = datetime(2026, 3, 2, 13, 30, tzinfo=UTC), datetime(2026, 3, 3, 7, 30, tzinfo=UTC)
"""In UTC it is the second and the third; in Sydney the third, in Los Angeles the second."""
SYDNEY, LOS_ANGELES = "Australia/Sydney", "America/Los_Angeles"


def account(zone: str | None) -> AccountPublished:
    return AccountPublished(account="acme", name="Acme", time_zone=zone)


def test_a_moment_is_another_day_in_sydney_and_los_angeles() -> None:
    for moment, in_utc in ((BEFORE, SECOND), (AFTER, THIRD)):
        assert day_at(moment, ZoneInfo(SYDNEY)) == THIRD
        assert day_at(moment, ZoneInfo(LOS_ANGELES)) == SECOND
        assert day_at(moment, None) == in_utc


@pytest.mark.parametrize(
    ("moment", "zone", "today"),
    [
        (BEFORE, SYDNEY, THIRD),
        (AFTER, LOS_ANGELES, SECOND),
        (BEFORE, None, SECOND),
        (AFTER, None, THIRD),
    ],
)
def test_days_to_come_begin_after_the_day_of_the_account(
    moment: datetime, zone: str | None, today: date
) -> None:
    yesterday = date(today.year, today.month, today.day - 1)
    fresh = given(ENGAGEMENT, "E-0000000000001", records=[account(zone), *SELLERS]).on(moment)
    fresh.when(OPEN.model_copy(update={"expected_close": today})).then(like(OpportunityOpened))
    fresh.when(OPEN.model_copy(update={"expected_close": yesterday})).then_refused(
        "expected-close-passed"
    )
    sold = opened().knowing(account(zone)).on(moment)
    wanted = RequestEstimate(scope_summary="A portal.", deliverables=(PORTAL,), wanted_finish=today)
    sold.when(wanted).then(like(EstimateRequested))
    sold.when(wanted.model_copy(update={"wanted_finish": yesterday})).then_refused(
        "wanted-finish-passed"
    )
    file = filed().knowing(account(zone)).on(moment)
    tomorrow = date(today.year, today.month, today.day + 1)
    start = AuthoriseEarlyStart(cap_hours=Decimal(10), expires_on=tomorrow, reason="Haste.")
    file.when(start).then(like(EarlyStartAuthorised))
    file.when(start.model_copy(update={"expires_on": today})).then_refused("expiry-not-in-future")


def company(zone: str) -> CompanyPublished:
    return CompanyPublished(
        company="us",
        legal_name="Us Inc.",
        address="1 Main Street",
        country="US",
        base_currency="EUR",
        time_zone=zone,
    )


def test_a_month_is_over_in_the_time_zone_of_the_company() -> None:
    march = RecogniseRevenue(month="2026-03")
    night = datetime(2026, 4, 1, 5, tzinfo=UTC)  # 31 March, 22:00 in Los Angeles
    there = contracted().knowing(company(LOS_ANGELES)).on(night)
    there.when(march).then_refused("month-not-over", saying="today is 2026-03-31")
    evening = datetime(2026, 3, 31, 14, tzinfo=UTC)  # 1 April, 01:00 in Sydney
    contracted().knowing(company(SYDNEY)).on(evening).when(march).then_accepted()


def shown(
    routes: ReferenceRoutes[Any],
    records: list[Reference],
    moment: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> Reference | None:
    """Return the version in force in the answer for the record of these versions at a moment."""
    decider = routes.decider
    own = [each for each in records if isinstance(each, routes.record)]
    state = given(decider, getattr(own[0], own[0].id_field())).published(*own).state
    caller = Caller("ann", frozenset({"account-executive"}))
    container = SimpleNamespace(reference_data=RecordsOf(records), waits_for=None)
    app = SimpleNamespace(state=SimpleNamespace(container=container))
    request = SimpleNamespace(state=SimpleNamespace(caller=caller), app=app)
    clock = SimpleNamespace(now=moment.astimezone)
    monkeypatch.setattr(reference_routes, "datetime", clock)
    view = routes._view(cast("Request", request), Stream(decider.stream(state.id), state))
    in_force = cast("Any", view["in_force"])
    return cast("Reference", in_force.record) if in_force else None


@pytest.mark.parametrize(
    ("moment", "zone", "version"),
    [(BEFORE, SYDNEY, 1), (AFTER, LOS_ANGELES, 0), (BEFORE, LOS_ANGELES, 0), (AFTER, SYDNEY, 1)],
)
def test_the_version_of_a_record_that_is_in_force_is_that_of_its_own_today(
    moment: datetime, zone: str, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = account(zone)
    contact = ContactPublished(contact="cleo", name="Cleo", account="acme")
    agreement = AgreementPublished(
        agreement="AG-1", account="acme", agreement_type="nda", signed_on=SECOND, starts_on=SECOND
    )
    for decider, record, others in (
        (ACCOUNT, acme, []),
        (CONTACT, contact, [acme]),
        (AGREEMENT, agreement, [acme]),
        (COMPANY_RECORD, company(zone), []),
    ):
        routes = ReferenceRoutes[Any](
            cast("Any", decider), path="records", seen_by=COMPANY, listed=()
        )
        versions: list[Reference] = [
            record.model_copy(update={"effective_from": day}) for day in (SECOND, THIRD)
        ]
        found = shown(routes, [*versions, *others], moment, monkeypatch)
        assert found == versions[version], record.kind


def test_a_stand_in_acts_on_the_day_of_the_account() -> None:
    stand_ins = StandInsPublished(
        person="mara",
        stand_ins=(StandIn(stand_in="max", first=THIRD, last=THIRD, purpose="approvals"),),
    )
    for moment, zone, allowed in ((BEFORE, SYDNEY, True), (AFTER, LOS_ANGELES, False)):
        scenario = opened().knowing(account(zone), stand_ins).on(moment)
        context = scenario._context("max")
        acting = replace(scenario.decider.in_zone(scenario.state, context), on_behalf_of="mara")
        if allowed:
            require_stand_in(acting, "approvals")
        else:
            with pytest.raises(NotAllowed):
                require_stand_in(acting, "approvals")
