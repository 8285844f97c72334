"""Missed milestones, unbilled entries, and reports and forecasts that the figures contradict."""

from datetime import date
from decimal import Decimal

import pytest

from contracts import delivery, finance, legal
from contracts.lines import LineScopeChange, RoleHoursDelta
from gateway.rules import Disconnect, Tolerances
from gateway.rules.computed_status import statuses, worst_computed
from tests.amounts import eur
from tests.builders import ENGAGEMENT, Life
from tests.in_process_gateway import InMemory, token
from tests.unit.gateway.test_contract_lines import altered
from tests.unit.gateway.test_disconnects import findings, measured, only, requested
from tests.unit.gateway.test_engagement_view import view_of
from tests.unit.gateway.test_pages import VERA, browser, text_of
from tests.unit.gateway.test_rule_stories import accepted, cost, forecast, milestone, scope

EMIL = token("emil", "engagement-manager")


def of_rule(life: Life, rule: str, days: int = 100) -> list[Disconnect]:
    return [each for each in findings(life, days).values() if each.rule == rule]


# ---- milestones --------------------------------------------------------------------------------


def test_a_milestone_is_missed_from_the_day_after_it_was_due() -> None:
    life = milestone(97)
    assert of_rule(life, "milestone-missed", 97) == []

    (found,) = of_rule(life, "milestone-missed", 98)
    assert found.finding == "milestone-missed.first"
    assert (found.days, found.at_stake, found.severity) == (1, eur(100), "warning")
    assert found.since.date() == life.day(98)
    assert (found.ends_with, found.command) == ("max", "reach-milestone")
    assert of_rule(life, "milestone-missed", 112)[0].severity == "serious"


def test_a_milestone_that_was_reached_by_mistake_is_missed_again() -> None:
    life = milestone(97, delivery.MilestoneReached(milestone="first", reached_on=Life().day(96)))
    assert of_rule(life, "milestone-missed") == []
    life.say(
        99,
        delivery.MilestoneWithdrawn(
            milestone="first",
            reached_on=life.day(96),
            withdrawn_on=life.day(99),
            why="Another one.",
        ),
    )
    assert of_rule(life, "milestone-missed")


def test_what_a_delay_costs_is_unknown_where_no_cost_is_agreed() -> None:
    (found,) = of_rule(
        altered(milestone(97), legal.SowDrafted, cost_of_delay_per_day=None), "milestone-missed"
    )
    assert (found.at_stake, found.exposure) == (None, eur(100_000))


def test_days_that_the_customer_approved_move_a_milestone() -> None:
    life = requested(milestone(97))
    changes = (LineScopeChange(line="build"),)
    life.say(91, delivery.ChangeAssessed(change="C-1", changes=changes, days=5, risk="None."))
    assert of_rule(life, "milestone-missed"), "an assessment is no agreement"
    approved = delivery.ChangeApproved(change="C-1", approved_by="cora", approved_on=life.day(92))
    life.say(92, approved)
    assert of_rule(life, "milestone-missed", 102) == []
    assert of_rule(life, "milestone-missed", 103)[0].days == 1
    life.say(104, delivery.ChangeRejected(change="C-1", why="No.", rejected_on=life.day(104)))
    assert of_rule(life, "milestone-missed", 104)[0].days == 7


def test_no_milestone_is_missed_while_the_work_is_on_hold() -> None:
    life = milestone(97)
    life.say(96, delivery.EngagementPutOnHold(reason="No data.", held_on=life.day(96)))
    assert of_rule(life, "milestone-missed") == []
    life.say(99, delivery.EngagementResumed(resumed_on=life.day(99)))
    assert of_rule(life, "milestone-missed")


# ---- billing -----------------------------------------------------------------------------------


def drafted(*after: finance.InvoiceHeld) -> Life:
    life = Life().worked(8)
    advance = life.schedule()[0]
    due, invoice = life.invoice(advance, 1, 60)
    fields = {
        name: getattr(invoice, name)
        for name in finance.InvoiceDrafted.model_fields
        if hasattr(invoice, name)
    }
    return life.say(60, due, finance.InvoiceDrafted.model_validate(fields), *after)


def test_what_is_accepted_is_to_be_billed_within_fourteen_days() -> None:
    assert of_rule(accepted(), "accepted-not-billed", 163) == []
    (found,) = of_rule(accepted(), "accepted-not-billed", 164)

    assert found.finding == "accepted-not-billed.build.final"
    assert (found.exposure, found.at_stake) == (eur(80_000), eur(50_000))
    assert (found.owner, found.command) == ("finance", "catch-up")
    assert found.sides[0].day == Life().day(149)


def test_one_deliverable_of_two_bills_nothing() -> None:
    life = accepted()
    life.say(
        150,
        delivery.AcceptanceWithdrawn(
            deliverable="reports",
            submission=1,
            accepted_on=life.day(149),
            why="Another letter.",
            withdrawn_on=life.day(150),
        ),
    )
    assert of_rule(life, "accepted-not-billed", 200) == []


def test_an_entry_that_is_due_without_a_draft_is_found() -> None:
    life = Life().worked(8)
    (due, _) = life.invoice(life.schedule()[0], 1, 80)
    life.say(80, due)

    assert of_rule(life, "accepted-not-billed", 94) == []
    (found,) = of_rule(life, "accepted-not-billed", 95)
    assert found.at_stake == eur(30_000)
    assert [each.value for each in found.sides] == [
        "30,000.00 EUR signed (on signature)",
        "no draft or invoice published",
    ]
    assert found.command == "bill-outside-schedule"


