"""HTTP route of the time report of an invoice."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from chassis.domain.commands import Refused
from chassis.web.auth import requires
from chassis.web.command_routes import PROBLEMS, for_roles
from chassis.web.dependencies import get_service
from chassis.web.problem_answers import problem_answer
from chassis.web.problems import Problem
from chassis.web.request import StrictRoute, reject_unknown_query
from contracts.values import EngagementId, Identifier
from finance.engagement import Engagement
from finance.invoices.time_report import TimeReport, lines_as_issued, time_report
from finance.policies import require_invoice
from finance.roles import DETAILS_SEEN_BY
from finance.time_billing.edits import with_works, works_of

router = APIRouter(route_class=StrictRoute, tags=["invoices"], responses=PROBLEMS)


@router.get(
    "/engagements/{engagement}/invoices/{invoice}/time-report",
    dependencies=[Depends(requires(*DETAILS_SEEN_BY))],
    summary="Read the time report of an invoice",
    description=(
        "Lists the works that the invoice or the draft bills, by line and day.\n\n"
        f"{for_roles(DETAILS_SEEN_BY)}"
    ),
    operation_id="read-time-report",
    responses=problem_answer(404, "unknown-invoice"),
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
    try:
        known = require_invoice(state, invoice)
    except Refused as unknown:
        raise Problem(404, "unknown-invoice", str(unknown)) from None
    if known.issued_by is None:
        on_draft = works_of(state, known)
        return time_report(known, (with_works(each, on_draft) for each in known.lines))
    commit = await commands.repository.journal.by_cause(known.issued_by)
    if commit is None:
        raise LookupError(f"the commit that issued {invoice} is not in the journal")
    return time_report(known, lines_as_issued(invoice, commit.own_events()))
