"""The HTTP routes of a decider: commands, one stream, the list of streams.

    engagements = CommandRoutes(ENGAGEMENT, path="engagements", seen_by=("account-executive",))

gives ``POST /engagements/{engagement}/qualify-opportunity`` for a command of its capabilities,
``POST /engagements`` for one that opens a stream with a new id, ``GET /engagements/{engagement}``
and, where the capabilities have list rows, ``GET /engagements``. A command's docstring is its
summary and description in the OpenAPI document.
"""

import asyncio
import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Generic, TypeVar, get_type_hints

from fastapi import APIRouter, Body, Depends, Path, Request
from pydantic import (
    BaseModel,
    WrapValidator,
    create_model,
)
from pydantic_core import to_json
from starlette.responses import Response

from chassis.application import command_handler
from chassis.application.passed_over import PassedOverView, shown
from chassis.application.pending_requests import PendingRequestView, pending_views
from chassis.application.read_models import Listing
from chassis.application.repository import Unknown
from chassis.application.work_items import WorkItemView, work_views
from chassis.base.view_model import ViewModel
from chassis.domain.capability import CommandEntry
from chassis.domain.commands import Command
from chassis.domain.context import Context
from chassis.domain.decider import Decider
from chassis.domain.list_limits import Limits
from chassis.domain.state import Part
from chassis.domain.stream import Stream
from chassis.web.auth import Caller, requires
from chassis.web.command_answers import CommandAnswer, command_response
from chassis.web.dependencies import (
    as_of_all,
    as_of_engagement,
    as_of_lists,
    get_command_handler,
    get_service,
)
from chassis.web.few_errors import few_errors
from chassis.web.list_routes import ListRoute, resolved
from chassis.web.many_commands import ManyAnswer, ManyCommands
from chassis.web.problem_answers import refusal_answer
from chassis.web.problems import MEDIA_TYPE
from chassis.web.refusal_codes import codes_of
from chassis.web.request import (
    AS_OF,
    COMMAND_ANSWER,
    COMMAND_HEADERS,
    READ_HEADERS,
    VIEW_ANSWER,
    CommandOptions,
    StrictRoute,
    command_options,
    not_modified,
    position_headers,
    read_options,
    reject_unknown_query,
)
from contracts.channels import seen
from contracts.roles import Role
from contracts.values import EngagementId, Identifier

S = TypeVar("S", bound=Part)

PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {
        "description": text,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
    }
    for code, text in (
        ("4XX", "Refused: `code` is the reason, `missing` lists the conditions that are not met."),
        ("5XX", "Try again (503, 504), or an error of the service (500)."),
    )
}
"""Error responses that every route may give."""


@dataclass(frozen=True, slots=True)
class Related(Generic[S]):
    """Fields of the view of a stream that depend on other streams of the department, as of now.

    `subjects` returns those of the other streams, all of one kind. `view` returns the fields from
    the state and from the states of those other streams that are known, by subject.
    """

    kind: str
    subjects: Callable[[S], Iterable[str]]
    view: Callable[[S, Mapping[str, Any]], ViewModel]

    @property
    def model(self) -> type[ViewModel]:
        """The model of the fields."""
        model: type[ViewModel] = get_type_hints(self.view)["return"]
        return model


