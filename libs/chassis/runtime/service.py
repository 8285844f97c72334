"""The composition root: the definition of a service, its application and its process.

SERVICE = Service("sales", "Sales", routes=(engagements, accounts), reads=(PersonPublished,))

if __name__ == "__main__":
    run(SERVICE)
"""

import gc
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Never

import uvicorn
from fastapi import APIRouter, FastAPI
from fastapi_offline import FastAPIOffline
from starlette.responses import HTMLResponse

from chassis.base import telemetry
from chassis.base.settings import Settings, UnsafeSettings
from chassis.domain.commands import Command
from chassis.domain.context import ReferenceData
from chassis.domain.decider import Decider
from chassis.domain.internal import INTERNAL
from chassis.domain.state import Part
from chassis.kafka import asyncapi
from chassis.runtime import health, operations
from chassis.runtime.container import (
    REAL_PARTS,
    Container,
    EventHandling,
    Parts,
    handle_by_streams,
)
from chassis.web import cors, openapi, problems, schemas
from chassis.web.auth import Tokens
from chassis.web.command_routes import CommandRoutes
from chassis.web.dependencies import refuse_unready
from chassis.web.limits import LimitedHttpProtocol
from chassis.web.tracing import TracingMiddleware
from contracts.channels import Channel, Department
from contracts.event import EVENTS, Event
from contracts.reference import Reference

KEEP_ALIVE = 75
"""Seconds that a connection may be idle: longer than proxies keep one (usually 60 s).

So the proxy closes it first, and sends no request on a connection that is being closed here."""

LARGEST_BODY = 32 * 1024 * 1024
"""Maximum size of a body in bytes on any route, uploads of files included."""


