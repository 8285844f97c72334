"""HTTP route of the postings of a closed month."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import StreamingResponse

from chassis.application.command_handler import CommandHandler
from chassis.web.auth import requires
from chassis.web.command_routes import PROBLEMS, for_roles
from chassis.web.dependencies import get_service
from chassis.web.problem_answers import problem_answer
from chassis.web.problems import Problem
from chassis.web.request import StrictRoute, reject_unknown_query
from contracts.values import Identifier, Month
from finance.ledger_groups.requests import group_id
from finance.ledger_groups.state import LedgerGroup
from finance.ledgers.state import ClosedMonth, Ledger
from finance.posting_exports.events import PostingsExported
from finance.posting_exports.table import header, lines_of
from finance.roles import CONTROLLING

router = APIRouter(route_class=StrictRoute, tags=["ledgers"], responses=PROBLEMS)


@router.get(
    "/ledgers/{ledger}/postings/{month}",
    dependencies=[Depends(requires(*CONTROLLING)), Depends(requires("confidential"))],
    summary="Read the postings of a closed month",
    description=(
        "Returns the balanced lines of all engagements of the company as CSV, with a header. The"
        " postings have to be released by `export-postings`; the answer is the same each time."
        " Debits and credits are in the currency of the engagement. Costs are among them, so that"
        f" the caller needs the role `confidential`, too.\n\n{for_roles(CONTROLLING)}"
    ),
    operation_id="read-postings",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
        **problem_answer(404, "postings-not-exported"),
    },
)
async def read_postings(
    request: Request,
    ledger: Annotated[Identifier, Path()],
    month: Annotated[Month, Path()],
) -> StreamingResponse:
    """Return the postings of a month; raises Problem 404 where they were not released."""
    reject_unknown_query(request)
    commands = get_service(request).commands
    state: Ledger = (await commands.read("ledger", ledger)).state
    exported = state.exported.get(month)
    if exported is None:
        why = f"the postings of {month} are not released: see export-postings"
        raise Problem(404, "postings-not-exported", why)
    name = f"postings-{ledger}-{month}.csv"
    return StreamingResponse(
        _lines(commands, state, state.closed[month], exported),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _lines(
    commands: CommandHandler, ledger: Ledger, closed: ClosedMonth, exported: PostingsExported
) -> AsyncIterator[str]:
    """Yield the lines of all engagements, which are in the commits that booked the month.

    Reads one commit for each engagement and round, by its id.
    """
    journal = commands.repository.journal
    yield header()
    for number in range(1, ledger.groups + 1):
        group = group_id(ledger.company, number)
        members: LedgerGroup = (await commands.read("ledger-group", group)).state
        for engagement in members.engagements:
            for round_ in closed.rounds:
                cause = booking_cause(group, round_, engagement)
                commit = await journal.by_cause(cause)
                if commit is not None:
                    events = (each.event for each in commit.new_events())
                    accounts = exported.accounts
                    yield "".join(
                        lines_of(ledger.company, closed.month, engagement, events, accounts)
                    )


def booking_cause(group: str, round_: int, engagement: str) -> str:
    """Return the id of the commit in which an engagement answered the request to book a month."""
    return f"ledger-group:{group}/request/book-{round_}/{engagement}"
