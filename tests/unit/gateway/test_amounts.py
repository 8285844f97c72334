"""Exposure and amount at stake of the disconnects of each rule; an unknown amount is None."""

from datetime import timedelta
from decimal import Decimal

import pytest

from contracts import delivery, finance, legal, sales
from contracts.event import Event
from contracts.lines import LineRate, LineScopeChange, NewLine
from contracts.money import Money
from contracts.values import Margin
from gateway.rules import RULES, Disconnect
from gateway.rules.amounts import at_most, total, value_of_hours
from gateway.rules.rule import midnight
from gateway.rules.sides import side
from tests.amounts import eur, per_hour
from tests.builders import Life, line_change
from tests.invoices import untaxed
from tests.unit.gateway.test_contract_lines import altered
from tests.unit.gateway.test_disconnects import (
    findings,
    margin_measured,
    measured,
    only,
    rebaselined,
)
from tests.unit.gateway.test_engagement_view import view_of
from tests.weeks import approved, submitted

WHOLE, BUILD, MANAGE = eur(100_000), eur(80_000), eur(20_000)
DOLLARS = Money(amount=Decimal(1), currency="USD")


def rated(life: Life, *, engineer: str = "100.005", manager: str = "125") -> Life:
    """Return the engagement with bill rates per hour on its two lines."""
    build, manage = life.lines()
    lines = (
        build.model_copy(update={"rates": (rate("engineer", engineer),)}),
        manage.model_copy(update={"rates": (rate("project-manager", manager),)}),
    )
    for kind in (sales.DealWon, legal.SowDrafted, finance.BudgetSet):
        life = altered(life, kind, lines=lines)
    return life


def rate(role: str, amount: str) -> LineRate:
    return LineRate(role=role, rate=per_hour(amount))


def amounts(found: Disconnect) -> tuple[Money | None, Money | None]:
    return found.exposure, found.at_stake


def life_price(life: Life) -> Money | None:
    return view_of(life.events).price


def worked(life: Life, hours: int, *, line: str | None = None) -> delivery.TimeApproved:
    return approved("T-x", life.week(8), hours, line=line)


def test_a_delay_costs_days_at_the_agreed_cost_and_is_unknown_without() -> None:
    life = Life().worked(8)
    agreed = altered(life, legal.SowDrafted, cost_of_delay_per_day=eur(500))
    late = life.report(9, 95, finish=152)

    assert amounts(only(life.say(95, late))) == (WHOLE, None)
    assert amounts(only(agreed.say(95, late))) == (WHOLE, eur(1_000))


def test_neither_amount_is_above_the_price_of_the_engagement() -> None:
    life = altered(Life().worked(8), legal.SowDrafted, cost_of_delay_per_day=eur(50_000))
    found = only(life.say(95, life.report(9, 95, finish=180)))
    assert amounts(found) == (WHOLE, WHOLE)
    assert found.days == 30


def test_amounts_are_not_cut_where_the_price_is_unknown_or_in_another_currency() -> None:
    assert at_most(eur(5), None) == eur(5)
    assert at_most(DOLLARS * 5, eur(1)) == DOLLARS * 5
    assert at_most(None, eur(1)) is None


def test_the_exposure_is_never_below_what_is_at_stake() -> None:
    rule, said = next(iter(RULES)), (side("sales", "5 EUR"), side("legal", "8 EUR"))
    found = rule.disconnect(
        "They differ.",
        (),
        sides=said,
        since=midnight(Life().begins),
        exposure=eur(1),
        at_stake=eur(3),
    )
    assert amounts(found) == (eur(3), eur(3))


def test_deliverables_expose_the_price_of_the_lines_that_pay_for_them() -> None:
    life = Life().kicked_off()
    missing = only(rebaselined(life, deliverables=life.plan(1).deliverables[:1]), 45)
    assert amounts(missing) == (BUILD, None)


def test_hours_are_worth_the_rate_of_their_line_rounded_once() -> None:
    found = only(rebaselined(rated(Life().kicked_off()), hours=991), 45)
    assert amounts(found) == (BUILD, eur("19100.96"))  # 191 x 100.005

    found = only(rebaselined(rated(Life().kicked_off()), management=80), 45)
    assert amounts(found) == (MANAGE, eur(10_000))
    found = only(rebaselined(Life().kicked_off(), management=80), 45)
    assert amounts(found) == (MANAGE, None)


