"""How a route reaches what its service is made of."""

from collections.abc import Awaitable, Callable

from fastapi import Request

from chassis.engine import Engine
from chassis.problems import Problem
from chassis.works import Works


def works_of(request: Request) -> Works:
    """What the service is made of; raises Problem 503 while it does not take commands and facts."""
    works: Works = request.app.state.works
    if works.waits_for is not None:
        detail = f"this service is not there yet: {works.waits_for}"
        raise Problem(503, "starting", detail, headers={"Retry-After": "1"})
    return works


def engine_of(request: Request) -> Engine:
    """The engine of the service; raises Problem 503 while it does not take commands."""
    return works_of(request).at_work


async def as_of_lists(request: Request) -> None:
    """Note, before a list is read, up to which moment it holds what others published."""
    request.state.as_of = works_of(request).as_of.of_lists()


async def as_of_all(request: Request) -> None:
    """Note, before it is read, up to which moment an answer holds what others published."""
    request.state.as_of = works_of(request).as_of.of_all()


def as_of_engagement(parameter: str) -> Callable[[Request], Awaitable[None]]:
    """Return what notes the moment of the engagement that a parameter of the path names."""

    async def note(request: Request) -> None:
        engagement = request.path_params[parameter]
        request.state.as_of = works_of(request).as_of.of_engagement(engagement)

    return note