@dataclass(frozen=True, slots=True)
class Service:
    """The definition of a department's service, or of the gateway.

    `routes` include their deciders; `deciders` are further ones, without HTTP routes. `reads` are
    the kinds of reference data that decisions look up. `routers` are further routes, each of which
    must authorise its callers. `event_handling` connects the handler of consumed events, and
    `consumes` lists event types that no decider lists, and `omissions_of` yields what was left out
    for one of them.
    """

    name: Department
    title: str
    description: str = ""
    routes: tuple[CommandRoutes[Any], ...] = ()
    deciders: tuple[Decider[Any], ...] = ()
    reads: tuple[type[Reference], ...] = ()
    routers: tuple[APIRouter, ...] = ()
    consumes: tuple[type[Event], ...] = ()
    omissions_of: Callable[[type[Event]], Iterable[str]] = lambda _: ()
    event_handling: Callable[[Container], EventHandling] = handle_by_streams

    @property
    def all_deciders(self) -> tuple[Decider[Any], ...]:
        """The deciders of all kinds of streams, without duplicates."""
        deciders = [*(routes.decider for routes in self.routes), *self.deciders]
        return tuple({decider.kind: decider for decider in deciders}.values())

    @property
    def reference_channels(self) -> Collection[Channel]:
        """The channels of the reference data that the service reads."""
        return {kind.channel for kind in self.reads}

    def require_complete(self) -> None:
        """Raise TypeError with everything that was left out of the capabilities.

        It names events of this department, and events that name it in `consumed_by`, by which no
        state evolves; consumed events that do not name it; capabilities that no decider lists;
        commands without a decision, or with roles and without a route; two commands with one path;
        deadlines on which nothing is decided; and requests that no kind of stream decides, or whose
        outcome is not decided. Of what the service consumes otherwise, it names what `omissions_of`
        yields.
        """
        if omissions := [
            *self._omitted_events(),
            *self._omitted_capabilities(),
            *self._omitted_commands(),
            *self._omitted_requests(),
        ]:
            raise TypeError(f"{self.name} is incomplete: {'; '.join(omissions)}")

    def _omitted_events(self) -> Iterator[str]:
        evolving = {kind for each in self.all_deciders for kind in each.evolves_by}
        for kind in EVENTS.values():
            if kind in self.consumes:
                yield from self.omissions_of(kind)
            own = kind.channel.department == self.name
            expected = own or self.name in kind.consumed_by
            if expected and kind not in evolving:
                yield f"no part of a state has a step for {kind.type}"
            if kind in evolving and not expected and kind.channel.kind != "reference":
                yield f"{kind.type} does not name {self.name} in consumed_by"
        steps = {kind for each in self.all_deciders for kind in each.state_type.steps}
        for internal in INTERNAL.values():
            if internal.type.startswith(f"{self.name}.") and internal not in steps:
                yield f"no part of a state has a step for {internal.type}"

    def _omitted_capabilities(self) -> Iterator[str]:
        listed = {each.module for decider in self.all_deciders for each in decider.capabilities}
        for decider in self.all_deciders:
            for name in sorted({*_capabilities_beside(decider), *_capabilities_of_parts(decider)}):
                if f"{name}.decisions" not in listed:
                    yield f"no decider lists the capability {name}"

    def _omitted_commands(self) -> Iterator[str]:
        routed = {routes.decider.kind for routes in self.routes}
        for decider in self.all_deciders:
            modules = {each.module for each in decider.capabilities}
            modules |= {each.replace(".decisions", ".requests") for each in modules}
            for command in _subclasses(Command):
                is_own = command.__module__ in modules and not command.__name__.startswith("_")
                if is_own and command not in decider.commands:
                    yield f"nothing is decided on {command.named()}"
            with_roles = [each for each in decider.commands.values() if each.by is not None]
            paths = [(each.prefix is not None, each.path) for each in with_roles]
            for each in with_roles:
                if decider.kind not in routed:
                    yield f"{each.command.named()} has roles and no route"
                if paths.count((each.prefix is not None, each.path)) > 1:
                    yield f"{each.command.named()} has the path of another command"
            if decider.has_deadlines and not decider.decides_deadlines:
                yield f"nothing is decided on the deadlines of {decider.kind}"

    def _omitted_requests(self) -> Iterator[str]:
        deciders = {decider.kind: decider for decider in self.all_deciders}
        for decider in self.all_deciders:
            for asking in decider.asks.values():
                name, asked = asking.command.named(), deciders.get(asking.kind)
                if asked is None or asking.command not in asked.commands:
                    yield f"no stream of the kind {asking.kind} decides {name}"
                if asking.decision is None:
                    yield f"nothing is decided on the outcome of {name}"

    @property
    def consumed_types(self) -> tuple[type[Event], ...]:
        """The types of events of other departments that the service consumes."""
        types = {kind for each in self.all_deciders for kind in each.evolves_by}
        others = {kind for kind in types if kind.channel.department != self.name}
        return tuple(sorted({*others, *self.consumes, *self.reads}, key=lambda kind: kind.type))


def _capabilities_beside(decider: Decider[Any]) -> Iterator[str]:
    """Yield the capabilities in the folder of the state's module."""
    module = decider.state_type.__module__
    package = Path(sys.modules[module].__file__ or "").parent
    for decisions in package.glob("*/decisions.py"):
        yield f"{module.partition('.')[0]}.{decisions.parent.name}"


def _capabilities_of_parts(decider: Decider[Any]) -> Iterator[str]:
    """Yield the capabilities that the parts of the state belong to, also those of other folders."""
    for field in decider.state_type.model_fields.values():
        part = field.annotation
        if isinstance(part, type) and issubclass(part, Part):
            module = sys.modules[part.__module__]
            if (Path(module.__file__ or "").parent / "decisions.py").exists():
                yield part.__module__.rpartition(".")[0]


def _subclasses(kind: type[Command]) -> Iterator[type[Command]]:
    for each in kind.__subclasses__():
        yield each
        yield from _subclasses(each)


