"""The HTTP routes of a decider: commands, one stream, the list of streams.

    def view(state: Engagement) -> EngagementView: ...

    engagements = CommandRoutes(
        ENGAGEMENT, path="engagements", view=view, seen_by=("account-executive",)
    )
    engagements.opening(OpenOpportunity, by=("account-executive",), prefix="E")
    engagements.command(QualifyOpportunity, by=("account-executive", "sales-manager"))

gives ``POST /engagements``, ``POST /engagements/{engagement}/qualify-opportunity``,
``GET /engagements/{engagement}`` and, where a listing is given, ``GET /engagements``. A command's
docstring is its summary and description in the OpenAPI document.
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
from chassis.web.list_routes import ListRoute
from chassis.web.problems import MEDIA_TYPE, field_error
from chassis.web.request import (
    AS_OF,
    CommandOptions,
    StrictRoute,
    command_options,
    not_modified,
    position_headers,
    read_options,
    reject_unknown_query,
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
        ("4XX", "Refused: `code` is the reason, `missing` lists the conditions that are not met."),
        ("5XX", "Try again (503, 504), or an error of the service (500)."),
    )
}
"""Error responses that every route may give."""


class EventView(BaseModel):
    """An event that a command recorded."""

    type: str
    id: str
    channel: str
    sequence: int
    occurred_at: datetime


class CommandAnswer(BaseModel, Generic[V]):
    """The result of a command: the events that it published and the stream after them."""

    id: str
    number: int
    position: dict[str, int]
    events: list[EventView]
    state: V


@dataclass(frozen=True, slots=True)
class CommandRoute:
    """A command, the roles that may give it, and the path below that of the routes.

    `prefix` begins the id of the stream that it opens; None where the path names the stream.
    """

    command: type[Command]
    by: tuple[Role, ...]
    at: str
    prefix: str | None = None


class CommandRoutes(Generic[S]):
    """The routes of one kind of stream.

    `view` returns the view of a state for the roles in `seen_by`; its return annotation is the
    schema. `confidential`, where given, replaces it for callers with the role `confidential`.
    `subject` is the type of the id in the path (by default EngagementId for engagements, else
    Identifier). `listing` names the fields by which streams are listed, filtered and sorted.
    `erased_by` are the roles that may erase a record of reference data
    (``DELETE /people/{person}``). Raises TypeError for a listing of another kind.
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
            raise TypeError(f"a listing of {listing.kind} is given for streams of {decider.kind}")
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
        """Add a command on the stream that the path names: ``POST /<path>/{id}/<command>``.

        `at` replaces the last part, by default the command's name. A command in `Decider.opens`
        opens the stream with the id in the path. Raises TypeError where the decider has no decision
        on it, or `by` is empty.
        """
        self._add(CommandRoute(kind, by, f"/{{id}}/{at or kind.named()}"))

    def opening(
        self, kind: type[Command], *, by: tuple[Role, ...], prefix: str, at: str = ""
    ) -> None:
        """Add a command that opens a stream with a new id: ``POST /<path>[/<at>]``.

        The id is `prefix`, a dash and thirteen characters of a hash of the actor and the
        Idempotency-Key, so that a repeated request opens the same stream. Raises TypeError where
        the command opens no stream, the decider has no decision on it, or `by` is empty.
        """
        if kind not in self.decider.opens:
            raise TypeError(f"{kind.named()} does not open a stream of kind {self.decider.kind}")
        self._add(CommandRoute(kind, by, f"/{at}" if at else "", prefix))

    def _add(self, route: CommandRoute) -> None:
        if route.command not in self.decider.decide.types:
            raise TypeError(f"{self.decider.kind} has no decision on {route.command.named()}")
        if not route.by:
            raise TypeError(f"no role may give {route.command.named()}: name the roles")
        self.commands.append(route)

    def router(self) -> APIRouter:
        """Return the routes, for an application of `chassis.runtime.service`."""
        router = APIRouter(route_class=StrictRoute, tags=[self.path], responses=PROBLEMS)
        for route in self.commands:
            self._add_command(router, route)
        name = self.decider.kind.replace("-", " ")
        router.add_api_route(
            f"/{self.path}/{{{self._parameter}}}",
            self._read_endpoint(),
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
            list_route = ListRoute(self.listing, self.path)
            router.add_api_route(
                f"/{self.path}",
                list_route.endpoint,
                response_model=list_route.model,
                dependencies=[Depends(requires(*self.seen_by)), Depends(as_of_lists)],
                responses=AS_OF,
                summary=f"List every {name}",
                description=f"{list_route.description}\n\n{_roles(self.seen_by)}",
                operation_id=f"list-{self.decider.kind}",
                openapi_extra={"parameters": list_route.parameters},
            )
        if self.erased_by:
            router.add_api_route(
                f"/{self.path}/{{{self._parameter}}}",
                self._erase_endpoint(),
                methods=["DELETE"],
                status_code=204,
                dependencies=[Depends(requires(*self.erased_by))],
                summary=f"Erase one {name} permanently",
                description=_roles(self.erased_by),
                operation_id=f"erase-{self.decider.kind}",
            )
        return router

    def _add_command(self, router: APIRouter, route: CommandRoute) -> None:
        kind = route.command
        summary, _, rest = inspect.cleandoc(kind.__doc__ or kind.named()).partition("\n")
        router.add_api_route(
            f"/{self.path}" + route.at.replace("{id}", f"{{{self._parameter}}}"),
            self._open_endpoint(route) if route.prefix else self._command_endpoint(kind),
            methods=["POST"],
            status_code=201 if route.prefix else 200,
            response_model=CommandAnswer[self.view_model],  # type: ignore[name-defined]
            dependencies=[Depends(requires(*route.by))],
            summary=summary.rstrip("."),
            description=f"{summary}\n{rest}\n\n{_roles(route.by)}",
            operation_id=f"{self.decider.kind}-{kind.named()}",
        )

    def _command_endpoint(self, kind: type[Command]) -> Callable[..., Any]:
        async def take(
            request: Request,
            subject: str,
            command: Command,
            options: Annotated[CommandOptions, Depends(command_options)],
        ) -> Response:
            answer = await self._command(request, subject, command, options)
            return self._answer(request.state.caller, subject, answer, options)

        return self._annotated(take, kind)

    def _open_endpoint(self, route: CommandRoute) -> Callable[..., Any]:
        async def open_one(
            request: Request,
            command: Command,
            options: Annotated[CommandOptions, Depends(command_options)],
        ) -> Response:
            actor = request.state.caller.actor
            subject = f"{route.prefix}-{derived(f'{actor}/{options.key}')}"
            answer = await self._command(request, subject, command, options)
            response = self._answer(request.state.caller, subject, answer, options, status=201)
            response.headers["Location"] = f"/{self.path}/{subject}"
            return response

        return self._annotated(open_one, route.command)

    async def _command(
        self, request: Request, subject: str, command: Command, options: CommandOptions
    ) -> command_handler.Answer:
        commands = get_command_handler(request)
        loop = asyncio.get_running_loop()
        ends = loop.time() + options.wait
        if options.after:
            await commands.wait_until_processed(
                self.decider.kind, subject, options.after, options.wait
            )
        return await commands.command(
            self.decider.kind,
            subject,
            command,
            actor=request.state.caller.actor,
            key=options.key or "",
            occurred_at=options.occurred_at,
            expected=options.if_match,
            wait=max(0.0, ends - loop.time()) if options.wait else 0.0,
        )

    def _read_endpoint(self) -> Callable[..., Any]:
        async def read(
            request: Request,
            subject: str,
            options: Annotated[CommandOptions, Depends(read_options)],
        ) -> Response:
            reject_unknown_query(request)
            commands = get_command_handler(request)
            stream = await commands.read(self.decider.kind, subject, options.after, options.wait)
            headers = position_headers(stream.number, stream.position) | options.applied
            if not_modified(request, stream.number):
                return Response(status_code=304, headers=headers)
            view = self._view(request.state.caller, stream)
            return Response(to_json(view), headers=headers, media_type="application/json")

        return self._annotated(read)

    def _erase_endpoint(self) -> Callable[..., Any]:
        async def erase(
            request: Request,
            subject: str,
            options: Annotated[CommandOptions, Depends(command_options)],
        ) -> Response:
            commands = get_command_handler(request)
            await commands.erase(
                self.decider.kind, subject, actor=request.state.caller.actor, key=options.key or ""
            )
            return Response(status_code=204)

        return self._annotated(erase)

    def _annotated(
        self, endpoint: Callable[..., Any], kind: type[Command] | None = None
    ) -> Callable[..., Any]:
        """Return the endpoint, annotated with the types of this kind of stream for FastAPI."""
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
        options: CommandOptions,
        *,
        status: int = 200,
    ) -> Response:
        stream = answer.stream
        body = {
            "id": subject,
            "number": stream.number,
            # Sorted, so that a repeated request gets the same bytes from every process.
            "position": dict(sorted(stream.position.items())),
            "events": [
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
        headers = position_headers(stream.number, stream.position) | options.applied
        if answer.repeated:
            headers["Idempotency-Replayed"] = "true"
        return Response(to_json(body), status, headers, media_type="application/json")

    @cached_property
    def view_model(self) -> type[BaseModel]:
        """The model that the view returns, with `passed_over` added for engagements.

        Raises TypeError where the view has no model as its return annotation.
        """
        model = typing.get_type_hints(self.view).get("return")
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise TypeError(f"the view of {self.path} must be annotated with the model it returns")
        if self.decider.kind != "engagement":
            return model
        passed_over: Any = (list[PassedOverView], ...)
        return create_model(
            model.__name__, __base__=model, __doc__=model.__doc__, passed_over=passed_over
        )


def few_errors(given: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """Return the command in a body; raises Problem 422 where it has more than 1,000 errors.

    Errors are found quickly, but describing a single one takes as long as a command.
    """
    try:
        return validate(given)
    except ValidationError as error:
        if (count := error.error_count()) <= _MOST_ERRORS:
            raise
        detail = f"has {count:,} errors, too many to list: send a part of it"
        raise field_error("body", detail) from None


def _roles(roles: tuple[Role, ...]) -> str:
    return f"For: {', '.join(roles)}."
