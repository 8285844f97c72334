"""HTTP route that imports a CRM export."""

from datetime import UTC, datetime
from secrets import token_bytes
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from chassis.domain.commands import Command
from chassis.domain.rules import EASTERNMOST
from chassis.eventstore.mongo import Store, StoreAway, insert_each, reaching
from chassis.runtime.container import get_container
from chassis.web.auth import requires
from chassis.web.command_routes import PROBLEMS
from chassis.web.problems import Problem
from chassis.web.request import reject_unknown_query
from contracts.money import Currency
from contracts.places import day_at
from contracts.reference import AccountPublished, PersonPublished
from contracts.values import ShortText
from sales.importing.export import Unusable, read_export
from sales.importing.import_runner import Report, take_over
from sales.importing.owners import Owners
from sales.roles import MANAGERS

LARGEST_EXPORT = 4 * 1024 * 1024
"""Maximum size of an export in one request, in bytes (about 50,000 rows)."""

_OWNERS = "owners"

router = APIRouter(tags=["imports"], responses=PROBLEMS)


@router.post(
    "/imports",
    summary="Import a CRM export",
    operation_id="import-export",
    dependencies=[Depends(requires(*MANAGERS))],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"text/csv": {"schema": {"type": "string"}}},
        }
    },
)
async def take_export(
    request: Request,
    source: Annotated[ShortText, Query(description="Name of the CRM.")] = "crm",
    currency: Annotated[Currency, Query(description="Currency of all values.")] = "USD",
    product: Annotated[
        list[ShortText] | None,
        Query(description="Correct product names.", max_length=1000),
    ] = None,
) -> Report:
    """Import the valid rows of a CRM export, and report each refused row with the reasons.

    The body is the export as CSV in UTF-8, at most 4 MiB, with the columns opportunity_id,
    sales_agent, product, account, deal_stage (Prospecting, Engaging, Won, Lost), engage_date,
    close_date (month/day/year) and close_value. Importing the same export again changes nothing, so
    no Idempotency-Key is needed. A sales_agent who is not exactly one published person becomes an
    owner with an id that does not reveal the name; the notes list these ids, so that the person can
    be published under that id.

    For: sales-manager.
    """
    reject_unknown_query(request, "source", "currency", "product")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "text/csv":
        raise Problem(415, "unsupported-media-type", "send the export as text/csv")
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

    try:
        export = read_export(
            (await _bounded(request)).decode("utf-8"),
            {each.event.account: each.event.name for each in records.all(AccountPublished)},
            product or (),
            Owners(
                {each.event.person: each.event.name for each in records.all(PersonPublished)},
                await _secret(container.store),
            ),
            source=source,
            currency=currency,
            today=day_at(datetime.now(UTC), EASTERNMOST),
        )
    except UnicodeDecodeError as error:
        raise Problem(
            422, "unusable-export", f"byte {error.start} of the export is not UTF-8"
        ) from None
    except Unusable as error:
        raise Problem(422, "unusable-export", str(error)) from None
    return await take_over(export, send)


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
