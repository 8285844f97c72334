from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest

from contracts import delivery, finance, gateway, legal, sales
from contracts.event import Event
from contracts.lines import LineRate
from contracts.values import Deliverable, Margin, RoleHours
from gateway.rules import Disconnect, judge
from tests.amounts import eur, per_hour
from tests.builders import ENGAGEMENT, Life
from tests.invoices import untaxed
from tests.unit.gateway.test_engagement_view import view_of
from tests.weeks import approved

UNTIL = date(2026, 12, 31)


def findings(life: Life, days: int = 100) -> dict[str, Disconnect]:
    return judge(view_of(life.events), life.day(days))


def only(life: Life, days: int = 100) -> Disconnect:
    found = findings(life, days)
    assert len(found) == 1, list(found)
    return next(iter(found.values()))


def evidence(finding: Disconnect) -> list[str]:
    return [ref.type.split(".")[2] for ref in finding.evidence]


@pytest.mark.parametrize(
    ("life", "days"),
    [
        (Life().opened(), 10),
        (Life().proposed(), 12),
        (Life().won(), 20),
        (Life().signed(), 27),
        (Life().kicked_off(), 40),
        (Life().worked(8), 95),
        (Life().accepted(), 150),
        (Life().closed(), 200),
    ],
)
def test_a_healthy_engagement_has_no_disconnect_at_any_stage(life: Life, days: int) -> None:
    assert findings(life, days) == {}


def test_a_finish_promised_before_the_one_that_is_forecast() -> None:
    life = Life().worked(8)
    finding = only(life.say(95, life.report(9, 95, finish=180)))

    assert finding.finding == "promised-finish-before-forecast"
    assert finding.days == 30
    assert "promised 4 June 2026" in finding.sentence
    assert "forecasts 4 July 2026" in finding.sentence
    assert evidence(finding) == ["sow-signed", "status-report-published"]
    assert finding.owner == "delivery"


def rebaselined(
    life: Life, *, hours: int = 800, management: int = 160, deliverables: Sequence[Deliverable] = ()
) -> Life:
    plan = life.plan(2)
    build, manage = plan.tasks
    tasks = (
        build.model_copy(update={"hours": (RoleHours(role="engineer", hours=Decimal(hours)),)}),
        manage.model_copy(
            update={"hours": (RoleHours(role="project-manager", hours=Decimal(management)),)}
        ),
    )
    update = {"tasks": tasks, "deliverables": tuple(deliverables) or plan.deliverables}
    return life.say(40, plan.model_copy(update=update))


def test_sold_deliverables_that_nobody_planned() -> None:
    life = Life().kicked_off()
    finding = only(rebaselined(life, deliverables=life.plan(1).deliverables[:1]), 45)

    assert finding.finding == "deliverables-differ"
    assert "sold but not planned: Management reports" in finding.sentence


def test_more_hours_planned_than_sold_beyond_the_tolerance() -> None:
    assert findings(rebaselined(Life().kicked_off(), hours=880), 45) == {}
    finding = only(rebaselined(Life().kicked_off(), hours=992), 45)

    assert finding.finding == "sold-hours-differ"
    assert (finding.exposure, finding.at_stake) == (eur(80_000), None)
    assert finding.severity == "serious"


def test_project_management_that_was_sold_and_is_not_planned() -> None:
    finding = only(rebaselined(Life().kicked_off(), management=80), 45)

    assert finding.finding == "project-management-differs"
    assert (
        finding.sentence
        == "The contract sells 160 h of project management, the baseline plans 80 h."
    )


def test_a_proposal_before_anybody_managed_it() -> None:
    life = Life().proposed().without(delivery.ManagerAssigned)
    assert only(life, 12).severity == "serious"

    assigned = delivery.ManagerAssigned(manager="max", assigned_on=life.day(11))
    drafted = life.events[-1].occurred_at.date()
    same_day = Life().proposed().without(delivery.ManagerAssigned)
    same_day.say((drafted - same_day.begins).days, assigned)
    assert only(same_day, 12).sentence.endswith("was assigned later on the same day.")
    late = only(life.say(11, assigned), 12)
    assert late.finding == "no-manager-before-proposal"
    assert late.severity == "warning"
    assert late.since == life.events[-1].occurred_at


