"""Check that an amendment earns revenue from the day of its signature only."""

from datetime import date
from decimal import Decimal

import pytest

from contracts.delivery import ChangeImplemented, EngagementClosed
from contracts.event import Event
from contracts.finance import LossProvided
from contracts.values import RevenueMethod, RoleHours
from finance.pending.decisions import CatchUp
from finance.settlement.decisions import SettleAccount
from testkit.scenario import like
from tests.amounts import eur
from tests.unit.finance.builders import (
    ADDED,
    AMENDMENT,
    ASSESSED,
    BASELINED,
    CARD,
    COSTS,
    ESTIMATE,
    NO_HOURS,
    PROPOSED,
    REPORT,
    REPORT_ENTRY,
    SCHEDULE,
    SIGNED,
    SOW,
    SOW_SIGNED,
    TASKS,
    accepted,
    amendment,
    assessed,
    at_acceptance,
    contracted,
    cut_by,
    delivered,
    entry,
    fixed_line,
    hearing,
    line_change,
    method,
    opened,
    rates,
    recognise,
    recognised,
    report,
    scope,
    sow_of,
    time,
    year_end,
)

MAY_4 = date(2026, 5, 4)
TWO = tuple(one.model_copy(update={"amount": eur(10_000)}) for one in SCHEDULE[1:3])
"""Two deliverables of 10,000 EUR each, paid on acceptance."""


def doubled(signed_on: date) -> tuple[Event, Event]:
    """Return a change of 20,000 EUR that costs another 10,000 EUR, and its amendment."""
    item = REPORT_ENTRY.model_copy(update={"amount": eur(20_000)})
    change = line_change(20_000, added=(REPORT,), billing=(item,))
    return assessed(scope(developer=200)), amendment(change, signed_on=signed_on)


def test_a_change_signed_after_the_last_report_is_in_the_expected_cost_as_in_the_price():
    worked = hearing(
        contracted(),
        BASELINED,
        time("a", role="architect", hours=40),
        report(date(2026, 4, 15), hours_to_complete=110),
        *doubled(signed_on=date(2026, 4, 27)),
    )
    # 3,200 of 10,680 measured + 10,000 of the change, x 40,000
    year_end(worked).after(recognise("03")).when(recognise("04")).then(
        entry("04", "6189.56", "6189.56", "cost-to-cost")
    )


def test_a_change_that_is_planned_before_it_is_signed_is_in_neither():
    change, signed = doubled(signed_on=date(2026, 5, 4))
    more = TASKS[1].model_copy(
        update={"task": "t3", "hours": (RoleHours(role="developer", hours=Decimal(200)),)}
    )
    plan = {"version": 2, "tasks": (*TASKS, more), "changes": ("CR-1",)}
    worked = hearing(
        contracted(),
        BASELINED,
        time("a", role="architect", hours=40),
        change,
        BASELINED.model_copy(update=plan),
        report(date(2026, 4, 29), hours_to_complete=310),
        signed,
    )
    # 350 h cost 20,200: 3,200 + 310 h = 21,091.43 measured, less the unsigned 10,000
    april = year_end(worked).after(recognise("03")).when(recognise("04"))
    april.then(entry("04", "5770.22", "5770.22", "cost-to-cost"))
    # and with them once they are signed: 3,200 of 21,091.43 x 40,000
    april.after.when(recognise("05")).then(entry("05", "298.60", "6068.82", "cost-to-cost"))


SIGNED_EARLY = date(2026, 4, 10)


@pytest.mark.parametrize(
    ("change", "hours", "earned"),
    [
        (doubled(SIGNED_EARLY), 310, "5271.83"),  # 3,200 of 3,200 + 310 x 68, x 40,000
        (
            (
                assessed(scope(developer=-100)),
                amendment(line_change(-10_000), signed_on=SIGNED_EARLY),
            ),
            10,
            "8247.42",  # 3,200 of 3,200 + 10 x 68, x 10,000
        ),
    ],
)
def test_hours_to_complete_that_are_stated_after_a_signature_contain_the_change(
    change: tuple[Event, Event], hours: int, earned: str
) -> None:
    done = (BASELINED, time("a", role="architect", hours=40), *change)
    worked = hearing(contracted(), *done, report(date(2026, 4, 20), hours_to_complete=hours))
    april = year_end(worked).after(recognise("03")).when(recognise("04"))
    april.then(entry("04", earned, earned, "cost-to-cost"))


def test_an_amendment_is_a_cumulative_catch_up_in_the_month_it_was_signed():
    worked = hearing(
        contracted(),
        time("a", role="architect", hours=40),
        ASSESSED,
        amendment(ADDED, signed_on=date(2026, 5, 5)),
    )
    april = year_end(worked).after(recognise("03")).after(recognise("04"))
    assert recognised(april, "04") == eur("5704.10")
    # 3,200 of 11,220 + 1,450 expected x 22,900
    april.when(recognise("05")).then(entry("05", "79.64", "5783.74", "cost-to-cost"))


