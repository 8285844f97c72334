from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import delivery, finance, legal, sales
from contracts.event import Event, Recorded
from contracts.lines import changed_lines
from gateway.pages.department_panels import panels
from gateway.pages.engagement_page import stage_steps
from gateway.pages.names import Names
from gateway.rules import Disconnect, judge, judge_confidential, judge_open
from gateway.view.engagement_view import View, apply_event, dump, load
from testkit.matchers import RecordsOf
from tests.amounts import eur
from tests.builders import ENGAGEMENT, Life, line_change
from tests.portfolio_builder import company, green_in_the_red
from tests.unit.imported import IMPORTED

TODAY = date(2026, 4, 1)
REOPENED = sales.DealReopened(why="They asked again.", lost_on=TODAY, reopened_on=TODAY)


KICKOFF = delivery.KickoffHeld(held_on=Life().day(12), attendees=("max",))


def view_of(events: list[Recorded[Event]]) -> View:
    view = View(ENGAGEMENT)
    for recorded in events:
        apply_event(view, recorded)
    return view


@pytest.mark.parametrize(
    ("life", "stage"),
    [
        (Life().opened(), "opportunity"),
        (Life().proposed(), "proposal"),
        (Life().proposed().say(12, KICKOFF), "proposal"),
        (Life().opened().say(12, KICKOFF, Life().plan(1)), "opportunity"),
        (Life().won(), "contracting"),
        (Life().won().say(16, KICKOFF), "mobilising"),
        (Life().signed(), "mobilising"),
        (Life().kicked_off(), "delivering"),
        (Life().accepted().say(150, delivery.SolutionWentLive(live_on=TODAY)), "closing"),
        (Life().closed(), "closed"),
        (Life().proposed().say(20, sales.DealLost(reason="price", lost_on=TODAY)), "lost"),
        (
            Life()
            .worked()
            .say(99, legal.EngagementTerminated(reason="mutual", terminated_on=TODAY)),
            "terminated",
        ),
    ],
)
def test_a_view_shows_the_stage_that_the_events_have_reached(life: Life, stage: str) -> None:
    assert view_of(life.events).stage == stage


def test_the_authorisation_that_ran_out_is_the_one_of_that_last_day() -> None:
    life = Life().won()
    for last in (30, 60):
        authorised = legal.EarlyStartAuthorised(
            cap_hours=Decimal(40),
            starts_on=life.day(5),
            expires_on=life.day(last),
            reason="Date is fixed.",
        )
        life.say(5, authorised)
    life.say(31, legal.EarlyStartExpired(expired_on=life.day(30)))
    section = view_of(life.events).legal
    assert [section.has_expired(start.event) for start in section.early_starts] == [True, False]


def panel_of(view: View) -> dict[str, Any]:
    """Return the rows of the panels by label."""
    shown = panels(view, Names(RecordsOf([])), TODAY, confidential=False)
    return {row.label: row.lines for panel in shown for row in panel.rows}


def lost_in(view: View) -> str:
    """Return what the panel of Sales shows of a lost deal."""
    [line] = panel_of(view)["Lost"]
    return str(line)


def test_a_deal_that_was_lost_before_its_import_is_lost() -> None:
    imported = sales.OpportunityImported(
        source="crm",
        external_id="OPP-1",
        account="acme",
        title="Portal",
        product="Integration",
        owner="ann",
        outcome="lost",
        pipeline_stage="proposing",
        opened_on=None,
        closed_on=TODAY,
        value=None,
    )
    life = Life().say(1, imported)
    view = view_of(life.events)
    assert (view.stage, view.sales.lost, view.sales.lost_on) == ("lost", None, TODAY)
    assert lost_in(view) == "1 Apr 2026: no reason given"
    told = imported.model_copy(update={"closed_on": None, "loss_reason_text": "Too dear"})
    assert lost_in(view_of(Life().say(1, told).events)) == "day unknown: Too dear"
    life = Life().say(1, imported)
    reopened = view_of(life.say(2, REOPENED).events)
    assert (reopened.stage, reopened.sales.lost_on) == ("opportunity", None)
    assert (reopened.sales.imported_outcome, reopened.sales.expected_close) == ("open", None)


