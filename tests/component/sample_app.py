"""Define two small departments: Sales opens and qualifies deals, Delivery reacts to its events."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict

from chassis.application.read_models import Listing, Value
from chassis.base.settings import LOCAL_ISSUER, Settings
from chassis.domain.commands import Command, Missing, gate
from chassis.domain.context import Context
from chassis.domain.decider import Decider, Decisions, Evolution
from chassis.runtime.container import REAL_PARTS, Parts
from chassis.runtime.service import Service, create_app
from chassis.web.auth import issue
from chassis.web.command_routes import CommandRoutes
from contracts.delivery import ManagerAssigned
from contracts.event import Event, Recorded
from contracts.money import NotNegativeMoney
from contracts.reference import PersonPublished
from contracts.roles import Role
from contracts.sales import OpportunityOpened, OpportunityQualified
from contracts.values import AccountId, Hours, Percent, PersonId, ShortText

SECRET = "b7Hq2vXz0LkTn5RwYpCs8DfGjMa3EuIo6QxW1ZyV4tNc"


class Deal(BaseModel):
    """State of an engagement in Sales."""

    model_config = ConfigDict(frozen=True)

    id: str
    title: str = ""
    value: NotNegativeMoney | None = None
    manager: PersonId | None = None
    score: Percent | None = None


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


evolve_deal: Evolution[Deal] = Evolution()
decide_deal: Decisions[Deal] = Decisions()


@evolve_deal.on(OpportunityOpened)
def _opened(state: Deal, recorded: Recorded[OpportunityOpened]) -> Deal:
    event = recorded.event
    return state.model_copy(update={"title": event.title, "value": event.expected_value})


@evolve_deal.on(OpportunityQualified)
def _qualified(state: Deal, recorded: Recorded[OpportunityQualified]) -> Deal:
    return state.model_copy(update={"score": recorded.event.score})


@evolve_deal.on(ManagerAssigned)
def _managed(state: Deal, recorded: Recorded[ManagerAssigned]) -> Deal:
    return state.model_copy(update={"manager": recorded.event.manager})


@decide_deal.on(OpenDeal)
def _open(state: Deal, command: OpenDeal, context: Context) -> Iterable[Event]:
    known = context.reference_data.latest(PersonPublished, command.owner)
    gate(
        "owner-unknown",
        [None if known else Missing("owner", f"there is no person {command.owner}", "delivery")],
    )
    yield OpportunityOpened(**command.model_dump())


@decide_deal.on(QualifyDeal)
def _qualify(state: Deal, command: QualifyDeal, context: Context) -> Iterable[Event]:
    manager = Missing("manager", "no manager is assigned", "delivery")
    gate("not-qualifiable", [None if state.manager else manager])
    yield OpportunityQualified(
        budget=True, authority=True, need=True, timing=True, score=command.score
    )


@decide_deal.on(Tick)
def _tick(state: Deal, command: Tick, context: Context) -> Iterable[Event]:
    return ()


DEALS = Decider(
    "sales",
    "engagement",
    lambda subject: Deal(id=subject),
    evolve_deal,
    decide_deal,
    opens=frozenset({OpenDeal}),
)


class DealView(BaseModel):
    """View without confidential amounts."""

    id: str
    title: str
    manager: PersonId | None
    score: Percent | None


class DealWithValue(DealView):
    """View with confidential amounts."""

    value: NotNegativeMoney | None


def deal_view(state: Deal) -> DealView:
    return DealView(id=state.id, title=state.title, manager=state.manager, score=state.score)


def deal_with_value(state: Deal) -> DealWithValue:
    return DealWithValue(**deal_view(state).model_dump(), value=state.value)


def _listed(state: Deal) -> dict[str, Value]:
    score = None if state.score is None else int(state.score)
    return {"title": state.title, "manager": state.manager, "score": score}


def sales() -> Service:
    deals = CommandRoutes(
        DEALS,
        path="engagements",
        view=deal_view,
        confidential=deal_with_value,
        seen_by=("account-executive", "executive"),
        listing=Listing("engagement", ("title", "manager", "score"), _listed),
    )
    deals.opening(OpenDeal, by=("account-executive",), prefix="E")
    deals.command(QualifyDeal, by=("account-executive",))
    deals.command(Tick, by=("account-executive",))
    return Service("sales", "Sales", routes=(deals,), reads=(PersonPublished,))


# ---- Delivery --------------------------------------------------------------------------------


class Job(BaseModel):
    model_config = ConfigDict(frozen=True)

    manager: PersonId | None = None
    opened_on: date | None = None


class Person(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str
    name: str = ""
    email: str | None = None
    hours: Hours | None = None


class PublishPerson(Command):
    """Publish a person, or changes of one."""

    name: ShortText
    email: ShortText | None = None


evolve_job: Evolution[Job] = Evolution()
evolve_person: Evolution[Person] = Evolution()
decide_person: Decisions[Person] = Decisions()


@evolve_job.on(OpportunityOpened)
def _new_job(state: Job, recorded: Recorded[OpportunityOpened]) -> Job:
    return state.model_copy(update={"opened_on": recorded.occurred_at.date()})


@evolve_job.on(ManagerAssigned)
def _has_manager(state: Job, recorded: Recorded[ManagerAssigned]) -> Job:
    return state.model_copy(update={"manager": recorded.event.manager})


def _assign(state: Job, context: Context) -> Iterable[Event]:
    if state.opened_on and not state.manager:
        yield ManagerAssigned(manager="emma", assigned_on=state.opened_on)


@evolve_person.on(PersonPublished)
def _person(state: Person, recorded: Recorded[PersonPublished]) -> Person:
    event = recorded.event
    return state.model_copy(update={"name": event.name, "email": event.email})


@decide_person.on(PublishPerson)
def _publish(state: Person, command: PublishPerson, context: Context) -> Iterable[Event]:
    yield PersonPublished(
        person=state.id, name=command.name, email=command.email, department="sales"
    )


JOBS = Decider("delivery", "engagement", lambda _: Job(), evolve_job, Decisions(), react=_assign)
PEOPLE = Decider(
    "delivery",
    "person",
    lambda subject: Person(id=subject),
    evolve_person,
    decide_person,
    opens=frozenset({PublishPerson}),
)


def person_view(state: Person) -> Person:
    return state


def delivery() -> Service:
    people = CommandRoutes(
        PEOPLE,
        path="people",
        view=person_view,
        seen_by=("pmo-director", "engagement-manager"),
        erased_by=("pmo-director",),
    )
    people.command(PublishPerson, by=("pmo-director",))
    return Service("delivery", "Delivery", routes=(people,), deciders=(JOBS,))


# ---- helpers to run the services -------------------------------------------------------------


def settings(**given: Any) -> Settings:
    """Return settings with these values; environment variables are ignored."""
    for name in [name for name in os.environ if name.startswith("CONCORD_")]:
        given.setdefault(name.removeprefix("CONCORD_").lower(), None)
    if "token_keys" not in given:
        given["token_secret"] = SECRET
    return Settings(**{name: value for name, value in given.items() if value is not None})


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
