"""List routes: filters, sorting and pages by cursor over the fields of a listing."""

import re
from collections.abc import Callable
from typing import Any

from fastapi import Request
from pydantic import BaseModel, create_model
from pydantic_core import to_json
from starlette.responses import Response

from chassis.application.read_models import SUBJECT, Listing, Value, Views
from chassis.domain.context import Context
from chassis.domain.list_limits import Limits, Subjects
from chassis.eventstore.paging import InvalidCursor
from chassis.web.auth import Caller
from chassis.web.dependencies import get_service
from chassis.web.problems import field_error
from chassis.web.request import reject_unknown_query

MOST_ROWS = 200
ROWS = 50


async def resolved(limits: Limits, views: Views) -> dict[str, list[Value]]:
    """Return the limits with the subjects that are in the other listings now; raises StoreAway."""
    return {
        field: await _subjects(views, each) if isinstance(each, Subjects) else [*each]
        for field, each in limits.items()
    }


async def _subjects(views: Views, wanted: Subjects) -> list[Value]:
    found: list[Value] = []
    cursor: str | None = None
    while True:
        filters = {field: [*values] for field, values in wanted.filters.items()}
        page = await views.page(wanted.kind, filters=filters, cursor=cursor, limit=MOST_ROWS)
        found += (row.subject for row in page.rows)
        cursor = page.cursor
        if cursor is None:
            return found


class ListRoute:
    """The route of one listing: ``?stage=won&stage=lost&sort=-value&limit=50&cursor=…``.

    `limited_to` returns the limits of the list of a person. Raises TypeError where a field of the
    listing has the name of a parameter.
    """

    def __init__(
        self,
        listing: Listing,
        path: str,
        limited_to: Callable[[Context], Limits] | None = None,
    ) -> None:
        taken = {"id", "sort", "cursor", "limit", SUBJECT} & set(listing.fields)
        if taken:
            raise TypeError(f"{path}: {', '.join(taken)} is not available as a name of a field")
        self._listing = listing
        self._limited_to = limited_to
        fields: dict[str, Any] = dict.fromkeys(listing.fields, (Value, None))
        name = "".join(part.title() for part in listing.kind.split("-"))
        row = create_model(f"{name}Row", id=(str, ...), **fields)
        self.model: type[BaseModel] = create_model(
            f"{name}Page",
            rows=(list[row], ...),
            cursor=(str | None, None),
        )
        self.description = (
            f"Filter by {', '.join(listing.fields)}; repeat a parameter to match any of several"
            " values. Lists are updated asynchronously: the last changes may be missing."
        )

    @property
    def parameters(self) -> list[dict[str, Any]]:
        """The parameters of the query, for the OpenAPI document."""
        sorts = [SUBJECT, *self._listing.fields]
        filters = [
            _parameter(name, {"type": "array", "items": {"type": "string"}}, "Any of the values.")
            for name in self._listing.fields
        ]
        both = [*sorts, *(f"-{name}" for name in sorts)]
        return [
            *filters,
            _parameter("sort", {"enum": both, "default": SUBJECT}, "`-` for descending order."),
            _parameter("cursor", {"type": "string"}, "The `cursor` of the previous page."),
            _parameter(
                "limit",
                {"type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": ROWS},
                "",
            ),
        ]

    async def endpoint(self, request: Request) -> Response:
        """Return a page of rows and the cursor of the next one; raises Problem 422."""
        query = request.query_params
        reject_unknown_query(request, *self._listing.fields, "sort", "cursor", "limit")
        for name in ("sort", "cursor", "limit"):
            if len(query.getlist(name)) > 1:
                raise field_error(name, "is given more than once")
        sort = query.get("sort", SUBJECT)
        descending, field = sort.startswith("-"), sort.removeprefix("-")
        if field not in {SUBJECT, *self._listing.fields}:
            raise field_error(
                "sort", f"must be one of {SUBJECT}, {', '.join(self._listing.fields)}"
            )
        filters = {
            name: [value for text in query.getlist(name) for value in _candidates(text)]
            for name in self._listing.fields
            if name in query
        }
        limit = _limit(query.get("limit", str(ROWS)))
        service = get_service(request)
        allowed: dict[str, list[Value]] = {}
        if self._limited_to is not None:
            caller: Caller = request.state.caller
            limits = self._limited_to(service.commands.reading(caller.actor, caller.roles))
            allowed = await resolved(limits, service.views)
        try:
            page = await service.views.page(
                self._listing.kind,
                filters=filters,
                any_of=allowed,
                sort=field,
                descending=descending,
                cursor=query.get("cursor"),
                limit=limit,
            )
        except InvalidCursor as error:
            raise field_error("cursor", str(error)) from None
        rows = [
            {
                "id": row.subject,
                **{name: row.fields.get(name) for name in self._listing.fields},
            }
            for row in page.rows
        ]
        body = to_json({"rows": rows, "cursor": page.cursor})
        headers = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}
        return Response(body, headers=headers, media_type="application/json")


def _candidates(text: str) -> list[Value]:
    """Return the values that a text in a query matches: itself, and a boolean, number or null."""
    candidates: list[Value] = [text]
    if text in {"true", "false"}:
        candidates.append(text == "true")
    elif text == "":
        candidates.append(None)
    elif text.removeprefix("-").isdecimal() and len(text) <= 18:
        candidates.append(int(text))
    return candidates


def _limit(text: str) -> int:
    if not re.fullmatch("[0-9]{1,6}", text) or not 1 <= int(text) <= MOST_ROWS:
        raise field_error("limit", f"must be a whole number from 1 to {MOST_ROWS}")
    return int(text)


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "schema": schema,
        "description": description,
    }