def test_a_missing_manager_exposes_the_proposal() -> None:
    found = only(Life().proposed().without(delivery.ManagerAssigned), 12)
    assert amounts(found) == (WHOLE, None)


@pytest.mark.parametrize(
    ("life", "role", "at_stake"),
    [
        (rated(Life().won(), engineer="120"), "engineer", eur(3_600)),
        (rated(Life().won(), engineer="120"), "project-manager", eur(3_750)),
        (Life().won(), "engineer", eur(3_000)),
        (Life().proposed(), "engineer", eur(3_000)),
        (Life().won(), "designer", None),
        (Life().opened(), "engineer", None),
    ],
    ids=["line", "other line", "estimate, deal", "estimate, proposal", "no rate", "no estimate"],
)
def test_work_before_the_signature_is_worth_the_rate_of_its_role(
    life: Life, role: str, at_stake: Money | None
) -> None:
    time = approved("T-x", life.week(0) - timedelta(weeks=3), 30, role=role, task="initiation")
    found = findings(life.say(16, time), 17)["work-before-signature"]
    assert found.exposure == life_price(life)
    assert found.at_stake == at_stake


def test_uncovered_work_is_worth_the_rate_of_its_line_or_the_one_of_all_lines() -> None:
    """Check that lines with different rates of a role leave only hours of no line unknown."""
    build, manage = rated(Life()).lines()
    lines = (
        build.model_copy(update={"rates": (rate("engineer", "100"), rate("designer", "90"))}),
        manage.model_copy(update={"rates": (rate("engineer", "110"),)}),
    )
    life = altered(Life().kicked_off(), legal.SowDrafted, lines=lines)
    held = delivery.EngagementPutOnHold(reason="No data.", held_on=life.day(40))
    monday = life.week(8)
    on_line = altered(life, legal.SowDrafted, lines=lines).say(
        94,
        held,
        submitted("T-1", monday, 10),
        submitted("T-2", monday, 10, person="max", task="manage"),
    )
    rule = f"work-on-hold.{life.day(40)}"
    assert findings(on_line)[rule].at_stake == eur(2_100)
    unbilled = submitted("T-9", monday, 10, person="eva", billable=False)
    assert findings(on_line.say(94, unbilled))[rule].at_stake == eur(2_100)
    alone = altered(life, legal.SowDrafted, lines=lines).say(94, held, unbilled)
    assert findings(alone)[rule].at_stake == eur(0)
    unknown = submitted("T-3", monday, 10, person="ann", task="unheard-of")
    found = findings(altered(life, legal.SowDrafted, lines=lines).say(94, unknown))
    assert found["work-outside-plan"].at_stake is None
    designer = submitted("T-3", monday, 10, person="ann", task="unheard-of", role="designer")
    found = findings(altered(life, legal.SowDrafted, lines=lines).say(94, designer))
    assert found["work-outside-plan"].at_stake == eur(900)


def test_work_on_an_unsigned_change_is_worth_its_hours_at_the_rates_of_the_change() -> None:
    new = NewLine(title="Support", pricing="time-and-materials")
    line = line_change("support", 10_000, designer=100).model_copy(
        update={"new": new, "rates": (rate("designer", "90"),)}
    )
    priced = finance.ChangePriced(change="C-1", changes=(line,), price=eur(10_000))
    hours = submitted("T-1", Life().week(8), 10, task="C-1", role="designer")
    assert findings(changed(priced).say(94, hours))["work-on-unsigned-change.C-1"].at_stake == (
        eur(900)
    )
    assert findings(changed().say(94, hours))["work-on-unsigned-change.C-1"].at_stake is None


@pytest.mark.parametrize(("price", "at_stake"), [(100_000, None), (90_000, eur(10_000))])
def test_a_version_that_is_not_the_signed_one(price: int, at_stake: Money | None) -> None:
    life = Life().signed()
    later = life.sow(version=2, price=eur(price))
    found = only(life.say(26, later), 27)
    assert amounts(found) == (eur(price), at_stake)


