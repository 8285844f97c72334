"""HTTP route that imports a CRM export."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from secrets import token_bytes
from typing import Annotated, Final, get_args
from uuid import uuid4

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from chassis.application.read_models import Views
from chassis.domain.commands import Command
from chassis.domain.decider import handle_command
from chassis.domain.rules import EASTERNMOST
from chassis.eventstore.mongo import Store, StoreAway, insert_each, reaching
from chassis.runtime.container import get_container
from chassis.web.auth import requires
from chassis.web.command_routes import PROBLEMS
from chassis.web.problem_answers import problem_answer
from chassis.web.problems import TRANSLATED, FieldError, Problem, translated
from chassis.web.request import FILE, reject_unknown_query
from contracts.money import Currency
from contracts.places import day_at
from contracts.reference import AccountPublished, PersonPublished
from contracts.values import ShortText
from sales.accounts.decisions import IntroduceAccount
from sales.importing.archive import read_archive
from sales.importing.export import read_export, without_rows
from sales.importing.import_runner import Progress, Report, steps
from sales.importing.options import (
    ColumnsText,
    DayOrder,
    Decimals,
    Delimiter,
    Encoding,
    Kind,
    Options,
    Parameter,
    Probabilities,
    StagesText,
    Unusable,
    columns_in,
    stages_in,
)
from sales.importing.owners import Owners
from sales.roles import MANAGERS

LARGEST_EXPORT = 4 * 1024 * 1024
"""Maximum size of an export in one request, in bytes (about 50,000 rows)."""

_OWNERS = "owners"
_PAGE = 500
_STREAMED = "application/x-ndjson"
_PARAMETERS: Final[tuple[Parameter, ...]] = get_args(Parameter)

router = APIRouter(tags=["imports"], responses=PROBLEMS)


async def _options(
    kind: Annotated[
        Kind | None, Query(description="Kind of the file; read from its columns unless given.")
    ] = None,
    encoding: Annotated[
        Encoding | None,
        Query(description="Encoding of files without a byte order mark; UTF-8 unless given."),
    ] = None,
    delimiter: Annotated[
        Delimiter | None, Query(description="Read from the first line unless given.")
    ] = None,
    day_order: Annotated[
        DayOrder | None,
        Query(alias="day-order", description="Read from all dates of a file unless given."),
    ] = None,
    decimal: Annotated[
        Decimals | None,
        Query(description="Sign before decimals; read from all numbers of a file unless given."),
    ] = None,
    probability: Annotated[
        Probabilities | None,
        Query(description="Read from all probabilities of a file unless given."),
    ] = None,
    currency: Annotated[
        Currency | None, Query(description="Currency of the amounts of rows that name none.")
    ] = None,
    columns: Annotated[
        ColumnsText | None,
        Query(description="JSON object: meanings of columns by the names in the first line."),
    ] = None,
    stages: Annotated[
        StagesText | None,
        Query(description="JSON object: meanings of stages by the words of the CRM."),
    ] = None,
) -> Options:
    """Return the parameters that decide how the export is read."""
    return Options(
        kind=kind,
        encoding=encoding,
        delimiter=delimiter,
        day_order=day_order,
        decimal=decimal,
        probability=probability,
        currency=currency,
        columns=columns_in(columns or "{}"),
        stages=stages_in(stages or "{}"),
    )


@router.post(
    "/imports",
    summary="Import a CRM export",
    operation_id="import-export",
    response_model=Report,
    responses=problem_answer(422, "unusable-export"),
    dependencies=[Depends(requires(*MANAGERS))],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "text/csv": FILE,
                "application/zip": FILE,
            },
        }
    },
)
async def take_export(
    request: Request,
    options: Annotated[Options, Depends(_options)],
    source: Annotated[ShortText, Query(description="Name of the CRM.")] = "crm",
    product: Annotated[
        list[ShortText] | None,
        Query(description="Correct product names.", max_length=1000),
    ] = None,
    dry_run: Annotated[
        bool, Query(alias="dry-run", description="Report what the import would do; record nothing.")
    ] = False,
) -> Report | StreamingResponse:
    """Import the valid rows of a CRM export, and report each refused row with the reasons.

    The body is a CSV file (`text/csv`) or several in an archive (`application/zip`), at most 4 MiB:
    opportunities, accounts, teams (sellers and their regions) and products, in the columns of
    Salesforce, HubSpot, Pipedrive, Dynamics or Zoho, or mapped by `columns`. Encoding, delimiter,
    order of day and month, and decimal sign are decided from the whole file; where it leaves one of
    them open, it is refused with the parameter that decides it. Importing the same export again
    changes nothing, so no Idempotency-Key is needed; where the CRM moved on, what changed is
    recorded. With `Accept: application/x-ndjson` the answer has a line of JSON with the progress
    after each batch of rows, and the report, or a problem, as the last one. An owner who is not
    exactly one published person gets an id that does not reveal the name; the notes list these
    ids, so that the person can be published under that id.

    For: sales-manager.
    """
    reject_unknown_query(request, "source", "product", "dry-run", *_PARAMETERS)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in {"text/csv", "application/zip"}:
        raise Problem(
            415, "unsupported-media-type", "send the export as text/csv or application/zip"
        )
    container = get_container(request)
    records = container.reference_data
    actor = request.state.caller.actor

    async def send(
        kind: str, subject: str, command: Command, key: str, occurred_at: datetime | None
    ) -> bool:
        answer = await container.commands.command(
            kind, subject, command, actor=actor, key=key, occurred_at=occurred_at
        )
        return bool(answer.events) and not answer.repeated

    async def try_out(
        kind: str, subject: str, command: Command, key: str, occurred_at: datetime | None
    ) -> bool:
        del key, occurred_at
        decider = container.commands.repository.deciders[kind]
        known = await container.commands.repository.current(decider.stream(subject))
        context = container.commands.reading(actor, request.state.caller.roles)
        return bool(handle_command(decider, known.stream, command, context).own_events)

    try:
        content = await _bounded(request)
        export = read_export(
            {"": content} if kind == "text/csv" else read_archive(content, LARGEST_EXPORT),
            {each.event.account: _as_known(each.event) for each in records.all(AccountPublished)},
            product or (),
            Owners(
                {each.event.person: each.event.name for each in records.all(PersonPublished)},
                await _secret(container.store),
                {
                    each.event.person: each.event.email
                    for each in records.all(PersonPublished)
                    if each.event.email
                },
            ),
            source=source,
            today=day_at(datetime.now(UTC), EASTERNMOST),
            options=options,
        )
    except Unusable as error:
        parameter = error.parameter
        errors = [FieldError(field=parameter, problem=str(error))] if parameter else None
        raise Problem(422, "unusable-export", str(error), errors=errors) from None
    export = without_rows(export, await _open_in(source, container.views), source)
    found = steps(export, try_out if dry_run else send, uuid4().hex, dry_run=dry_run)
    if _STREAMED in request.headers.get("accept", ""):
        return StreamingResponse(_lines(found), media_type=_STREAMED)
    return await anext(step async for step in found if isinstance(step, Report))


def _as_known(account: AccountPublished) -> IntroduceAccount:
    fields = {name: getattr(account, name) for name in IntroduceAccount.model_fields}
    return IntroduceAccount.model_validate(fields)


async def _open_in(source: str, views: Views) -> list[str]:
    """Return the ids of the deals that are open in a CRM by its last import."""
    found: list[str] = []
    cursor = None
    while True:
        page = await views.page(
            "engagement", filters={"open_in_crm": source}, cursor=cursor, limit=_PAGE
        )
        found += (str(row.fields["external_id"]) for row in page.rows)
        cursor = page.cursor
        if cursor is None:
            return found


async def _lines(found: AsyncIterator[Progress | Report]) -> AsyncIterator[str]:
    """Yield each step as a line of JSON; an error is a last line with a problem."""
    try:
        async for step in found:
            yield f"{step.model_dump_json()}\n"
    except TRANSLATED as error:
        yield f"{translated(error).document().model_dump_json(exclude_none=True)}\n"


async def _secret(store: Store) -> bytes:
    """Return the key that turns CRM names into ids; create and store it at the first import.

    Raises StoreAway where the store cannot be reached or did not keep the key.
    """
    secrets = store.database["secrets"]
    with reaching():
        found = await secrets.find_one({"_id": _OWNERS})
        if found is None:
            # If two requests insert a key at the same time, both use the first one.
            await insert_each(secrets, [{"_id": _OWNERS, "secret": token_bytes(32)}])
            found = await secrets.find_one({"_id": _OWNERS})
    if found is None:
        raise StoreAway("the key of imports was not stored")
    return bytes(found["secret"])


async def _bounded(request: Request) -> bytes:
    """Return the body; raises Problem (413) where it exceeds LARGEST_EXPORT."""
    export = bytearray()
    async for chunk in request.stream():
        export += chunk
        if len(export) > LARGEST_EXPORT:
            raise Problem(
                413, "body-too-large", f"an export may have at most {LARGEST_EXPORT} bytes"
            )
    return bytes(export)