def test_work_before_the_signature() -> None:
    life = Life().won()
    time = approved("T-1", date(2026, 1, 12), 30, task="initiation")
    authorised = Life().won()
    assert only(life.say(16, time), 17).finding == "work-before-signature"

    authorised.say(
        5,
        legal.EarlyStartAuthorised(
            cap_hours=Decimal(40),
            starts_on=authorised.day(5),
            expires_on=authorised.day(30),
            reason="Date is fixed.",
        ),
    ).say(16, time)
    assert findings(authorised, 17) == {}

    beyond = authorised.say(17, approved("T-2", date(2026, 1, 12), 30, task="initiation"))
    finding = only(beyond, 18)
    assert finding.sentence == (
        "60 h were worked before the signature; the early-start authorisation covers 40 h of them."
    )
    assert evidence(finding) == ["time-approved", "early-start-authorised"]


def test_the_signed_version_is_not_the_latest() -> None:
    life = Life().signed()
    draft = next(each.event for each in life.events if isinstance(each.event, legal.SowDrafted))
    finding = only(life.say(26, draft.model_copy(update={"version": 2})), 27)

    assert finding.finding == "signed-version-not-latest"
    assert evidence(finding) == ["sow-signed", "sow-drafted"]


def test_a_statement_of_work_at_another_price_than_the_deal() -> None:
    life = Life()
    for recorded in Life().signed().events:
        event: Event = recorded.event
        if isinstance(event, legal.SowDrafted):
            cheaper = life.lines()[0].model_copy(update={"price": eur(70_000)})
            lines = (cheaper, life.lines()[1])
            event = event.model_copy(update={"price": eur(90_000), "lines": lines})
        if isinstance(event, finance.BudgetSet):
            event = event.model_copy(update={"price": eur(90_000)})
        life.say((recorded.occurred_at.date() - life.begins).days, event)
    finding = only(life, 27)

    assert finding.finding == "sow-price-differs"
    assert finding.at_stake == eur(10_000)
    assert finding.owner == "sales"
    assert finding.sentence == (
        "The deal was won at 100,000.00 EUR, the statement of work says 90,000.00 EUR. "
        "Portal: 80,000.00 EUR, fixed, and 70,000.00 EUR, fixed."
    )


def test_a_bill_rate_other_than_the_contracted_one() -> None:
    life = Life()
    for recorded in Life().kicked_off().events:
        event: Event = recorded.event
        if isinstance(event, legal.SowDrafted):
            rates = (LineRate(role="engineer", rate=per_hour(100)),)
            lines = (life.lines()[0].model_copy(update={"rates": rates}), life.lines()[1])
            event = event.model_copy(update={"lines": lines})
        life.say((recorded.occurred_at.date() - life.begins).days, event)
    life.say(
        40,
        finance.InvoiceIssued(
            invoice="I-1",
            number="2026-00001",
            billing_event="due-1",
            kind="time",
            **untaxed(eur(1_100)),
            advance_drawn=eur(0),
            lines=(
                finance.InvoiceLine(
                    invoice_line="L-1",
                    description="Time",
                    line="build",
                    amount=eur(1_100),
                    role="engineer",
                    hours=Decimal(10),
                    rate=per_hour(110),
                ),
            ),
            issued_on=life.day(40),
            due_on=life.day(70),
        ),
    )
    finding = only(life, 45)

    assert finding.finding == "bill-rate-differs.I-1"
    assert finding.at_stake == eur("100.00")


def test_billing_on_acceptance_before_acceptance() -> None:
    life = Life().worked(8)
    finding = only(life.say(95, *life.invoice(life.schedule()[1], 1, 95)))

    assert finding.finding == "billed-before-acceptance.I-final"
    assert finding.at_stake == eur(50_000)
    assert "portal, reports" in finding.sentence


def test_an_invoice_on_an_acceptance_that_is_withdrawn_is_billed_before_acceptance() -> None:
    life = Life().accepted()
    life.say(150, *life.invoice(life.schedule()[1], 1, 150))
    assert "billed-before-acceptance" not in {each.rule for each in findings(life, 156).values()}
    life.say(
        155,
        delivery.AcceptanceWithdrawn(
            deliverable="portal",
            submission=1,
            accepted_on=life.day(150),
            why="Another letter.",
            withdrawn_on=life.day(155),
        ),
    )
    (found,) = (
        each for each in findings(life, 156).values() if each.rule == "billed-before-acceptance"
    )
    assert evidence(found) == ["invoice-issued", "acceptance-withdrawn"]


def test_hours_beyond_the_budget() -> None:
    life = Life().worked(8)
    life.say(95, approved("T-x", life.week(8), 800))
    assert only(life).finding == "beyond-budget.hours"


