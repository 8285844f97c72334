from datetime import date
from decimal import Decimal

import pytest

from contracts import delivery, finance, legal, sales
from contracts.event import Event
from gateway.disconnects import judge
from gateway.fold import View
from gateway.pages.presenting import Names
from gateway.pages.sheets import sheets
from gateway.portfolio import Figures, contribution, exchange, read, together
from gateway.summary import summary
from testkit.scenario import RecordsOf
from tests.builders import Life, euros
from tests.unit.gateway.test_disconnects import margin_measured
from tests.unit.gateway.test_fold import view_of

TODAY = date(2026, 4, 1)


def figures_of(life: Life) -> Figures:
    view = view_of(life.events)
    return contribution(view, judge(view, TODAY).values())


def test_totals_are_the_sum_of_what_engagements_add_and_nothing_stays_behind() -> None:
    totals: Figures = {}
    proposed, won, closed = (
        figures_of(each) for each in (Life().proposed(), Life().won(), Life().closed())
    )
    exchange(totals, {}, proposed)
    exchange(totals, {}, closed)
    exchange(totals, proposed, won)

    assert totals == together([won, closed])
    exchange(totals, won, {})
    exchange(totals, closed, {})
    assert totals == {}


def test_the_portfolio_shows_money_by_currency_and_what_is_unknown_as_unknown() -> None:
    shown = read(
        together([figures_of(Life().signed()), figures_of(Life().closed())]),
        TODAY,
        Decimal(0),
        with_confidential=True,
    )

    (euros,) = shown.currencies
    assert (euros.backlog, euros.backlog_clean) == (Decimal(100_000), Decimal(100_000))
    assert (euros.billed, euros.outstanding, euros.overdue) == (
        Decimal(100_000),
        Decimal(0),
        Decimal(0),
    )
    assert shown.by_stage["mobilising"] == shown.by_stage["closed"] == 1
    assert shown.confidential is not None
    assert shown.confidential[0].margin_sold.margin == Decimal("0.3000")
    assert shown.confidential[0].margin_billed.margin is None
    assert shown.customer_satisfaction == Decimal("100.0")
    assert shown.net_promoter_score == Decimal("100.0")
    assert shown.utilisation is None


def test_utilisation_is_billable_over_available_hours_of_the_last_four_full_weeks() -> None:
    shown = read(figures_of(Life().worked(8)), TODAY, Decimal(80), with_confidential=False)

    assert shown.utilisation == Decimal(4 * 40) / (4 * 80)


def test_what_would_tell_a_margin_is_neither_counted_nor_summed_for_others() -> None:
    life = Life().worked(8)
    life.say(95, life.report(9, 95, finish=180), margin_measured(life, "18"))
    figures = figures_of(life)
    told = read(figures, TODAY, Decimal(0), with_confidential=False)
    known = read(figures, TODAY, Decimal(0), with_confidential=True)

    assert told.disconnects == {"serious": 1, "warning": 0, "waived": 0}
    assert known.disconnects == {"serious": 2, "warning": 0, "waived": 0}
    assert told.confidential is None
    assert told.currencies[0].at_stake == Decimal(100_000)


def fallen_due(*events: Event) -> View:
    """An advance of 30,000 that fell due unpaid, and what became of it."""
    life = Life().signed()
    life.say(26, *life.invoice(life.schedule()[0], 1, 26))
    overdue = finance.PaymentOverdue(
        invoice="I-advance", due_on=life.day(56), outstanding=euros(30_000)
    )
    return view_of(life.say(57, overdue, *events).events)


def credited(amount: int) -> finance.CreditNoteIssued:
    return finance.CreditNoteIssued(
        credit_note=f"credit-{amount}",
        invoice="I-advance",
        amount=euros(amount),
        why="Late delivery.",
        issued_on=TODAY,
    )


VOID = finance.InvoiceVoided(
    invoice="I-advance", number="2026-00001", amount=euros(30_000), why="Twice.", voided_on=TODAY
)


@pytest.mark.parametrize(
    ("events", "overdue", "shown"),
    [
        ((), 30_000, "overdue since"),
        ((credited(10_000),), 20_000, "overdue since"),
        ((credited(10_000), credited(20_000)), 0, "credited"),
        ((VOID,), 0, "void"),
    ],
)
def test_what_is_credited_or_void_is_overdue_no_more(
    events: tuple[Event, ...], overdue: int, shown: str
) -> None:
    view = fallen_due(*events)
    (invoice,) = view.finance.invoices.values()
    sheet = next(
        each
        for each in sheets(view, Names(RecordsOf([])), confidential=False)
        if each.department == "finance"
    )

    assert contribution(view, ()).get("EUR.overdue", 0) == overdue
    assert (invoice.overdue is None) == (overdue == 0)
    assert any(shown in line for row in sheet.rows for line in row.lines if row.label == "Invoices")


@pytest.mark.parametrize(
    "end",
    [
        legal.EngagementTerminated(reason="mutual", terminated_on=TODAY),
        delivery.EngagementClosed(closed_on=TODAY),
        sales.DealLost(reason="price", lost_on=TODAY),
    ],
    ids=lambda end: end.type,
)
def test_what_is_over_rests_no_more(end: Event) -> None:
    life = Life().worked(8)
    resting = life.say(96, delivery.EngagementPutOnHold(reason="Freeze.", held_on=TODAY))
    assert figures_of(resting)["on-hold"] == 1
    assert summary(view_of(resting.events), {}).on_hold

    over = resting.say(97, end)
    assert "on-hold" not in figures_of(over)
    assert not summary(view_of(over.events), {}).on_hold