def test_a_price_cut_takes_revenue_back():
    worked = hearing(contracted(), time("a", role="architect", hours=40))
    april = worked.on(date(2026, 5, 1)).after(recognise("03")).after(recognise("04"))
    cut = cut_by(10_000, signed_on=date(2026, 5, 5))
    later = year_end(hearing(april, NO_HOURS, cut))
    # Of 8,020 EUR to come, 7,147.95 are earned; the contract now loses money.
    later.when(recognise("05")).then(
        entry("05", "-2852.05", "2852.05", "cost-to-cost"),
        like(LossProvided, amount=eur("872.05")),
    )


@pytest.mark.parametrize("name", ["cost-to-cost", "at-acceptance"])
def test_a_month_is_recognised_by_the_scope_that_was_signed_by_its_end(name: RevenueMethod):
    sow = sow_of(fixed_line(*TWO))
    papers = opened().when_consumed(ESTIMATE, PROPOSED, sow).then_accepted()
    chosen = papers.after(method(name))
    april = hearing(
        chosen.on(SIGNED),
        SOW_SIGNED,
        time("a", role="architect", hours=10),
        accepted("design", date(2026, 4, 20)),
    )
    less = hearing(april, NO_HOURS, cut_by(10_000, "portal", signed_on=MAY_4))
    more = hearing(april, ASSESSED, amendment(ADDED, signed_on=MAY_4))
    as_of_april = {
        recognised(
            scenario.on(date(2026, 5, 6)).after(recognise("03")).after(recognise("04")), "04"
        )
        for scenario in (april, less, more)
    }
    assert as_of_april == {eur("10000" if name == "at-acceptance" else "1426.02")}
    april = year_end(less).after(recognise("03")).after(recognise("04"))
    assert recognised(april.after(recognise("05")), "05") == eur(10_000)


def test_a_later_addition_does_not_reduce_a_month_with_everything_accepted():
    done = hearing(
        at_acceptance(*TWO),
        accepted("design", date(2026, 4, 20)),
        accepted("portal", date(2026, 4, 28)),
        ASSESSED,
        amendment(ADDED, signed_on=MAY_4),
    )
    april = year_end(done).after(recognise("03")).after(recognise("04"))
    assert recognised(april, "04") == eur(20_000)


def test_a_price_that_was_cut_to_nothing_earns_nothing():
    none = hearing(at_acceptance(), NO_HOURS, cut_by(20_000, signed_on=SIGNED))
    half = hearing(none, accepted("design", date(2026, 3, 30)))
    year_end(half).when(recognise("03")).then(
        entry("03", 0, 0, "at-acceptance"), like(LossProvided)
    )


def test_a_change_order_after_settling_earns_by_the_method_again():
    months = delivered().after(SettleAccount(settled_on=date(2026, 8, 4))).on(date(2026, 9, 1))
    for month in ("03", "04", "05", "06", "07", "08"):
        months = months.after(recognise(month))
    assert recognised(months, "08") == eur(20_000)
    signed = amendment(ADDED, signed_on=date(2026, 9, 7))
    september = year_end(hearing(months, ASSESSED, signed))
    # 3,200 of 11,220 + 1,450 expected x 22,900, until the report is accepted
    assert recognised(september.after(recognise("09")), "09") == eur("5783.74")
    whole = hearing(september, accepted("report", date(2026, 9, 29)))
    assert recognised(whole.after(recognise("09")), "09") == eur(22_900)


def test_a_change_with_unknown_cost_prevents_recognition():
    no_tester = COSTS.model_copy(
        update={"rates": rates(architect=80, developer=50, project_manager=100)}
    )
    known = contracted().knowing(CARD, no_tester)
    worked = hearing(known, time("a", role="architect", hours=40), ASSESSED, AMENDMENT)
    march = year_end(worked).after(recognise("03"))
    march.when(recognise("04"), roles=["confidential"]).then_refused(
        "revenue-not-measurable", missing={"cost-unknown"}, saying="CR-1"
    )
    caught_up = march.knowing(CARD, COSTS).after(CatchUp())
    # 3,200 of 11,220 + 1,450 expected x 22,900
    caught_up.when(recognise("04")).then(entry("04", "5783.74", "5783.74", "cost-to-cost"))


@pytest.mark.parametrize("name", ["cost-to-cost", "at-acceptance"])
def test_a_change_by_hours_alone_is_earned_when_it_is_implemented(name: RevenueMethod):
    papers = opened().when_consumed(ESTIMATE, PROPOSED, SOW).then_accepted()
    chosen = papers.after(method(name))
    done = hearing(
        chosen.on(SIGNED),
        SOW_SIGNED,
        time("a", role="architect", hours=50),
        accepted("design"),
        accepted("portal"),
    )
    entry_of_it = SCHEDULE[3].model_copy(update={"item": "more", "amount": eur(2_900)})
    by_hours = amendment(line_change(billing=(entry_of_it,)), signed_on=date(2026, 6, 10))
    june = year_end(hearing(done, ASSESSED, by_hours))
    for month in ("03", "04", "05", "06"):
        june = june.after(recognise(month))
    assert recognised(june, "06") == eur(20_000)
    implemented = ChangeImplemented(change="CR-1", implemented_on=date(2026, 7, 20))
    july = hearing(june, implemented).when(recognise("07"))
    july.then(entry("07", 2_900, 22_900, name))
    closed = hearing(june, EngagementClosed(closed_on=date(2026, 7, 1)))
    assert recognised(closed.after(recognise("07")), "07") == eur(22_900)