def test_billing_beyond_the_contract() -> None:
    life = Life().accepted()
    more = life.schedule()[1].model_copy(update={"item": "more", "amount": eur(5_000)})
    for number, item in enumerate(life.schedule(), 1):
        life.say(150, *life.invoice(item, number, 150))
    found = findings(life.say(151, *life.invoice(more, 4, 151)), 151)

    assert set(found) == {"beyond-budget.billing", "beyond-budget.billing.build"}
    assert {each.at_stake for each in found.values()} == {eur(5_000)}


SOLD = Margin(revenue=eur(100_000), cost=eur(70_000), margin=Decimal("0.3"))


def margin_measured(life: Life, percent: str, sold: Margin | None = SOLD) -> finance.MarginMeasured:
    ratio = Decimal(percent) / 100
    return finance.MarginMeasured(
        as_of=life.day(90),
        margin_sold=sold,
        margin_billed=None,
        margin_recognised=None,
        margin_forecast=Margin(
            revenue=eur(100_000), cost=eur(str(100_000 * (1 - ratio))), margin=ratio
        ),
    )


def test_a_margin_that_melts_is_told_only_to_those_who_may_know() -> None:
    life = Life().worked(8)
    assert findings(life.say(95, margin_measured(life, "26"))) == {}
    assert findings(life.say(96, margin_measured(life, "18", sold=None))) == {}
    finding = only(life.say(96, margin_measured(life, "18")))

    assert finding.finding == "forecast-margin-below-sold"
    assert finding.confidential
    assert finding.at_stake == eur("12000.00")


def measured(life: Life, cpi: str, spi: str) -> finance.PerformanceMeasured:
    return finance.PerformanceMeasured(
        as_of=life.day(95),
        report=life.measured_report(),
        budget_at_completion=eur(70_000),
        planned_value=eur(40_000),
        earned_value=eur(32_000),
        actual_cost=eur(41_000),
        cost_variance=eur(-9_000),
        schedule_variance=eur(-8_000),
        cost_performance_index=Decimal(cpi),
        schedule_performance_index=Decimal(spi),
        estimate_to_complete=None,
        estimate_at_completion_by_hours=None,
        estimate_at_completion=None,
        variance_at_completion=None,
        estimate_at_completion_by_trend=None,
        estimate_at_completion_as_planned=eur(79_000),
        estimate_at_completion_by_cost_and_schedule=None,
        to_complete_performance_index=None,
        to_complete_performance_index_for_estimate=None,
    )


def test_an_older_report_that_is_measured_late_replaces_no_newer_figures() -> None:
    life = Life().worked(8)
    late = margin_measured(life, "18").model_copy(update={"report": 1, "as_of": life.day(80)})
    newer = margin_measured(life, "29").model_copy(update={"report": 2})
    assert only(life.say(95, late)).finding == "forecast-margin-below-sold"
    assert findings(life.say(96, newer).say(97, late)) == {}


def test_the_forecast_of_a_booked_month_is_compared_with_no_other_price() -> None:
    life = Life().worked(8)
    month = margin_measured(life, "18").model_copy(update={"month": "2026-03"})
    assert findings(life.say(96, month)) == {}


def test_green_while_the_figures_are_red() -> None:
    life = Life().worked(8)
    found = findings(life.say(95, measured(life, "0.78", "0.85")))

    assert set(found) == {
        "status-greener-than-computed.cost",
        "status-greener-than-computed.schedule",
    }
    assert found["status-greener-than-computed.cost"].severity == "serious"
    assert found["status-greener-than-computed.cost"].at_stake == eur(9_000)
    assert evidence(found["status-greener-than-computed.cost"]) == [
        "status-report-published",
        "performance-measured",
    ]


def test_a_report_is_compared_only_with_its_own_measurement() -> None:
    life = Life().worked(8)
    life.say(95, measured(life, "0.78", "0.95"))
    red = life.say(96, life.report(9, 96, cost="red"))
    (still,) = findings(red).values()
    assert (
        still.sentence == "Cost is reported green on 10 April 2026 while CPI is 0.78, which is red."
    )
    assert evidence(still) == ["status-report-published", "performance-measured"]
    assert findings(red.say(97, measured(red, "0.78", "0.95"))) == {}


def requested(life: Life) -> Life:
    return life.say(
        60,
        delivery.ChangeRequested(
            change="C-1", requested_by="cora", description="More.", requested_on=life.day(60)
        ),
    )


def test_a_change_that_is_built_and_was_never_approved() -> None:
    life = requested(Life().worked(8))
    finding = only(
        life.say(90, delivery.ChangeImplemented(change="C-1", implemented_on=life.day(90)))
    )
    assert finding.finding == "change-not-approved.C-1"
    assert evidence(finding) == ["change-requested", "change-implemented"]