def test_a_contract_at_another_price() -> None:
    life = altered(Life().signed(), legal.SowDrafted, price=eur(90_000))
    found = findings(life, 27)["sow-price-differs"]
    assert amounts(found) == (WHOLE, eur(10_000))
    dollars = altered(Life().signed(), legal.SowDrafted, price=DOLLARS)
    assert amounts(findings(dollars, 27)["sow-price-differs"]) == (WHOLE, None)


@pytest.mark.parametrize(("per_day", "at_stake"), [(None, None), (eur(500), eur(2_500))])
def test_a_contract_of_other_dates(per_day: Money | None, at_stake: Money | None) -> None:
    life = Life().signed()
    life = altered(life, legal.SowDrafted, finishes_on=life.day(155), cost_of_delay_per_day=per_day)
    assert amounts(findings(life, 27)["sow-dates-differ"]) == (WHOLE, at_stake)
    started = altered(life, legal.SowDrafted, finishes_on=life.day(150), starts_on=life.day(31))
    assert amounts(findings(started, 27)["sow-dates-differ"]) == (WHOLE, None)


def test_a_contract_of_another_scope() -> None:
    life = Life().signed()
    fewer = altered(life, legal.SowDrafted, deliverables=life.plan(1).deliverables[:1])
    assert amounts(findings(fewer, 27)["sow-scope-differs"]) == (BUILD, None)


def billed(life: Life, hours: Decimal | None, charged: str = "110") -> finance.InvoiceIssued:
    line = finance.InvoiceLine(
        invoice_line="L-1",
        description="Time",
        line="build",
        amount=eur(1_100),
        role="engineer",
        hours=Decimal(10),
        rate=per_hour(charged),
    )
    return finance.InvoiceIssued.model_construct(
        invoice="I-1",
        number="2026-00001",
        billing_event="due-1",
        kind="time",
        **untaxed(eur(1_100)),
        advance_drawn=eur(0),
        lines=(line.model_copy(update={"hours": hours}),),
        deliverables=(),
        issued_on=life.day(40),
        due_on=life.day(70),
    )


@pytest.mark.parametrize(("hours", "at_stake"), [(Decimal(10), eur("99.95")), (None, None)])
def test_another_rate_is_worth_hours_at_the_difference(
    hours: Decimal | None, at_stake: Money | None
) -> None:
    life = rated(Life().kicked_off())
    found = only(life.say(40, billed(life, hours)), 45)
    assert amounts(found) == (eur(1_100), at_stake)


def test_billing_before_acceptance_is_worth_what_is_billed() -> None:
    life = Life().worked(8)
    found = only(life.say(95, *life.invoice(life.schedule()[1], 1, 95)))
    assert amounts(found) == (BUILD, eur(50_000))


@pytest.mark.parametrize(("manager", "at_stake"), [("125", None), ("100", eur(24_000))])
def test_hours_beyond_the_budget(manager: str, at_stake: Money | None) -> None:
    life = rated(Life().worked(8), engineer="100", manager=manager)
    so_far = findings(life)
    assert so_far == {}
    spent = sum(
        (
            entry.hours
            for each in life.events
            if isinstance(each.event, delivery.TimeApproved)
            for entry in each.event.entries
        ),
        Decimal(0),
    )
    found = findings(life.say(95, worked(life, int(1_200 - spent))))
    assert amounts(found["beyond-budget.hours"]) == (WHOLE, at_stake)


def test_hours_beyond_a_line() -> None:
    life = rated(Life().worked(8))
    found = findings(life.say(95, worked(life, 900, line="build")))
    assert amounts(found["beyond-budget.hours.build"]) == (
        BUILD,
        eur("42002.10"),
    )  # 420 x 100.005
    assert found.keys() == {"beyond-budget.hours.build"}  # the same hours are not found in total


def test_hours_that_are_written_down_are_not_beyond_a_line() -> None:
    life = rated(Life().worked(8))
    life.say(95, worked(life, 900, line="build"))
    for name, gone, left in (("one", 300, [eur("12000.60")]), ("two", 120, [])):
        work = finance.UnbilledWork(
            kind="time",
            entry=name,
            on=life.week(8),
            role="engineer",
            hours=Decimal(gone),
            worth=eur(1_000),
        )
        life.say(
            96,
            finance.WorkWrittenDown(line="build", works=(work,), worth=eur(1_000), why="Late."),
        )
        found = findings(life, 97)
        assert [each.at_stake for each in found.values()] == left
        assert all(
            "logged, of which 300 h are written down, on" in e.sentence for e in found.values()
        )


