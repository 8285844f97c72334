"""Check the open view of an engagement, and the confidential one with costs and margins."""

from datetime import date
from decimal import Decimal

from contracts.legal import EarlyStartAuthorised
from contracts.money import Money
from finance.invoices.decisions import IssueCreditNote
from finance.revenue.decisions import RecogniseRevenue
from finance.service import ENGAGEMENT
from finance.settlement.decisions import SettleAccount
from testkit.scenario import given
from tests.amounts import eur
from tests.unit.finance.builders import (
    AMENDMENT,
    ASSESSED,
    BASELINED,
    ESTIMATE,
    ID,
    SOW,
    TERMINATED,
    accepted,
    allocate,
    contracted,
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
    nothing = given(ENGAGEMENT, ID)
    nothing.then_view(stage="open", currency=None, billed=None, waiting=[], margins=None)
    row = dict.fromkeys(ENGAGEMENT.rows.fields) | {
        "stage": "open",
        "overdue": False,
        "imported": False,
        "booked_to": None,
    }
    assert ENGAGEMENT.rows(nothing.state) == row


def test_the_list_shows_the_billing_stage():
    assert ENGAGEMENT.rows(opened().state)["stage"] == "open"
    assert ENGAGEMENT.rows(contracted().state)["stage"] == "budgeted"
    late = out().when_deadline("overdue-invoice-start").then_accepted()
    assert ENGAGEMENT.rows(late.state) == {
        "stage": "billing",
        "currency": "EUR",
        "billed": "5000",
        "outstanding": "5000",
        "overdue": True,
        "imported": False,
        "booked_to": None,
    }
    over = hearing(late, TERMINATED).on(date(2026, 6, 1))
    settled = over.after(allocate("invoice-start", eur(5_000)))
    assert ENGAGEMENT.rows(settled.after(SettleAccount()).state)["stage"] == "settled"


def test_the_view_shows_the_last_day_of_all_early_starts():
    longer, shorter = (
        EarlyStartAuthorised(
            cap_hours=Decimal(40), starts_on=date(2026, 3, 2), expires_on=day, reason="Hurry."
        )
        for day in (date(2026, 4, 30), date(2026, 3, 31))
    )
    both = hearing(opened(), longer, shorter)
    both.then_view(early_start_until=date(2026, 4, 30))


def test_the_figures_of_a_view_agree_with_each_other():
    engagement = hearing(out(), ASSESSED, AMENDMENT, time("a"), accepted("design"))
    engagement = engagement.on(date(2026, 5, 4))
    for month in ("03", "04"):
        engagement = engagement.after(RecogniseRevenue(month=f"2026-{month}"))
    engagement = engagement.after(allocate("invoice-start", eur(1_000)))
    note = IssueCreditNote(
        intent="give-back", invoice="invoice-start", amount=eur(500), why="Goodwill."
    )
    engagement = engagement.after(note)
    view = engagement.view
    schedule = view["budget"].schedule
    assert view["budget"].price == Money.total((one.amount for one in schedule), "EUR")
    assert [(one.item, one.due, one.left) for one in schedule][:2] == [
        ("start", eur(5_000), eur(0)),
        ("design", eur(6_000), eur(0)),
    ]
    engagement.then_view(
        billed=eur(4_500), paid=eur(1_000), outstanding=eur(3_500), recognised_to="2026-04"
    )
    difference = view["recognised"] - eur(5_000)  # what was billed by the end of April
    assert view["contract_asset"] - view["contract_liability"] == difference
    assert view["changes"][0].in_budget
    assert [one.stage for one in view["invoices"]] == ["issued", "drafted"]
    assert any("outstanding on 2026-00001" in point.sentence for point in view["open_points"])


def test_costs_and_margins_are_in_the_confidential_view_only():
    engagement = hearing(
        out(), BASELINED, time("a", role="architect", hours=50), progress("t1", 100)
    )
    engagement = hearing(engagement, ASSESSED, report(date(2026, 4, 20)))
    public = ENGAGEMENT.views(engagement.state)
    figures = {"estimate_costs", "change_costs", "budget_cost", "cost_to_date", "earned_value"}
    figures |= {"cost_unknown"}
    figures |= {"margins", "recognised", "recognised_to", "revenue_by_cost", "waiting_for_costs"}
    figures |= {"contract_asset", "contract_liability", "contract_balances", "imported_cost"}
    figures |= {"expected_losses"}
    figures |= {"periods_costed", "booked_with_open_items", "missing_costs_to_close"}
    assert set(ENGAGEMENT.confidential_views.fields) == figures
    assert not [name for name in public if "cost" in name or "margin" in name]
    shown, hidden = ENGAGEMENT.views.model("Open"), ENGAGEMENT.confidential_views.model("Hidden")
    for secret in ("11220", '"4000"', "11480", "0.439", "1450"):
        assert secret not in shown(**public).model_dump_json()
        figures_of = ENGAGEMENT.confidential_views(engagement.state)
        assert secret in hidden(**figures_of).model_dump_json()
    engagement.then_view(
        budget_cost=eur(11_220),
        cost_to_date=eur(4_000),
        estimate_costs={1: eur(11_220)},
        change_costs={"CR-1": eur(1_450)},
    )
    assert engagement.view["margins"].margin_sold is not None
    measured = engagement.view["earned_value"]
    assert (measured.cost_variance, measured.schedule_variance) == (eur(-800), eur(-1_500))
    assert measured.estimate_at_completion_by_trend == eur(12_750)
    assert measured.estimate_at_completion_as_planned == eur(11_000)
    assert measured.to_complete_performance_index == Decimal("1.129032")


def test_pending_items_are_shown_as_sentences():
    waits = hearing(opened(card=False, costs=False), ESTIMATE, SOW, time("a"))
    told = waits.view["waiting"]
    assert any("estimate 1 needs rate card standard-EUR" in one.sentence for one in told)
    assert not any("developer (a)" in one.sentence for one in told)
    costs = waits.view["waiting_for_costs"]
    assert any("8 h of developer (a) needs standard-EUR" in one.sentence for one in costs)
