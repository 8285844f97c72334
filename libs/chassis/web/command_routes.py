"""Routes: one way to expose a decider over HTTP.

    def view(state: Engagement) -> EngagementView: ...

    engagements = Routes(ENGAGEMENT, path="engagements", view=view, seen_by=("account-executive",))
    engagements.opening(OpenOpportunity, by=("account-executive",), prefix="E")
    engagements.command(QualifyOpportunity, by=("account-executive", "sales-manager"))

gives ``POST /engagements``, ``POST /engagements/{engagement}/qualify-opportunity``,
``GET /engagements/{engagement}`` and, where a listing is given, ``GET /engagements``. A command's
docstring is what people read in the OpenAPI document.
"""

import asyncio
import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Generic, TypeVar

from fastapi import APIRouter, Body, Depends, Path, Request
from pydantic import (
    BaseModel,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    create_model,
)
from pydantic_core import to_json
from starlette.responses import Response

from chassis.application import command_handler
from chassis.application.passed_over import PassedOverView, shown
from chassis.application.read_models import Listing
from chassis.domain.commands import Command
from chassis.domain.decider import Decider
from chassis.domain.ids import derived
from chassis.domain.stream import Stream
from chassis.web.auth import Caller, requires
from chassis.web.dependencies import as_of_all, as_of_engagement, as_of_lists, get_command_handler
from chassis.web.list_routes import Listed
from chassis.web.problems import MEDIA_TYPE, field_error
from chassis.web.request import (
    AS_OF,
    CommandOptions,
    StrictRoute,
    command_options,
    not_modified,
    read_options,
    reject_unknown_query,
    stands_at,
)
from contracts.roles import Role
from contracts.values import EngagementId, Identifier

S = TypeVar("S", bound=BaseModel)
V = TypeVar("V")

_MOST_ERRORS = 1_000

PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {
        "description": text,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for code, text in (
        ("4XX", "Refused: `code` says why, and `missing` what a gate waits for."),
        ("5XX", "Not now (503, 504) or not at all (500)."),
    )
}
"""What every route may answer beside what it is for."""


class EventView(BaseModel):
    """An event that a command led to."""

    type: str
    id: str
    channel: str
    sequence: int
    occurred_at: datetime


class CommandAnswer(BaseModel, Generic[V]):
    """What came of a command: the events it said, and the stream after them."""

    id: str
    number: int
    position: dict[str, int]
    said: list[EventView]
    state: V


@dataclass(frozen=True, slots=True)
class CommandRoute:
    """A command, who may give it, and where. `prefix` makes the id of the stream that it opens."""

    command: type[Command]
    by: tuple[Role, ...]
    at: str
    prefix: str | None = None


