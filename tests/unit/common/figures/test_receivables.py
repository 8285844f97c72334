from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.figures.ages import AGES
from common.figures.receivables import (
    Invoice,
    Settlement,
    ageing,
    credit_sales,
    days_sales_outstanding,
    days_sales_outstanding_by_count_back,
    receivables,
)
from contracts.money import CurrencyMismatch, Money
from tests.amounts import eur, usd

JANUARY, LAST = date(2026, 1, 1), date(2026, 1, 30)


def invoice(amount: int, day: date, *settlements: Settlement, due: date | None = None) -> Invoice:
    return Invoice(
        f"I-{day}-{amount}", day, due or day + timedelta(days=30), usd(amount), settlements
    )


def paid(amount: int, day: date) -> Settlement:
    return Settlement(day, usd(amount), "paid")


@pytest.mark.parametrize(
    ("owed", "sales", "days", "expected"),
    [
        # QuickBooks Canada, "What is days sales outstanding?": January
        (300_000, 450_000, 31, "20.67"),
        # Bit1024, DSO calculator: 50,000 / 200,000 x 365
        (50_000, 200_000, 365, "91.25"),
        # Mesha, "The 2 DSO calculation formulas", simple method (published as 30.4)
        (150_000, 1_800_000, 365, "30.42"),
    ],
)
def test_dso_is_receivables_over_credit_sales_x_days(
    owed: int, sales: int, days: int, expected: str
) -> None:
    last = JANUARY + timedelta(days=days - 1)
    sold = invoice(sales, JANUARY, paid(sales - owed, last))

    dso = days_sales_outstanding([sold], "USD", JANUARY, last)

    assert (dso.value, dso.as_of) == (Decimal(expected), last)


def test_dso_is_unknown_without_sales_and_says_why() -> None:
    earlier = invoice(500, date(2025, 12, 30))

    dso = days_sales_outstanding([earlier], "USD", JANUARY, LAST)

    assert dso.value is None
    assert [(each.code, each.sentence) for each in dso.missing] == [
        ("divisor-zero", "there were no credit sales from 2026-01-01 to 2026-01-30")
    ]


def test_what_is_credited_is_no_sale_and_what_is_written_off_is_one() -> None:
    credited = invoice(1000, JANUARY, Settlement(LAST, usd(400), "credited"))
    lost = invoice(500, JANUARY, Settlement(LAST, usd(500), "written-off"))

    assert credit_sales([credited, lost], "USD", JANUARY, LAST).value == usd(1100)
    assert receivables([credited, lost], "USD", LAST).value == usd(600)


def test_receivables_of_a_day_do_not_change_with_what_comes_later() -> None:
    sold = invoice(
        1000, JANUARY, paid(1000, LAST), Settlement(date(2026, 2, 3), usd(-1000), "paid")
    )

    owed = [
        receivables([sold], "USD", day).value
        for day in (date(2025, 12, 31), JANUARY, LAST, date(2026, 2, 3))
    ]

    assert owed == [usd(0), usd(1000), usd(0), usd(1000)]


def test_dso_by_count_back_takes_the_last_months_first() -> None:
    # calculator7.snowdaycalculatornow.com, "Debtor days calculation count back method": 2,100,000
    # owed at the end of March, sales of 900,000, 800,000 and 700,000: 31 + 28 + 4/7 of 31 days
    sold = [
        invoice(700_000, date(2026, 1, 15), paid(300_000, date(2026, 3, 1))),
        invoice(800_000, date(2026, 2, 15)),
        invoice(900_000, date(2026, 3, 15)),
    ]

    dso = days_sales_outstanding_by_count_back(sold, "USD", JANUARY, date(2026, 3, 31))

    assert dso.value == Decimal("76.71")


def test_dso_by_count_back_counts_the_last_month_in_proportion() -> None:
    # Benji Pays, "Mastering DSO calculation", and Mesha, "The 2 DSO calculation formulas": 212,000
    # owed, sales of 100,000, 80,000 and 70,000: 60 + 32/70 of a month of 30 days = 73.7. With
    # the months of the calendar, here 30 + 31 + 32/70 x 30 days.
    sold = [
        invoice(70_000, date(2026, 4, 15), paid(38_000, date(2026, 6, 1))),
        invoice(80_000, date(2026, 5, 15)),
        invoice(100_000, date(2026, 6, 15)),
    ]

    dso = days_sales_outstanding_by_count_back(sold, "USD", date(2026, 4, 1), date(2026, 6, 30))

    assert dso.value == Decimal("74.71")