def test_an_imported_deal_has_the_days_that_the_crm_had() -> None:
    won = view_of(Life().say(1, IMPORTED).events)
    begun = {step.stage: step.on for step in stage_steps(won)}
    assert (begun["opportunity"], begun["contracting"]) == (date(2025, 10, 1), date(2025, 12, 1))
    assert panel_of(won)["Won"] == ("1 Dec 2025, in crm",)
    unknown = IMPORTED.model_copy(update={"opened_on": None})
    begun = {step.stage: step.on for step in stage_steps(view_of(Life().say(1, unknown).events))}
    assert begun["opportunity"] is None


def test_a_deal_that_was_won_in_the_crm_has_the_stage_of_its_record() -> None:
    at_work = IMPORTED.model_copy(update={"outcome": "open", "closed_on": None})
    record = IMPORTED.model_copy(update={"pipeline_stage": None})
    moved = sales.OpportunityImportUpdated(
        **dict(record), changed=("outcome", "pipeline_stage", "closed_on"), applied=True
    )
    shown = view_of(Life().say(1, at_work).say(2, moved).events).sales
    assert (shown.pipeline_stage, shown.won_on) == (None, date(2025, 12, 1))


@pytest.mark.parametrize(
    ("outcome", "applied", "stage"),
    [("won", True, "closed"), ("open", True, "opportunity"), ("won", False, "lost")],
)
def test_an_imported_deal_follows_the_crm_until_people_decide(
    outcome: str, applied: bool, stage: str
) -> None:
    lost = IMPORTED.model_copy(update={"outcome": "lost"})
    record = IMPORTED.model_copy(update={"outcome": outcome, "value": eur(7)})
    moved = sales.OpportunityImportUpdated(
        **dict(record), changed=("outcome", "value"), applied=applied
    )
    view = view_of(Life().say(1, lost).say(2, moved).events)
    assert view.stage == stage
    assert view.sales.expected_value == (eur(7) if applied else eur(100_000))
    rows = panel_of(view)
    told = ("won since 1 Dec 2025, 7 EUR", "changed: outcome, value")
    assert rows.get("In the CRM now") == (None if applied else told)


def test_a_reopened_deal_is_at_the_stage_before_the_loss() -> None:
    life = Life().proposed().say(20, sales.DealLost(reason="price", lost_on=TODAY))
    view = view_of(life.say(21, REOPENED).events)
    assert (view.stage, view.sales.lost, view.sales.lost_on) == ("proposal", None, None)
    again = life.say(22, sales.DealLost(reason="scope", lost_on=TODAY))
    assert view_of(again.events).stage == "lost"


def test_a_healthy_life_shows_what_each_department_said() -> None:
    view = view_of(Life().closed().events)

    assert view.price == eur(100_000)
    assert view.finance.billed("EUR") == eur(100_000)
    assert view.finance.outstanding("EUR") == eur(0)
    assert view.confidential.cost == eur(48_000)
    assert view.delivery.approved_hours == Decimal(600)
    assert view.delivery.deliverables["portal"].status == "accepted"
    assert view.causally_complete


def test_what_is_written_off_is_not_outstanding_until_it_is_reversed() -> None:
    life = Life().accepted()
    final = next(each for each in life.schedule() if each.item == "final")
    life.say(149, *life.invoice(final, 1, 149))
    off = finance.WriteOffRecorded(
        write_off="W-1",
        invoice="I-final",
        amount=eur(20_000),
        why="Insolvent.",
        written_off_on=life.day(150),
    )
    lost = view_of(life.say(150, off).events).finance
    assert (lost.outstanding("EUR"), lost.written_off("EUR")) == (eur(30_000), eur(20_000))
    back = finance.WriteOffReversed(
        write_off="W-1",
        invoice="I-final",
        amount=eur(5_000),
        why="Paid after all.",
        reversed_on=life.day(151),
    )
    paid = view_of(life.say(151, back).events).finance
    assert (paid.outstanding("EUR"), paid.written_off("EUR")) == (eur(35_000), eur(15_000))


