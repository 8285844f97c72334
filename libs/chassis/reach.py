"""How a route reaches what its service is made of."""

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
