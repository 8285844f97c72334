"""Test how the gateway shows the booked months of an engagement, and those of its company."""

from datetime import date
from decimal import Decimal

import pytest

from contracts import finance
from contracts.event import Event
from contracts.reference import LedgerPublished
from contracts.values import Margin
from gateway.pages.department_panels import panels
from gateway.pages.names import Names
from gateway.view.engagement_view import View, apply_event, sentence_of
from testkit.scenario import RecordsOf
from tests.amounts import eur
from tests.builders import ENGAGEMENT, Life

TODAY = date(2026, 7, 15)
NOBODY = Names(RecordsOf([]))


def booked(month: str, hours: int = 8, unknown: int = 0) -> finance.PeriodBooked:
    return finance.PeriodBooked(
        company="us",
        month=month,
        billed=eur(5_000),
        credited=eur(0),
        billed_gross=eur(5_950),
        credited_gross=eur(0),
        paid=eur(2_000),
        written_off=eur(50),
        taken_over=eur(0),
        recognised=eur(1_000),
        hours=Decimal(hours),
        expenses=eur(0),
        receivables_before=eur(100),
        receivables=eur(4_000),
        unbilled=eur(300),
        unbilled_unknown=unknown,
    )


def costed(month: str) -> finance.PeriodCosted:
    margin = Margin(revenue=eur(1_000), cost=eur(640), margin=Decimal("0.36"))
    return finance.PeriodCosted(
        month=month,
        cost=eur(640),
        recognised_by_cost=eur(0),
        recognised=eur(1_000),
        loss=eur(0),
        contracts=(),
        uncosted=0,
        margin=margin,
    )


def view_with(*events: Event) -> View:
    life = Life().signed()
    life.say(60, *events)
    view = View(ENGAGEMENT)
    for recorded in life.events:
        apply_event(view, recorded)
    return view


def rows(view: View, names: Names = NOBODY, *, confidential: bool) -> dict[str, tuple[str, ...]]:
    found = panels(view, names, TODAY, confidential=confidential)
    return {
        row.label: row.lines for one in found if one.department == "finance" for row in one.rows
    }


def test_the_last_booked_months_are_shown_with_cost_for_those_who_may_see_it() -> None:
    months = [f"2026-{number:02}" for number in range(1, 8)]
    view = view_with(*(booked(each, hours) for hours, each in enumerate(months)), costed("2026-07"))
    of_june = "5,000 EUR billed, 2,000 EUR paid, 1,000 EUR recognised, 5 h, 4,000 EUR owed"
    open_lines = rows(view, confidential=False)["Booked months"]
    assert [each[:7] for each in open_lines] == [*reversed(months)][:6]
    assert open_lines[1] == f"2026-06: {of_june}"
    assert not any("cost" in each for each in open_lines)
    assert rows(view, confidential=True)["Booked months"][0].endswith(", 640 EUR of cost")
    less = view_with(booked("2026-07"), costed("2026-07").model_copy(update={"uncosted": 1}))
    (shown,) = rows(less, confidential=True)["Booked months"]
    assert shown.endswith(", 640 EUR of cost, without that of 1 work")
    assert "Booked months" not in rows(view_with(), confidential=True)


@pytest.mark.parametrize(
    ("closed_to", "closing", "lines"),
    [
        (None, "2026-04", ("2026-04 is being closed",)),
        ("2026-04", None, ("closed to 2026-04",)),
        ("2026-04", "2026-05", ("closed to 2026-04", "2026-05 is being closed")),
    ],
)
def test_the_months_of_the_company_that_sells_are_shown(
    closed_to: str | None, closing: str | None, lines: tuple[str, ...]
) -> None:
    view = view_with()
    assert view.sales.won is not None
    company = view.sales.won.event.company
    record = LedgerPublished(ledger=company, closed_to=closed_to, closing=closing)
    other = LedgerPublished(ledger="other", closed_to="2026-06", closing=None)
    names = Names(RecordsOf([record, other]))
    assert rows(view, names, confidential=False)["Months of the company"] == lines
    assert "Months of the company" not in rows(view, confidential=False)


def test_bookings_are_told_in_a_sentence() -> None:
    assert sentence_of(booked("2026-04"), NOBODY) == (
        "2026-04 booked: 5,000 EUR billed, 0 EUR credited, 2,000 EUR paid, 1,000 EUR recognised, "
        "8 h approved; 4,000 EUR with tax is owed, 300 EUR of work is unbilled."
    )
    unknown = sentence_of(booked("2026-04", unknown=2), NOBODY)
    assert unknown.endswith("300 EUR of work is unbilled, and the worth of 2 more is not known.")
    assert sentence_of(costed("2026-04"), NOBODY) == (
        "Cost of 2026-04 booked: 640 EUR; 0 EUR recognised by cost, a margin of 36%."
    )
    less = costed("2026-04").model_copy(update={"uncosted": 2})
    assert sentence_of(less, NOBODY).startswith(
        "Cost of 2026-04 booked: 640 EUR, without that of 2 works whose cost is not known; "
    )
