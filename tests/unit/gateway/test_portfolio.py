from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from contracts import delivery, finance, legal, sales
from contracts.event import Event
from contracts.money import Money
from contracts.reference import LeavePeriod, LeavePublished, PersonPublished
from contracts.values import Margin, Milestone
from gateway.pages.department_panels import panels
from gateway.pages.names import Names
from gateway.pages.portfolio_page import amounts
from gateway.portfolio.capacity import available_hours
from gateway.portfolio.figures import (
    ConfidentialFigures,
    Figures,
    build_portfolio,
    contribution,
    replace_contribution,
    sum_figures,
)
from gateway.portfolio.summary import summary
from gateway.rules import judge
from gateway.view.engagement_view import View
from testkit.scenario import RecordsOf
from tests.amounts import eur, usd
from tests.builders import Life
from tests.invoices import taxes, untaxed_credit
from tests.unit.gateway.test_contract_lines import altered
from tests.unit.gateway.test_disconnects import margin_measured, measured
from tests.unit.gateway.test_engagement_view import view_of
from tests.unit.imported import IMPORTED
from tests.weeks import approved

TODAY = date(2026, 4, 1)


def figures_of(life: Life) -> Figures:
    view = view_of(life.events)
    return contribution(view, judge(view, TODAY).values())


def test_totals_are_the_sum_of_contributions_and_are_empty_without_any() -> None:
    totals: Figures = {}
    proposed, won, closed = (
        figures_of(each) for each in (Life().proposed(), Life().won(), Life().closed())
    )
    replace_contribution(totals, {}, proposed)
    replace_contribution(totals, {}, closed)
    replace_contribution(totals, proposed, won)

    assert totals == sum_figures([won, closed])
    replace_contribution(totals, won, {})
    replace_contribution(totals, closed, {})
    assert totals == {}


def test_the_portfolio_has_amounts_by_currency_and_null_for_unknown_figures() -> None:
    shown = build_portfolio(
        sum_figures([figures_of(Life().signed()), figures_of(Life().closed())]),
        TODAY,
        Decimal(0),
        with_confidential=True,
    )

    (eur,) = shown.currencies
    assert (eur.backlog, eur.backlog_clean) == (Decimal(100_000), Decimal(100_000))
    assert (eur.billed, eur.outstanding, eur.overdue) == (
        Decimal(100_000),
        Decimal(0),
        Decimal(0),
    )
    assert shown.by_stage["mobilising"] == shown.by_stage["closed"] == 1
    assert shown.confidential is not None
    assert shown.confidential[0].margin_sold.margin == Decimal("0.3000")
    billed = shown.confidential[0].margin_billed
    assert (billed.revenue, billed.cost) == (Decimal(100_000), Decimal(48_000))
    assert shown.customer_satisfaction == Decimal("100.0")
    assert shown.net_promoter_score == Decimal("100.0")
    assert shown.utilisation is None


def test_imported_history_is_a_part_of_its_own() -> None:
    lost = IMPORTED.model_copy(update={"outcome": "lost", "value": usd(9)})
    deal = IMPORTED.model_copy(update={"outcome": "open", "value": eur(70), "probability": 50})
    adopted = Life().say(1, deal).opened()
    totals = sum_figures(
        figures_of(each)
        for each in (
            Life().say(1, IMPORTED),
            Life().say(1, lost),
            Life().say(1, deal),
            Life().say(1, deal.model_copy(update={"value": None})),
            adopted,
        )
    )
    shown = build_portfolio(totals, TODAY, None, with_confidential=False)
    assert (shown.engagements, shown.by_stage["opportunity"], shown.by_stage["closed"]) == (1, 1, 0)
    assert (shown.imported, shown.imported_history) == (5, {"open": 2, "won": 1, "lost": 1})
    in_eur, in_usd = shown.currencies
    assert in_eur.imported_history == {"open": 70, "won": 100_000, "lost": 0}
    assert in_usd.imported_history == {"open": 0, "won": 0, "lost": 9}
    expected = view_of(adopted.events).price
    assert expected is not None
    assert in_eur.pipeline == {"opportunity": expected.amount, "proposal": 0}
    assert in_usd.pipeline == {"opportunity": 0, "proposal": 0}


