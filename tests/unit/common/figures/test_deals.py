from datetime import date
from decimal import Decimal

import pytest

from chassis.domain.commands import Missing
from common.figures.deals import Deal, decided_by_month
from contracts.money import CurrencyMismatch
from tests.amounts import eur, usd

MARCH, END = date(2026, 3, 1), date(2026, 3, 31)
UNKNOWN = Missing("deal-not-decided", "the CRM has no value of D-9", "sales")


def won(value: int, closed: date | None = END, *, imported: bool = False) -> Deal:
    return Deal(f"D-{value}", closed, "won", usd(value), imported)


def lost(value: int, closed: date | None = END, *, imported: bool = False) -> Deal:
    return Deal(f"D-{value}", closed, "lost", usd(value), imported)


OPEN = Deal("D-0", None, "open", usd(7), imported=False)


@pytest.mark.parametrize(
    ("number_won", "number_lost", "number_open", "expected"),
    [
        # contextawareanalytics.com, "How to calculate win rate": 45 / 180
        (45, 135, 80, "0.25"),
        # salesmotion.io, "How to calculate win rate": 40 / (40 + 60)
        (40, 60, 0, "0.4"),
    ],
)
def test_the_win_rate_is_won_over_won_and_lost(
    number_won: int, number_lost: int, number_open: int, expected: str
) -> None:
    deals = [won(1)] * number_won + [lost(1)] * number_lost + [OPEN] * number_open

    months = decided_by_month(deals, "USD", END, imported=False)
    assert list(months) == [MARCH]
    march = months[MARCH]

    assert (march.won, march.lost) == (number_won, number_lost)
    assert march.win_rate.value == Decimal(expected)


def test_bookings_and_the_win_rate_by_value_are_of_the_values() -> None:
    # calculator.city, "Sales win rate calculator": 15 won, 35 lost at 2,000 each; with one larger
    # deal that was won, the rate by value is another one than that by number
    deals = [won(2000)] * 15 + [lost(2000)] * 35

    march = decided_by_month(deals, "USD", END, imported=False)[MARCH]
    larger = decided_by_month([*deals, won(100_000)], "USD", END, imported=False)[MARCH]

    assert march.bookings.value == usd(30_000)
    assert march.win_rate.value == march.win_rate_by_value.value == Decimal("0.3")
    assert larger.win_rate_by_value.value == Decimal("0.65")


def test_deals_are_in_the_month_in_which_they_were_closed_up_to_the_day() -> None:
    deals = [won(1, date(2026, 4, 1)), won(20, date(2026, 3, 1)), won(300, date(2026, 2, 28))]

    def booked(as_of: date) -> dict[date | None, object]:
        months = decided_by_month(deals, "USD", as_of, imported=False)
        return {month: each.bookings.value for month, each in months.items()}

    assert booked(END) == {date(2026, 2, 1): usd(300), MARCH: usd(20)}
    assert list(booked(date(2026, 4, 1)).items())[-1] == (date(2026, 4, 1), usd(1))


def test_imported_deals_are_a_part_of_their_own() -> None:
    deals = [won(1), won(5, None, imported=True), lost(1, imported=True)]

    ours = decided_by_month(deals, "USD", END, imported=False)
    imported = decided_by_month(deals, "USD", END, imported=True)

    assert {month: (each.won, each.lost) for month, each in ours.items()} == {MARCH: (1, 0)}
    assert {month: (each.won, each.lost) for month, each in imported.items()} == {
        MARCH: (0, 1),
        None: (1, 0),
    }
    assert list(imported) == [MARCH, None]
    assert imported[MARCH].bookings.value == usd(0)


def test_a_value_that_is_not_known_makes_only_the_figures_of_its_month_unknown() -> None:
    unknown = Deal("D-9", END, "lost", UNKNOWN, imported=False)
    deals = [won(10), unknown, won(10, date(2026, 2, 3))]

    months = decided_by_month(deals, "USD", END, imported=False)

    assert months[MARCH].bookings.value == usd(10)
    assert months[MARCH].win_rate.value == Decimal("0.5")
    assert months[MARCH].win_rate_by_value.missing == (UNKNOWN,)
    assert months[date(2026, 2, 1)].win_rate_by_value.value == 1


def test_the_win_rate_by_value_is_unknown_where_the_deals_are_worth_nothing() -> None:
    march = decided_by_month([lost(0)], "USD", END, imported=False)[MARCH]
    assert march.win_rate.value == 0
    assert [each.code for each in march.win_rate_by_value.missing] == ["divisor-zero"]


def test_amounts_of_two_currencies_are_not_added() -> None:
    other = Deal("D-1", END, "won", eur(1), imported=False)
    with pytest.raises(CurrencyMismatch):
        decided_by_month([won(1), other], "USD", END, imported=False)