def test_a_change_that_was_approved_and_that_nobody_followed() -> None:
    life = requested(Life().worked(8))
    life.say(
        90,
        delivery.ChangeApproved(change="C-1", approved_by="cora", approved_on=life.day(90)),
    )
    assert findings(life, 92) == {}
    finding = only(life)
    assert finding.finding == "change-not-followed.C-1"
    assert "the contract nor in the plan nor in budget" in finding.sentence
    life.say(100, delivery.ChangeRejected(change="C-1", why="No money.", rejected_on=life.day(100)))
    assert findings(life, 101) == {}


def test_no_status_report_within_the_cadence() -> None:
    life = Life().worked(8)
    assert findings(life, 105) == {}
    finding = only(life, 120)

    assert finding.finding == "no-status-report"
    assert finding.days == 10
    assert finding.since.date() == life.day(110)


def test_closing_with_loose_ends() -> None:
    life = Life().accepted()
    life.say(
        150,
        delivery.IssueRaised(
            item="X-1",
            title="Slow search",
            severity="high",
            owner="max",
            due_on=date(2026, 6, 1),
        ),
        delivery.PirHeld(
            held_on=life.day(150),
            went_well=(),
            went_badly=(),
            sold_hours=Decimal(960),
            delivered_hours=Decimal(600),
        ),
    )
    finding = only(life, 151)
    assert finding.finding == "closing-with-loose-ends"
    assert "Slow search" in finding.sentence
    assert (finding.exposure, finding.at_stake) == (eur(100_000), None)

    life.say(150, *life.invoice(life.schedule()[1], 1, 110))
    overdue = finance.PaymentOverdue(
        invoice="I-final", outstanding=eur(50_000), due_on=life.day(140)
    )
    finding = only(life.say(151, overdue), 151)
    assert (finding.exposure, finding.at_stake) == (eur(100_000), eur(50_000))


@pytest.mark.parametrize(
    ("life", "owner", "step"),
    [
        (Life().won(), "legal", "a statement of work"),
        (Life().proposed(), "sales", "the customer's decision"),
        (Life().signed().without(finance.BudgetSet, finance.BudgetCosted), "finance", "the budget"),
        (Life().signed(), "delivery", "the kickoff"),
    ],
)
def test_silence_of_the_department_that_owes_the_next_step(
    life: Life, owner: str, step: str
) -> None:
    finding = only(life, 80)

    assert finding.finding == "next-step-overdue"
    assert finding.owner == owner
    assert step in finding.sentence


def test_what_is_over_or_taken_over_from_elsewhere_is_not_judged() -> None:
    lost = Life().proposed().without(delivery.ManagerAssigned)
    lost.say(20, sales.DealLost(reason="price", lost_on=lost.day(20)))
    assert findings(lost) == {}

    imported = Life().say(
        0,
        sales.OpportunityImported(
            source="crm",
            external_id="1",
            account="acme",
            title="Boxes",
            product="Box",
            owner="ann",
            outcome="open",
            pipeline_stage="prospecting",
            opened_on=date(2017, 1, 1),
            closed_on=None,
            value=None,
        ),
    )
    assert findings(imported) == {}


def test_every_finding_can_be_said_in_the_words_of_the_contracts() -> None:
    from gateway.decider import ENGAGEMENT as DECIDER
    from gateway.decider import PublishDisconnects, WaiveDisconnect, detected
    from testkit.scenario import given

    life = Life().worked(8)
    life.say(95, life.report(9, 95, finish=180), margin_measured(life, "18"))
    found = tuple(detected(each) for each in findings(life).values())
    open_one, secret = found
    published = (
        given(DECIDER, ENGAGEMENT)
        .when(PublishDisconnects(disconnects=found))
        .then(open_one, secret)
    )
    assert isinstance(open_one, gateway.DisconnectDetected)
    assert isinstance(secret, gateway.ConfidentialDisconnectDetected)
    published.when(PublishDisconnects(disconnects=found)).then()
    waived = published.when(
        WaiveDisconnect(finding=open_one.finding, why="Agreed with the customer.", until=UNTIL),
        by="vera",
    ).then(
        gateway.DisconnectWaived(
            finding=open_one.finding,
            rule=open_one.rule,
            why="Agreed with the customer.",
            waived_by="vera",
            until=UNTIL,
        )
    )
    waived.when(PublishDisconnects(disconnects=(open_one,))).then(
        gateway.ConfidentialDisconnectResolved(finding=secret.finding, rule=secret.rule)
    )
    waived.when(WaiveDisconnect(finding="nothing", why="?", until=UNTIL)).then_refused(
        "disconnect-unknown"
    )