class CommandRoutes(Generic[S]):
    """The routes of one kind of stream.

    `view` makes of a state what the people in `seen_by` read; its return annotation is the schema.
    `confidential`, where given, is what is read instead by those with the role of that name.
    `subject` is the type of the id in the path (EngagementId for engagements unless given).
    `listing` says by which fields streams are listed, filtered and sorted.
    `erased_by` may erase a record of reference data whole (``DELETE /people/{person}``).
    """

    def __init__(
        self,
        decider: Decider[S],
        *,
        path: str,
        view: Callable[[S], BaseModel],
        seen_by: tuple[Role, ...],
        confidential: Callable[[S], BaseModel] | None = None,
        subject: Any = None,
        listing: Listing | None = None,
        erased_by: tuple[Role, ...] = (),
    ) -> None:
        if listing is not None and listing.kind != decider.kind:
            raise TypeError(f"a listing of {listing.kind} does not list {decider.kind}")
        self.decider = decider
        self.path = path
        self.view = view
        self.confidential = confidential
        self.seen_by = seen_by
        self.subject = subject
        self.listing = listing
        self.erased_by = erased_by
        self.commands: list[CommandRoute] = []

    def command(self, kind: type[Command], *, by: tuple[Role, ...], at: str | None = None) -> None:
        """Take a command on a stream that the path names: ``POST /<path>/{id}/<command>``.

        `at` replaces the last part, which is the command's name otherwise. A command that may open
        a stream (`Decider.opens`) makes it under the id in the path.
        """
        self._add(CommandRoute(kind, by, f"/{{id}}/{at or kind.named()}"))

    def opening(
        self, kind: type[Command], *, by: tuple[Role, ...], prefix: str, at: str = ""
    ) -> None:
        """Take a command that opens a stream under an id of its own: ``POST /<path>[/<at>]``.

        The id is `prefix`, a dash and thirteen characters drawn from the actor and the
        Idempotency-Key: the same request always opens the same stream.
        """
        if kind not in self.decider.opens:
            raise TypeError(f"{kind.named()} does not open a stream of kind {self.decider.kind}")
        self._add(CommandRoute(kind, by, f"/{at}" if at else "", prefix))

    def _add(self, route: CommandRoute) -> None:
        if route.command not in self.decider.decide.types:
            raise TypeError(f"nobody decides {route.command.named()} on {self.decider.kind}")
        if not route.by:
            raise TypeError(f"nobody may give {route.command.named()}: name the roles")
        self.commands.append(route)

    def router(self) -> APIRouter:
        """The routes, for an application of `chassis.runtime.service`."""
        router = APIRouter(route_class=StrictRoute, tags=[self.path], responses=PROBLEMS)
        for route in self.commands:
            self._take(router, route)
        name = self.decider.kind.replace("-", " ")
        router.add_api_route(
            f"/{self.path}/{{{self._parameter}}}",
            self._reader(),
            response_model=self.view_model,
            dependencies=[
                Depends(requires(*self.seen_by)),
                Depends(
                    as_of_engagement(self._parameter)
                    if self.decider.kind == "engagement"
                    else as_of_all
                ),
            ],
            summary=f"Read one {name}",
            description=_roles(self.seen_by),
            responses=AS_OF,
            operation_id=f"read-{self.decider.kind}",
        )
        if self.listing is not None:
            listed = Listed(self.listing, self.path)
            router.add_api_route(
                f"/{self.path}",
                listed.endpoint,
                response_model=listed.model,
                dependencies=[Depends(requires(*self.seen_by)), Depends(as_of_lists)],
                responses=AS_OF,
                summary=f"List every {name}",
                description=f"{listed.words}\n\n{_roles(self.seen_by)}",
                operation_id=f"list-{self.decider.kind}",
                openapi_extra={"parameters": listed.parameters},
            )
        if self.erased_by:
            router.add_api_route(
                f"/{self.path}/{{{self._parameter}}}",
                self._eraser(),
                methods=["DELETE"],
                status_code=204,
                dependencies=[Depends(requires(*self.erased_by))],
                summary=f"Erase one {name} for good",
                description=_roles(self.erased_by),
                operation_id=f"erase-{self.decider.kind}",
            )
        return router

    def _take(self, router: APIRouter, route: CommandRoute) -> None:
        kind = route.command
        words = inspect.cleandoc(kind.__doc__ or kind.named()).partition("\n")
        router.add_api_route(
            f"/{self.path}" + route.at.replace("{id}", f"{{{self._parameter}}}"),
            self._opener(route) if route.prefix else self._taker(kind),
            methods=["POST"],
            status_code=201 if route.prefix else 200,
            response_model=CommandAnswer[self.view_model],  # type: ignore[name-defined]
            dependencies=[Depends(requires(*route.by))],
            summary=words[0].rstrip("."),
            description=f"{words[0]}\n{words[2]}\n\n{_roles(route.by)}",
            operation_id=f"{self.decider.kind}-{kind.named()}",
        )

    def _taker(self, kind: type[Command]) -> Callable[..., Any]:
        async def take(
            request: Request,
            subject: str,
            command: Command,
            wishes: Annotated[CommandOptions, Depends(command_options)],
        ) -> Response:
            answer = await self._command(request, subject, command, wishes)
            return self._answer(request.state.caller, subject, answer, wishes)

        return self._annotated(take, kind)

    def _opener(self, route: CommandRoute) -> Callable[..., Any]:
        async def open_one(
            request: Request,
            command: Command,
            wishes: Annotated[CommandOptions, Depends(command_options)],
        ) -> Response:
            actor = request.state.caller.actor
            subject = f"{route.prefix}-{derived(f'{actor}/{wishes.key}')}"
            answer = await self._command(request, subject, command, wishes)
            response = self._answer(request.state.caller, subject, answer, wishes, status=201)
            response.headers["Location"] = f"/{self.path}/{subject}"
            return response

        return self._annotated(open_one, route.command)

    async def _command(
        self, request: Request, subject: str, command: Command, wishes: CommandOptions
    ) -> command_handler.Answer:
        at_work = get_command_handler(request)
        loop = asyncio.get_running_loop()
        ends = loop.time() + wishes.wait
        if wishes.after:
            await at_work.wait_until_processed(
                self.decider.kind, subject, wishes.after, wishes.wait
            )
        return await at_work.command(
            self.decider.kind,
            subject,
            command,
            actor=request.state.caller.actor,
            key=wishes.key or "",
            occurred_at=wishes.occurred_at,
            expected=wishes.if_match,
            wait=max(0.0, ends - loop.time()) if wishes.wait else 0.0,
        )

    def _reader(self) -> Callable[..., Any]:
        async def read(
            request: Request, subject: str, wishes: Annotated[CommandOptions, Depends(read_options)]
        ) -> Response:
            reject_unknown_query(request)
            at_work = get_command_handler(request)
            stream = await at_work.read(self.decider.kind, subject, wishes.after, wishes.wait)
            headers = stands_at(stream.number, stream.position) | wishes.applied
            if not_modified(request, stream.number):
                return Response(status_code=304, headers=headers)
            view = self._view(request.state.caller, stream)
            return Response(to_json(view), headers=headers, media_type="application/json")

        return self._annotated(read)

    def _eraser(self) -> Callable[..., Any]:
        async def erase(
            request: Request,
            subject: str,
            wishes: Annotated[CommandOptions, Depends(command_options)],
        ) -> Response:
            at_work = get_command_handler(request)
            await at_work.erase(
                self.decider.kind, subject, actor=request.state.caller.actor, key=wishes.key or ""
            )
            return Response(status_code=204)

        return self._annotated(erase)

    def _annotated(
        self, endpoint: Callable[..., Any], kind: type[Command] | None = None
    ) -> Callable[..., Any]:
        """The endpoint with the types of this kind of stream, which FastAPI reads."""
        annotations = endpoint.__annotations__
        if "subject" in annotations:
            engagement = self.decider.kind == "engagement"
            subject = self.subject or (EngagementId if engagement else Identifier)
            annotations["subject"] = Annotated[subject, Path(alias=self._parameter)]
        if kind is not None:
            annotations["command"] = Annotated[kind, Body(), WrapValidator(few_errors)]
        return endpoint

    @property
    def _parameter(self) -> str:
        return self.decider.kind.replace("-", "_")

    def _view(self, caller: Caller, stream: Stream[S]) -> BaseModel | dict[str, object]:
        confidential = caller.may("confidential")
        view = self.view if self.confidential is None or not confidential else self.confidential
        if self.decider.kind != "engagement":
            return view(stream.state)
        passed_over = shown(stream.passed_over, confidential=confidential)
        return {**dict(view(stream.state)), "passed_over": passed_over}

    def _answer(
        self,
        caller: Caller,
        subject: str,
        answer: command_handler.Answer,
        wishes: CommandOptions,
        *,
        status: int = 200,
    ) -> Response:
        stream = answer.stream
        body = {
            "id": subject,
            "number": stream.number,
            # In one order, whoever answers: a repeated request gets the same bytes.
            "position": dict(sorted(stream.position.items())),
            "said": [
                {
                    "type": recorded.event.type,
                    "id": recorded.id,
                    "channel": recorded.channel.name,
                    "sequence": recorded.sequence,
                    "occurred_at": recorded.occurred_at,
                }
                for recorded in answer.events
            ],
            "state": self._view(caller, stream),
        }
        headers = stands_at(stream.number, stream.position) | wishes.applied
        if answer.repeated:
            headers["Idempotency-Replayed"] = "true"
        return Response(to_json(body), status, headers, media_type="application/json")

    @cached_property
    def view_model(self) -> type[BaseModel]:
        """The schema of what is read."""
        model = typing.get_type_hints(self.view).get("return")
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise TypeError(f"the view of {self.path} must say which model it returns")
        if self.decider.kind != "engagement":
            return model
        passed_over: Any = (list[PassedOverView], ...)
        return create_model(
            model.__name__, __base__=model, __doc__=model.__doc__, passed_over=passed_over
        )


def few_errors(given: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """The command in a body; raises Problem 422 where more is wrong than is worth naming.

    What is wrong is found in no time, and each error's description costs as much as a command.
    """
    try:
        return validate(given)
    except ValidationError as error:
        if (wrong := error.error_count()) <= _MOST_ERRORS:
            raise
        detail = f"{wrong:,} things are wrong with it, more than are named: send a part of it"
        raise field_error("body", detail) from None


def _roles(roles: tuple[Role, ...]) -> str:
    return f"For: {', '.join(roles)}."