def test_the_backlog_has_won_engagements_at_the_price_that_was_sold_or_signed() -> None:
    begun = Life().proposed()
    begun.say(12, delivery.KickoffHeld(held_on=begun.day(12), attendees=("max",)), begun.plan(1))
    dearer = altered(Life().won(), sales.OpportunityOpened, expected_value=eur(900_000))
    totals = sum_figures(figures_of(each) for each in (begun, dearer))
    shown = build_portfolio(totals, TODAY, None, with_confidential=True)

    (currency,) = shown.currencies
    assert (currency.backlog, currency.backlog_clean) == (Decimal(100_000), Decimal(0))
    assert currency.pipeline == {"opportunity": 0, "proposal": 100_000}


def confidential(*lives: Life) -> ConfidentialFigures:
    totals = sum_figures(figures_of(each) for each in lives)
    shown = build_portfolio(totals, TODAY, None, with_confidential=True)
    assert shown.confidential is not None
    (currency,), (figures,) = shown.currencies, shown.confidential
    assert figures.margin_billed.without or figures.margin_billed.revenue == currency.billed
    return figures


def test_margins_follow_what_is_billed_and_recognised_without_a_new_measurement() -> None:
    done = Life().closed()
    old = margin_measured(done, "18").model_copy(
        update={
            "margin_billed": Margin(revenue=eur(30_000), cost=eur(9_000), margin=Decimal("0.7"))
        }
    )
    figures = confidential(done.say(96, old))
    assert (figures.margin_billed.revenue, figures.margin_billed.without) == (
        Decimal(100_000),
        0,
    )
    assert figures.margin_billed.cost == figures.cost == 48_000
    assert (figures.margin_recognised.revenue, figures.margin_recognised.cost) == (
        Decimal(100_000),
        Decimal(48_000),
    )
    assert figures.margin_forecast.revenue == 100_000


def test_cost_of_recognised_revenue_is_that_to_the_end_of_its_month() -> None:
    recognised = finance.RevenueByCostRecognised(
        month="2026-03",
        obligation="fixed",
        method="cost-to-cost",
        amount=eur(50_000),
        cumulative=eur(50_000),
    )
    life = Life().worked().say(150, recognised)
    costs = view_of(life.events).confidential.cost_by_month
    later = Money.total((each for month, each in costs.items() if month > "2026-03"), "EUR")
    figures = confidential(life)
    assert later.amount > 0
    assert figures.margin_recognised.revenue == 50_000
    assert figures.margin_recognised.cost == figures.cost - later.amount

    other = finance.RevenueRecognised(
        month="2026-02",
        obligation="support",
        method="as-invoiced",
        amount=eur(10),
        cumulative=eur(10),
    )
    behind = confidential(life.say(151, other)).margin_recognised
    assert behind.revenue == 0
    assert behind.without == 1


def test_an_engagement_whose_cost_is_not_known_is_counted_as_without_a_margin() -> None:
    known, unknown = Life().closed(), Life().closed()
    unknown.say(170, approved("late", unknown.week(20), 8))
    figures = confidential(known, unknown)
    assert (figures.margin_billed.revenue, figures.margin_billed.without) == (
        Decimal(100_000),
        1,
    )
    assert (figures.margin_recognised.revenue, figures.margin_recognised.without) == (
        Decimal(100_000),
        1,
    )
    assert figures.margin_sold.without == 0


def test_earned_value_is_added_over_the_engagements_that_are_measured() -> None:
    life = Life().worked(8)
    figures = confidential(
        life.say(95, measured(life, "0.78", "0.80")), Life().worked(8)
    ).performance
    assert figures.planned_value == 40_000
    assert figures.earned_value == 32_000
    assert figures.cost_performance_index == Decimal("0.7805")
    assert figures.schedule_performance_index == Decimal("0.8000")
    assert figures.without == 1


def test_the_margin_of_negative_revenue_is_not_known() -> None:
    figures = {**figures_of(Life().signed()), "EUR.margin-billed.revenue": Decimal(-913)}
    shown = build_portfolio(figures, TODAY, Decimal(0), with_confidential=True)
    assert shown.confidential is not None
    assert shown.confidential[0].margin_billed.margin is None


