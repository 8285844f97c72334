from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.domain.commands import Missing
from common.figures.figure import grouped
from common.figures.work import (
    Available,
    Billed,
    Work,
    project_management,
    realisation,
    utilisation,
    work_in_progress,
)
from contracts.money import CurrencyMismatch
from tests.amounts import eur, usd

MONDAY, SUNDAY = date(2026, 3, 2), date(2026, 3, 8)
NO_RATE = Missing("rate-not-contracted", "the contract has no rate for tester", "legal")


def worked(hours: int, standard: int = 0, billed: int | None = None, *, day: date = MONDAY) -> Work:
    return Work(
        day=day,
        person="dev",
        role="engineer",
        phase="build",
        line="L-1",
        hours=Decimal(hours),
        billable=True,
        project_management=False,
        standard=usd(standard),
        worth=usd(standard),
        billed=() if billed is None else (Billed(day, usd(billed)),),
    )


def available(hours: int, person: str = "dev") -> Available:
    return Available(MONDAY, person, "engineer", Decimal(hours))


@pytest.mark.parametrize(
    ("billable", "hours", "expected"),
    [
        # Wikipedia, "Utilization rate", and kpiexamples.operately.com: a week of 40 hours
        (32, 40, "0.8"),
        (50, 40, "1.25"),
        # calculator.7search.cc, "Labor utilization calculator"
        (150, 200, "0.75"),
    ],
)
def test_utilisation_is_billable_over_available_hours(
    billable: int, hours: int, expected: str
) -> None:
    internal = replace(worked(8), billable=False)
    before = worked(8, day=MONDAY - timedelta(days=1))

    week_before = replace(available(hours), day=MONDAY - timedelta(days=7))

    used = utilisation(
        [worked(billable), internal, before], [available(hours), week_before], MONDAY, SUNDAY
    )

    assert used.value == Decimal(expected)


def test_utilisation_of_each_person_comes_from_their_own_rows() -> None:
    works = [worked(20), replace(worked(40), person="eve")]
    hours = grouped([available(40), available(50, "eve")], lambda each: each.person)

    by_person = {
        person: utilisation(rows, hours[person], MONDAY, SUNDAY).value
        for person, rows in grouped(works, lambda each: each.person).items()
    }

    assert by_person == {"dev": Decimal("0.5"), "eve": Decimal("0.8")}


def test_utilisation_is_unknown_without_available_hours() -> None:
    none = utilisation([worked(8)], [], MONDAY, SUNDAY)
    assert (none.value, [each.code for each in none.missing]) == (None, ["divisor-zero"])

    calendar = Missing("calendar-unknown", "dev has the calendar nil, which is unknown", "delivery")
    unknown = Available(MONDAY, "dev", None, calendar)
    known = utilisation([worked(8)], [available(40, "eve"), unknown], MONDAY, SUNDAY)
    assert (known.value, known.missing) == (None, (calendar,))


@pytest.mark.parametrize(
    ("hours", "rate", "billed", "expected"),
    [
        # AccountingTools, "Realization rate definition": 95.2 %
        (140, 300, 40_000, "0.9524"),
        # Woodard, "The realization rate - why it matters": 84.2 %
        (152, 325, 41_600, "0.8421"),
        # Outlaw Practice, "The billing realization report": 10,000 of work, 8,800 billed: 88 %
        (40, 250, 8_800, "0.88"),
    ],
)
def test_realisation_is_billed_over_standard_value(
    hours: int, rate: int, billed: int, expected: str
) -> None:
    figure = realisation([worked(hours, hours * rate, billed)], "USD", MONDAY, SUNDAY)
    assert figure.value == Decimal(expected)


def test_realisation_contains_work_that_is_not_billed_yet_and_no_internal_work() -> None:
    works = [worked(8, 800, 800), worked(8, 800), replace(worked(8, 800), billable=False)]
    assert realisation(works, "USD", MONDAY, SUNDAY).value == Decimal("0.5")


