"""Run a department's service in memory, on a journal that answers at once, at a moment."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from itertools import count
from types import SimpleNamespace
from typing import Any, cast

import httpx
from fastapi import FastAPI

from chassis.application.event_handler import StreamEventHandler
from chassis.base.settings import LOCAL_ISSUER
from chassis.domain.decider import Decider
from chassis.runtime.service import Service, create_app
from chassis.web.auth import issue
from contracts.event import Event
from contracts.reference import Reference
from contracts.roles import Role
from testkit.matchers import RecordsOf, recorded_as
from tests.component.sample_app import SECRET, settings
from tests.unit.chassis.requests_in_memory import Process, Shared
from tests.unit.delivery.builders import ID


class Documents(Shared):
    """The documents of a journal that answers at once."""

    async def turn(self) -> None: ...


class Served:
    """A service on a journal in memory, at a moment."""

    def __init__(
        self, service: Service, *deciders: Decider[Any], records: Iterable[Reference], on: date
    ) -> None:
        self.now = datetime(on.year, on.month, on.day, 9, tzinfo=UTC)
        known = tuple(records)
        process = Process(Documents(*deciders), *known, now=self.now)
        self.waits_for = None
        self.commands, self.requests = process.commands, process.dispatcher
        self.reference_data = RecordsOf(known)
        self.as_of = SimpleNamespace(of_engagement=lambda _: None, of_all=lambda: None)
        self._events: StreamEventHandler = process.events
        self._service = service
        self._keys = count(1)

    async def consume(self, *events: Event) -> "Served":
        numbers: dict[str, int] = {}
        for event in events:
            name = event.channel.name
            numbers[name] = numbers.get(name, 0) + 1
            recorded = recorded_as(event, ID, numbers[name], "ann", self.now, {})
            await self._events.handle_events(f"engagement:{ID}", [recorded])
        return self

    def app(self) -> FastAPI:
        """Return the service as an application."""
        app = create_app(self._service, settings())
        app.state.container = cast("Any", self)
        return app

    async def request(
        self, path: str, body: object = None, *, roles: tuple[Role, ...], **headers: str
    ) -> httpx.Response:
        given = {
            "Authorization": f"Bearer {token('dev', *roles)}",
            "Idempotency-Key": f"k{next(self._keys)}",
        }
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        transport = httpx.ASGITransport(app=self.app())
        async with httpx.AsyncClient(
            transport=transport, base_url="http://service", headers=given
        ) as client:
            return await (client.get(path) if body is None else client.post(path, json=body))


def token(actor: str, *roles: Role) -> str:
    """Return a token with these roles, issued now."""
    return issue(SECRET, actor, roles, issuer=LOCAL_ISSUER, now=datetime.now(UTC))
