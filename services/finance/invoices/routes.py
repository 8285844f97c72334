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
from finance.booked_works.requests import booked_works_id
from finance.engagement import Engagement
from finance.invoices.time_report import TimeReport, time_report
from finance.roles import READERS
from finance.work.works import Work

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
    commands = get_service(request).commands
    state: Engagement = (await commands.read("engagement", engagement)).state
    moved = list[Work]()
    for month, known in state.moved_works.months.items():
        if invoice in known.invoices:
            booked = await commands.read("booked-works", booked_works_id(engagement, month))
            moved += booked.state.works.values()
    try:
        return time_report(state, invoice, moved)
    except Refused as unknown:
        raise Problem(404, "unknown-invoice", str(unknown)) from None