class CommandRoutes(Generic[S]):
    """The routes of one kind of stream.

    `seen_by` are the roles that may read streams and the list; those with the role `confidential`
    get the confidential fields of the view as well. `subject` is the type of the id in the path (by
    default EngagementId for engagements, else Identifier). `erased_by` are the roles that may erase
    a record of reference data (``DELETE /people/{person}``). A command opens a stream with the id
    in the path, or with a new one, which by default follows from the actor and the Idempotency-Key,
    so that a repeated request opens the same stream. `require_reader` raises NotAllowed where a
    person with a role in `seen_by` may not read the stream of a subject, and `listed_for` returns
    the limits of their list. Without `require_reader`, they may read the streams that their list
    may have; the others are unknown to them. `related` adds fields to the view that depend on other
    streams.
    """

    changes_by_day: ClassVar[bool] = False
    """True if the view of a stream depends on the day, so that its ETag does not identify it."""

    def __init__(
        self,
        decider: Decider[S],
        *,
        path: str,
        seen_by: tuple[Role, ...],
        subject: Any = None,
        erased_by: tuple[Role, ...] = (),
        require_reader: Callable[[str, Context], None] | None = None,
        listed_for: Callable[[Context], Limits] | None = None,
        related: Related[S] | None = None,
    ) -> None:
        self.decider = decider
        self.path = path
        self.seen_by = seen_by
        self.subject = subject
        self.erased_by = erased_by
        self._require_reader = require_reader
        self._listed_for = listed_for
        self._related = related
        self.commands = [each for each in decider.commands.values() if each.by is not None]
        """The commands that have a route."""

    @cached_property
    def listing(self) -> Listing | None:
        """The listing of the streams, or None where no capability has list rows."""
        rows = self.decider.rows
        if not rows.parts:
            return None
        return Listing(self.decider.kind, rows.fields, rows, rows.within)

    def router(self) -> APIRouter:
        """Return the routes, for an application of `chassis.runtime.service`."""
        router = APIRouter(route_class=StrictRoute, responses=PROBLEMS)
        for route in self.commands:
            if route.many:  # before the route of one stream, whose path is the same for any id
                self._add_many(router, route)
        for route in self.commands:
            self._add_command(router, route)
        name = self.decider.kind.replace("-", " ")
        router.add_api_route(
            f"/{self.path}/{{{self._parameter}}}",
            self._read_endpoint(),
            tags=[self.path],
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
            description=for_roles(self.seen_by),
            responses=VIEW_ANSWER,
            operation_id=f"read-{self.decider.kind}",
            openapi_extra=READ_HEADERS,
        )
        if self.listing is not None:
            list_route = ListRoute(self.listing, self.path, self._listed_for)
            router.add_api_route(
                f"/{self.path}",
                list_route.endpoint,
                tags=[self.path],
                response_model=list_route.model,
                dependencies=[Depends(requires(*self.seen_by)), Depends(as_of_lists)],
                responses=AS_OF,
                summary=f"List every {name}",
                description=f"{list_route.description}\n\n{for_roles(self.seen_by)}",
                operation_id=f"list-{self.path}",
                openapi_extra={"parameters": list_route.parameters},
            )
        if self.erased_by:
            router.add_api_route(
                f"/{self.path}/{{{self._parameter}}}",
                self._erase_endpoint(),
                tags=[self.path],
                methods=["DELETE"],
                status_code=204,
                dependencies=[Depends(requires(*self.erased_by))],
                summary=f"Erase one {name} permanently",
                description=for_roles(self.erased_by),
                operation_id=f"erase-{self.decider.kind}",
                openapi_extra=COMMAND_HEADERS,
            )
        return router

    def _add_command(self, router: APIRouter, route: CommandEntry) -> None:
        kind = route.command
        last = f"/{route.path}" if route.path else ""
        parent = "" if route.prefix is not None else f"/{{{self._parameter}}}"
        summary, _, rest = inspect.cleandoc(kind.__doc__ or kind.named()).partition("\n")
        router.add_api_route(
            f"/{self.path}{parent}{last}",
            self._open_endpoint(route) if route.prefix else self._command_endpoint(kind),
            tags=[capability_of(kind)],
            methods=["POST"],
            status_code=201 if route.prefix else 200,
            response_model=CommandAnswer[self.view_model],  # type: ignore[name-defined]
            dependencies=[Depends(requires(*(route.by or ())))],
            summary=summary.rstrip("."),
            description=f"{summary}\n{rest}\n\n{for_roles(route.by or ())}",
            operation_id=kind.named(),
            responses={
                201 if route.prefix else 200: COMMAND_ANSWER,
                **refusal_answer(codes_of(route.decision)),
            },
            openapi_extra=COMMAND_HEADERS,
        )

    def _add_many(self, router: APIRouter, route: CommandEntry) -> None:
        name = route.command.named()
        many = ManyCommands(self.decider.kind, self._parameter, self._subject, route.command)
        router.add_api_route(
            f"/{self.path}/commands/{name}",
            many.endpoint(self._command),
            tags=[capability_of(route.command)],
            methods=["POST"],
            response_model=ManyAnswer,
            dependencies=[Depends(requires(*(route.by or ())))],
            summary=f"Give {name} to several streams",
            description=f"{many.description}\n\n{for_roles(route.by or ())}",
            operation_id=f"{name}-many",
            openapi_extra=COMMAND_HEADERS,
        )

    def _command_endpoint(self, kind: type[Command]) -> Callable[..., Any]:
        async def take(
            request: Request,
            subject: str,
            command: Command,
            options: Annotated[CommandOptions, Depends(command_options)],
        ) -> Response:
            answer = await self._command(request, subject, command, options)
            others = await self._asked_of_others(request, answer, options)
            return self._answer(request, subject, answer, options, others)

        return self._annotated(take, kind)

    def _open_endpoint(self, route: CommandEntry) -> Callable[..., Any]:
        async def open_one(
            request: Request,
            command: Command,
            options: Annotated[CommandOptions, Depends(command_options)],
        ) -> Response:
            subject = route.new_id(command, f"{request.state.caller.actor}/{options.key}")
            answer = await self._command(request, subject, command, options)
            others = await self._asked_of_others(request, answer, options)
            response = self._answer(request, subject, answer, options, others, status=201)
            response.headers["Location"] = f"/{self.path}/{subject}"
            return response

        return self._annotated(open_one, route.command)

    async def _command(
        self, request: Request, subject: str, command: Command, options: CommandOptions
    ) -> command_handler.Answer:
        service = get_service(request)
        commands = service.commands
        caller: Caller = request.state.caller
        # A wait for confidential events would reveal by its length when they are recorded.
        after = seen(options.after or {}, confidential=caller.may("confidential"))
        loop = asyncio.get_running_loop()
        ends = loop.time() + options.wait
        if after:
            await commands.wait_until_processed(self.decider.kind, subject, after, options.wait)
        answer = await commands.command(
            self.decider.kind,
            subject,
            command,
            actor=caller.actor,
            key=options.key or "",
            occurred_at=options.occurred_at,
            on_behalf_of=options.on_behalf_of,
            roles=caller.roles,
            expected=options.if_match,
            wait=max(0.0, ends - loop.time()) if options.wait else 0.0,
        )
        return await service.requests.settle(answer)

    def _read_endpoint(self) -> Callable[..., Any]:
        async def read(
            request: Request,
            subject: str,
            options: Annotated[CommandOptions, Depends(read_options)],
        ) -> Response:
            reject_unknown_query(request)
            commands = get_command_handler(request)
            caller: Caller = request.state.caller
            confidential = caller.may("confidential")
            if self._require_reader is not None:
                self._require_reader(subject, commands.reading(caller.actor, caller.roles))
            stream = await commands.read(
                self.decider.kind,
                subject,
                seen(options.after or {}, confidential=confidential),
                options.wait,
            )
            if self._require_reader is None:
                await self._require_listed(request, stream)
            number = stream.number_for(confidential=confidential)
            position = seen(stream.position, confidential=confidential)
            headers = position_headers(number, position) | options.applied
            unchanged = self._related is None and not_modified(request, number)
            if unchanged and not self._differs_by_day(request, stream):
                return Response(status_code=304, headers=headers)
            view = self._view(request, stream) | await self._of_others(request, stream)
            return Response(to_json(view), headers=headers, media_type="application/json")

        return self._annotated(read)

    async def _require_listed(self, request: Request, stream: Stream[S]) -> None:
        """Refuse to show a stream that the list of the caller does not have; raises Unknown."""
        if self._listed_for is None or self.listing is None:
            return
        service, caller = get_service(request), request.state.caller
        limits = self._listed_for(service.commands.reading(caller.actor, caller.roles))
        if limits:
            row = self.listing.row(stream.state)
            allowed = await resolved(limits, service.views)
            if not any(row[field] in values for field, values in allowed.items()):
                raise Unknown(stream.id)

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
            annotations["subject"] = Annotated[self._subject, Path(alias=self._parameter)]
        if kind is not None:
            annotations["command"] = Annotated[kind, Body(), WrapValidator(few_errors)]
        return endpoint

    @property
    def _subject(self) -> Any:
        engagement = self.decider.kind == "engagement"
        return self.subject or (EngagementId if engagement else Identifier)

    @property
    def _parameter(self) -> str:
        return self.decider.kind.replace("-", "_")

    def _differs_by_day(self, request: Request, stream: Stream[S]) -> bool:
        """Return whether the view of the same events may have been another one on an earlier day.

        It is where a work item is overdue now: it stays so, and was not before.
        """
        if self.changes_by_day or not self.decider.work_sources:
            return self.changes_by_day
        today = self._today(request, stream)
        kinds = (False, True) if request.state.caller.may("confidential") else (False,)
        return any(
            item.is_overdue(today)
            for confidential in kinds
            for item in self.decider.work(stream.state, confidential=confidential)
        )

    def _today(self, request: Request, stream: Stream[S]) -> date:
        """Return the business day, in the time zone in which the days of the stream are judged."""
        return self.decider.in_zone(stream.state, self._reading(request)).today

    def _reading(self, request: Request) -> Context:
        """Return the context in which it is decided what the caller may read."""
        caller: Caller = request.state.caller
        return get_command_handler(request).reading(caller.actor, caller.roles)

    def _work(
        self, request: Request, stream: Stream[S], *, confidential: bool
    ) -> dict[str, object]:
        """Return the fields of the view with the work items of the stream."""
        today, work, kind = self._today(request, stream), self.decider.work, self.decider.kind
        every = {"work": work(stream.state, confidential=False)}
        if confidential:
            every["confidential_work"] = work(stream.state, confidential=True)
        seen = self.decider.narrowed(every, stream.state, lambda: self._reading(request))
        return {name: work_views(items, kind, today) for name, items in seen.items()}

    def _view(self, request: Request, stream: Stream[S]) -> dict[str, object]:
        confidential = request.state.caller.may("confidential")
        every = dict(self.decider.views(stream.state))
        if confidential:
            every |= self.decider.confidential_views(stream.state)
        view: dict[str, object] = self.decider.narrowed(
            every, stream.state, lambda: self._reading(request)
        )
        if self.decider.kind == "engagement":
            view["passed_over"] = shown(stream.passed_over, confidential=confidential)
        if self.decider.asks:
            requests = stream.requests.values()
            view["requests"] = pending_views(requests, confidential=confidential)
        if self.decider.work_sources:
            view |= self._work(request, stream, confidential=confidential)
        return view

    async def _of_others(self, request: Request, stream: Stream[S]) -> dict[str, object]:
        """Return the fields of the view that depend on other streams."""
        related = self._related
        if related is None:
            return {}
        states: dict[str, Any] = {}
        for subject in related.subjects(stream.state):
            with suppress(Unknown):
                other = await get_command_handler(request).read(related.kind, subject)
                states[subject] = other.state
        return dict(related.view(stream.state, states))

    async def _asked_of_others(
        self, request: Request, answer: command_handler.Answer, options: CommandOptions
    ) -> dict[str, object]:
        """Return `_of_others` where the answer to a command is to contain the view."""
        whole = options.returns == "representation"
        return await self._of_others(request, answer.stream) if whole else {}

    def _answer(
        self,
        request: Request,
        subject: str,
        answer: command_handler.Answer,
        options: CommandOptions,
        others: Mapping[str, object] = MappingProxyType({}),
        *,
        status: int = 200,
    ) -> Response:
        return command_response(
            request,
            subject,
            answer,
            options,
            row=None if self.listing is None else self.listing.row(answer.stream.state),
            view=lambda: {**self._view(request, answer.stream), **others},
            status=status,
        )

    @cached_property
    def view_model(self) -> type[BaseModel]:
        """The model of the open view, with the fields that routes add where they can occur."""
        name = "".join(part.title() for part in self.decider.kind.split("-")) + "View"
        model = self.decider.views.model(name, f"One {self.decider.kind.replace('-', ' ')}.")
        further: dict[str, Any] = {}
        if self.decider.kind == "engagement":
            further["passed_over"] = (list[PassedOverView], ...)
        if self.decider.asks:
            further["requests"] = (list[PendingRequestView], ...)
        if self.decider.work_sources:
            further["work"] = (list[WorkItemView], ...)
        base = model if self._related is None else (model, self._related.model)
        if not further and base is model:
            return model
        return create_model(name, __base__=base, __doc__=model.__doc__, **further)


def capability_of(command: type[Command]) -> str:
    """Return the name of the capability that a command belongs to: the folder of its module."""
    return command.__module__.split(".")[-2].replace("_", "-")


def for_roles(roles: tuple[Role, ...]) -> str:
    """Return the line of a route's description that names the roles."""
    return f"For: {', '.join(roles)}."
