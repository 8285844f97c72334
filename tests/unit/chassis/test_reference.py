"""Records of reference data: versions, the one in force on a day, routes, confidential kinds."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from chassis.base.settings import LOCAL_ISSUER
from chassis.domain.capability import Capability
from chassis.domain.commands import Refused
from chassis.domain.context import Context
from chassis.domain.reference import (
    MOST_VERSIONS,
    Publish,
    Record,
    next_version,
    record_view,
    reference_decider,
    require_record,
)
from chassis.runtime.service import Service, create_app
from chassis.web.auth import issue
from chassis.web.reference_routes import ReferenceRoutes
from contracts.event import Event
from contracts.reference import (
    AccountDetails,
    AccountPublished,
    CostRates,
    CostRatesPublished,
    Reference,
    TemplatePublished,
)
from contracts.roles import COMPANY, Role
from testkit.matchers import RecordsOf
from testkit.scenario import Scenario, given
from tests.component.sample_app import SECRET, settings

Account = Record[AccountPublished]
JANUARY, MARCH, MAY = date(2026, 1, 1), date(2026, 3, 1), date(2026, 5, 1)


class PublishAccount(AccountDetails, Publish):
    """Publish an account."""


class PublishCosts(CostRates, Publish):
    """Publish cost rates."""


accounts = Capability[Account](__name__)
costs = Capability[Record[CostRatesPublished]](__name__)


@accounts.decide(PublishAccount, by=COMPANY, opens=True)
def publish(state: Account, command: PublishAccount, context: Context) -> Iterable[Event]:
    require_record("account-unknown", "sector", AccountPublished, command.sector, context)
    yield from next_version(state, command, context)


@costs.decide(PublishCosts, by=COMPANY, opens=True)
def publish_costs(
    state: Record[CostRatesPublished], command: PublishCosts, context: Context
) -> Iterable[Event]:
    yield from next_version(state, command, context, from_today=True)


ACCOUNT = reference_decider(Account, accounts)
COSTS = reference_decider(Record[CostRatesPublished], costs)
FRESH = given(ACCOUNT, "acme").on(MARCH)


def named(name: str, day: date | None = None) -> PublishAccount:
    return PublishAccount(name=name, effective_from=day)


def version(name: str, day: date | None = None) -> AccountPublished:
    return AccountPublished(account="acme", name=name, effective_from=day)


def test_an_equal_record_is_no_new_version() -> None:
    published = FRESH.when(named("Acme", MAY)).then(version("Acme", MAY))
    published.when(named("Acme", MAY)).then_nothing()
    published.on(MAY).when(named("Acme")).then_nothing()
    published.when(named("Acme")).then(version("Acme"))  # not in force before May
    published.when(named("Acme", MARCH)).then(version("Acme", MARCH))
    published.when(named("Apex")).then(version("Apex"))
    published.on(MAY).when(named("Apex")).then(version("Apex", MAY))


def test_a_version_without_a_day_replaces_the_one_in_force_and_none_of_later_days() -> None:
    planned = FRESH.after(named("One", JANUARY)).after(named("Two", MAY))
    planned.when(named("Three")).then(version("Three", JANUARY))
    planned.when(named("Two")).then(version("Two", JANUARY))  # it is in force from May on only
    planned.when(named("Two", MAY)).then_nothing()
    planned.when(named("One")).then_nothing()


def test_a_named_record_is_read_as_it_is_today() -> None:
    records = [version("One", JANUARY), version("Two", MAY)]
    scenario = FRESH.knowing(*records)
    for day, name in ((JANUARY, "One"), (MARCH, "One"), (MAY, "Two")):
        context = scenario.on(day)._context("ann")
        found = require_record("account-unknown", "sector", AccountPublished, "acme", context)
        assert found is not None
        assert found.name == name
    early = FRESH.knowing(version("Two", MAY))._context("ann")
    found = require_record("account-unknown", "sector", AccountPublished, "acme", early)
    assert found == version("Two", MAY)


def test_a_version_without_a_day_is_in_force_from_the_day_that_the_kind_gives() -> None:
    command = PublishCosts.model_validate(
        {"currency": "EUR", "rates": [{"role": "tester", "rate": {"amount": 1, "currency": "EUR"}}]}
    )
    published = given(COSTS, "standard").on(MARCH).after(command)
    assert published.state.newest is not None
    assert published.state.newest.effective_from == MARCH
    published.on(MAY).when(command).then_nothing()


def shown(scenario: Scenario[Account], day: date) -> tuple[int | None, int | None]:
    """Return the numbers of the version in force on a day and of the newest one."""
    view = record_view(scenario.stream, day)
    current, newest = view.in_force, view.newest
    return current.version if current else None, newest.version if newest else None


def test_the_version_in_force_stands_beside_the_newest() -> None:
    scenario = FRESH.after(named("One", MARCH)).after(named("Two", MAY))
    assert shown(scenario, JANUARY) == (None, 2)
    assert shown(scenario, MARCH) == (1, 2)
    assert shown(scenario, MAY) == (2, 2)
    replaced = scenario.after(named("Three", MARCH))
    assert shown(replaced, MARCH) == (3, 3)
    assert shown(replaced, MAY) == (2, 3)
    assert shown(FRESH, MARCH) == (None, None)


def test_versions_are_listed_newest_first_under_their_numbers_on_the_topic() -> None:
    scenario = FRESH.after(named("One")).after(named("Two"))
    versions = record_view(scenario.stream, MARCH).versions
    assert [(each.version, each.record.name) for each in versions] == [(2, "Two"), (1, "One")]

    erased = replace(scenario.stream, state=ACCOUNT.initial("acme"))
    again = replace(scenario, stream=erased).after(named("Three"))
    versions = record_view(again.stream, MARCH).versions
    assert [(each.version, each.record.name) for each in versions] == [(3, "Three")]

    for number in range(MOST_VERSIONS):
        scenario = scenario.after(named(f"Name {number}"))
    assert len(record_view(scenario.stream, MARCH).versions) == MOST_VERSIONS


def test_a_record_may_only_name_records_that_are_known() -> None:
    command = named("Acme").model_copy(update={"sector": "apex"})
    FRESH.when(command).then_refused("account-unknown", fields=["sector"], saying="apex")
    FRESH.knowing(AccountPublished(account="apex", name="Apex")).when(command).then_accepted()


def test_a_kind_needs_a_field_for_the_id() -> None:
    class Odd(AccountPublished):
        kind = "customer"

    class OddRecord(Record[Odd]):
        pass

    OddRecord.steps = {Odd: ()}
    with pytest.raises(TypeError, match="Odd has no field customer for the id"):
        reference_decider(OddRecord, Capability[Record[Odd]](__name__))


# ---- routes -----------------------------------------------------------------------------------


class Streams:
    """The command handler of a service that has one stream."""

    def __init__(self, scenario: Scenario[Any]) -> None:
        self._stream = scenario.stream

    async def read(self, *_: object) -> object:
        return self._stream

    def reading(self, *_: object) -> None:
        """Return no context, since nothing of a record is narrowed."""


def routes() -> tuple[ReferenceRoutes[AccountPublished], ReferenceRoutes[CostRatesPublished]]:
    return (
        ReferenceRoutes(ACCOUNT, path="accounts", seen_by=COMPANY, listed=("name", "own_pmo")),
        ReferenceRoutes(COSTS, path="cost-rates", seen_by=COMPANY, listed=("currency",)),
    )


async def read(
    scenario: Scenario[Any], path: str, *roles: Role, **headers: str
) -> tuple[httpx.Response, FastAPI]:
    app = create_app(Service("sales", "Sales", routes=routes()), settings())
    app.state.container = SimpleNamespace(
        waits_for=None,
        commands=Streams(scenario),
        as_of=SimpleNamespace(of_all=lambda: None),
        reference_data=RecordsOf([]),
    )
    token = issue(SECRET, "ann", roles, issuer=LOCAL_ISSUER, now=datetime.now(UTC))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://sales"
    ) as client:
        bearer = {"Authorization": f"Bearer {token}"}
        return await client.get(path, headers={**bearer, **headers}), app


async def test_a_record_is_read_whole_even_if_the_caller_has_its_etag() -> None:
    scenario = FRESH.after(named("Acme")).after(named("Apex", date(2999, 1, 1)))
    response, app = await read(
        scenario, "/accounts/acme", "account-executive", **{"If-None-Match": '"2"'}
    )
    assert (response.status_code, response.headers["etag"]) == (200, '"2"')
    answer = response.json()
    assert answer["id"] == "acme"
    assert (answer["in_force"]["version"], answer["in_force"]["record"]["name"]) == (1, "Acme")
    assert (answer["newest"]["version"], answer["newest"]["record"]["name"]) == (2, "Apex")
    model = app.openapi()["components"]["schemas"]["AccountView"]
    assert set(answer) == set(model["properties"])


@pytest.mark.parametrize(("roles", "fields"), [((), 0), (("confidential",), 4)])
async def test_a_confidential_record_is_shown_with_the_role_only(
    roles: tuple[Role, ...], fields: int
) -> None:
    rate = {"role": "tester", "rate": {"amount": 71, "currency": "EUR"}}
    command = PublishCosts.model_validate({"currency": "EUR", "rates": [rate]})
    scenario = given(COSTS, "standard").after(command)
    response, _ = await read(scenario, "/cost-rates/standard", "controller", *roles)
    assert response.status_code == 200
    assert len(response.json()) == fields
    assert ("71" in response.text) == bool(roles)


def test_a_list_has_plain_fields_of_the_newest_version() -> None:
    listing = routes()[0].listing
    assert listing.fields == ("name", "own_pmo", "effective_from")
    rows: list[Mapping[str, object]] = [
        listing.summarise(scenario.state) for scenario in (FRESH.after(named("A", MAY)), FRESH)
    ]
    assert rows == [
        {"name": "A", "own_pmo": False, "effective_from": "2026-05-01"},
        {"name": None, "own_pmo": None, "effective_from": None},
    ]
    with pytest.raises(TypeError, match="no field colour"):
        ReferenceRoutes(ACCOUNT, path="accounts", seen_by=COMPANY, listed=("colour",))


def test_every_reference_record_has_a_field_for_its_id() -> None:
    kinds: list[type[Reference]] = [*Reference.__subclasses__()]
    published = [kind for kind in kinds if kind.__module__.startswith("contracts.")]
    assert TemplatePublished in published
    assert [kind for kind in published if kind.id_field() not in kind.model_fields] == []
    with pytest.raises(Refused):
        require_record("account-unknown", "x", AccountPublished, "x", FRESH._context("ann"))
