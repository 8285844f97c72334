"""Serve the JSON Schema of each event at the address that its `dataschema` names.

Every service serves those of all events, so that the address can be that of any of them. They
contain no business data and need no token.
"""

from functools import cache
from hashlib import sha256

from fastapi import APIRouter, Request
from starlette.responses import Response

from chassis.web.problems import Problem
from chassis.web.request import not_modified
from contracts import release

_CACHED = "public, max-age=3600"
"""Within a version optional fields may be added, so a copy may be used for an hour only."""


def router(schemas_url: str) -> APIRouter:
    """Return the route of the schemas whose addresses begin with `schemas_url`."""
    routes = APIRouter()

    @cache
    def schema(name: str) -> tuple[bytes, str]:
        content = release.text(release.events()[name], schemas_url).encode()
        return content, sha256(content).hexdigest()[:32]

    @routes.get(
        "/schemas/{name}.json",
        tags=["schemas"],
        responses={200: {"content": {release.CONTENT_TYPE: {"schema": {"type": "object"}}}}},
        response_class=Response,
    )
    async def read_event_schema(request: Request, name: str) -> Response:
        """Return the JSON Schema of the data of an event type, by the name of the type."""
        if name not in release.events():
            raise Problem(404, "unknown-route", f"there is no event type {name!r}")
        content, tag = schema(name)
        headers = {"ETag": f'"{tag}"', "Cache-Control": _CACHED}
        if not_modified(request, tag):
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=release.CONTENT_TYPE)

    return routes
