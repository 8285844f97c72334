"""Give one kind of command to several streams in one request: an answer for each.

    POST /engagements/commands/approve-time
    {"items": [{"engagement": "E-0000000000001", "command": {"person": "dev", ...}}, ...]}

Each item is a commit of its own: one that is refused does not hold up the others.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Body, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, WrapValidator, create_model

from chassis.application.command_handler import Answer
from chassis.domain.commands import Command
from chassis.web.auth import Caller
from chassis.web.command_answers import RequestOutcome, what_changed
from chassis.web.event_views import EventView
from chassis.web.few_errors import few_errors
from chassis.web.problems import TRANSLATED, Problem, ProblemDocument, field_error, translated
from chassis.web.request import CommandOptions, command_options

MOST_TOGETHER = 200
"""Maximum number of items of one request."""

Give = Callable[[Request, str, Command, CommandOptions], Awaitable[Answer]]
"""Gives a command to the stream of a subject, and returns the answer with its outcomes."""


class ItemAnswer(BaseModel):
    """The answer to one item: what it recorded and led to, or the problem.

    `status` is the one that the command alone would be answered with; the other fields are those of
    an answer to one command.
    """

    id: str
    status: int
    number: int | None = None
    position: dict[str, int] = {}
    events: list[EventView] = []
    requests: list[RequestOutcome] = []
    problem: ProblemDocument | None = None


class ManyAnswer(BaseModel):
    """The answers, in the order of the items."""

    items: list[ItemAnswer]


class ManyCommands:
    """The route by which a command is given to several streams of a kind.

    `parameter` is the field of an item with the subject, which is of the type `subject`.
    """

    def __init__(self, kind: str, parameter: str, subject: Any, command: type[Command]) -> None:
        self._parameter = parameter
        name = f"{kind.title()}{command.__name__}".replace("-", "")
        strict = ConfigDict(extra="forbid")
        fields: dict[str, Any] = {parameter: (subject, ...), "command": (command, ...)}
        item: Any = create_model(f"{name}Item", __config__=strict, **fields)
        some = Annotated[list[item], Field(min_length=1, max_length=MOST_TOGETHER)]
        items: Any = (some, ...)
        self._body = create_model(f"{name}Items", __config__=strict, items=items)
        self.description = (
            f"At most {MOST_TOGETHER} items, each with `{parameter}` and `command`. Each is decided"
            " and recorded by itself, those of one stream in their order; the answer has the status"
            " of each, and what it recorded or its problem. A repeated request with the same"
            " Idempotency-Key has no second effect."
        )

    def endpoint(self, give: Give) -> Callable[..., Any]:
        """Return the endpoint, annotated with the type of the body for FastAPI."""

        async def take(
            request: Request,
            body: BaseModel,
            options: Annotated[CommandOptions, Depends(command_options)],
        ) -> ManyAnswer:
            return await self._all(request, body, options, give)

        take.__annotations__["body"] = Annotated[self._body, Body(), WrapValidator(few_errors)]
        return take

    async def _all(
        self, request: Request, body: Any, options: CommandOptions, give: Give
    ) -> ManyAnswer:
        if options.if_match is not None:
            raise field_error("If-Match", "is for requests to one stream")
        answers: list[ItemAnswer | None] = [None] * len(body.items)
        by_stream: dict[str, list[int]] = {}
        for place, item in enumerate(body.items):
            by_stream.setdefault(getattr(item, self._parameter), []).append(place)

        async def in_order(subject: str, places: list[int]) -> None:
            for place in places:
                own = replace(options, key=f"{options.key}/{place}")
                answers[place] = await _one(request, subject, body.items[place].command, own, give)

        await asyncio.gather(*(in_order(*each) for each in by_stream.items()))
        return ManyAnswer(items=[each for each in answers if each is not None])


async def _one(
    request: Request, subject: str, command: Command, options: CommandOptions, give: Give
) -> ItemAnswer:
    caller: Caller = request.state.caller
    confidential = caller.may("confidential")
    try:
        answer = await give(request, subject, command, options)
    except TRANSLATED as error:
        problem = translated(error, confidential=confidential)
        return ItemAnswer(id=subject, status=problem.status_code, problem=problem.document())
    except Problem as problem:
        return ItemAnswer(id=subject, status=problem.status_code, problem=problem.document())
    return ItemAnswer(id=subject, status=200, **what_changed(answer, confidential=confidential))