def test_billing_beyond_the_contract() -> None:
    life = Life().accepted()
    more = life.schedule()[1].model_copy(update={"item": "more", "amount": eur(5_000)})
    for number, item in enumerate((*life.schedule(), more), 1):
        life.say(150, *life.invoice(item, number, 150))
    found = findings(life, 151)
    assert amounts(found["beyond-budget.billing"]) == (WHOLE, eur(5_000))
    assert amounts(found["beyond-budget.billing.build"]) == (BUILD, eur(5_000))


@pytest.mark.parametrize(("budget", "at_stake"), [(eur(90_000), eur(10_000)), (DOLLARS, None)])
def test_a_budget_of_another_price(budget: Money, at_stake: Money | None) -> None:
    life = altered(Life().signed(), finance.BudgetSet, price=budget)
    assert amounts(findings(life, 27)["budget-price-differs"]) == (WHOLE, at_stake)


def test_a_margin_is_compared_as_amounts_not_as_rounded_ratios() -> None:
    life = Life().worked(8)
    event = margin_measured(life, "18").model_copy(
        update={
            "margin_sold": Margin(revenue=eur(90_000), cost=eur(60_000), margin=Decimal("0.3333"))
        }
    )
    found = only(life.say(96, event))
    assert found.confidential
    assert amounts(found) == (WHOLE, eur("15333.33"))  # 33,333.33 less 18,000


def test_figures_against_a_green_report_are_of_the_budget_at_completion() -> None:
    life = Life().worked(8)
    found = findings(life.say(95, measured(life, "0.78", "0.85")))
    assert all(each.confidential for each in found.values())
    assert amounts(found["status-greener-than-computed.cost"]) == (eur(70_000), eur(9_000))
    assert amounts(found["status-greener-than-computed.schedule"]) == (eur(70_000), eur(8_000))


def test_a_missing_status_report_and_an_overdue_step_expose_the_whole_price() -> None:
    found = only(Life().worked(8), 140)
    assert (found.rule, amounts(found)) == ("no-status-report", (WHOLE, None))
    found = only(Life().won(), 60)
    assert (found.rule, amounts(found)) == ("next-step-overdue", (WHOLE, None))


def changed(*more: Event) -> Life:
    """Return an engagement with a requested, assessed change of the line build."""
    life = Life().worked(8)
    return life.say(
        60,
        delivery.ChangeRequested(
            change="C-1", requested_by="cora", description="More.", requested_on=life.day(60)
        ),
        delivery.ChangeAssessed(
            change="C-1",
            changes=(LineScopeChange(line="build"),),
            days=0,
            risk="None.",
        ),
        *more,
    )


def test_an_unapproved_change_is_worth_its_price() -> None:
    priced = finance.ChangePriced(
        change="C-1", changes=(line_change("build", 9_000),), price=eur(9_000)
    )
    built = delivery.ChangeImplemented(change="C-1", implemented_on=Life().day(90))
    assert amounts(only(changed(priced).say(90, built))) == (BUILD, eur(9_000))
    assert amounts(only(changed().say(90, built))) == (BUILD, None)


def test_an_approved_change_that_is_not_followed_is_worth_its_price() -> None:
    priced = finance.ChangePriced(
        change="C-1", changes=(line_change("build", 9_000),), price=eur(9_000)
    )
    approved = delivery.ChangeApproved(change="C-1", approved_by="cora", approved_on=Life().day(61))
    found = only(changed(priced).say(61, approved))
    assert (found.rule, amounts(found)) == ("change-not-followed", (BUILD, eur(9_000)))


def test_a_total_with_an_unknown_part_or_two_currencies_is_unknown() -> None:
    assert total([eur(-1), eur(2)]) == eur(3)
    assert total([eur(1), None]) is None
    assert total([eur(1), DOLLARS]) is None
    assert total([]) is None


def test_hours_of_several_roles_are_rounded_together_and_unknown_without_one_rate() -> None:
    parts = [(Decimal(1), per_hour("0.0033")), (Decimal(-1), per_hour("0.0033"))]
    assert value_of_hours(parts) == eur("0.01")
    assert value_of_hours([*parts, (Decimal(5), None)]) is None
    assert value_of_hours([]) is None