def test_dso_by_count_back_is_unknown_where_more_is_owed_than_the_known_sales() -> None:
    sold = [invoice(700, date(2025, 12, 15)), invoice(100, date(2026, 1, 15))]

    dso = days_sales_outstanding_by_count_back(sold, "USD", JANUARY, LAST)

    assert dso.value is None
    assert [each.code for each in dso.missing] == ["sales-unknown"]
    assert "700 USD" in dso.missing[0].sentence


def test_dso_by_count_back_begins_with_the_first_day_whose_sales_are_known() -> None:
    sold = [invoice(900, date(2026, 1, 5), paid(900, LAST)), invoice(100, date(2026, 1, 15))]
    dso = days_sales_outstanding_by_count_back(sold, "USD", date(2026, 1, 11), LAST)
    assert dso.value == 20


def test_dso_by_count_back_is_zero_where_nothing_is_owed() -> None:
    sold = [invoice(700, JANUARY, paid(700, LAST))]
    dso = days_sales_outstanding_by_count_back(sold, "USD", JANUARY, LAST)
    assert dso.value == 0


def test_receivables_are_divided_by_the_days_since_they_were_due() -> None:
    # "Techno Designs Store", tutorsglobe 52542410, at 31 January 2015
    carried_forward = [
        (438_933, date(2015, 2, 10)),
        (149_614, date(2015, 1, 10)),
        (106_400, date(2014, 12, 10)),
        (57_442, date(2014, 11, 10)),
        (41_402, date(2014, 10, 10)),
    ]
    customers = [
        (11_077, date(2015, 1, 15)),
        (9_314, date(2015, 2, 15)),
        (8_664, date(2014, 12, 20)),
        (780, date(2014, 10, 1)),
        (14_710, date(2015, 1, 4)),
        (6_316, date(2014, 11, 15)),
        (4_389, date(2015, 3, 1)),
    ]
    sold = [
        invoice(amount, date(2014, 9, 1), due=due) for amount, due in carried_forward + customers
    ]

    ages = ageing(sold, "USD", date(2015, 1, 31))

    assert {age: each.value for age, each in ages.items()} == {
        "not-due": usd(452_636),
        "1-30": usd(175_401),
        "31-60": usd(115_064),
        "61-90": usd(63_758),
        "over-90": usd(42_182),
    }


def test_an_invoice_is_overdue_from_the_day_after_it_was_due() -> None:
    # QuickBooks, "Accounts receivable aging report": due on the 15th, on the 22nd seven days late
    sold = [invoice(1000, JANUARY, due=date(2026, 1, 15))]
    ages = {
        days: next(
            age
            for age, each in ageing(sold, "USD", date(2026, 1, 15) + timedelta(days)).items()
            if each.value == usd(1000)
        )
        for days in (0, 1, 7, 30, 31, 60, 61, 90, 91)
    }
    assert ages == {
        0: "not-due",
        1: "1-30",
        7: "1-30",
        30: "1-30",
        31: "31-60",
        60: "31-60",
        61: "61-90",
        90: "61-90",
        91: "over-90",
    }


def test_amounts_of_two_currencies_are_not_added() -> None:
    other = Invoice("I-1", JANUARY, LAST, eur(1))
    for compute in (receivables, ageing):
        with pytest.raises(CurrencyMismatch):
            compute([invoice(1, JANUARY), other], "USD", LAST)


DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))
AMOUNTS = st.integers(-(10**6), 10**6).map(usd)
SETTLEMENTS = st.builds(
    Settlement, DAYS, AMOUNTS, st.sampled_from(["paid", "credited", "written-off"])
)
INVOICES = st.lists(
    st.builds(
        Invoice, st.just("I"), DAYS, DAYS, AMOUNTS, st.lists(SETTLEMENTS, max_size=3).map(tuple)
    )
)


@given(INVOICES, DAYS)
def test_the_ages_add_up_to_the_receivables(sold: list[Invoice], as_of: date) -> None:
    ages = ageing(sold, "USD", as_of)
    assert list(ages) == ["not-due", *AGES]
    parts = [each.value for each in ages.values() if each.value is not None]
    assert len(parts) == len(ages)
    assert Money.total(parts, "USD") == receivables(sold, "USD", as_of).value


@given(INVOICES, DAYS, DAYS)
def test_sales_of_successive_periods_add_up(sold: list[Invoice], one: date, other: date) -> None:
    first, between, last = date(2026, 1, 1), min(one, other), max(one, other)
    whole = credit_sales(sold, "USD", first, last).value
    before = credit_sales(sold, "USD", first, between).value
    after = credit_sales(sold, "USD", between + timedelta(days=1), last).value
    assert before is not None
    assert after is not None
    assert before + after == whole
