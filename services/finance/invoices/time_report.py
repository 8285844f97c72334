"""Compute the time report of an invoice: the works that it bills, by day, person and role."""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from chassis.base.view_model import ViewModel
from contracts.finance import WorkKind
from contracts.money import Money
from contracts.values import Hours, Identifier, PersonId, ProjectRole, TotalHours
from finance.engagement import Engagement
from finance.policies import require_invoice
from finance.work.works import Bill, Work


class ReportedWork(ViewModel):
    """Time entry or expense on an invoice; `amount` is its part of the line, without tax.

    `written_down` is what an edit of the draft took off it, null where nothing.
    """

    invoice_line: Identifier
    kind: WorkKind
    entry: Identifier
    on: date
    person: PersonId
    role: ProjectRole | None
    hours: Hours | None
    amount: Money
    written_down: Money | None


class TimeReport(ViewModel):
    """Works that an invoice or a draft bills, by line and day; `hours` and `amount` are their sums.

    Works that were credited to be billed again are on it no more.
    """

    invoice: Identifier
    number: Identifier | None
    works: list[ReportedWork]
    hours: TotalHours
    amount: Money


def time_report(state: Engagement, name: str, moved: Iterable[Work] = ()) -> TimeReport:
    """Return the time report of an invoice; raises Refused where it is unknown.

    `moved` are works of booked months, which are in streams of their own; others are left out.
    """
    invoice = require_invoice(state, name)
    order = {each.invoice_line: nth for nth, each in enumerate(invoice.lines)}
    works = [
        ReportedWork(
            invoice_line=bill.invoice_line,
            kind=work.work_kind,
            entry=work.entry,
            on=work.on,
            person=work.person,
            role=work.role,
            hours=None if work.role is None else bill.hours,
            amount=bill.amount,
            written_down=bill.written_down,
        )
        for work, bill in (*state.work.bills_of(name), *_bills(moved, name))
    ]
    works.sort(key=lambda each: (order[each.invoice_line], each.on, each.entry))
    return TimeReport(
        invoice=name,
        number=invoice.number,
        works=works,
        hours=sum((each.hours for each in works if each.hours is not None), Decimal(0)),
        amount=Money.total((each.amount for each in works), state.money),
    )


def _bills(works: Iterable[Work], invoice: str) -> Iterator[tuple[Work, Bill]]:
    for work in works:
        for bill in work.bills:
            if bill.invoice == invoice:
                yield work, bill