def test_a_draft_may_wait_as_long_again() -> None:
    assert of_rule(drafted(), "accepted-not-billed", 88) == []
    (found,) = of_rule(drafted(), "accepted-not-billed", 89)
    assert (found.sides[1].value, found.command) == ("draft not approved", "approve-invoice")
    assert (found.role, found.ends_with) == ("controller", None)

    held = drafted(finance.InvoiceHeld(invoice="I-advance", why="A wrong address."))
    (found,) = of_rule(held, "accepted-not-billed", 89)
    assert found.sides[1].value == "draft held: A wrong address."
    assert found.command == "release-invoice"


# ---- reports -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reported", "cpi", "severity"),
    [
        ("green", "0.90", None),
        ("green", "0.89", "warning"),
        ("amber", "0.80", None),
        ("amber", "0.79", "serious"),
        ("green", "0.79", "serious"),
        ("red", "0.10", None),
        ("red", "1.20", None),
    ],
)
def test_cost_is_computed_by_its_index(reported: str, cpi: str, severity: str | None) -> None:
    life = Life().worked(8)
    life.say(94, life.report(9, 94, cost=reported))
    found = of_rule(life.say(95, measured(life, cpi, "1")), "status-greener-than-computed")

    assert [each.severity for each in found] == ([severity] if severity else [])


def test_an_index_that_is_unknown_contradicts_no_report() -> None:
    life = Life().worked(8)
    figures = measured(life, "1", "1")
    unknown = {"cost_performance_index": None, "schedule_performance_index": None}
    assert findings(life.say(95, figures.model_copy(update=unknown))) == {}


def test_a_report_of_scope_counts_changes_that_it_knew() -> None:
    (found,) = of_rule(scope(170), "scope-greener-than-computed")
    assert (found.severity, found.confidential) == ("warning", False)
    assert of_rule(scope(200), "scope-greener-than-computed")[0].severity == "serious"
    assert of_rule(scope(-200), "scope-greener-than-computed"), "less scope is another scope, too"

    later = requested(Life().worked(8))
    changes = (
        LineScopeChange(line="build", hours=(RoleHoursDelta(role="engineer", hours=Decimal(200)),)),
    )
    later.say(97, delivery.ChangeAssessed(change="C-1", changes=changes, days=0, risk="None."))
    assert of_rule(later, "scope-greener-than-computed") == []


def test_the_trend_is_unknown_before_anything_is_earned_or_spent() -> None:
    life = Life().worked(8)
    life.say(94, life.report(9, 94, cost="red"))
    figures = measured(life, "0.5", "1").model_copy(update={"estimate_at_completion": eur(10)})
    for nothing in ("earned_value", "actual_cost"):
        told = Life().worked(8)
        told.say(94, told.report(9, 94, cost="red"))
        told.say(95, figures.model_copy(update={nothing: eur(0)}))
        assert of_rule(told, "forecast-better-than-trend") == []


def test_a_forecast_is_compared_in_confidence() -> None:
    (found,) = of_rule(forecast(60_000), "forecast-better-than-trend")

    assert found.confidential
    assert (found.severity, found.exposure) == ("serious", eur("89687.50"))
    assert found.sides[0].day == date(2026, 4, 10)
    assert only(cost("amber")).sides[0].value == "cost reported amber"


def test_the_chosen_forecast_is_compared_with_the_trend() -> None:
    def chosen(cost: int | None) -> list[Disconnect]:
        life = Life().worked(8)
        life.say(94, life.report(9, 94, cost="red"))
        told = {
            "forecast_choice": finance.MeasuredChoice(
                method="as-planned", reason="Learnt now.", chosen_by="mara"
            ),
            "estimate_at_completion_by_hours": eur(60_000),
            "estimate_at_completion": None if cost is None else eur(cost),
        }
        life.say(95, measured(life, "0.78", "0.95").model_copy(update=told))
        return of_rule(life, "forecast-better-than-trend")

    (found,) = chosen(79_000)
    assert found.at_stake == eur("10687.50")
    assert found.sides[0].value == "79,000.00 EUR forecast by AC + (BAC − EV)"  # noqa: RUF001
    assert chosen(89_000) == []
    assert chosen(None) == [], "another forecast takes the place of an unknown one"


# ---- the computed status beside the reported one -------------------------------------------------


async def test_the_computed_status_is_beside_the_reported_one() -> None:
    gateway = InMemory(*cost("green").events)
    for who, shown in ((VERA, True), (EMIL, False)):
        page = await page_of(gateway, who, f"/pages/engagements/{ENGAGEMENT}")
        row = await page_of(gateway, who, "/pages/engagements")
        assert ("CPI of 0.78, reported green" in page) == shown
        assert ("computed Red" in row) == shown
        assert "0 open changes of 0 h, reported green" in page


async def test_a_scope_that_is_computed_is_open() -> None:
    gateway = InMemory(*scope(170).events)
    page = await page_of(gateway, EMIL, f"/pages/engagements/{ENGAGEMENT}")
    assert "Scope as computed Amber 1 open change of 170 h, reported green" in page
    assert "computed Amber" in await page_of(gateway, EMIL, "/pages/engagements")


async def page_of(gateway: InMemory, who: str, path: str) -> str:
    async with browser(gateway, who) as client:
        return text_of(await client.get(path))


def test_a_response_has_the_confidential_part_of_the_status_for_its_readers_only() -> None:
    view = view_of(cost("green").events)
    for confidential, dimensions in (
        (True, ["cost", "schedule", "scope"]),
        (False, ["scope"]),
    ):
        found = statuses(view, Tolerances(), confidential=confidential)
        assert [each.dimension for each in found] == dimensions
        assert worst_computed(found) == ("red" if confidential else "green")


def test_an_engagement_that_has_ended_has_no_computed_status() -> None:
    assert statuses(view_of(Life().closed().events), Tolerances(), confidential=True) == []
