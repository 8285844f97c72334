"""Define two small departments: Sales opens and qualifies deals, Delivery reacts to its events."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any, Self

import httpx

from chassis.base.settings import LOCAL_ISSUER, Settings
from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, gate
from chassis.domain.context import Context
from chassis.domain.decider import Decider
from chassis.domain.state import Part, on_event
from chassis.runtime.container import REAL_PARTS, Parts
from chassis.runtime.service import Service, create_app
from chassis.web.auth import issue
from chassis.web.command_routes import CommandRoutes
from chassis.web.engagement_routes import EngagementRoutes
from contracts.delivery import ManagerAssigned
from contracts.event import Event, Recorded
from contracts.money import NotNegativeMoney
from contracts.reference import PersonPublished
from contracts.roles import Role
from contracts.sales import OpportunityOpened, OpportunityQualified
from contracts.values import AccountId, Hours, Percent, PersonId, ShortText
from tests.infrastructure import KafkaServer, StoreServer

SECRET = "b7Hq2vXz0LkTn5RwYpCs8DfGjMa3EuIo6QxW1ZyV4tNc"


class Deal(Part):
    """State of an engagement in Sales."""

    id: str
    title: str = ""
    value: NotNegativeMoney | None = None
    manager: PersonId | None = None
    score: Percent | None = None

    @on_event
    def _opened(self, event: OpportunityOpened) -> Self:
        return self.updated(title=event.title, value=event.expected_value)

    @on_event
    def _qualified(self, event: OpportunityQualified) -> Self:
        return self.updated(score=event.score)

    @on_event
    def _managed(self, event: ManagerAssigned) -> Self:
        return self.updated(manager=event.manager)


class OpenDeal(Command):
    """Open an opportunity.

    The owner has to be a person that Delivery has published.
    """

    account: AccountId
    title: ShortText
    expected_value: NotNegativeMoney
    expected_close: date
    owner: PersonId


class QualifyDeal(Command):
    """Qualify an opportunity, which waits for a manager."""

    score: Percent


class Tick(Command):
    """Cause no event."""


SELLERS: tuple[Role, ...] = ("account-executive",)
deals: Capability[Deal] = Capability(__name__)


@deals.decide(OpenDeal, by=SELLERS, prefix="E")
def _open(state: Deal, command: OpenDeal, context: Context) -> Iterable[Event]:
    known = context.reference_data.latest(PersonPublished, command.owner)
    gate(
        "person-unknown",
        [
            None
            if known
            else Missing("person-unknown", f"there is no person {command.owner}", "delivery")
        ],
    )
    yield OpportunityOpened(**command.model_dump())


@deals.decide(QualifyDeal, by=SELLERS)
def _qualify(state: Deal, command: QualifyDeal, context: Context) -> Iterable[Event]:
    manager = Missing("manager-not-assigned", "no manager is assigned", "delivery")
    gate("proposal-not-ready", [None if state.manager else manager])
    yield OpportunityQualified(
        budget=True, authority=True, need=True, timing=True, score=command.score
    )


@deals.decide(Tick, by=SELLERS)
def _tick(state: Deal, command: Tick, context: Context) -> Iterable[Event]:
    return ()


class DealView(ViewModel):
    """View without confidential amounts."""

    id: str
    title: str
    manager: PersonId | None
    score: Percent | None


class DealValue(ViewModel):
    """Confidential amounts."""

    value: NotNegativeMoney | None


class DealRow(ViewModel):
    """Row of the list."""

    title: str
    manager: str | None
    score: int | None


@deals.view
def deal_view(state: Deal) -> DealView:
    return DealView(id=state.id, title=state.title, manager=state.manager, score=state.score)


@deals.confidential_view
def deal_value(state: Deal) -> DealValue:
    return DealValue(value=state.value)


@deals.row
def deal_row(state: Deal) -> DealRow:
    score = None if state.score is None else int(state.score)
    return DealRow(title=state.title, manager=state.manager, score=score)


DEALS = Decider("sales", "engagement", lambda subject: Deal(id=subject), (deals,))


def sales() -> Service:
    routes = EngagementRoutes(
        DEALS, seen_by=("account-executive", "executive"), uploaded_by=("account-executive",)
    )
    return Service("sales", "Sales", routes=(routes,), reads=(PersonPublished,))


# ---- Delivery --------------------------------------------------------------------------------


class Job(Part):
    manager: PersonId | None = None
    opened_on: date | None = None

    @on_event
    def _new_job(self, recorded: Recorded[OpportunityOpened]) -> Self:
        return self.updated(opened_on=recorded.occurred_at.date())

    @on_event
    def _has_manager(self, event: ManagerAssigned) -> Self:
        return self.updated(manager=event.manager)


class Person(Part):
    id: str
    name: str = ""
    email: str | None = None
    hours: Hours | None = None

    @on_event
    def _published(self, event: PersonPublished) -> Self:
        return self.updated(name=event.name, email=event.email)


class PublishPerson(Command):
    """Publish a person, or changes of one."""

    name: ShortText
    email: ShortText | None = None


jobs: Capability[Job] = Capability(__name__)
people: Capability[Person] = Capability(__name__)


@jobs.react
def _assign(state: Job, context: Context) -> Iterable[Event]:
    if state.opened_on and not state.manager:
        yield ManagerAssigned(manager="emma", assigned_on=state.opened_on)


@people.decide(PublishPerson, by=("pmo-director",), opens=True)
def _publish(state: Person, command: PublishPerson, context: Context) -> Iterable[Event]:
    yield PersonPublished(
        person=state.id, name=command.name, email=command.email, department="sales"
    )


class PersonView(ViewModel):
    """View of a person."""

    id: str
    name: str
    email: str | None
    hours: Hours | None


@people.view
def _person_view(state: Person) -> PersonView:
    return PersonView(id=state.id, name=state.name, email=state.email, hours=state.hours)


JOBS = Decider("delivery", "engagement", lambda _: Job(), (jobs,))
PEOPLE = Decider("delivery", "person", lambda subject: Person(id=subject), (people,))


def delivery() -> Service:
    routes = CommandRoutes(
        PEOPLE,
        path="people",
        seen_by=("pmo-director", "engagement-manager"),
        erased_by=("pmo-director",),
    )
    return Service("delivery", "Delivery", routes=(routes,), deciders=(JOBS,))


# ---- helpers to run the services -------------------------------------------------------------


def settings(**given: Any) -> Settings:
    """Return settings with these values; environment variables are ignored."""
    for name in [name for name in os.environ if name.startswith("CONCORD_")]:
        given.setdefault(name.removeprefix("CONCORD_").lower(), None)
    if "token_issuers" not in given:
        given["token_secret"] = SECRET
    return Settings(**{name: value for name, value in given.items() if value is not None})


def settings_at(kafka: KafkaServer, store: StoreServer, name: str) -> Settings:
    """Return settings of a service whose topics begin with a name, as its database is named."""
    return settings(
        kafka_bootstrap=kafka.bootstrap,
        topic_prefix=name,
        store_url=store.url,
        store_database=name,
    )


def token(actor: str, *roles: Role) -> dict[str, str]:
    """Return the Authorization header of a token with these roles."""
    issued = issue(SECRET, actor, roles, issuer=LOCAL_ISSUER, now=datetime.now(UTC))
    return {"Authorization": f"Bearer {issued}"}


async def healthy(client: httpx.AsyncClient) -> bool:
    """Return whether the service reports that it is healthy, that is, processes events."""
    return bool((await client.get("/health")).json()["healthy"])


async def ready(client: httpx.AsyncClient) -> bool:
    """Return whether the service takes requests."""
    return (await client.get("/ready")).status_code == 200


@asynccontextmanager
async def running(
    service: Service,
    settings: Settings,
    wait: Callable[[httpx.AsyncClient], Awaitable[bool]] | None = healthy,
    parts: Parts = REAL_PARTS,
) -> AsyncIterator[httpx.AsyncClient]:
    """Run a service in this process; yield its client once `wait` is true; stop it at the end."""
    app = create_app(service, settings, parts)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=f"http://{service.name}") as client,
    ):
        client.app = app  # type: ignore[attr-defined]
        if wait is not None:
            await until(lambda: wait(client))
        yield client


async def until(is_so: Callable[[], Awaitable[bool]], within: float = 90) -> None:
    """Wait until `is_so` returns true; raises TimeoutError after `within` seconds."""
    async with asyncio.timeout(within):
        while not await is_so():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.05)
