"""HTTP route of the time report of an invoice."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from chassis.domain.commands import Refused
from chassis.web.auth import requires
from chassis.web.command_routes import PROBLEMS, for_roles
from chassis.web.dependencies import get_service
from chassis.web.problems import Problem
from chassis.web.request import StrictRoute, reject_unknown_query
from contracts.values import EngagementId, Identifier
from finance.invoices.time_report import TimeReport, time_report
from finance.roles import READERS

router = APIRouter(route_class=StrictRoute, tags=["invoices"], responses=PROBLEMS)


@router.get(
    "/engagements/{engagement}/invoices/{invoice}/time-report",
    dependencies=[Depends(requires(*READERS))],
    summary="Read the time report of an invoice",
    description=(
        "Lists the works that the invoice or the draft bills, by line and day.\n\n"
        f"{for_roles(READERS)}"
    ),
    operation_id="read-time-report",
)
async def read_time_report(
    request: Request,
    engagement: Annotated[EngagementId, Path()],
    invoice: Annotated[Identifier, Path()],
) -> TimeReport:
    """Return the works of an invoice; raises Problem 404 where it is unknown."""
    reject_unknown_query(request)
    stream = await get_service(request).commands.read("engagement", engagement)
    try:
        return time_report(stream.state, invoice)
    except Refused as unknown:
        raise Problem(404, "unknown-invoice", str(unknown)) from None