def test_utilisation_is_billable_over_available_hours_of_the_last_four_full_weeks() -> None:
    shown = build_portfolio(
        figures_of(Life().worked(8)), TODAY, Decimal(320), with_confidential=False
    )

    assert shown.utilisation == Decimal(4 * 40) / 320
    unknown = build_portfolio(figures_of(Life().worked(8)), TODAY, None, with_confidential=False)
    assert unknown.utilisation is None


def test_available_hours_of_the_portfolio_are_those_of_delivery_in_the_last_full_weeks() -> None:
    dev = PersonPublished(person="dev", name="Dev", department="delivery")
    ann = PersonPublished(person="ann", name="Ann", department="sales")
    gone = PersonPublished(
        person="gone", name="Gone", department="delivery", left=date(2026, 3, 13)
    )
    leave = LeavePublished(
        person="dev",
        periods=(LeavePeriod(first=date(2026, 3, 2), last=date(2026, 3, 3)),),
    )
    wednesday = date(2026, 4, 1)  # the weeks from 2 to 29 March
    assert available_hours(RecordsOf([dev, ann]), wednesday) == 4 * 40
    assert available_hours(RecordsOf([dev, gone, leave]), wednesday) == 4 * 40 - 16 + 2 * 40
    abroad = dev.model_copy(update={"calendar": "nil"})
    assert available_hours(RecordsOf([abroad]), wednesday) is None


def test_people_count_in_the_portfolio_in_the_weeks_in_which_they_belong_to_delivery() -> None:
    dev = PersonPublished(person="dev", name="Dev", department="delivery")
    wednesday = date(2026, 4, 1)  # the weeks from 2 to 29 March
    for moved_on, weeks in ((date(2026, 5, 1), 4), (date(2026, 3, 16), 2), (date(2026, 3, 1), 0)):
        moved = dev.model_copy(
            update={"department": "sales", "calendar": "nil", "effective_from": moved_on}
        )
        assert available_hours(RecordsOf([dev, moved]), wednesday) == weeks * 40


def test_confidential_disconnects_are_not_counted_for_other_readers() -> None:
    life = Life().worked(8)
    life.say(95, life.report(9, 95, finish=180), margin_measured(life, "18"))
    figures = figures_of(life)
    told = build_portfolio(figures, TODAY, Decimal(0), with_confidential=False)
    known = build_portfolio(figures, TODAY, Decimal(0), with_confidential=True)

    assert told.disconnects == {"serious": 1, "warning": 0, "waived": 0}
    assert known.disconnects == {"serious": 2, "warning": 0, "waived": 0}
    assert told.confidential is None
    assert [each.at_stake for each in judge(view_of(life.events), TODAY).values()] == [
        None,
        eur(12_000),
    ]
    for shown in (told, known):
        (currency,) = shown.currencies
        assert currency.at_stake == currency.at_stake_sum == 0
    assert told.at_stake_unknown == known.at_stake_unknown == 1


def late(per_day: int) -> Life:
    """Return an engagement whose finish is 30 days late, and two milestones of the plan 3 and 5."""
    life = altered(Life().worked(8), legal.SowDrafted, cost_of_delay_per_day=eur(per_day))
    plan, days = life.plan(2), (TODAY - life.begins).days
    missed = tuple(
        Milestone(milestone=f"late-{each}", title="Release", due_on=life.day(days - each))
        for each in (3, 5)
    )
    plan = plan.model_copy(update={"milestones": (*missed, *plan.milestones)})
    return life.say(80, plan, life.report(9, 80, finish=180))


@pytest.mark.parametrize(
    ("per_day", "together", "added"), [(100, 3_000, 3_800), (10_000, 100_000, 180_000)]
)
def test_stakes_count_a_delay_once_and_at_most_the_price_beside_their_sum(
    per_day: int, together: int, added: int
) -> None:
    shown = build_portfolio(figures_of(late(per_day)), TODAY, None, with_confidential=False)

    (currency,) = shown.currencies
    assert (currency.at_stake, currency.at_stake_sum) == (Decimal(together), Decimal(added))
    stated = [("At stake", f"{together:,}"), ("Sum of all disconnects", f"{added:,}")]
    (group,) = (each for each in amounts(shown) if each.label == "Disconnects")
    assert [(line.label, *line.cells) for line in group.lines] == stated