def create_app(service: Service, settings: Settings, parts: Parts = REAL_PARTS) -> FastAPI:
    """Return the service as an ASGI application; its container runs during the lifespan."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        container = Container(
            name=service.name,
            settings=settings,
            deciders=service.all_deciders,
            listings=[each.listing for each in service.routes if each.listing is not None],
            reference=service.reference_channels,
            event_handling=service.event_handling,
            parts=parts,
            tokens=app.state.tokens,
        )
        app.state.container = container
        async with container:
            yield

    def people() -> ReferenceData:
        container: Container = app.state.container
        refuse_unready(container)
        return container.reference_data

    app = FastAPIOffline(
        docs_url="/docs",
        redoc_url=None,
        title=f"Concord: {service.title}",
        version="1",
        description=service.description,
        lifespan=lifespan,
        max_body_size=LARGEST_BODY,
        redirect_slashes=False,
        generate_unique_id_function=openapi.operation_id,
        # `TracingMiddleware` records the same; FastAPI's own takes a quarter of a request's time.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.body_limit = settings.body_limit
    app.state.wait_limit = settings.wait_limit
    app.state.tokens = Tokens(settings, people)
    app.add_middleware(TracingMiddleware)
    problems.install(app)
    app.include_router(health.router(lambda: app.state.container.health))
    for routes in service.routes:
        app.include_router(routes.router())
    for router in service.routers:
        app.include_router(router)
    app.include_router(operations.router())
    app.include_router(schemas.router(settings.schemas_url))
    _document(app, service, settings)
    cors.allow(app, settings.cors_origins)
    return app


def _document(app: FastAPI, service: Service, settings: Settings) -> None:
    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = openapi.document(app)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]
    events = asyncapi.document(
        service.name,
        service.title,
        service.consumed_types,
        settings.topic_prefix,
        settings.schemas_url,
    )
    page = asyncapi.page(events)

    @app.get("/asyncapi.json", include_in_schema=False)
    async def asyncapi_document() -> dict[str, Any]:
        return events

    @app.get("/asyncapi", include_in_schema=False)
    async def asyncapi_page() -> HTMLResponse:
        return HTMLResponse(page)


def run(service: Service) -> None:
    """Run a service until it is told to stop.

    Exits with 2 where the settings are unsafe, and with 3 where the server cannot start. Raises
    TypeError where something was left out of the definition (see `Service.require_complete`).
    """
    service.require_complete()
    try:
        settings = Settings.from_environment()
    except UnsafeSettings as unsafe:
        _exit_unsafe(service, unsafe)
    telemetry.log_to_stderr(service.name, settings)
    running_telemetry = telemetry.begin(service.name, settings)
    # The server stops in order on the signal and then raises it again, when all is done already.
    signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        app = create_app(service, settings)
        settle_memory()
        server = _Server(server_config(app, settings), app)
        server.run()
        if not server.started:
            sys.exit(3)  # the reason is logged already
    except UnsafeSettings as unsafe:  # a file that the settings name is not valid
        _exit_unsafe(service, unsafe)
    finally:
        running_telemetry.end()


def _exit_unsafe(service: Service, unsafe: UnsafeSettings) -> Never:
    sys.stderr.write(f"{service.name} does not start:\n{unsafe}\n")
    sys.exit(2)


def server_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """Return the configuration of the HTTP server."""
    return uvicorn.Config(
        app,
        host=settings.service_host,
        port=settings.service_port,
        loop="uvloop",
        http=LimitedHttpProtocol,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=max(1, round(settings.stop_within / 3)),
    )


class _Server(uvicorn.Server):
    """The HTTP server, which sets `Container.stopping` before it waits for open requests to end.

    From then on every answer closes its connection, so that clients connect to another replica.
    """

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        container: Container = self._app.state.container
        container.stopping.set()
        closing = (b"connection", b"close")
        self.server_state.default_headers = [*self.server_state.default_headers, closing]
        await super().shutdown(sockets)


def settle_memory() -> None:
    """Exclude the present objects from garbage collection, and make collections less frequent."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