def test_realisation_of_a_day_does_not_change_with_later_bills() -> None:
    work = replace(worked(8, 800), billed=(Billed(SUNDAY, usd(800)),))
    assert realisation([work], "USD", MONDAY, MONDAY).value == 0
    assert realisation([work], "USD", MONDAY, SUNDAY).value == 1


def test_realisation_is_unknown_where_a_standard_value_is_and_names_each_thing_once() -> None:
    unknown = replace(worked(8), standard=NO_RATE)
    figure = realisation([worked(8, 800, 800), unknown, unknown], "USD", MONDAY, SUNDAY)
    assert (figure.value, figure.missing) == (None, (NO_RATE,))
    assert realisation([], "USD", MONDAY, SUNDAY).missing[0].code == "divisor-zero"


def test_work_in_progress_is_what_is_not_billed_by_days_since_the_work() -> None:
    # The classes of Canopy, "WIP aging by client": 1-30, 31-60, 61-90 and from 91 days on
    as_of = date(2026, 6, 30)
    works = [
        replace(worked(1, amount), day=as_of - timedelta(days=days))
        for days, amount in ((0, 1), (1, 10), (30, 20), (31, 300), (61, 4000), (91, 50_000))
    ]
    billed = worked(8, 777, 777)
    again = replace(
        worked(8, 600_000),
        billed=(Billed(SUNDAY, usd(5)), Billed(SUNDAY, usd(-5), to_bill_again=True)),
    )

    internal = replace(worked(8, 7_000_000), billable=False)

    ages = work_in_progress([*works, billed, again, internal], "USD", as_of)

    assert {age: each.value for age, each in ages.items()} == {
        "same-day": usd(1),
        "1-30": usd(30),
        "31-60": usd(300),
        "61-90": usd(4000),
        "over-90": usd(650_000),
    }


def test_work_is_in_progress_until_the_day_on_which_it_is_billed() -> None:
    work = replace(worked(8, 800), billed=(Billed(SUNDAY, usd(800)),))
    saturday = SUNDAY - timedelta(days=1)
    assert work_in_progress([work], "USD", saturday)["1-30"].value == usd(800)
    assert work_in_progress([work], "USD", SUNDAY)["1-30"].value == usd(0)
    before = work_in_progress([work], "USD", MONDAY - timedelta(days=1))
    assert {each.value for each in before.values()} == {usd(0)}


def test_work_of_unknown_worth_makes_only_its_own_age_unknown() -> None:
    unknown = replace(worked(8), worth=NO_RATE)
    ages = work_in_progress([unknown, worked(8, 800, day=SUNDAY)], "USD", date(2026, 4, 10))
    assert (ages["31-60"].value, ages["31-60"].missing) == (None, (NO_RATE,))
    assert ages["over-90"].value == usd(0)


def test_project_management_has_its_hours_and_their_share() -> None:
    management = replace(worked(10), project_management=True, billable=False)
    later = replace(worked(10, day=SUNDAY + timedelta(days=1)), project_management=True)

    of_week = project_management([worked(70), management, later], MONDAY, SUNDAY)

    assert (of_week.hours.value, of_week.share.value) == (Decimal(10), Decimal("0.125"))
    none = project_management([], MONDAY, SUNDAY)
    assert (none.hours.value, none.share.value) == (Decimal(0), None)


def test_amounts_of_two_currencies_are_not_added() -> None:
    other = replace(worked(8), standard=eur(1), worth=eur(1))
    with pytest.raises(CurrencyMismatch):
        realisation([worked(8, 800), other], "USD", MONDAY, SUNDAY)
    with pytest.raises(CurrencyMismatch):
        work_in_progress([other], "USD", SUNDAY)


@given(st.lists(st.tuples(st.integers(1, 24), st.integers(1, 10**5)), min_size=1))
def test_realisation_is_one_where_all_is_billed_at_standard_rates(
    rows: list[tuple[int, int]],
) -> None:
    works = [worked(hours, amount, amount) for hours, amount in rows]
    assert realisation(works, "USD", MONDAY, SUNDAY).value == 1