def test_stakes_are_limited_engagement_by_engagement_and_waived_ones_do_not_count() -> None:
    lives = (late(10_000), late(100))
    twice = sum_figures(figures_of(each) for each in lives)
    assert twice["EUR.at-stake"] == 103_000

    view = view_of(late(100).events)
    found = judge(view, TODAY)
    waived = contribution(view, found.values(), ["promised-finish-before-forecast"])
    assert waived["EUR.at-stake"] == 500
    assert waived["EUR.at-stake-sum"] == 800


def test_stakes_in_another_currency_are_apart_from_those_in_the_currency_of_the_price() -> None:
    view = view_of(late(10_000).events)
    found = [*judge(view, TODAY).values()]
    foreign = replace(found[0], finding="foreign", at_stake=usd(120_000), is_late=False)
    figures = contribution(view, [*found, foreign])
    assert figures["EUR.at-stake"] == 100_000
    assert figures["USD.at-stake"] == 120_000


def fallen_due(*events: Event) -> View:
    """Return a view with an overdue advance of 30,000 EUR, and these events after it."""
    life = Life().signed()
    life.say(26, *life.invoice(life.schedule()[0], 1, 26))
    overdue = finance.PaymentOverdue(
        invoice="I-advance", due_on=life.day(56), outstanding=eur(30_000)
    )
    return view_of(life.say(57, overdue, *events).events)


def credited(amount: int) -> finance.CreditNoteIssued:
    return finance.CreditNoteIssued(
        credit_note=f"credit-{amount}",
        number=f"CN-2026-{amount:05}",
        invoice="I-advance",
        **untaxed_credit(eur(amount)),
        why="Late delivery.",
        issued_on=TODAY,
    )


VOID = finance.InvoiceVoided(
    invoice="I-advance",
    number="2026-00001",
    amount=eur(30_000),
    why="Twice.",
    voided_on=TODAY,
    ends_event=False,
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
def test_credited_or_void_invoices_are_not_overdue(
    events: tuple[Event, ...], overdue: int, shown: str
) -> None:
    view = fallen_due(*events)
    (invoice,) = view.finance.invoices.values()
    panel = next(
        each
        for each in panels(view, Names(RecordsOf([])), date(2026, 6, 1), confidential=False)
        if each.department == "finance"
    )

    assert contribution(view, ()).get("EUR.overdue", 0) == overdue
    assert (invoice.overdue is None) == (overdue == 0)
    assert any(shown in line for row in panel.rows for line in row.lines if row.label == "Invoices")


@pytest.mark.parametrize(
    "end",
    [
        legal.EngagementTerminated(reason="mutual", terminated_on=TODAY),
        delivery.EngagementClosed(closed_on=TODAY),
        sales.DealLost(reason="price", lost_on=TODAY),
    ],
    ids=lambda end: end.type,
)
def test_an_ended_engagement_is_not_on_hold(end: Event) -> None:
    life = Life().worked(8)
    resting = life.say(96, delivery.EngagementPutOnHold(reason="Freeze.", held_on=TODAY))
    assert figures_of(resting)["on-hold"] == 1
    assert summary(view_of(resting.events), {}).on_hold

    over = resting.say(97, end)
    assert "on-hold" not in figures_of(over)
    assert not summary(view_of(over.events), {}).on_hold


def test_billed_amounts_are_without_tax_and_owed_ones_with_tax() -> None:
    life = Life().signed()
    due, invoice = life.invoice(life.schedule()[0], 1, 26)
    tax = taxes(eur(30_000), eur(5_700))
    given_back = credited(1_000).model_copy(update={"tax": taxes(eur(1_000), eur(190))})
    paid = finance.PaymentAllocated(
        payment="P-1",
        allocation="A-1",
        invoice="I-advance",
        amount=eur(20_000),
        received_on=life.day(27),
    )
    life.say(26, due, invoice.model_copy(update={"tax": tax}))
    found = view_of(life.say(27, given_back, paid).events).finance
    assert found.billed("EUR") == eur(29_000)
    assert (found.paid("EUR"), found.outstanding("EUR")) == (eur(20_000), eur(14_510))
