"""Check the open view of an engagement, and the confidential one with costs and margins."""

from datetime import date
from decimal import Decimal

import pytest

from contracts.legal import EarlyStartAuthorised
from contracts.money import Money
from finance.decider import ENGAGEMENT
from finance.invoicing import IssueCreditNote, RecordPayment
from finance.revenue import RecogniseRevenue
from finance.settling import SettleAccount
from finance.views import LISTED, confidential_view, engagement_view, listed
from testkit.scenario import given
from tests.unit.finance.life import (
    AMENDMENT,
    ASSESSED,
    BASELINED,
    ESTIMATE,
    ID,
    SOW,
    TERMINATED,
    accepted,
    contracted,
    eur,
    hearing,
    issued,
    opened,
    progress,
    report,
    time,
)


def out():
    return issued(contracted(), "invoice-start", "2026-00001", date(2026, 4, 1))


def test_an_unknown_engagement_can_be_shown():
    nothing = given(ENGAGEMENT, ID).state
    view = engagement_view(nothing)
    assert (view.stage, view.currency, view.billed, view.waiting) == ("open", None, None, [])
    assert confidential_view(nothing).margins is None
    assert listed(nothing) == dict.fromkeys(LISTED) | {"stage": "open", "overdue": False}


def test_the_list_shows_the_billing_stage():
    assert listed(opened().state)["stage"] == "open"
    assert listed(contracted().state)["stage"] == "budgeted"
    late = out().when_deadline("overdue-invoice-start").then_accepted()
    assert listed(late.state) == {
        "stage": "billing",
        "currency": "EUR",
        "billed": "5000",
        "outstanding": "5000",
        "overdue": True,
    }
    over = hearing(late, TERMINATED).on(date(2026, 6, 1))
    settled = over.after(RecordPayment(invoice="invoice-start", amount=eur(5_000)))
    assert listed(settled.after(SettleAccount()).state)["stage"] == "settled"


def test_the_view_shows_the_last_day_of_all_early_starts():
    longer, shorter = (
        EarlyStartAuthorised(cap_hours=Decimal(40), expires_on=day, reason="Hurry.")
        for day in (date(2026, 4, 30), date(2026, 3, 31))
    )
    both = hearing(opened(), longer, shorter)
    assert engagement_view(both.state).early_start_until == date(2026, 4, 30)


def test_the_figures_of_a_view_agree_with_each_other():
    engagement = hearing(out(), ASSESSED, AMENDMENT, time("a"), accepted("design"))
    engagement = engagement.on(date(2026, 5, 4))
    for month in ("03", "04"):
        engagement = engagement.after(RecogniseRevenue(month=f"2026-{month}"))
    engagement = engagement.after(RecordPayment(invoice="invoice-start", amount=eur(1_000)))
    note = IssueCreditNote(invoice="invoice-start", amount=eur(500), why="Goodwill.")
    view = engagement_view(engagement.after(note).state)
    assert view.budget is not None
    assert view.budget.price == Money.total((one.amount for one in view.budget.schedule), "EUR")
    assert [(one.item, one.due, one.left) for one in view.budget.schedule][:2] == [
        ("start", eur(5_000), eur(0)),
        ("design", eur(6_000), eur(0)),
    ]
    assert (view.billed, view.paid, view.outstanding) == (eur(4_500), eur(1_000), eur(3_500))
    assert view.recognised_to == "2026-04"
    assert view.recognised is not None
    assert view.billed is not None
    assert view.contract_asset is not None
    assert view.contract_liability is not None
    assert view.contract_asset - view.contract_liability == view.recognised - view.billed
    assert view.changes[0].in_budget
    assert [one.stage for one in view.invoices] == ["issued", "drafted"]
    assert any("outstanding on 2026-00001" in point.sentence for point in view.open_points)


def test_costs_and_margins_are_in_the_confidential_view_only():
    engagement = hearing(
        out(), BASELINED, time("a", role="architect", hours=50), progress("t1", 100)
    )
    engagement = hearing(engagement, ASSESSED, report(date(2026, 4, 20)))
    public = engagement_view(engagement.state)
    assert not [name for name in type(public).model_fields if "cost" in name or "margin" in name]
    for secret in ("11220", '"4000"', "11480", "0.439", "1450"):
        assert secret not in public.model_dump_json()
        assert secret in confidential_view(engagement.state).model_dump_json()
    view = confidential_view(engagement.state)
    assert (view.budget_cost, view.cost_to_date) == (eur(11_220), eur(4_000))
    assert view.estimate_costs == {1: eur(11_220)}
    assert view.change_costs == {"CR-1": eur(1_450)}
    assert view.margins is not None
    assert view.margins.margin_sold is not None
    assert view.earned_value is not None
    measured = view.earned_value
    assert (measured.cost_variance, measured.schedule_variance) == (eur(-800), eur(-1_750))
    assert measured.estimate_at_completion_by_trend == eur(12_750)
    assert measured.estimate_at_completion_as_planned == eur(11_000)
    assert measured.to_complete_performance_index == "1.129032"


def _total(amount: str) -> Money:
    return Money.model_construct(amount=Decimal(amount), currency="EUR")


@pytest.mark.parametrize(
    ("bac", "pv", "earned", "ac"),
    [
        ("1e26", "1e26", "0.01", "1e26"),
        ("0", "0", "0", "1e26"),
        ("1e26", "0.01", "1e26", "0.01"),
        ("0.01", "0", "0.01", "0"),
    ],
)
def test_every_measurement_can_be_shown(bac: str, pv: str, earned: str, ac: str):
    engagement = hearing(out(), BASELINED, report(date(2026, 4, 20)))
    assert engagement.state.performance is not None
    measured = engagement.state.performance.model_copy(
        update={
            "budget_at_completion": _total(bac),
            "planned_value": _total(pv),
            "earned_value": _total(earned),
            "actual_cost": _total(ac),
        }
    )
    state = engagement.state.model_copy(update={"performance": measured})
    shown = confidential_view(state).earned_value
    assert shown is not None
    assert shown.cost_variance.amount == Decimal(earned) - Decimal(ac)


def test_pending_items_are_shown_as_sentences():
    waits = hearing(opened(card=False, costs=False), ESTIMATE, SOW, time("a"))
    told = engagement_view(waits.state).waiting
    assert any("estimate 1 needs rate card standard-EUR" in one.sentence for one in told)
    assert any("8 h of developer (a) needs standard-EUR" in one.sentence for one in told)
