from datetime import date
from decimal import Decimal

from gateway.disconnects import judge
from gateway.portfolio import Figures, contribution, exchange, read, together
from tests.life import Life
from tests.unit.gateway.test_disconnects import margin_measured
from tests.unit.gateway.test_fold import view_of

TODAY = date(2026, 4, 1)


def figures_of(life: Life) -> Figures:
    view = view_of(life.facts)
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
