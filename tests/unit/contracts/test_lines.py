"""Lines of contracts: their billing schedules, and how changes alter them."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.line_faults import billing_faults, scope_faults
from contracts.lines import (
    BillingItem,
    ContractLine,
    LineChange,
    LineRate,
    LineScopeChange,
    NewLine,
    Retainer,
    RoleHoursDelta,
    changed_lines,
    hours_by_role,
    total_price,
    with_usual_billing,
)
from contracts.money import Rate
from contracts.values import Deliverable, RoleHours
from tests.amounts import eur

FINISH = date(2026, 9, 30)


def line(name: str, price: int, currency: str = "EUR", **fields: Any) -> ContractLine:
    common = {"line": name, "title": name, "pricing": "fixed", "price": eur(price, currency)}
    return ContractLine.model_validate(common | fields)


def item(name: str, amount: int, currency: str = "EUR", **fields: Any) -> BillingItem:
    common = {"item": name, "kind": "on-signature", "amount": eur(amount, currency)}
    return BillingItem.model_validate(common | fields)


def hours(role: str, number: int) -> RoleHours:
    return RoleHours(role=role, hours=Decimal(number))


def more(role: str, number: int) -> RoleHoursDelta:
    return RoleHoursDelta(role=role, hours=Decimal(number))


RATE = LineRate(role="architect", rate=Rate(amount=Decimal(150), currency="EUR"))
BUILD = line("build", 60_000, hours=(hours("architect", 300),), deliverables=("portal",))
SUPPORT = line(
    "support",
    30_000,
    pricing="time-and-materials",
    hours=(hours("architect", 200),),
    rates=(RATE,),
)
CARE = line(
    "care",
    12_000,
    pricing="retainer",
    retainer=Retainer(fee=eur(1_000), periods=12, starts_on=date(2026, 10, 1)),
)
LINES = tuple(with_usual_billing(each, FINISH) for each in (BUILD, SUPPORT, CARE))


def codes(lines: Iterable[ContractLine], *deliverables: str) -> list[str]:
    return [code for code, _ in billing_faults(lines, deliverables)]


def test_the_usual_billing_follows_from_the_pricing() -> None:
    assert [[each.kind for each in one.billing] for one in LINES] == [
        ["on-acceptance"],
        ["time"],
        ["period"],
    ]
    [dated] = with_usual_billing(line("fee", 500), FINISH).billing
    assert (dated.kind, dated.due_on) == ("on-date", FINISH)
    assert with_usual_billing(line("free", 0), FINISH).billing == ()
    assert codes(LINES, "portal") == []


def test_a_discount_reduces_entries_of_other_lines_and_never_more_than_those() -> None:
    def discount(amount: int, reduces: str) -> ContractLine:
        entry = item("less", -amount, reduces=reduces)
        return line("discount", -amount, kind="discount", billing=(entry,))

    assert codes((*LINES, discount(60_000, "build")), "portal") == []
    assert codes((*LINES, discount(60_001, "build")), "portal") == ["discount-too-large"]
    assert codes((*LINES, discount(1, "rest")), "portal") == ["billing-item-unknown"]
    bare = line("discount", -5, kind="discount")
    assert with_usual_billing(bare, FINISH) == bare
    assert codes((*LINES, bare), "portal") == ["billing-schedule-differs"]
    twice = line("more", -2, kind="discount", billing=(item("less-2", -2, reduces="build"),))
    assert codes((*LINES, discount(59_999, "build"), twice), "portal") == ["discount-too-large"]


def test_each_contradiction_of_a_billing_schedule_is_found() -> None:
    short = line("short", 10, billing=(item("a", 9),))
    assert codes([short]) == ["billing-schedule-differs"]
    twice = line("twice", 10, billing=(item("a", 5), item("b", 5)))
    other = line("other", 5, billing=(item("a", 5),))
    assert codes([twice, other]) == ["id-repeated"]
    assert codes(LINES) == ["deliverable-unknown"]
    dollars = line("dollars", 5, "USD")
    assert codes([*LINES, dollars]) == ["currency-differs"]
    unrated = line(
        "unrated",
        0,
        pricing="time-and-materials",
        hours=(hours("tester", 1), hours("architect", 1)),
        rates=(RATE,),
    )
    [(code, sentence)] = billing_faults([unrated], ())
    assert (code, sentence) == ("rates-missing", "line unrated requires a rate for tester")


@pytest.mark.parametrize(
    "fields",
    [
        {"price": eur(-1)},
        {"kind": "discount"},
        {"kind": "discount", "price": eur(-10), "pricing": "time-and-materials"},
        {"estimated": True},
        {"pricing": "retainer"},
        {"retainer": CARE.retainer},
        {"pricing": "retainer", "price": eur(12_001), "retainer": CARE.retainer},
        {"rates": (RATE, RATE)},
        {"rates": (RATE,), "price": eur(1, "USD")},
        {"billing": (item("a", 10, kind="period"),)},
        {"billing": (item("a", 10, kind="time"),)},
        {"billing": (item("a", 10, "USD"),)},
    ],
)
def test_a_line_does_not_contradict_itself(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ContractLine.model_validate({**dict(line("one", 10)), **fields})


def test_the_rate_is_that_of_the_day() -> None:
    later = RATE.model_copy(
        update={"rate": Rate(amount=Decimal(160), currency="EUR"), "from_day": date(2026, 7, 1)}
    )
    rated = line("support", 1, pricing="time-and-materials", rates=(later, RATE))
    assert rated.rate_on("architect", date(2026, 6, 30)) == RATE.rate
    assert rated.rate_on("architect", date(2026, 7, 1)) == later.rate
    assert rated.rate_on("tester", FINISH) is None
    assert (
        line("late", 1, pricing="at-cost", rates=(later,)).rate_on("architect", date(2026, 6, 30))
        is None
    )


# Changes


def test_a_change_adds_and_another_takes_away_scope() -> None:
    added = LineChange(
        line="build",
        price_delta=eur(10_000),
        hours=(more("architect", 50), more("tester", 20)),
        deliverables_added=(Deliverable(deliverable="manual", title="Manual"),),
    )
    wider = changed_lines(LINES, [added])
    assert total_price(wider, "EUR") == eur(112_000)
    assert hours_by_role(wider) == {"architect": 550, "tester": 20}
    assert wider[0].deliverables == ("portal", "manual")
    cut = LineChange(
        line="support",
        price_delta=eur(-10_000),
        hours=(more("architect", -200),),
        billing_changed=(SUPPORT_LESS,),
    )
    smaller = changed_lines(wider, [cut])
    assert total_price(smaller, "EUR") == eur(102_000)
    assert hours_by_role(smaller) == {"architect": 350, "tester": 20}
    assert (smaller[1].price, smaller[1].billed) == (eur(20_000), eur(20_000))


SUPPORT_LESS = BillingItem(item="support", kind="time", amount=eur(20_000))


def test_a_retainer_changes_with_its_months() -> None:
    longer = Retainer(fee=eur(1_000), periods=15, starts_on=date(2026, 10, 1))
    change = LineChange(line="care", price_delta=eur(3_000), retainer=longer)
    assert changed_lines([CARE], [change])[0].price == eur(15_000)
    with pytest.raises(ValueError, match="must add up"):
        changed_lines([CARE], [change.model_copy(update={"price_delta": eur(2_000)})])


def test_a_new_line_comes_last_and_a_line_is_not_added_twice() -> None:
    new = LineChange(
        line="train", price_delta=eur(500), new=NewLine(title="Training", pricing="fixed")
    )
    assert [each.line for each in changed_lines(LINES, [new])] == [
        "build",
        "support",
        "care",
        "train",
    ]
    with pytest.raises(ValueError, match="has this line already"):
        changed_lines(changed_lines(LINES, [new]), [new])
    with pytest.raises(ValueError, match="no such line"):
        changed_lines(LINES, [new.model_copy(update={"new": None})])
    with pytest.raises(ValueError, match="must not be negative"):
        changed_lines(LINES, [LineChange(line="build", price_delta=eur(-60_001))])


def test_a_discount_may_be_taken_back_whole() -> None:
    discount = line("discount", -5, kind="discount")
    [after] = changed_lines([discount], [LineChange(line="discount", price_delta=eur(5))])
    assert after.price == eur(0)


def test_a_change_of_scope_fits_the_lines() -> None:
    def found(**fields: Any) -> list[str]:
        change = LineScopeChange.model_validate({"line": "build", **fields})
        return [code for code, _ in scope_faults(LINES, [change])]

    new = NewLine(title="New", pricing="fixed")
    assert found(hours=(more("architect", -300), more("tester", 5))) == []
    assert found(hours=(more("architect", -301),)) == ["hours-below-zero"]
    assert found(hours=(more("tester", -1),)) == ["hours-below-zero"]
    assert found(line="other") == ["line-unknown"]
    assert found(new=new) == ["id-repeated"]
    assert found(line="other", new=new, hours=(more("tester", 1),)) == []


@given(
    st.lists(
        st.tuples(st.sampled_from(["build", "support"]), st.integers(-3_000, 3_000)), max_size=8
    )
)
def test_the_price_after_changes_is_the_price_before_and_all_deltas(
    deltas: list[tuple[str, int]],
) -> None:
    lines = LINES
    for name, delta in deltas:
        lines = changed_lines(lines, [LineChange(line=name, price_delta=eur(delta))])
    assert total_price(lines, "EUR") == eur(102_000 + sum(delta for _, delta in deltas))
