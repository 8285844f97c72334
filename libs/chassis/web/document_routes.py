"""The HTTP routes of the documents of a kind of stream: upload, list and download by hash.

A document is downloaded as an attachment and never displayed by this service: it may be a page with
scripts that somebody uploaded.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar, get_args
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from chassis.documents.store import Content, StoredContent
from chassis.domain.context import Context
from chassis.domain.state import Part
from chassis.web.auth import requires
from chassis.web.command_routes import PROBLEMS, for_roles
from chassis.web.dependencies import get_service
from chassis.web.problem_answers import problem_answer
from chassis.web.problems import Problem, field_error
from chassis.web.request import FILE, StrictRequest, StrictRoute, reject_unknown_query
from contracts.roles import Role
from contracts.values import ContentHash, DocumentPurpose, EngagementId, Identifier, ShortText

S = TypeVar("S", bound=Part)

LARGEST_UPLOAD = 16 * 1024 * 1024
"""Maximum size of an uploaded file in bytes."""

_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,100}")


class DocumentView(BaseModel):
    """A document of an engagement or of a record; its size is in bytes."""

    content_hash: ContentHash
    media_type: str
    name: str | None
    size: int
    stored_at: datetime
    stored_by: str
    purpose: DocumentPurpose | None


@dataclass(frozen=True, slots=True)
class Private(Generic[S]):
    """Describe who may read files that were uploaded for a purpose.

    `seen_by` are roles that read no other documents. `may_read` returns whether the reader of a
    context may see a file, by who uploaded it and by its hash, in the stream of a state.
    """

    seen_by: tuple[Role, ...]
    may_read: Callable[[S, str, ContentHash, Context], bool]


class DocumentList(BaseModel):
    """The documents of an engagement or of a record, the oldest first."""

    items: list[DocumentView]


def document_routes(
    *,
    seen_by: tuple[Role, ...],
    uploaded_by: tuple[Role, ...],
    kind: str = "engagement",
    private: Private[Any] | None = None,
) -> APIRouter:
    """Return the routes for documents, such as ``/engagements/{engagement}/documents``.

    `seen_by` are the roles that may list and download, `uploaded_by` those that may upload. `kind`
    is that of the streams which have the documents. `private` is given where files may be uploaded
    for a purpose, which only some readers see.
    """
    read_by = (*seen_by, *private.seen_by) if private else seen_by
    of_engagements = kind == "engagement"
    prefix = "" if of_engagements else f"{kind}-"
    id_format, *_ = get_args(EngagementId if of_engagements else Identifier)[1:]
    router = APIRouter(
        prefix=f"/{kind}s/{{{kind}}}/documents",
        route_class=StrictRoute,
        tags=["documents"],
        responses=PROBLEMS,
    )

    async def readable(request: Request, subject: str) -> Callable[[StoredContent], bool]:
        """Return whether the caller may see a document; raises Unknown."""
        commands, caller = get_service(request).commands, request.state.caller
        stream = await commands.read(kind, subject)
        context = commands.reading(caller.actor, caller.roles)
        reads_open = not context.roles.isdisjoint(seen_by)

        def may_read(each: StoredContent) -> bool:
            if each.purpose is None:
                return reads_open
            if private is None:
                return False
            return private.may_read(stream.state, each.stored_by, each.content_hash, context)

        return may_read

    @router.post(
        "",
        status_code=201,
        response_model=DocumentView,
        dependencies=[Depends(requires(*uploaded_by))],
        summary="Upload a file",
        description=(
            "The body is the file, such as a signed scan or a deliverable; its Content-Type is "
            "kept. The same file again changes nothing. A file with a purpose, such as the receipt "
            f"of an expense, is shown only to whom it concerns.\n\n{for_roles(uploaded_by)}"
        ),
        operation_id=f"upload-{prefix}document",
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/octet-stream": FILE},
            }
        },
    )
    async def upload(
        request: Request,
        subject: Annotated[str, id_format, Path(alias=kind)],
        name: Annotated[ShortText | None, Query()] = None,
        purpose: Annotated[DocumentPurpose | None, Query()] = None,
    ) -> Response:
        """Upload a file, and return its description with its hash."""
        reject_unknown_query(request, "name", *(("purpose",) if private else ()))
        service = get_service(request)
        media_type = _media_type(request)
        await service.commands.read(kind, subject)
        data = await StrictRequest(request.scope, request.receive).limited_body(LARGEST_UPLOAD)
        if not data:
            raise field_error("body", "must be a file of at least one byte")
        content = Content(data, media_type, name, purpose)
        caller = request.state.caller.actor
        await service.documents.put(subject, [content], by=caller, at=datetime.now(UTC))
        stored = await service.documents.get(
            subject,
            content.content_hash,
            lambda each: each.purpose == purpose and (purpose is None or each.stored_by == caller),
        )
        if stored is None:
            raise Problem(503, "store-away", "the document could not be read again: try again")
        view = DocumentView.model_validate(stored[0], from_attributes=True)
        location = f"/{kind}s/{subject}/documents/{content.content_hash}"
        return Response(
            view.model_dump_json(), 201, {"Location": location}, media_type="application/json"
        )

    @router.get(
        "",
        response_model=DocumentList,
        dependencies=[Depends(requires(*read_by))],
        summary="List the documents",
        description=f"The oldest document is first.\n\n{for_roles(read_by)}",
        operation_id=f"list-{prefix}documents",
    )
    async def list_all(
        request: Request, subject: Annotated[str, id_format, Path(alias=kind)]
    ) -> DocumentList:
        """List the documents, the oldest first."""
        reject_unknown_query(request)
        service = get_service(request)
        may_read = await readable(request, subject)
        found = [each for each in await service.documents.all(subject) if may_read(each)]
        return DocumentList(
            items=[DocumentView.model_validate(each, from_attributes=True) for each in found]
        )

    @router.get(
        "/{content_hash}",
        dependencies=[Depends(requires(*read_by))],
        summary="Download a document",
        description=f"The answer has the bytes whose SHA-256 the hash is.\n\n{for_roles(read_by)}",
        operation_id=f"download-{prefix}document",
        response_class=Response,
        responses={200: {"content": {"*/*": FILE}}, **problem_answer(404, "unknown-document")},
    )
    async def download(
        request: Request,
        subject: Annotated[str, id_format, Path(alias=kind)],
        content_hash: Annotated[ContentHash, Path()],
    ) -> Response:
        """Download a document by its hash: the bytes whose SHA-256 the hash is."""
        reject_unknown_query(request)
        may_read = await readable(request, subject)
        found = await get_service(request).documents.get(subject, content_hash, may_read)
        if found is None:
            raise Problem(404, "unknown-document", f"{subject} has no document {content_hash}")
        stored, data = found
        name = stored.name or content_hash.replace(":", "-")
        headers = {
            "ETag": f'"{content_hash}"',
            "Cache-Control": "private, max-age=31536000, immutable",
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        }
        return Response(data, headers=headers, media_type=stored.media_type)

    return router


def _media_type(request: Request) -> str:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not _MEDIA_TYPE.fullmatch(given):
        raise Problem(415, "unsupported-media-type", "Content-Type must name the type of the file")
    return given
