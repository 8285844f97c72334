"""What may be asked of Sales over HTTP, and by whom."""

from datetime import UTC, datetime
from secrets import token_bytes
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from chassis.application.read_models import Listing
from chassis.domain.decider import Command
from chassis.eventstore.mongo import Store, StoreAway, insert_each, reaching
from chassis.runtime.container import get_container
from chassis.web.auth import requires
from chassis.web.command_routes import PROBLEMS, CommandRoutes
from chassis.web.problems import Problem
from chassis.web.request import reject_unknown_query
from contracts.money import Currency
from contracts.reference import AccountPublished, PersonPublished
from contracts.roles import Role
from contracts.values import ShortText
from sales.accounts import PublishAccount
from sales.decider import ACCOUNT, ENGAGEMENT
from sales.importing.export import Unusable, read_export
from sales.importing.intake import Report, take_over
from sales.importing.owners import Owners
from sales.opportunities import (
    AdoptOpportunity,
    AdvanceOpportunity,
    LoseDeal,
    OpenOpportunity,
    QualifyOpportunity,
    RequestEstimate,
)
from sales.proposals import DraftProposal, ReviseProposal, SubmitProposal, WinDeal
from sales.state import Account, Engagement
from sales.views import (
    ACCOUNTS_LISTED,
    LISTED,
    account_summary,
    account_view,
    engagement_view,
    summary,
)

SELLING: tuple[Role, ...] = ("account-executive", "sales-manager")
MANAGING: tuple[Role, ...] = ("sales-manager",)
READING: tuple[Role, ...] = (*SELLING, "vp-engagement-management", "executive")
COMPANY: tuple[Role, ...] = (
    *READING,
    "engagement-manager",
    "pmo-director",
    "consultant",
    "counsel",
    "contract-manager",
    "project-accountant",
    "controller",
)


def engagements() -> CommandRoutes[Engagement]:
    """The routes of engagements, while and after they are sold."""
    routes = CommandRoutes(
        ENGAGEMENT,
        path="engagements",
        view=engagement_view,
        seen_by=READING,
        listing=Listing("engagement", LISTED, summary),
    )
    routes.opening(OpenOpportunity, by=SELLING, prefix="E")
    for command in (
        AdoptOpportunity,
        QualifyOpportunity,
        AdvanceOpportunity,
        RequestEstimate,
        DraftProposal,
        SubmitProposal,
        ReviseProposal,
        WinDeal,
        LoseDeal,
    ):
        routes.command(command, by=SELLING)
    return routes


def accounts() -> CommandRoutes[Account]:
    """The routes of accounts; everybody in the company may look them up."""
    routes = CommandRoutes(
        ACCOUNT,
        path="accounts",
        view=account_view,
        seen_by=COMPANY,
        listing=Listing("account", ACCOUNTS_LISTED, account_summary),
    )
    routes.command(PublishAccount, by=SELLING)
    return routes


LARGEST_EXPORT = 4 * 1024 * 1024
"""Bytes of an export that are taken in one request: some 50,000 rows."""

_OWNERS = "owners"

imports = APIRouter(tags=["imports"], responses=PROBLEMS)

Product = Annotated[str, Query(min_length=1, max_length=200)]


@imports.post(
    "/imports",
    summary="Take a CRM's export over",
    operation_id="import-export",
    dependencies=[Depends(requires(*MANAGING))],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"text/csv": {"schema": {"type": "string"}}},
        }
    },
)
async def take_export(
    request: Request,
    source: Annotated[ShortText, Query(description="What the CRM is called.")] = "crm",
    currency: Annotated[Currency, Query(description="The currency of all values.")] = "USD",
    product: Annotated[
        list[Product] | None,
        Query(description="Names of products as they should be.", max_length=1000),
    ] = None,
) -> Report:
    """Take over the rows that can be taken, and report the others with the reason.

    The body is the export, as CSV in UTF-8, 4 MiB at most: opportunity_id, sales_agent, product,
    account, deal_stage (Prospecting, Engaging, Won, Lost), engage_date, close_date
    (month/day/year) and close_value. Sent again it changes nothing, so it needs no
    Idempotency-Key. A sales_agent whose name no published person bears is an owner under an id
    that does not tell the name; the notes say which, so that the person can be published under it.

    For: sales-manager.
    """
    reject_unknown_query(request, "source", "currency", "product")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "text/csv":
        raise Problem(415, "unsupported-media-type", "send the export as text/csv")
    container = get_container(request)
    records = container.records
    actor = request.state.caller.actor

    async def give(
        kind: str, subject: str, command: Command, key: str, occurred_at: datetime | None
    ) -> bool:
        answer = await container.commands.command(
            kind, subject, command, actor=actor, key=key, occurred_at=occurred_at
        )
        return bool(answer.said) and not answer.repeated

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
            today=datetime.now(UTC).date(),
        )
    except UnicodeDecodeError as error:
        raise Problem(
            422, "unusable-export", f"byte {error.start} of the export is not UTF-8"
        ) from None
    except Unusable as error:
        raise Problem(422, "unusable-export", str(error)) from None
    return await take_over(export, give)


async def _secret(store: Store) -> bytes:
    """By which names of a CRM become ids: drawn at the first import, and kept in the store."""
    secrets = store.database["secrets"]
    with reaching():
        found = await secrets.find_one({"_id": _OWNERS})
        if found is None:
            # Of two at a time, the first one's stands.
            await insert_each(secrets, [{"_id": _OWNERS, "secret": token_bytes(32)}])
            found = await secrets.find_one({"_id": _OWNERS})
    if found is None:
        raise StoreAway("the secret of imports was not kept")
    return bytes(found["secret"])


async def _bounded(request: Request) -> bytes:
    export = bytearray()
    async for chunk in request.stream():
        export += chunk
        if len(export) > LARGEST_EXPORT:
            raise Problem(413, "body-too-large", f"an export has at most {LARGEST_EXPORT} bytes")
    return bytes(export)
