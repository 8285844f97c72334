"""FastAPI dependencies: the parts of the running service that routes use."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from fastapi import Request

from chassis.application.as_of import AsOf
from chassis.application.command_handler import CommandHandler
from chassis.application.read_models import Views
from chassis.application.requests import RequestDispatcher
from chassis.documents.store import DocumentStore
from chassis.domain.context import ReferenceData
from chassis.web.problems import Problem


class RunningService(Protocol):
    """The parts of a running service that the routes of every service use."""

    commands: CommandHandler
    requests: RequestDispatcher
    views: Views
    documents: DocumentStore
    as_of: AsOf
    stopping: asyncio.Event

    @property
    def reference_data(self) -> ReferenceData:
        """The reference data that this process has consumed."""

    @property
    def waits_for(self) -> str | None:
        """The reason why the service does not accept requests yet; None when it does."""


def get_service(request: Request) -> RunningService:
    """Return the parts of the service; raises Problem 503 while it does not accept requests."""
    service: RunningService = request.app.state.container
    refuse_unready(service)
    return service


def refuse_unready(service: RunningService) -> None:
    """Raise Problem 503 while the service does not accept requests."""
    if service.waits_for is not None:
        detail = f"the service is starting: {service.waits_for}"
        raise Problem(503, "starting", detail, headers={"Retry-After": "1"})


def get_command_handler(request: Request) -> CommandHandler:
    """Return the command handler; raises Problem 503 while the service accepts no requests."""
    return get_service(request).commands


async def as_of_lists(request: Request) -> None:
    """Store the as-of moment of lists on the request, before the list is read."""
    request.state.as_of = get_service(request).as_of.of_lists()


async def as_of_all(request: Request) -> None:
    """Store the as-of moment of all engagements on the request, before the answer is read."""
    request.state.as_of = get_service(request).as_of.of_all()


def as_of_engagement(parameter: str) -> Callable[[Request], Awaitable[None]]:
    """Return a dependency that stores the as-of moment of one engagement on the request.

    `parameter` is the parameter of the path that contains the engagement's id.
    """

    async def store(request: Request) -> None:
        engagement = request.path_params[parameter]
        request.state.as_of = get_service(request).as_of.of_engagement(engagement)

    return store