def test_a_change_order_or_an_invoice_opens_a_settled_account_again() -> None:
    life = Life().closed()
    said = {type(each.event): each.event for each in life.events}
    said_budget = said[finance.BudgetSet]
    assert isinstance(said_budget, finance.BudgetSet)
    change = finance.BudgetAmended(
        change="CR-1",
        amendment="A-CR-1",
        price=eur(102_900),
        lines=changed_lines(life.lines(), [line_change("build", 2_900)]),
        obligations=said_budget.obligations,
        signed_on=date(2026, 4, 27),
        unnamed_work_from=date(2026, 4, 27),
        treatment="catch-up",
        why="The same portal.",
    )

    assert view_of(life.events).finance.settled is not None
    assert view_of(life.say(170, change).events).finance.settled is None
    life.say(171, said[finance.AccountSettled])
    assert view_of(life.events).finance.settled is not None
    assert view_of(life.say(172, said[finance.InvoiceIssued]).events).finance.settled is None


@given(st.data())
def test_topics_may_arrive_interleaved_in_any_way(data: st.DataObject) -> None:
    events = Life().closed().events
    queues: dict[str, list[Recorded[Event]]] = {}
    for recorded in events:
        queues.setdefault(recorded.channel.name, []).append(recorded)
    names = [name for name, queue in queues.items() for _ in queue]
    order = data.draw(st.permutations(names))
    heads = {name: iter(queue) for name, queue in queues.items()}

    assert dump(view_of([next(heads[name]) for name in order])) == dump(view_of(events))


def test_a_view_is_incomplete_while_something_its_events_rest_on_is_missing() -> None:
    events = Life().signed().events
    without_sales = [recorded for recorded in events if recorded.channel.name != "sales"]
    view = view_of(without_sales)

    assert not view.causally_complete
    assert view.missing(confidential=False).keys() == {"sales"}
    with pytest.raises(ValueError, match="causally complete"):
        judge(view, TODAY)


def test_the_open_part_is_complete_without_confidential_events() -> None:
    life = green_in_the_red(Life())
    hidden = [each for each in life.events if not each.channel.confidential]
    late = [each for each in life.events if each.channel.confidential]
    view = view_of(hidden)

    assert view.open_part_complete
    assert view.causally_complete
    assert view.missing(confidential=True) == {}
    assert judge_open(view, TODAY) == judge_open(view_of(life.events), TODAY)

    only_reports_missing = [each for each in hidden if each.channel.name != "delivery"]
    view = view_of([*only_reports_missing, *late])
    assert not view.open_part_complete
    assert not view.causally_complete


def test_confidential_events_complete_only_the_confidential_part() -> None:
    life = Life().worked(8)
    before = view_of(life.events)
    report = life.say(95, life.report(9, 95)).events[-1]
    measured = life.say(96, next(e.event for e in life.events if e.channel.confidential)).events[-1]
    assert measured.heard["delivery"] == report.sequence
    apply_event(before, measured)

    assert before.open_part_complete
    assert before.missing(confidential=False) == {}
    assert not before.causally_complete
    assert before.missing(confidential=True) == {"delivery": report.sequence}
    assert judge_open(before, TODAY) == judge_open(view_of(life.events[:-2]), TODAY)
    with pytest.raises(ValueError, match="causally complete"):
        judge_confidential(before, TODAY)
    apply_event(before, report)
    assert before.causally_complete


@pytest.mark.parametrize("engagement", sorted({each.subject for each in company()}))
def test_no_rule_compares_confidential_with_open_figures(engagement: str) -> None:
    view = View(engagement)
    for recorded in company():
        if recorded.subject == engagement:
            apply_event(view, recorded)
    empty = View(view.engagement)
    blind = replace(
        view, confidential=empty.confidential, gateway_confidential=empty.gateway_confidential
    )
    confidential_alone = replace(empty, confidential=view.confidential)

    assert judge_open(blind, TODAY) == judge_open(view, TODAY)
    assert compared(judge_confidential(confidential_alone, TODAY)) == compared(
        judge_confidential(view, TODAY)
    )


def compared(disconnects: Mapping[str, Disconnect]) -> dict[str, Disconnect]:
    """Return disconnects without evidence, and without the people, who may be on open channels."""
    nobody = {"author": None}
    return {
        name: replace(
            found,
            evidence=(),
            ends_with=None,
            sides=(one.model_copy(update=nobody), other.model_copy(update=nobody)),
        )
        for name, found in disconnects.items()
        for one, other in [found.sides]
    }


def test_a_view_survives_being_written_and_read() -> None:
    view = view_of(Life().closed().events)

    assert load(dump(view)) == view
