"""Figures of rows from engagements of the demo agree with what the gateway has of them."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain
from typing import TypeVar

from common.figures.backlog import Contract, backlog
from common.figures.budgets import Entry, hours_against_budget
from common.figures.deals import Deal, decided_by_month
from common.figures.figure import Dated, Figure
from common.figures.management import Managed, value_of_early_management
from common.figures.receivables import (
    Invoice,
    Settlement,
    ageing,
    credit_sales,
    days_sales_outstanding,
    receivables,
)
from common.figures.surveys import Answer, customer_satisfaction
from common.figures.work import (
    Available,
    Billed,
    Work,
    project_management,
    realisation,
    utilisation,
    work_in_progress,
)
from contracts import delivery, finance, sales
from contracts.decimals import ROUNDING, round_decimal
from contracts.event import Event
from contracts.money import Money
from gateway.portfolio.figures import build_portfolio, contribution, utilisation_weeks
from tests.unit.played import EVERY, TODAY, Played, played

E = TypeVar("E", bound=Event)
T = TypeVar("T")
FIRST = date(2025, 1, 1)
HOURLY = played(next(each for each in EVERY if each.name == "demo-036"))
"""An engagement under way, in USD, by time and materials."""
CURRENCY = "USD"
CLOSED = played(next(each for each in EVERY if each.name == "demo-006"))
"""An engagement in EUR that was closed, with lines of all four ways of pricing."""


def events_of(engagement: Played, kind: type[E]) -> Iterator[E]:
    return (each.event for each in engagement.events if isinstance(each.event, kind))


def only(events: Iterable[T]) -> T:
    [event] = events
    return event


def value(figure: Figure[T]) -> T:
    assert figure.value is not None, figure.missing
    return figure.value


def invoices(engagement: Played) -> list[Invoice]:
    paid: dict[str, list[Settlement]] = {}
    for each in events_of(engagement, finance.PaymentAllocated):
        paid.setdefault(each.invoice, []).append(Settlement(each.received_on, each.amount, "paid"))
    return [
        Invoice(
            each.invoice,
            each.issued_on,
            each.due_on,
            each.tax.gross,
            tuple(paid.get(each.invoice, ())),
        )
        for each in events_of(engagement, finance.InvoiceIssued)
    ]


def works(engagement: Played) -> list[Work]:
    """Return the approved hours at the contracted rates, which are the standard rates here."""
    billed = {
        work.entry: Billed(invoice.issued_on, work.amount)
        for invoice in events_of(engagement, finance.InvoiceIssued)
        for line in invoice.lines
        for work in line.works
    }
    lines = {each.line: each for each in only(events_of(engagement, finance.BudgetSet)).lines}
    phases = {
        each.task: each.phase for each in only(events_of(engagement, delivery.PlanBaselined)).tasks
    }
    rows = []
    for week in events_of(engagement, delivery.TimeApproved):
        for entry in week.entries:
            line = lines[str(entry.line)]
            rate = line.rate_on(entry.role, entry.day)
            worth = rate.for_hours(entry.hours, ROUNDING) if rate else Money.zero(CURRENCY)
            rows.append(
                Work(
                    day=entry.day,
                    person=week.person,
                    role=entry.role,
                    phase=phases[entry.task],
                    line=entry.line,
                    hours=entry.hours,
                    billable=entry.billable,
                    project_management=entry.kind == "project-management",
                    standard=worth,
                    worth=worth,
                    billed=(billed[entry.entry],) if entry.entry in billed else (),
                )
            )
    return rows


def test_receivables_and_their_ages_are_those_of_the_gateway() -> None:
    for engagement, currency in ((HOURLY, "USD"), (CLOSED, "EUR")):
        rows = invoices(engagement)
        owed = value(receivables(rows, currency, TODAY))
        assert owed == engagement.view.finance.outstanding(currency)
        ages = ageing(rows, currency, TODAY).values()
        assert Money.total(map(value, ages), currency) == owed


def test_dso_of_the_whole_time_is_receivables_over_all_that_was_invoiced() -> None:
    rows = invoices(HOURLY)
    sold = value(credit_sales(rows, CURRENCY, FIRST, TODAY))
    assert sold == Money.total((each.gross for each in HOURLY.view.finance.live_invoices()), "USD")
    dso = value(days_sales_outstanding(rows, CURRENCY, FIRST, TODAY))
    owed = HOURLY.view.finance.outstanding(CURRENCY)
    assert abs(dso - owed.amount / sold.amount * ((TODAY - FIRST).days + 1)) <= Decimal("0.005")


def test_receivables_of_a_past_day_are_those_that_were_known_on_it() -> None:
    rows = invoices(HOURLY)
    before = date(2026, 5, 5)
    known = [each for each in rows if each.day <= before]
    assert 0 < len(known) < len(rows)
    assert receivables(rows, CURRENCY, before) == receivables(known, CURRENCY, before)


def test_what_is_billed_and_what_is_in_progress_are_all_the_work() -> None:
    rows = works(HOURLY)
    all_work = Money.total((each.worth for each in rows if isinstance(each.worth, Money)), CURRENCY)
    waiting = Money.total(map(value, work_in_progress(rows, CURRENCY, TODAY).values()), CURRENCY)
    billed = HOURLY.view.finance.billed(CURRENCY)

    assert waiting.amount > 0
    assert billed + waiting == all_work
    share = value(realisation(rows, CURRENCY, FIRST, TODAY))
    assert abs(share - billed.amount / all_work.amount) <= Decimal("0.00005")


def test_hours_are_those_of_the_gateway_in_all_and_by_line() -> None:
    view, rows = HOURLY.view.delivery, works(HOURLY)
    management = project_management(rows, FIRST, TODAY)
    assert management.hours.value == view.project_management_hours
    share = view.project_management_hours / view.approved_hours
    assert abs(value(management.share) - share) <= Decimal("0.00005")

    budget = [
        Entry(FIRST, each.role, None, line.line, each.hours)
        for line in only(events_of(HOURLY, finance.BudgetSet)).lines
        for each in line.hours
    ]
    spent = [Entry(each.day, each.role, each.phase, each.line, each.hours) for each in rows]
    by_line = hours_against_budget(budget, spent, "line", TODAY)
    assert {line: each.spent.value for line, each in by_line.items()} == view.hours_by_line
    assert sum(value(each.budget) for each in by_line.values()) == sum(
        each.quantity for each in budget if isinstance(each.quantity, Decimal)
    )


def test_utilisation_is_that_of_the_gateway() -> None:
    engagement, hours = HOURLY, Decimal(320)
    weeks = utilisation_weeks(TODAY)
    first, last = min(weeks), max(weeks) + timedelta(days=6)
    portfolio = build_portfolio(
        contribution(engagement.view, []), TODAY, hours, with_confidential=False
    )

    of_rows = utilisation(works(engagement), [Available(first, "all", None, hours)], first, last)

    assert of_rows.value
    assert of_rows.value == portfolio.utilisation


def test_bookings_and_backlog_are_those_of_the_gateway() -> None:
    deal = only(events_of(HOURLY, sales.DealWon))
    row = Deal("E-1", deal.won_on, "won", deal.price, imported=False)
    months = decided_by_month([row], CURRENCY, TODAY, imported=False)
    assert {month: each.bookings.value for month, each in months.items()} == {
        deal.won_on.replace(day=1): deal.price
    }

    contract = Contract(
        signed=deal.won_on,
        ended=None,
        booked=(Dated(deal.won_on, deal.price),),
        recognised=tuple(
            Dated(date.fromisoformat(f"{each.month}-28"), each.amount)
            for each in events_of(HOURLY, finance.RevenueRecognised)
        ),
    )
    left = value(backlog([contract], CURRENCY, TODAY, signed=True))
    assert left.amount == contribution(HOURLY.view, [])["USD.backlog-clean"]


def test_satisfaction_is_that_of_the_gateway() -> None:
    engagement = played(next(each for each in EVERY if each.name == "demo-000"))
    answers = [
        Answer(each.answered_on, score)
        for each in events_of(engagement, delivery.SurveyAnswered)
        for score in each.satisfaction.values()
    ]
    figures = contribution(engagement.view, [])
    assert 0 < figures["csat.satisfied"] < figures["csat.answers"]
    assert value(customer_satisfaction(answers, FIRST, TODAY)) == round(
        figures["csat.satisfied"] * 100 / figures["csat.answers"], 2
    )


def test_project_management_is_beside_the_margin_that_the_gateway_has() -> None:
    view = CLOSED.view
    closed = only(events_of(CLOSED, delivery.EngagementClosed)).closed_on
    won = only(events_of(CLOSED, sales.DealWon))
    live = only(events_of(CLOSED, delivery.SolutionWentLive)).live_on
    assert view.confidential.cost is not None
    assert view.confidential.project_management_cost is not None
    assert view.confidential.margins is not None
    billed = view.confidential.margins.event.margin_billed
    assert billed is not None
    assert billed.margin is not None
    row = Managed(
        engagement=view.engagement,
        ended=closed,
        assigned=view.delivery.manager_assigned_on,
        proposed=only(events_of(CLOSED, sales.ProposalSubmitted)).submitted_on,
        won=won.won_on,
        kickoff=only(events_of(CLOSED, delivery.KickoffHeld)).held_on,
        revenue=view.finance.billed("EUR"),
        cost=view.confidential.cost,
        management_cost=view.confidential.project_management_cost,
        delay=(live - won.finishes_on).days,
        satisfaction=tuple(
            chain.from_iterable(
                each.satisfaction.values() for each in events_of(CLOSED, delivery.SurveyAnswered)
            )
        ),
    )

    early = value_of_early_management([row], "EUR", FIRST, TODAY)["before-proposal"]

    assert early.engagements == 1
    assert early.margin.value == round_decimal(billed.margin, 4)
    assert early.management_cost.value == view.confidential.project_management_cost
    assert early.delay.value == (live - won.finishes_on).days
