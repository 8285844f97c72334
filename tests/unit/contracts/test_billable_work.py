"""Check which line pays for work that names none, and which hours are left to bill."""

from datetime import date
from decimal import Decimal

import pytest

from contracts.billable_work import BilledHours, PayingLines, paying_line, unbilled_hours
from contracts.lines import ContractLine, ContractLineKind, LineRate
from tests.amounts import eur, per_hour

EARLY, LATE = date(2026, 4, 6), date(2026, 5, 4)
SIGNED = date(2026, 4, 27)
DECIDED = date(2026, 5, 11)


def line(
    name: str, *rates: LineRate, price: int = 1, kind: ContractLineKind = "services"
) -> ContractLine:
    return ContractLine(
        line=name,
        title=name,
        kind=kind,
        pricing="time-and-materials",
        price=eur(price),
        rates=rates,
    )


def rate(role: str = "developer", *, from_day: date | None = None) -> LineRate:
    return LineRate(role=role, rate=per_hour(100), from_day=from_day)


WORK = line("work", rate())


def paid(
    on: date,
    *later: ContractLine,
    role: str | None = "developer",
    from_day: date = SIGNED,
    contract: tuple[ContractLine, ...] = (WORK,),
) -> str | None:
    """Return the line for work of a day after an amendment to the lines `later`."""
    paying = PayingLines().after(contract).after(later, SIGNED, from_day)
    found = paying_line(later, paying, None, role, on)
    return found.line if found else None


def test_a_line_pays_from_its_signature_on() -> None:
    more = line("more", rate(), rate("tester"))
    assert (paid(EARLY, WORK, more), paid(LATE, WORK, more)) == ("work", None)
    testing = [paid(on, WORK, more, role="tester") for on in (EARLY, LATE)]
    assert testing == [None, "more"]


def test_a_named_line_pays_on_every_day() -> None:
    lines = (WORK, line("more", rate()))
    paying = PayingLines().after((WORK,)).after(lines, SIGNED, SIGNED)
    for name in ("work", "more"):
        assert paying_line(lines, paying, name, "developer", EARLY) is lines[name == "more"]
    assert paying_line(lines, paying, "other", "developer", EARLY) is None


def test_a_late_amendment_leaves_decided_days_to_earlier_lines() -> None:
    more = line("more", rate(), rate("tester"))
    assert paid(LATE, WORK, more, from_day=DECIDED) == "work"
    assert paid(LATE, WORK, more, role="tester", from_day=DECIDED) == "more"
    assert paid(DECIDED, WORK, more, from_day=DECIDED) is None


def test_an_even_later_amendment_leaves_them_to_the_first_late_one() -> None:
    first, second = line("first", rate("tester")), line("second", rate("tester"))
    paying = PayingLines().after((WORK,)).after((WORK, first), SIGNED, DECIDED)
    lines = (WORK, first, second)
    paying = paying.after(lines, SIGNED, DECIDED)
    assert paying_line(lines, paying, None, "tester", LATE) is first


def test_a_rate_that_is_added_to_a_line_later_counts_after_the_earlier_ones() -> None:
    other = line("other", rate("tester"))
    rated = line("other", rate("tester"), rate())
    contract = (WORK, other)
    found = [paid(on, WORK, rated, contract=contract) for on in (EARLY, LATE)]
    assert found == ["work", None]
    of_past = line("work", rate(), rate("tester", from_day=EARLY))
    assert paid(EARLY, of_past, role="tester") == "work"
    assert paid(date(2026, 4, 5), of_past, role="tester") is None


def test_a_line_without_its_price_pays_only_where_no_other_does() -> None:
    gone, more = line("work", rate(), price=0), line("more", rate())
    assert [paid(on, gone, more) for on in (EARLY, LATE)] == ["work", "more"]
    assert [paid(on, gone) for on in (EARLY, LATE)] == ["work", "work"]
    assert paid(LATE, gone, more, from_day=DECIDED) == "work"


def test_a_line_whose_price_comes_back_pays_again_from_then_on() -> None:
    gone, more = line("work", rate(), price=0), line("more", rate())
    paying = PayingLines().after((WORK,)).after((gone, more), SIGNED, SIGNED)
    paying = paying.after((WORK, more), DECIDED, DECIDED)
    found = [paying_line((WORK, more), paying, None, "developer", on) for on in (LATE, DECIDED)]
    assert found == [more, None]


def test_expenses_stay_on_the_line_of_their_day() -> None:
    travel = line("travel", kind="expenses")
    assert [paid(on, WORK, travel, role=None) for on in (EARLY, LATE)] == ["work", "travel"]
    assert paid(LATE, WORK, travel, role=None, from_day=DECIDED) == "work"


@pytest.mark.parametrize(
    ("days", "left"),
    [({EARLY: 5}, {LATE: 8}), ({LATE: 5}, {EARLY: 5, LATE: 3}), ({}, {LATE: 8})],
)
def test_billed_hours_count_for_their_day_and_role_whatever_the_rate(
    days: dict[date, int], left: dict[date, int]
) -> None:
    before, after = ("developer", per_hour(100)), ("developer", per_hour(120))
    worked = {before: {EARLY: Decimal(5)}, after: {LATE: Decimal(8)}}
    named = {on: Decimal(hours) for on, hours in days.items()}
    billed = BilledHours("developer", per_hour(100), Decimal(5), named)
    found = unbilled_hours(worked, [billed])
    assert {on: hours for of_rate in found.values() for on, hours in of_rate.items()} == left


def test_hours_without_a_day_or_rate_count_for_the_first_days_of_the_role() -> None:
    worked = {
        ("developer", per_hour(120)): {LATE: Decimal(8)},
        ("developer", per_hour(100)): {EARLY: Decimal(5)},
    }
    billed = BilledHours("developer", per_hour(90), Decimal(6), {})
    assert unbilled_hours(worked, [billed]) == {
        ("developer", per_hour(120)): {LATE: Decimal(7)},
    }
