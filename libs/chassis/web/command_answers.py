"""The answer to a command: what became of it, and on request the whole view of the stream.

Its size depends on the command, not on the stream, unless the request has the header
``Prefer: return=representation``
(docs/adr/0058-answer-commands-with-what-changed.md).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Generic, Literal, TypeVar

from fastapi import Request
from pydantic import BaseModel
from pydantic_core import to_json
from starlette.responses import Response

from chassis.application.command_handler import Answer
from chassis.application.read_models import Value
from chassis.domain.pending import OutcomeRecorded
from chassis.web.auth import Caller
from chassis.web.event_views import EventView, event_views
from chassis.web.request import CommandOptions, position_headers
from contracts.channels import seen

V = TypeVar("V")
OutcomeWord = Literal["done", "done-in-part", "refused", "pending"]


class RefusalView(BaseModel):
    """Why a request was refused: a stable code and a sentence."""

    code: str
    detail: str


class RequestOutcome(BaseModel):
    """A request to another stream of the department, and what became of it.

    `refusal` is given where `outcome` is `refused`; `in_part` where it is `done-in-part`: the
    sentence names which part was carried out and which was not. A request that is `pending` is
    carried out later.
    """

    id: str
    item: str
    stream: str
    command: str
    outcome: OutcomeWord
    refusal: RefusalView | None = None
    in_part: str | None = None


class CommandAnswer(BaseModel, Generic[V]):
    """The result of a command: what it recorded, and what the list shows of the stream after it.

    `events` were published by the command, and `requests` are those that it led to. `row` has the
    fields of the list of streams, null where there is none. `state` is the whole view, given only
    for `Prefer: return=representation`. Without the role `confidential`, events and positions of
    confidential channels are left out, and `number` does not count them.
    """

    id: str
    number: int
    position: dict[str, int]
    events: list[EventView]
    requests: list[RequestOutcome]
    row: dict[str, Value] | None
    state: V | None = None


def what_changed(answer: Answer, *, confidential: bool) -> dict[str, Any]:
    """Return the fields that each answer to a command has, as far as a reader may see them."""
    position = seen(answer.stream.position, confidential=confidential)
    return {
        "number": answer.stream.number_for(confidential=confidential),
        # Sorted, so that a repeated request gets the same bytes from every process.
        "position": dict(sorted(position.items())),
        "events": event_views(answer.events, confidential=confidential),
        "requests": request_outcomes(answer, confidential=confidential),
    }


def request_outcomes(answer: Answer, *, confidential: bool) -> list[RequestOutcome]:
    """Return the requests of a command with their outcomes, in order, as a reader may see them."""
    outcomes = {each.key: each for each in answer.outcomes}
    views = []
    for recorded in answer.requests:
        request, known = recorded.event, outcomes.get(recorded.event.key)
        if request.confidential and not confidential:
            continue
        refusal = known and known.refusal
        views.append(
            RequestOutcome(
                id=request.id,
                item=request.item,
                stream=request.stream,
                command=request.command,
                outcome=_outcome(known),
                refusal=RefusalView(code=refusal.code, detail=refusal.sentence)
                if refusal
                else None,
                in_part=known.in_part if known else None,
            )
        )
    return views


def _outcome(known: OutcomeRecorded | None) -> OutcomeWord:
    if known is None:
        return "pending"
    if known.refusal:
        return "refused"
    return "done-in-part" if known.in_part else "done"


def command_response(
    request: Request,
    subject: str,
    answer: Answer,
    options: CommandOptions,
    *,
    row: Mapping[str, Value] | None = None,
    view: Callable[[], Mapping[str, object]] | None = None,
    status: int = 200,
) -> Response:
    """Return the response to a command on the stream of a subject, with body and headers.

    `view` returns the view of the stream; without it, it is left out even where it is asked for.
    """
    caller: Caller = request.state.caller
    changed = what_changed(answer, confidential=caller.may("confidential"))
    body = {"id": subject, **changed, "row": row}
    if options.returns == "representation":
        if view is None:
            options = replace(options, returns=None)
        else:
            body["state"] = view()
    headers = position_headers(changed["number"], changed["position"]) | options.applied
    if answer.repeated:
        headers["Idempotency-Replayed"] = "true"
    return Response(to_json(body), status, headers, media_type="application/json")
